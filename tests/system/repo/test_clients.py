# SPDX-License-Identifier: Apache-2.0
"""Real clients follow the repository's page and get no warning.

apt of Debian 12 and of Debian 13 in containers with nothing but apt, over HTTP from nginx.
"""

from __future__ import annotations

import datetime
import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from hadeb.debian.releases import Suite
from hadeb.lab.node.node import Node
from hadeb.repo.apt.trial import AptTrial
from hadeb.repo.commands.publish import Addition, publish
from hadeb.repo.session.settings import Options
from support.repo.bare_clients import URL, Client, Web, complaints, web
from support.repo.owner import NAME, REPOSITORY, Owner, owning
from support.sample_package import NAME as SAMPLE
from support.sample_package import build

KEYRING = f"{REPOSITORY}-archive-keyring"
SOURCES = f"/etc/apt/sources.list.d/{REPOSITORY}.sources"
MACHINES = range(1, 41)


@pytest.fixture(scope="module")
def shop(as_root: None) -> Iterator[Web]:
    """nginx in a private network."""
    with web() as server:
        yield server


@pytest.fixture
def owner(shop: Web, tmp_path: Path) -> Iterator[Owner]:
    """A repository at whose address nginx answers, with version 1.0 of a small package."""
    with owning(tmp_path) as owner:
        owner.release("1.0")
        shop.serve(owner.repository)
        yield owner


@pytest.fixture
def client(shop: Web, suite: Suite) -> Client:
    """A fresh Debian."""
    return shop.client(suite)


def follow(client: Client, shop: Web, *steps: str) -> None:
    """Type the page's commands for each step; any complaint is a failure."""
    for step in steps:
        done = client.sh(shop.words(step, "stable"))
        assert complaints(done) == [], f"{step}: {done.stdout}{done.stderr}"


def test_a_client_that_follows_the_page_installs_upgrades_and_goes_back_without_a_warning(
    owner: Owner, shop: Web, client: Client
) -> None:
    assert "0 upgraded" in client.sh("apt-get upgrade").stdout, "it knew packages before"
    follow(client, shop, "add", "install")
    assert client.has(NAME) == "1.0"
    owner.release("1.1")
    follow(client, shop, "upgrade")
    assert client.has(NAME) == "1.1"
    owner.call("rollback", "stable")
    follow(client, shop, "roll-back")
    assert client.has(NAME) == "1.0"
    assert client.sh(f"cat /usr/share/{NAME}/release").stdout == "1.0\n"
    owner.release("1.2")
    follow(client, shop, "upgrade")
    assert client.has(NAME) == "1.2"
    # The words for going back hold from then on: the next rollback wants no others.
    owner.call("rollback", "stable")
    follow(client, shop, "roll-back")
    assert client.has(NAME) == "1.0"
    owner.release("1.3")
    follow(client, shop, "roll-back")
    assert client.has(NAME) == "1.3"


def test_the_shorter_ways_to_add_the_repository_give_the_same_sources(
    owner: Owner, shop: Web, client: Client
) -> None:
    follow(client, shop, "add")
    typed = client.sh(f"cat {SOURCES}; rm {SOURCES}").stdout
    follow(client, shop, "add-short")
    assert client.sh(f"cat {SOURCES}; rm {SOURCES}").stdout == typed
    fetched = "/usr/lib/apt/apt-helper download-file"
    done = client.sh(f"cd /tmp && {fetched} {URL}/install.sh install.sh && sh install.sh stable")
    assert complaints(done) == []
    assert client.sh(f"cat {SOURCES}").stdout == typed
    follow(client, shop, "install")
    assert client.has(NAME) == "1.0"


def test_internal_files_are_not_served_to_clients(owner: Owner, shop: Web) -> None:
    for path in (".hadeb/repository.json", ".hadeb/history/stable/1.json"):
        assert (owner.repository / path).is_file()
        assert shop.fetch(f"/{path}").startswith("HTTP/1.1 403 ")


def test_a_client_that_never_agreed_to_go_down_keeps_what_it_has_after_a_rollback(
    owner: Owner, shop: Web, client: Client
) -> None:
    owner.release("1.1")
    follow(client, shop, "add", "install")
    owner.call("rollback", "stable")
    follow(client, shop, "upgrade")
    assert client.has(NAME) == "1.1"


def test_a_client_gets_the_later_of_two_generations_within_a_second(
    owner: Owner, shop: Web, client: Client
) -> None:
    follow(client, shop, "add", "install")
    manifest = owner.repository / "dists/stable/manifest.json"
    moment = datetime.datetime.fromisoformat(json.loads(manifest.read_text())["date"])
    for version in ("1.1", "1.2", "1.3"):
        files = [owner.file(version)]
        publish(owner.at(moment), files, Addition("stable"), Options(), dry_run=False)
        follow(client, shop, "upgrade")
        assert client.has(NAME) == version
    numbered = sorted(Path(owner.repository, "dists/.generations/stable").iterdir())
    assert len({line for each in numbered for line in dates(each / "Release")}) == 1
    # Servers and mirrors tell files with one name apart by the second of their last change.
    for name in ("InRelease", "Release", "Release.gpg", "manifest.json", "manifest.json.asc"):
        seconds = [int((generation / name).stat().st_mtime) for generation in numbered]
        assert seconds == sorted({*seconds}), name


def dates(release: Path) -> list[str]:
    return [line for line in release.read_text("utf-8").splitlines() if line.startswith("Date:")]


def would_upgrade(client: Client) -> set[int]:
    """The machines that would upgrade now, by machine-id alone."""
    simulated = "apt-get -s upgrade -o APT::Machine-ID=$(printf %032x $machine)"
    numbers = " ".join(map(str, MACHINES))
    script = f"for machine in {numbers}; do {simulated} | sed -n s/^Inst/$machine/p; done"
    return {int(line.split()[0]) for line in client.sh(script).stdout.splitlines()}


def test_a_phased_version_comes_to_its_share_of_the_machines_and_leaves_them_after_a_rollback(
    owner: Owner, shop: Web, client: Client
) -> None:
    follow(client, shop, "add", "install")
    owner.release("1.1", "--phase", "10")
    client.sh("apt-get update")
    early = would_upgrade(client)
    assert 1 <= len(early) <= 10, "10 % of 40 machines"

    def at(machine: int, step: str) -> str:
        client.sh(f"printf '%032x\n' {machine} >/etc/machine-id")
        follow(client, shop, step)
        return client.has(NAME)

    assert at(min({*MACHINES} - early), "upgrade") == "1.0"
    assert at(min(early), "upgrade") == "1.1"
    owner.call("rollback", "stable")
    assert at(min(early), "roll-back") == "1.0"
    # A client pinned to follow rollbacks waits for its phase as well.
    owner.call("rollback", "stable", "2")
    assert at(min({*MACHINES} - early), "roll-back") == "1.0"
    owner.call("promote", NAME, "stable", "stable", "--phase", "50")
    client.sh("apt-get update")
    more = would_upgrade(client)
    assert early < more, "who had it may not lose it"
    assert 11 <= len(more) <= 29, "50 % of 40 machines"
    owner.call("promote", NAME, "stable", "stable", "--phase", "100")
    client.sh("apt-get update")
    assert would_upgrade(client) == {*MACHINES}


def test_a_suite_out_of_date_is_refused_until_it_is_refreshed(
    shop: Web, client: Client, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with owning(tmp_path) as owner:
        last_week = datetime.datetime.now(datetime.UTC) - datetime.timedelta(days=7)
        # Nobody changes the clock here, so the trial's apt knows that this was last week.
        monkeypatch.setattr(AptTrial, "update", lambda _: None)
        options = Options(REPOSITORY, url=URL, valid_days=6)
        publish(
            owner.at(last_week), [owner.file("1.0")], Addition("stable"), options, dry_run=False
        )
        shop.serve(owner.repository)
        follow(client, shop, "add")
        refused = client.sh("apt-get update", check=False)
        assert refused.returncode == 100
        assert re.search("^E: Release file for .* is (expired|not valid)", refused.stderr)
        owner.call("repo", "refresh")
        follow(client, shop, "install")
        assert client.has(NAME) == "1.0"


def test_a_node_compares_its_packages_with_the_signed_manifest(
    owner: Owner, shop: Web, client: Client
) -> None:
    follow(client, shop, "add", "install", "keys")
    (key,) = owner.json("repo", "status")["keys"]
    words = shop.words("check", "stable")
    checked = client.sh(f"cd /tmp\n{words}")
    assert key in checked.stdout + checked.stderr
    manifest = json.loads(client.sh("cat /tmp/manifest.json").stdout)
    versions = {entry["package"]: entry["version"] for entry in manifest["packages"]}
    assert versions == {NAME: client.has(NAME), KEYRING: client.has(KEYRING)}
    client.sh(f"cd /tmp && apt-get download {NAME}")
    (listed,) = [entry for entry in manifest["packages"] if entry["package"] == NAME]
    assert client.sh(f"sha256sum /tmp/{NAME}_*.deb").stdout.startswith(listed["sha256"])
    verified = words[words.index('"$(command') :]
    forged = f"cd /tmp; sed -i s/1.0/1.1/ manifest.json\n{verified}"
    assert client.sh(forged, check=False).returncode != 0


def test_machines_follow_from_one_key_to_the_next_without_a_warning(
    owner: Owner, shop: Web, client: Client, suite: Suite
) -> None:
    other = shop.client(suite)
    follow(client, shop, "add", "install", "keys")
    follow(other, shop, "add", "install")
    (old,) = owner.json("repo", "status")["keys"]
    new = owner.new_key("Example Ltd, the next key")
    owner.call("repo", "key", "add", new)
    owner.release("1.1")
    # Both know the old key alone, and see signatures by both.
    for machine in (client, other):
        follow(machine, shop, "upgrade")
        assert machine.has(NAME) == "1.1"
    assert sources(client) in shop.words("add", "stable")
    assert f"{old} no longer signs" in owner.call("repo", "key", "drop", old).stderr
    owner.release("1.2")
    follow(client, shop, "upgrade", "upgrade")
    assert client.has(NAME) == "1.2"
    assert sources(client) in shop.words("add", "stable"), "the old key is still trusted"
    # A client without the keyring package gets an error, keeps its packages, and can add the
    # repository again.
    refused = other.sh("apt-get update; apt-get -y upgrade", check=False)
    assert complaints(refused)
    assert other.has(NAME) == "1.1"
    follow(other, shop, "add", "upgrade")
    assert other.has(NAME) == "1.2"


def sources(client: Client) -> str:
    return client.sh(f"cat {SOURCES}").stdout


def test_a_rollback_goes_past_a_change_of_keys_and_keeps_the_new_ones(owner: Owner) -> None:
    owner.release("1.1")
    owner.call("repo", "key", "add", owner.new_key("Example Ltd, the next key"))
    owner.call("rollback", "stable")
    listed = {row["package"]: row["version"] for row in owner.json("repo", "list", "stable")}
    assert listed == {NAME: "1.0", KEYRING: "2"}
    assert owner.call("repo", "verify").code == 0


def test_a_key_that_cannot_sign_alone_or_at_all_leaves_the_repository_as_it_was(
    owner: Owner,
) -> None:
    (old,) = owner.json("repo", "status")["keys"]
    assert f"{old} is the only key that signs this repository" in owner.refused(
        "repo", "key", "drop", old
    )
    assert "gpg has no secret key" in owner.refused("repo", "key", "add", "A" * 40)
    assert "does not sign this repository" in owner.refused("repo", "key", "drop", "A" * 40)
    weak = owner.weak_key("Example Ltd, from long ago")
    assert "refuses the signature" in owner.refused("repo", "key", "add", weak)
    assert owner.json("repo", "status")["keys"] == [old]
    owner.release("1.1")


def test_no_repository_is_created_with_a_key_that_debian_13_refuses(tmp_path: Path) -> None:
    with owning(tmp_path) as owner:
        weak, good = owner.weak_key("Example Ltd, from long ago"), owner.new_key("Example Ltd")
        wanted = ("publish", owner.file("1.0"), "--suite", "stable", "--key")
        assert "sqv refuses" in owner.refused(*wanted, weak)
        owner.call(*wanted, good)


def test_names_that_mean_something_to_apt_and_a_longer_life_of_the_key_reach_the_clients(
    shop: Web, client: Client, tmp_path: Path
) -> None:
    origin = "Müller & Söhne, GmbH [x] * <y>? 'z' $HOME\\"
    with owning(tmp_path) as owner:
        for version in ("1.0", "1.1"):
            named = ("--name", REPOSITORY, "--origin", origin, "--codename", "book+worm-ha")
            owner.call(
                *("publish", owner.file(version), "--suite", "stable"), *named, "--url", f"{URL}/"
            )
        shop.serve(owner.repository)
        follow(client, shop, "add", "install", "keys")
        assert client.has(NAME) == "1.1"
        owner.call("rollback", "stable")
        follow(client, shop, "roll-back")
        assert client.has(NAME) == "1.0"
        (key,) = owner.json("repo", "status")["keys"]
        owner.keychain.gpg("--quick-set-expire", key, "5y")
        owner.call("repo", "refresh")
        before = sources(client)
        follow(client, shop, "upgrade")
        assert sources(client) != before
        assert sources(client) in shop.words("add", "stable")


def test_the_sample_bundle_with_all_it_depends_on_follows_the_page_on_a_cluster_node(
    shop: Web, suite: Suite, tmp_path: Path
) -> None:
    def follow_on(node: Node, *steps: str) -> str:
        for step in steps:
            done = node.exec("sh", "-c", shop.words(step, "stable"), input="y\n" * 3)
            assert complaints(done) == [], f"{step}: {done.stdout}{done.stderr}"
        return node.exec("dpkg-query", "--show", "--showformat=${Version}", SAMPLE).stdout

    with owning(tmp_path) as owner, shop.node(suite) as node:
        old, new = (build(version, tmp_path / version) for version in ("1.0", "1.1"))
        owner.publish(old)
        shop.serve(owner.repository)
        assert follow_on(node, "add", "install") == "1.0"
        owner.publish(new)
        assert follow_on(node, "upgrade") == "1.1"
        owner.call("rollback", "stable")
        assert follow_on(node, "roll-back") == "1.0"
        assert node.exec("dpkg", "--verify", SAMPLE).stdout == ""
        assert node.exec("dpkg", "--audit").stdout == ""
