# SPDX-License-Identifier: Apache-2.0
"""The command: a probe that starts fast, or the daemon."""

from __future__ import annotations

import signal
import sys

from sample_tcp_server.options import HELP, read


def main(arguments: list[str] | None = None) -> int:
    """Run the command. Return the exit code: see sample-tcp-server(8)."""
    options, faults = read(sys.argv[1:] if arguments is None else arguments)
    if "help" in options:
        sys.stdout.write(HELP)
        return 0
    if "probe" in options:
        from sample_tcp_server.probe import probe

        return probe(options, faults)
    # Signals wait until the daemon handles them: a SIGHUP during the imports would kill it.
    signal.pthread_sigmask(signal.SIG_BLOCK, (signal.SIGTERM, signal.SIGINT, signal.SIGHUP))
    from sample_tcp_server.daemon import serve  # asyncio: most of the start-up time

    return serve(options, faults)
