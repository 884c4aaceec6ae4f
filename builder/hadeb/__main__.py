# SPDX-License-Identifier: Apache-2.0
"""`python -m hadeb`, and the entry point of the command."""

import os

try:
    import gc
    import sys

    from hadeb import interrupt

    interrupt.leave_at_once()
except KeyboardInterrupt:
    os._exit(130)

# Objects made between two runs of the garbage collector, a hundred times Python's default. The
# packages of a suite are no garbage; tests/bench/repo_bench.py saw 4 ms for looking through them.
_OBJECTS = 100_000


def main() -> None:
    """Run the command. An interrupt shows no traceback, not even while modules are loading."""
    # Manifests, and the names of files in them, are UTF-8 in any locale.
    if sys.getfilesystemencoding() != "utf-8":
        from hadeb.run import restart_in_utf8

        restart_in_utf8()
    # While one thread computes, another that has waited for a program soon gets its turn.
    sys.setswitchinterval(0.001)
    gc.set_threshold(_OBJECTS)
    from hadeb.cli import terminal
    from hadeb.cli.main import main as command

    code: object = interrupt.EXIT_CODE
    try:
        interrupt.obey()
        try:
            command()
        except SystemExit as end:
            code = end.code
        interrupt.ignore()
    except KeyboardInterrupt:
        code = interrupt.EXIT_CODE
    terminal.finish()
    # Without Python's teardown: tests/bench/build_bench.py shows a tenth of a build for it.
    # Everything that has to be closed or awaited is so by now.
    os._exit(code if isinstance(code, int) else 1)


if __name__ == "__main__":
    main()
