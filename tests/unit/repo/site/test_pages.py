# SPDX-License-Identifier: Apache-2.0
"""What lies beside the indexes: a person and a machine get the same words, and apt takes them."""

from __future__ import annotations

import dataclasses
import hashlib
import os
import re
import subprocess
from html.parser import HTMLParser
from pathlib import Path

import pytest

from hadeb.repo.model.keys import PublicKeys
from hadeb.repo.site.index_page import LONGEST_TABLE
from hadeb.repo.site.pages import pages
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
VOID = {"meta"}


class Page(HTMLParser):
    """A page by its tags, and the text of each block of commands by its id."""

    def __init__(self, content: bytes) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str]]] = []
        self.texts: list[str] = []
        self.blocks: dict[str, str] = {}
        self._block = ""
        self.feed(content.decode())
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        attributes = {name: value or "" for name, value in attrs}
        assert len(attributes) == len(attrs)
        self.tags.append((tag, attributes))
        if tag not in VOID:
            self.open.append(tag)
        if tag == "pre":
            self._block = attributes["id"]
            self.blocks[self._block] = ""

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if "pre" in self.open:
            self.blocks[self._block] += data
        elif "style" not in self.open:
            self.texts.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.texts).split())


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


class Apt:
    """apt with a root of its own, a signed repository on this disk, and greeter 2 installed."""

    def __init__(self, directory: Path, origin: str) -> None:
        self.directory = directory
        self.root = directory / "repository"
        self.origin = origin
        self.fingerprint = ""
        for name in ("gpg", "lists/partial", "cache/archives/partial", "sources", "preferences"):
            (directory / name).mkdir(parents=True, mode=0o700)
        (directory / "status").write_text(
            "".join(
                f"Package: {name}\nStatus: install ok installed\nVersion: 2\nArchitecture: all\n"
                f"Maintainer: A <a@acme.example>\nDescription: none\n\n"
                for name in ("greeter", "acme-archive-keyring")
            )
        )
        (directory / "apt.conf").write_text(
            f'Dir "{directory}"; Dir::State "{directory}"; Dir::State::status "{directory}/status";'
            f'Dir::Cache "{directory}/cache"; Dir::Etc "{directory}"; Dir::Etc::Parts "/dev/null";'
            f'Dir::Etc::SourceList "-"; Dir::Etc::SourceParts "sources";'
            f'Dir::Etc::Preferences "-"; Dir::Etc::PreferencesParts "preferences";'
            f'APT::Architecture "amd64"; APT::Sandbox::User ""; Acquire::Languages "none";'
        )

    def gpg(self, *words: str) -> bytes:
        gpg = ("gpg", "--homedir", str(self.directory / "gpg"), "--batch", "--passphrase", "")
        return subprocess.run((*gpg, *words), check=True, capture_output=True).stdout

    def publish(self) -> PublicKeys:
        """The suite stable with version 1 of both packages; the keys that it is signed with."""
        for user in ("One", "Two"):
            self.gpg("--quick-gen-key", user, "ed25519", "sign", "2y")
        suite = self.root / "dists/stable"
        packages = "".join(
            f"Package: {name}\nVersion: 1\nArchitecture: all\nMaintainer: A <a@acme.example>\n"
            f"Filename: {name}.deb\nSize: 1\nSHA256: {'0' * 64}\nDescription: none\n\n"
            for name in ("greeter", "acme-archive-keyring")
        ).encode()
        (suite / "main/binary-amd64").mkdir(parents=True)
        (suite / "main/binary-amd64/Packages").write_bytes(packages)
        (suite / "Release").write_text(
            f"Origin: {self.origin}\nLabel: Acme\nSuite: stable\nCodename: acme-stable\n"
            "Date: Wed, 25 Nov 2020 04:28:00 +0000\nArchitectures: amd64\nComponents: main\n"
            f"SHA256:\n {hashlib.sha256(packages).hexdigest()} {len(packages)} "
            "main/binary-amd64/Packages\n"
        )
        release = str(suite / "Release")
        # By the second key: what apt reads of the first alone is not enough.
        self.gpg("--local-user", "Two", "--output", f"{suite}/InRelease", "--clearsign", release)
        keys = PublicKeys(self.gpg("--export"), KEYS.keys)
        subprocess.run(
            ["gpgconf", "--homedir", self.directory / "gpg", "--kill", "all"], check=True
        )
        return keys

    def say(self, *words: str) -> str:
        environment = os.environ | {"APT_CONFIG": str(self.directory / "apt.conf"), "LC_ALL": "C"}
        done = subprocess.run(words, env=environment, capture_output=True, text=True, check=True)
        assert done.stderr == ""
        return done.stdout


@pytest.mark.parametrize("origin", ["Acme", HOSTILE])
def test_apt_takes_the_sources_and_the_preferences_without_a_warning(
    tmp_path: Path, origin: str
) -> None:
    apt = Apt(tmp_path, origin)
    keys = apt.publish()
    suites = [
        dataclasses.replace(view, suite=dataclasses.replace(view.suite, components=("main",)))
        for view in sample_suites()
    ]
    repository = dataclasses.replace(REPOSITORY, url=f"file:{apt.root}", origin=origin)
    made = pages(repository, keys, suites)
    sources = made["acme.sources"].replace(b" arm64", b"")
    (tmp_path / "sources/acme.sources").write_bytes(sources)
    apt.say("apt-get", "update")
    assert "Candidate: 2" in apt.say("apt-cache", "policy", "greeter")
    (tmp_path / "preferences/acme.pref").write_bytes(made["acme.pref"])
    assert "Candidate: 1" in apt.say("apt-cache", "policy", "greeter")
    assert "Candidate: 2" in apt.say("apt-cache", "policy", "acme-archive-keyring")
    planned = apt.say("apt-get", "upgrade", "--simulate", "--allow-downgrades")
    assert "\nInst greeter [2] (1 " in planned
    assert "\nInst acme-archive-keyring" not in planned


# The installer


def installer(directory: Path, *arguments: str, user: int = 0, apt: bool = True) -> tuple[int, str]:
    """Run install.sh with /etc/apt in a directory, and what it asks of the machine made up."""
    programs = directory / "bin"
    programs.mkdir(exist_ok=True)
    (directory / "sources.list.d").mkdir(exist_ok=True)
    made_up = {"id": f"echo {user}"}
    if apt:
        made_up["apt-get"] = f'echo "$@" >>{directory}/asked'
    for name, text in made_up.items():
        (programs / name).write_text(f"#!/bin/sh\n{text}\n")
        (programs / name).chmod(0o755)
    for name in ("cat", "chmod", "mktemp", "mv", "rm"):
        if not (programs / name).exists():
            (programs / name).symlink_to(f"/bin/{name}")
    text = MADE["install.sh"].decode().replace("/etc/apt/", f"{directory}/")
    done = subprocess.run(
        ["/bin/sh", "-s", *arguments],
        input=text,
        capture_output=True,
        text=True,
        env={"PATH": str(programs)},
        umask=0o077,
        check=False,
    )
    return done.returncode, done.stdout + done.stderr


@pytest.mark.parametrize("suite", ["stable", "staging"])
def test_the_installer_adds_the_suite_once_however_often_it_runs(
    tmp_path: Path, suite: str
) -> None:
    arguments = [] if suite == "stable" else [suite]
    file, said = tmp_path / "sources.list.d/acme.sources", ""
    for _ in range(2):
        code, said = installer(tmp_path, *arguments)
        assert code == 0, said
        assert list(file.parent.iterdir()) == [file]
        assert file.read_bytes() == MADE[f"acme-{suite}.sources"]
        assert file.stat().st_mode & 0o7777 == 0o644
    assert said.endswith(f"    apt-get install {'greeter' if suite == 'stable' else 'PACKAGE'}\n")
    asked = (tmp_path / "asked").read_text().splitlines()
    assert asked == 2 * [
        f"update --quiet -o Dir::Etc::SourceList={file} -o Dir::Etc::SourceParts=-"
        " -o APT::Get::List-Cleanup=0"
    ]


def test_the_installer_says_what_is_missing_and_touches_nothing(tmp_path: Path) -> None:
    for arguments, user, apt, expected in (
        ([], 1000, True, "only root may add a repository; try: sudo sh install.sh stable"),
        ([], 0, False, "there is no apt-get on this machine"),
        (["testing"], 0, True, "there is no suite testing; the suites are: staging, stable"),
        (["stable", "staging"], 0, True, "one suite at most"),
    ):
        directory = tmp_path / f"{user}-{apt}-{len(arguments)}"
        directory.mkdir()
        code, said = installer(directory, *arguments, user=user, apt=apt)
        assert (code, said.count("\n")) == (1, 1), said
        assert expected in said
        assert list((directory / "sources.list.d").iterdir()) == []


def test_half_an_installer_does_nothing(tmp_path: Path) -> None:
    whole = MADE["install.sh"].decode()
    half = whole[: whole.index('main "$@"')]
    done = subprocess.run(["sh"], input=half, capture_output=True, text=True, check=True)
    assert done.stdout + done.stderr == ""


def test_the_installer_is_clean_shell(tmp_path: Path) -> None:
    for name, repository in (
        ("plain", REPOSITORY),
        ("hostile", dataclasses.replace(REPOSITORY, origin=HOSTILE, label=HOSTILE)),
    ):
        (tmp_path / name).write_bytes(pages(repository, KEYS, sample_suites())["install.sh"])
        subprocess.run(["shellcheck", tmp_path / name], check=True)


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


@pytest.mark.parametrize("suite", ["stable", "staging"])
def test_the_words_to_copy_write_the_files_that_lie_there(tmp_path: Path, suite: str) -> None:
    blocks = Page(MADE["index.html"]).blocks
    assert {name.removesuffix(f"-{suite}") for name in blocks if name.endswith(suite)} == set(
        "add add-short install upgrade roll-back keys check".split()
    )
    for name in (f"add-{suite}", f"roll-back-{suite}"):
        words = blocks[name].replace("/etc/apt/", f"{tmp_path}/").replace("apt-get", "true")
        for directory in ("sources.list.d", "preferences.d"):
            (tmp_path / directory).mkdir(exist_ok=True)
        subprocess.run(["sh", "-euc", words], check=True)
    sources = MADE[f"acme-{suite}.sources"]
    assert (tmp_path / "sources.list.d/acme.sources").read_bytes() == sources
    assert (tmp_path / "preferences.d/acme.pref").read_bytes() in MADE["acme.pref"]
    digest = hashlib.sha256(sources).hexdigest()
    assert blocks[f"add-short-{suite}"].endswith(f"SHA256:{digest}")
    assert f"/acme-{suite}.sources \\\n" in blocks[f"add-short-{suite}"]


def test_the_words_to_copy_are_clean_shell(tmp_path: Path) -> None:
    for name, text in Page(MADE["index.html"]).blocks.items():
        (tmp_path / name).write_text(f"#!/bin/sh\n{text}\n", encoding="utf-8")
    subprocess.run(["shellcheck", *tmp_path.iterdir()], check=True)


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
