# SPDX-License-Identifier: Apache-2.0
"""A lab's nodes have what a package depends on, and nothing that they have anyway."""

from __future__ import annotations

import pytest

from hadeb.lab.node.packages import missing

STATUS = """\
Package: python3
Status: install ok installed
Version: 3.11
Description: language
 with more: lines
 .
 of text

Package: exim4
Status: install ok installed
Provides: mail-transport-agent, smtp (= 1)

Package: redis-server
Status: deinstall ok config-files
"""


@pytest.mark.parametrize(
    ("relations", "wanted"),
    [
        ("", ()),
        ("python3 (>= 3.9), python3:any", ()),
        ("smtp, mail-transport-agent | postfix", ()),
        ("pcs | python3", ()),
        ("redis-server", ("redis-server",)),
        ("nginx (>= 1.2) | apache2, curl,  curl, redis-server", ("curl", "nginx", "redis-server")),
    ],
)
def test_what_nothing_on_the_node_satisfies_is_wanted_once(
    relations: str, wanted: tuple[str, ...]
) -> None:
    assert missing(relations, STATUS) == wanted
