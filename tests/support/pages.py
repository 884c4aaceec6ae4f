# SPDX-License-Identifier: Apache-2.0
"""The pages of the docs, their code blocks, and the bundles they show."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), ROOT / "daemon/README.md"])

FENCE = re.compile(
    r"""^[ ]*```(?P<language>\w*)([ ]title="(?P<title>[^"]+)")?\n(?P<body>.*?)^[ ]*```$""",
    re.DOTALL | re.MULTILINE | re.VERBOSE,
)


def text(page: Path) -> str:
    return page.read_text(encoding="utf-8")


def prose(page: Path) -> str:
    """A page without its code blocks."""
    return FENCE.sub("", text(page))


def bundles() -> Iterator[tuple[str, dict[str, str]]]:
    """Each section that holds a whole bundle: where it is, and its files."""
    for page in PAGES:
        for number, section in enumerate(re.split(r"^## ", text(page), flags=re.MULTILINE)):
            files = {
                block["title"]: block["body"] for block in FENCE.finditer(section) if block["title"]
            }
            if "bundle.toml" in files:
                yield f"{page.name}-{number}", files
