# SPDX-License-Identifier: Apache-2.0
"""`python -m hadeb`, and where the command begins."""

import sys


def main() -> None:
    """Run the command; who interrupts it while it is still loading sees no traceback either."""
    try:
        from hadeb.cli import main as command
    except KeyboardInterrupt:
        sys.exit(130)
    command()


if __name__ == "__main__":
    main()
