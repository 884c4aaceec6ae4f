# SPDX-License-Identifier: Apache-2.0
"""Fill in the templates that lie in this folder and in keyring/. Pure, but for reading them.

Not with Jinja: importing it and compiling a page takes 60 ms of processor time
(`time.process_time` around each), a fifth of what a whole publish may take.
"""

from __future__ import annotations

import functools
import html
import re
from collections.abc import Iterable
from pathlib import Path

_HOLE = re.compile(r"@([A-Z0-9]+)@")


class Markup(str):
    """HTML that is put in as it is."""

    __slots__ = ()


def filled(template: str, **values: str) -> str:
    """A template's text with a value for each hole: `@NAME@` becomes `values["name"]`."""
    return _fill(_template(template), values)


def page(template: str, **values: object) -> Markup:
    """The same for HTML: what is not Markup is escaped."""
    return markup(_template(template), **values)


def markup(text: str, **values: object) -> Markup:
    """As `page`, with the template itself."""
    return Markup(_fill(text, {name: escaped(value) for name, value in values.items()}))


def joined(parts: Iterable[Markup], between: str = "") -> Markup:
    """Pieces of HTML, one after another."""
    return Markup(between.join(parts))


def escaped(value: object) -> Markup:
    """A value as HTML."""
    return value if isinstance(value, Markup) else Markup(html.escape(str(value)))


def _fill(text: str, values: dict[str, str] | dict[str, Markup]) -> str:
    # What is put in is not looked at again: a value with a hole's name in it stays as it is.
    parts = _parts(text)
    pieces = list(parts)
    pieces[1::2] = [values[name] for name in parts[1::2]]
    return "".join(pieces)


@functools.cache
def _parts(text: str) -> tuple[str, ...]:
    """A template's text in turn with the names of the holes: a page fills some in many times."""
    parts = _HOLE.split(text)
    parts[1::2] = [name.lower() for name in parts[1::2]]
    return tuple(parts)


@functools.cache
def _template(name: str) -> str:
    text = (Path(__file__).parents[1] / name).read_text("utf-8")
    return text.partition("\n")[2] if text.startswith("{#") else text
