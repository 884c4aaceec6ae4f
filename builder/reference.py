# SPDX-License-Identifier: Apache-2.0
"""Writes the pages of docs/reference/ that are made from the code. `make reference`."""

from pathlib import Path

from hadeb.cli import hadeb
from hadeb.reference import commands_page, manifest_page

PAGES = Path(__file__).parents[1] / "docs" / "reference"


def pages() -> dict[Path, str]:
    """The text of each page, by its path."""
    return {
        PAGES / "manifest.md": manifest_page(),
        PAGES / "commands.md": commands_page(hadeb),
    }


if __name__ == "__main__":
    for path, text in pages().items():
        path.write_text(text, encoding="utf-8")
