# SPDX-License-Identifier: Apache-2.0
"""Which image a release and its packages have."""

from __future__ import annotations

from hadeb.lab.node.image import recipe_id


def test_the_suites_have_an_image_each() -> None:
    assert recipe_id("bookworm") != recipe_id("trixie")


def test_packages_make_another_image_in_whatever_order_they_are_named() -> None:
    assert recipe_id("trixie", ["redis", "nginx"]) == recipe_id("trixie", ["nginx", "redis"])
    ids = {recipe_id("trixie", names) for names in ([], ["redis"], ["nginx"], ["redis", "nginx"])}
    assert len(ids) == 4
