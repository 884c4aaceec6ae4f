# SPDX-License-Identifier: Apache-2.0
"""apt, sh and shellcheck accept the files published beside the indexes."""

from __future__ import annotations

import dataclasses
import hashlib
import os
import subprocess
from pathlib import Path

import pytest

from hadeb.repo.model.keys import PublicKeys
from hadeb.repo.site.pages import pages
from support.repo.html_page import Page
from support.repo.page_sample import (
    HOSTILE,
    KEYS,
    REPOSITORY,
    sample_suites,
)

MADE = pages(REPOSITORY, KEYS, sample_suites())


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


def installer(directory: Path, *arguments: str, user: int = 0, apt: bool = True) -> tuple[int, str]:
    """Run install.sh on a private /etc/apt, with fake answers from the machine."""
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
    file, output = tmp_path / "sources.list.d/acme.sources", ""
    for _ in range(2):
        code, output = installer(tmp_path, *arguments)
        assert code == 0, output
        assert list(file.parent.iterdir()) == [file]
        assert file.read_bytes() == MADE[f"acme-{suite}.sources"]
        assert file.stat().st_mode & 0o7777 == 0o644
    assert output.endswith(f"    apt-get install {'greeter' if suite == 'stable' else 'PACKAGE'}\n")
    asked = (tmp_path / "asked").read_text().splitlines()
    assert asked == 2 * [
        f"update --quiet -o Dir::Etc::SourceList={file} -o Dir::Etc::SourceParts=-"
        " -o APT::Get::List-Cleanup=0"
    ]


def test_the_installer_names_what_is_missing_and_changes_nothing(tmp_path: Path) -> None:
    for arguments, user, apt, expected in (
        ([], 1000, True, "you must be root to add a repository; try: sudo sh install.sh stable"),
        ([], 0, False, "this machine has no apt-get"),
        (["testing"], 0, True, "there is no suite testing; the suites are: staging, stable"),
        (["stable", "staging"], 0, True, "name one suite at most"),
    ):
        directory = tmp_path / f"{user}-{apt}-{len(arguments)}"
        directory.mkdir()
        code, output = installer(directory, *arguments, user=user, apt=apt)
        assert (code, output.count("\n")) == (1, 1), output
        assert expected in output
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


@pytest.mark.parametrize("suite", ["stable", "staging"])
def test_the_commands_to_copy_write_the_published_files(tmp_path: Path, suite: str) -> None:
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


def test_the_commands_to_copy_pass_shellcheck(tmp_path: Path) -> None:
    for name, text in Page(MADE["index.html"]).blocks.items():
        (tmp_path / name).write_text(f"#!/bin/sh\n{text}\n", encoding="utf-8")
    subprocess.run(["shellcheck", *tmp_path.iterdir()], check=True)
