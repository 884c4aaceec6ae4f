# SPDX-License-Identifier: Apache-2.0
"""What all commands share: common options, and the context of a call."""

from __future__ import annotations

import dataclasses
import traceback
from collections.abc import Callable
from functools import wraps
from typing import Any

import click

from hadeb.cli import terminal
from hadeb.context import Context, from_environment

JSON = click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")


@dataclasses.dataclass(frozen=True, slots=True)
class Call:
    """The context of one call, and how much it reports."""

    context: Context
    quiet: bool
    verbose: bool

    def debug(self, text: str) -> None:
        """Report a step; shown with --verbose."""
        if self.verbose and not self.quiet:
            terminal.note(text)

    def info(self, text: str) -> None:
        """Report progress; shown unless --quiet is given."""
        if not self.quiet:
            terminal.note(text)

    def warning(self, text: str) -> None:
        """Report what the user has to know; always shown."""
        terminal.note(text)


def command(function: Callable[..., None]) -> Callable[..., None]:
    """Add the options that all commands have, and pass a Call as the first argument."""

    @click.option("-q", "--quiet", is_flag=True, help="Print only errors and the result.")
    @click.option("-v", "--verbose", is_flag=True, help="Report each step.")
    @click.option("--debug", is_flag=True, help="Show a traceback if something fails.")
    @wraps(function)
    def called(*, quiet: bool, verbose: bool, debug: bool, **options: Any) -> None:
        try:
            function(Call(from_environment(), quiet, verbose), **options)
        except Exception:
            if debug:
                traceback.print_exc()
            raise

    return called
