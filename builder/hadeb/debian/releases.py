# SPDX-License-Identifier: Apache-2.0
"""The Debian releases that hadeb supports. Pure."""

from __future__ import annotations

from typing import Literal, get_args

Suite = Literal["bookworm", "trixie"]
SUITES: tuple[Suite, ...] = get_args(Suite)
