# SPDX-License-Identifier: Apache-2.0
"""A repository's settings and location, what a refused call leaves, clocks, umask, locks."""

from __future__ import annotations

import datetime
import fcntl
import json
import re
import stat
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from hadeb.errors import HadebError
from hadeb.repo.commands.refresh import refresh
from hadeb.repo.session.writer import writing
from support.repo import inspection
from support.repo.owner import Owner, owning
from support.repo.publisher import Publisher
from support.repo.refusal import refused_with_hint as refused


@pytest.fixture
def root(publisher: Publisher, tmp_path: Path) -> Path:
    """A repository with hello 1.0 in its suite `staging`."""
    path = tmp_path / "repository"
    publisher.publish(path, publisher.deb("hello", "1.0"))
    return path


@pytest.fixture
def owner(tmp_path: Path) -> Iterator[Owner]:
    """A publisher of a single package."""
    with owning(tmp_path) as made:
        made.release("1.0")
        yield made


_FAILS_LATE = """\
#!/bin/sh
case "$*" in *.unfinished-*) echo no >&2; exit 1 ;; esac
exec /usr/bin/sqv "$@"
"""


def _failing_late(place: Path) -> dict[str, str]:
    """An environment in which the last verifier refuses a new generation, and nothing before it."""
    (place / "fails-late").mkdir(exist_ok=True)
    stub = place / "fails-late" / "sqv"
    stub.write_text(_FAILS_LATE)
    stub.chmod(0o755)
    return {"PATH": f"{stub.parent}:/usr/sbin:/usr/bin:/sbin:/bin"}


def _said(publisher: Publisher, root: Path) -> Any:
    return json.loads(publisher.hadeb("repo", "status", "--json", "--repo", root).stdout)


_WRONG = (
    *("--origin", "Wrong", "--label", "Wrong", "--name", "wrong", "--url", "https://wrong.example"),
    *("--codename", "wrong", "--architecture", "riscv64"),
)


def test_a_refused_first_publish_settles_nothing(publisher: Publisher, tmp_path: Path) -> None:
    root = tmp_path / "repository"
    damaged = publisher.place / "damaged.deb"
    damaged.write_bytes(b"no package")
    suite = ("--repo", root, "--suite", "staging", "--key", publisher.key)
    done = publisher.hadeb("publish", damaged, *suite, *_WRONG)
    assert done.code == 1
    # What is refused by the last of all who look is refused no less.
    deb = publisher.deb("hello", "1.0")
    done = publisher.hadeb("publish", deb, *suite, *_WRONG, environment=_failing_late(tmp_path))
    refused(done, "sqv refuses the signature")
    done = publisher.hadeb("publish", deb, *suite, "--origin", "Right", "--name", "right")
    assert done.code == 0, done.stderr
    status = _said(publisher, root)
    assert (status["origin"], status["name"], status["label"]) == ("Right", "right", "Right")
    assert status["url"] == f"file:{root}"
    (staging,) = status["suites"]
    assert (staging["codename"], staging["architectures"]) == ("staging", ["amd64"])
    verified = publisher.hadeb("repo", "verify", "--repo", root)
    assert verified.code == 0, verified


def test_a_refused_publish_leaves_url_and_suites_as_they_were(
    publisher: Publisher, root: Path, tmp_path: Path
) -> None:
    before = _said(publisher, root)
    done = publisher.hadeb(
        *("publish", publisher.deb("world", "1.0"), "--repo", root, "--suite", "stable"),
        *("--codename", "wrong", "--url", "https://wrong.example"),
        environment=_failing_late(tmp_path),
    )
    assert done.code == 1, done
    assert _said(publisher, root) == before
    done = publisher.hadeb("repo", "refresh", "--repo", root)
    assert (done.code, done.stdout) == (0, "staging generation 2\n")
    publisher.publish(root, publisher.deb("world", "1.0"), suite="stable")


def test_an_invalid_suite_is_refused_before_the_directory_is_created(
    publisher: Publisher, tmp_path: Path
) -> None:
    for options in (("--suite", "No!"), ("--suite", "s", "--codename", "No!")):
        done = publisher.hadeb(
            "publish", publisher.deb("hello", "1.0"), "--repo", tmp_path / "r", *options
        )
        assert done.code == 2, done
        assert "'No!' cannot be a" in done.stderr
    options = ("--suite", "s", "--architecture", "no such")
    done = publisher.hadeb(
        "publish", publisher.deb("hello", "1.0"), "--repo", tmp_path / "r", *options
    )
    refused(done, "'no such' is not the architecture", 2)
    assert not (tmp_path / "r").exists()


def test_a_suite_that_a_killed_command_only_wrote_down_is_none(
    publisher: Publisher, root: Path
) -> None:
    file = root / ".hadeb/repository.json"
    fields = json.loads(file.read_text())
    fields["suites"].append({**fields["suites"][0], "name": "ghost", "codename": "ghost"})
    file.write_text(json.dumps(fields))
    assert publisher.hadeb("repo", "verify", "--repo", root).code == 0
    done = publisher.hadeb("repo", "refresh", "--json", "--repo", root)
    assert [result["suite"] for result in json.loads(done.stdout)] == ["staging"]
    refused(
        publisher.hadeb("repo", "refresh", "ghost", "--repo", root), "there is no suite ghost", 2
    )


def test_prune_removes_leftovers_of_a_suite_that_was_never_published(
    publisher: Publisher, root: Path
) -> None:
    left = root / "dists/.generations/ghost/.unfinished-1"
    left.mkdir(parents=True)
    assert publisher.hadeb("prune", "--dry-run", "--repo", root).code == 0
    assert left.exists()
    assert publisher.hadeb("prune", "--repo", root).code == 0
    assert not left.exists()


def test_a_key_that_was_made_for_a_refused_publish_is_not_made_again(tmp_path: Path) -> None:
    with owning(tmp_path) as owner:
        before = owner.refused(
            "publish", owner.file("1.0"), "--suite", "stable", "--url", "https://a.example/ ü"
        )
        assert "is not a URL" in before
        suite = ("--suite", "stable", "--origin", "Wrong")
        failed = owner.run("publish", owner.file("1.0"), *suite, **_failing_late(tmp_path))
        assert failed.code == 1
        made = re.findall("made the signing key ([0-9A-F]{40})", failed.stderr)
        owner.publish(owner.file("1.0"))
        said = owner.json("repo", "status")
        assert (said["keys"], said["origin"]) == (made, "Example Ltd")


@pytest.mark.parametrize("option", ["origin", "label"])
@pytest.mark.parametrize("text", ["a\udcffb", "a\nb", "a\x85b", "a\u2028b", "a\x1b[1m", " a", ""])
def test_a_name_that_does_not_print_is_refused(
    option: str, text: str, publisher: Publisher, tmp_path: Path
) -> None:
    deb = publisher.deb("hello", "1.0")
    done = publisher.hadeb(
        *("publish", deb, "--repo", tmp_path / "r", "--suite", "s", "--key", publisher.key),
        *(f"--{option}", text),
    )
    refused(done, f"--{option} .*: must be one line of printable UTF-8", 2)
    assert not (tmp_path / "r").exists()


def test_a_directory_whose_name_is_no_utf8_is_served_under_its_bytes(
    publisher: Publisher, tmp_path: Path
) -> None:
    root = tmp_path / "r\udcffx"
    publisher.publish(root, publisher.deb("hello", "1.0"))
    assert str(_said(publisher, root)["url"]).endswith("/r%FFx")


@pytest.mark.parametrize("date", ["soon", "2026-01-01T00:00:00", "2026-99-01T00:00:00Z", ""])
def test_a_damaged_date_is_taken_from_release_and_no_traceback(
    date: str, publisher: Publisher, root: Path
) -> None:
    file = root / "dists/staging/manifest.json"
    file.write_text(re.sub('(?m)^ "date": ".*"', f' "date": "{date}"', file.read_text()))
    done = publisher.hadeb("repo", "verify", "--repo", root)
    assert (done.code, "manifest.json" in done.stdout) == (4, True), done
    publisher.publish(root, publisher.deb("world", "1.0"))
    assert publisher.hadeb("repo", "verify", "--repo", root).code == 0


def test_settings_that_are_not_utf8_are_reported_as_damaged(
    publisher: Publisher, root: Path
) -> None:
    (root / ".hadeb/repository.json").write_bytes(b'{"name": "\xff"}')
    refused(publisher.hadeb("repo", "status", "--repo", root), "repository.json is damaged")


@pytest.mark.parametrize(
    "arguments", [("publish", "hello_1.0_all.deb", "--suite", "s"), ("prune",), ("repo", "status")]
)
def test_a_file_in_the_way_is_named(
    arguments: tuple[str, ...], publisher: Publisher, tmp_path: Path
) -> None:
    publisher.deb("hello", "1.0")
    file = tmp_path / "file"
    file.write_text("in the way\n")
    done = publisher.hadeb(*arguments, "--repo", file / "repository")
    refused(done, f"--repo {file}/repository: {file} exists and is not a directory", 2)


@pytest.mark.parametrize("where", ["gopher://bucket/path", "https://apt.example.org", "file:///x"])
@pytest.mark.parametrize(
    "arguments", [("publish", "hello_1.0_all.deb", "--suite", "s"), ("repo", "status")]
)
def test_a_url_is_not_accepted_as_a_directory(
    arguments: tuple[str, ...], where: str, publisher: Publisher
) -> None:
    publisher.deb("hello", "1.0")
    before = set(publisher.place.iterdir())
    done = publisher.hadeb(*arguments, "--repo", where)
    scheme = where.partition("//")[0]
    refused(done, f"--repo {where}: hadeb cannot publish to {scheme}//\n", 2)
    assert {path.name for path in set(publisher.place.iterdir()) - before} <= {"tmp"}


@pytest.mark.parametrize("umask", ["077", "000"])
def test_a_web_server_can_read_all_that_is_served_whatever_the_umask(
    umask: str, publisher: Publisher, tmp_path: Path
) -> None:
    root = tmp_path / "repository"
    under = ("sh", "-c", f'umask {umask}; exec "$@"', "sh")
    for version in ("1.0", "2.0"):
        done = publisher.hadeb(
            *("publish", publisher.deb("hello", version), "--repo", root, "--suite", "staging"),
            *("--key", publisher.key),
            under=under,
        )
        assert done.code == 0, done.stderr
    assert publisher.hadeb("repo", "refresh", "--repo", root, under=under).code == 0
    assert (
        publisher.hadeb("promote", "hello", "staging", "s", "--repo", root, under=under).code == 0
    )
    for path in (root, *root.rglob("*")):
        if path.is_symlink() or root / ".hadeb" in (path, *path.parents):
            continue
        mode = stat.S_IMODE(path.stat().st_mode)
        wanted = {0o755} if path.is_dir() else {0o644, 0o444}
        assert mode in wanted, f"{path}: {mode:o}"
    assert not stat.S_IMODE((root / ".hadeb").stat().st_mode) & 0o007


def _dated(owner: Owner) -> datetime.datetime:
    said = json.loads((owner.repository / "dists/stable/manifest.json").read_text())["date"]
    return datetime.datetime.fromisoformat(said)


def test_a_clock_a_little_behind_dates_a_second_later_than_the_generation_in_force(
    owner: Owner,
) -> None:
    now = datetime.datetime.now(datetime.UTC).replace(microsecond=0)
    ahead = now + datetime.timedelta(minutes=10)
    refresh(owner.at(ahead), ())
    assert _dated(owner) == ahead
    refresh(owner.at(now), ())
    assert _dated(owner) == ahead + datetime.timedelta(seconds=1)


def test_a_clock_far_behind_is_named_and_the_suite_stays_as_it_was(owner: Owner) -> None:
    before = owner.served()
    now = datetime.datetime.now(datetime.UTC) - datetime.timedelta(minutes=17)
    with pytest.raises(HadebError, match=r"this machine's clock shows .* stable was signed") as e:
        refresh(owner.at(now), ())
    assert "set the clock" in str(e.value.hint)
    assert owner.served() == before
    assert inspection.leftovers(owner.repository) == []


def test_a_date_that_no_client_would_take_yet_is_refused_by_the_trial(owner: Owner) -> None:
    before = owner.served()
    ahead = datetime.datetime.now(datetime.UTC) + datetime.timedelta(minutes=20)
    with pytest.raises(HadebError, match=r"apt refuses fetching it: .* is not valid yet"):
        refresh(owner.at(ahead), ())
    assert owner.served() == before
    assert inspection.leftovers(owner.repository) == []


def test_a_publish_that_waited_for_the_lock_is_dated_after_the_wait(owner: Owner) -> None:
    now = datetime.datetime.now(datetime.UTC)
    with (owner.repository / ".hadeb/lock").open("r+") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        timer = threading.Timer(1.5, fcntl.flock, (lock, fcntl.LOCK_UN))
        timer.start()
        with writing(owner.at(now)) as writer:
            waited = writer.now - now
        timer.join()
    assert datetime.timedelta(seconds=1.4) < waited < datetime.timedelta(seconds=30)


@pytest.mark.parametrize(
    "arguments",
    [
        ("publish", "hello_2.0_all.deb", "--suite", "staging"),
        ("promote", "hello", "staging", "stable"),
        ("rollback", "staging", "1"),
        ("prune",),
        ("repo", "remove", "hello=1.0", "staging"),
        ("repo", "key", "add", "KEY"),
    ],
    ids=" ".join,
)
def test_a_dry_run_ignores_the_lock_and_changes_nothing(
    arguments: tuple[str, ...], publisher: Publisher, root: Path
) -> None:
    publisher.publish(root, publisher.deb("hello", "2.0"))
    before = {path: path.stat().st_mtime_ns for path in root.rglob("*")}
    words = [publisher.key if word == "KEY" else word for word in arguments]
    with (root / ".hadeb/lock").open("r+") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        done = publisher.hadeb(*words, "--dry-run", "--repo", root)
    assert done.code == 0, done.stderr
    assert "waiting" not in done.stderr
    assert {path: path.stat().st_mtime_ns for path in root.rglob("*")} == before


def test_json_for_suites_is_always_a_list(publisher: Publisher, root: Path) -> None:
    for suites in (["staging"], ["stable", "staging"]):
        for arguments in (("refresh",), ("key", "add", publisher.key)):
            done = publisher.hadeb("repo", *arguments, "--json", "--repo", root)
            assert [result["suite"] for result in json.loads(done.stdout)] == suites
        done = publisher.hadeb("promote", "hello", "staging", "stable", "--json", "--repo", root)
        assert json.loads(done.stdout)["suite"] == "stable"
