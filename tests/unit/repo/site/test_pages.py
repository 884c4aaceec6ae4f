# SPDX-License-Identifier: Apache-2.0
"""What lies beside the indexes: a person and a machine get the same words, and apt takes them."""

from __future__ import annotations

import dataclasses
import re

from hadeb.repo.site.index_page import LONGEST_TABLE
from hadeb.repo.site.pages import pages
from support.repo.html_page import Page
from support.repo.page_sample import (
    ARMOR_END,
    HOSTILE,
    KEYS,
    REPOSITORY,
    published,
    sample_suites,
    with_packages,
)

MADE = pages(REPOSITORY, KEYS, sample_suites())


def stanza(content: bytes) -> str:
    """A .sources without the key in it."""
    return re.sub(r"(?m)^ .*\n", "", content.decode())


# For apt


def test_the_sources_name_everything_that_apt_asks_for() -> None:
    assert stanza(MADE["acme-stable.sources"]) == (
        "Types: deb\n"
        "URIs: https://apt.example/acme\n"
        "Suites: stable\n"
        "Components: main extra\n"
        "Architectures: amd64 arm64\n"
        "Signed-By:\n"
    )


def test_the_sources_without_a_suite_are_those_of_stable_or_of_the_first() -> None:
    assert MADE["acme.sources"] == MADE["acme-stable.sources"]
    others = [view for view in sample_suites() if view.name != "stable"]
    made = pages(REPOSITORY, KEYS, others)
    assert made["acme.sources"] == made["acme-staging.sources"]


def test_the_keys_are_the_same_in_each_form() -> None:
    assert MADE["acme-archive-keyring.pgp"] == KEYS.binary
    armored = MADE["acme-archive-keyring.asc"].decode()
    assert armored.endswith(ARMOR_END)
    # apt of Debian 12 stops at the end of the first block.
    assert armored.count("-----BEGIN") == 1
    embedded = armored.replace("\n\n", "\n.\n").replace("\n", "\n ").rstrip(" ")
    assert f"Signed-By:\n {embedded}" in MADE["acme.sources"].decode()


def test_a_node_follows_each_suite_down_but_never_to_older_keys() -> None:
    text = MADE["acme.pref"].decode()
    assert [
        re.findall(r"(?m)^(?:Package|Pin|Pin-Priority): (.*)$", part) for part in text.split("\n\n")
    ] == [
        ["*", "release o=Acme,n=acme-staging", "1001"],
        ["acme-archive-keyring", "release o=Acme,n=acme-staging", "990"],
        ["*", "release o=Acme,n=acme-stable", "1001"],
        ["acme-archive-keyring", "release o=Acme,n=acme-stable", "990"],
    ]


# The installer


# For people


def test_the_page_needs_nothing_from_elsewhere_and_no_script() -> None:
    page = Page(MADE["index.html"])
    assert not {"script", "link", "img", "iframe"} & {tag for tag, _ in page.tags}
    assert not [attributes for _, attributes in page.tags if "src" in attributes]
    assert "url(" not in MADE["index.html"].decode()
    identities = [attributes["id"] for _, attributes in page.tags if "id" in attributes]
    assert len(identities) == len(set(identities))
    files = {*MADE, *(f"dists/{suite}/manifest.json" for suite in ("stable", "staging"))}
    for tag, attributes in page.tags:
        if tag == "a":
            target = attributes["href"]
            assert target in files or target.removeprefix("#") in identities


def test_the_page_shows_what_is_there() -> None:
    text = Page(MADE["index.html"]).text
    assert "Generation 17 Published 2026-11-25 04:28 UTC Valid until 2026-12-09 04:28 UTC" in text
    newest, older = "1.10 amd64 25 kB for 20 % of machines", "1.9 amd64 25 kB 1.9 source 100 kB"
    assert f"greeter main {newest} {older}" in text
    assert "This suite is empty." in text
    assert "EA97 46ED 1230 E3E1 5D09 7052 E26A 9765 0E30 F5CE" in text
    assert "Acme Old <old@acme.example> · valid until 2028-11-24" in text
    assert "Acme New · does not expire" in text
    # The suite that most readers want comes first, wherever it stands.
    assert text.index("Suite stable") < text.index("Suite staging")


def test_a_repository_may_have_any_name_and_a_key_any_owner() -> None:
    keys = dataclasses.replace(
        KEYS, keys=tuple(dataclasses.replace(key, user_id=HOSTILE) for key in KEYS.keys)
    )
    repository = dataclasses.replace(REPOSITORY, origin=HOSTILE, label=HOSTILE)
    page = Page(pages(repository, keys, sample_suites())["index.html"])
    assert [name for name, _ in page.tags if name == "b"] == []
    assert page.text.count(HOSTILE) == 5


def test_a_repository_without_a_suite_has_keys_and_a_page_that_says_so() -> None:
    made = pages(dataclasses.replace(REPOSITORY, suites=()), KEYS, [])
    assert sorted(made) == ["acme-archive-keyring.asc", "acme-archive-keyring.pgp", "index.html"]
    assert "Nothing is published yet." in Page(made["index.html"]).text


def test_the_page_of_many_packages_stays_short() -> None:
    versions = ("1.0", "1.1")
    many = [published(f"p{n:05}", version) for n in range(10_000) for version in versions]
    suites = [with_packages(view, *many) for view in sample_suites()]
    page = Page(pages(REPOSITORY, KEYS, suites)["index.html"])
    shown = LONGEST_TABLE // 2
    assert f"p{shown - 1:05} " in page.text
    assert f"p{shown:05} " not in page.text
    assert page.text.count(f"And {10_000 - shown:,} more packages; the manifest lists all.") == 2


def test_a_package_of_many_versions_says_how_many_are_older() -> None:
    many = [published("greeter", f"1.{n}") for n in range(LONGEST_TABLE + 3)]
    view = with_packages(sample_suites()[1], *many, published("zebra", "1"))
    text = Page(pages(REPOSITORY, KEYS, [view])["index.html"]).text
    assert f"greeter main 1.{LONGEST_TABLE + 2} " in text
    assert "and 3 older" in text
    assert "And one more package; the manifest lists all." in text
