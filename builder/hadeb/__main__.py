# SPDX-License-Identifier: Apache-2.0
"""`python -m hadeb`."""

from hadeb.cli import main

main()
