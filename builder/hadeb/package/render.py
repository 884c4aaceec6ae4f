# SPDX-License-Identifier: Apache-2.0
"""Render debian-templates/, whose paths mirror where the output goes.

In a template's path, NAME stands for the package's name.
"""

from __future__ import annotations

import functools
from pathlib import Path

import jinja2


def templates_directory() -> Path:
    """debian-templates/: inside hadeb if it is installed, at the top of a checkout otherwise."""
    package = Path(__file__).parents[1]
    installed = package / "debian-templates"
    return installed if installed.is_dir() else package.parent.parent / "debian-templates"


@functools.cache
def _environment() -> jinja2.Environment:
    return jinja2.Environment(
        loader=jinja2.FileSystemLoader(templates_directory()),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        # The outputs are shell scripts, units and control files, which HTML escapes would break.
        autoescape=False,  # noqa: S701
    )


def render(template: str, **values: object) -> str:
    """The text of one template. A variable that is missing raises jinja2.UndefinedError."""
    return _environment().get_template(template).render(values)
