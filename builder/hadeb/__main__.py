# SPDX-License-Identifier: Apache-2.0
"""`python -m hadeb`, and where the command begins."""

import os
import sys


def main() -> None:
    """Run the command; who interrupts it while it is still loading sees no traceback either."""
    # A thread that has waited for a program goes on soon, whatever another one computes.
    sys.setswitchinterval(0.001)
    try:
        from hadeb import ui
        from hadeb.cli import main as command
    except KeyboardInterrupt:
        sys.exit(130)
    try:
        command()
    except SystemExit as end:
        # To take all apart, piece by piece, is a thirtieth of the time that a whole publish has.
        # Who has something to close or to wait for does so before it gets here.
        if not isinstance(end.code, int):
            raise
        ui.finish()
        os._exit(end.code)


if __name__ == "__main__":
    main()
