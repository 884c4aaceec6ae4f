# SPDX-License-Identifier: Apache-2.0
"""Render the templates in this folder and in keyring/ with Jinja. Pure, but for reading them."""

from __future__ import annotations

import functools
from pathlib import Path

import jinja2


@functools.cache
def _environment() -> jinja2.Environment:
    return jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).parents[1]),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        autoescape=jinja2.select_autoescape(enabled_extensions=["html.j2"]),
    )


def render(template: str, **values: object) -> str:
    """The text of a template, named by its path below repo/; HTML templates escape their values."""
    return _environment().get_template(template).render(values)
