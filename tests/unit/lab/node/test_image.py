# SPDX-License-Identifier: Apache-2.0
"""Which image a release and its packages have."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from hadeb.errors import HadebError
from hadeb.lab.node.image import image, recipe_id


def test_the_suites_have_an_image_each() -> None:
    assert recipe_id("bookworm") != recipe_id("trixie")


def test_packages_make_another_image_in_whatever_order_they_are_named() -> None:
    assert recipe_id("trixie", ["redis", "nginx"]) == recipe_id("trixie", ["nginx", "redis"])
    ids = {recipe_id("trixie", names) for names in ([], ["redis"], ["nginx"], ["redis", "nginx"])}
    assert len(ids) == 4


def refuse(*_: object, **__: object) -> None:
    raise OSError(errno.EROFS, os.strerror(errno.EROFS), "/var/cache/hadeb/images")


def test_an_image_in_a_read_only_cache_is_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HADEB_CACHE", str(tmp_path))
    ready = tmp_path / "images" / f"trixie-{recipe_id('trixie')}"
    ready.mkdir(parents=True)
    monkeypatch.setattr(os, "utime", refuse)
    assert image("trixie") == ready


def test_a_cache_that_cannot_be_written_is_named_with_the_way_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HADEB_CACHE", str(tmp_path))
    monkeypatch.setattr(Path, "mkdir", refuse)
    with pytest.raises(HadebError) as error:
        image("trixie")
    assert error.value.message == (
        "the image for trixie could not be made: /var/cache/hadeb/images: Read-only file system"
    )
    assert error.value.hint
    assert "HADEB_CACHE" in error.value.hint
