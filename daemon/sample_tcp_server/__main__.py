# SPDX-License-Identifier: Apache-2.0
"""`python3 -m sample_tcp_server`."""

import sys

from sample_tcp_server.cli import main

sys.exit(main())
