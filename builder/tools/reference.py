# SPDX-License-Identifier: Apache-2.0
"""Write the pages of docs/ that are made from the code, and hadeb(1). `make reference`."""

from __future__ import annotations

from pathlib import Path

from hadeb.cli.main import hadeb
from hadeb.lab.fault.catalogue import EXPECTED, FAULTS, Fault
from tools.man_page import man_page
from tools.manifest_page import NOTICE, commands_page, manifest_page

DOCS = Path(__file__).parents[2] / "docs"
PAGES = DOCS / "reference"

_FAULTS_HEAD = """\
# The lab's faults

What `hadeb lab run` does to a cluster, in this order, and how the service has to come through.
`hadeb lab faults` lists the same. *The node* is the one that serves when the fault begins.

- The *deadline* is how long the service may take to answer again. How long clients may go without
  an answer is for the manifest to say, in [`[cluster.max-outage]`](manifest.md#cluster).
- The *smoke* faults are those of `hadeb lab run --smoke`.
- A fault that cannot be done to a bundle is left out, and the run says so.

| fault | what is done | how the service has to come through | deadline | smoke | left out where |
| --- | --- | --- | --- | --- | --- |
"""


def pages() -> dict[Path, str]:
    """The text of each page, by its path."""
    return {
        PAGES / "manifest.md": manifest_page(),
        PAGES / "commands.md": commands_page(hadeb),
        PAGES / "faults.md": faults_page(),
        DOCS / "hadeb.1": man_page(hadeb),
    }


def faults_page() -> str:
    """docs/reference/faults.md, from the lab's faults."""
    head = f"{NOTICE.format(source='builder/hadeb/lab/fault/catalogue.py')}\n{_FAULTS_HEAD}"
    return head + "".join(_row(fault) for fault in FAULTS)


def _row(fault: Fault) -> str:
    cells = (
        f"`{fault.name}`",
        fault.did.format(node="the node"),
        EXPECTED[fault.expected],
        f"{fault.deadline:g} s",
        "yes" if fault.smoke else "",
        fault.unless,
    )
    return f"| {' | '.join(cells)} |\n"


if __name__ == "__main__":
    for path, text in pages().items():
        path.write_text(text, encoding="utf-8")
