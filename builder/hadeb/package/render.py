# SPDX-License-Identifier: Apache-2.0
"""Fill in debian-templates/, whose paths mirror where the output goes.

In a template's path NAME stands for the package's name.
"""

from __future__ import annotations

import functools
from pathlib import Path

import jinja2


def templates_directory() -> Path:
    """debian-templates, which lies in the package when installed and at the top of a checkout."""
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
        # The outputs are shell scripts, units and control files; HTML's escapes would break them.
        autoescape=False,  # noqa: S701
    )


def render(template: str, **values: object) -> str:
    """The text of one template; a variable that it needs and does not get is a bug here."""
    return _environment().get_template(template).render(values)
