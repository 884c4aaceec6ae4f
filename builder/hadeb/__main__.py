# SPDX-License-Identifier: Apache-2.0
"""`python -m hadeb`, and where the command begins."""

import gc
import os
import sys

# Objects made until Python looks for garbage, a hundred times as many as it would: what a suite
# lists is none, and to look through it anew and anew takes 4 ms of a publish.
_OBJECTS = 100_000


def main() -> None:
    """Run the command; who interrupts it while it is still loading sees no traceback either."""
    # Manifests, and the names of files in them, are UTF-8 whatever the locale is.
    if sys.getfilesystemencoding() != "utf-8":
        from hadeb.run import restart_in_utf8

        restart_in_utf8()
    # A thread that has waited for a program goes on soon, whatever another one computes.
    sys.setswitchinterval(0.001)
    gc.set_threshold(_OBJECTS)
    try:
        from hadeb.cli import terminal
        from hadeb.cli.main import main as command
    except KeyboardInterrupt:
        sys.exit(130)
    try:
        command()
    except SystemExit as end:
        # To take all apart, piece by piece, is a thirtieth of the time that a whole publish has.
        # Who has something to close or to wait for does so before it gets here.
        if not isinstance(end.code, int):
            raise
        terminal.finish()
        os._exit(end.code)


if __name__ == "__main__":
    main()
