# SPDX-License-Identifier: Apache-2.0
"""Signing keys: from a file, with a passphrase, near expiry and after it."""

from __future__ import annotations

import os
import re
import stat
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from hadeb.errors import HadebError
from hadeb.repo.signing import keychain, sign_release
from hadeb.repo.signing.key_file import from_key_file, sweep
from hadeb.repo.signing.keychain import secret_keys
from support.command import Outcome, call_hadeb
from support.repo import inspection
from support.repo.owner import Owner, owning
from support.repo.refusal import refused_with_hint as refused

_PINENTRY = """\
#!/bin/sh
echo OK
while read -r word rest; do
    case $word in
        GETPIN) sleep 3; echo D secret; echo OK ;;
        BYE) echo OK; exit ;;
        *) echo OK ;;
    esac
done
"""


@pytest.fixture
def owner(tmp_path: Path) -> Iterator[Owner]:
    """An owner before the first publish."""
    with owning(tmp_path) as made:
        yield made


@pytest.fixture
def runtime() -> Iterator[Path]:
    """The machine's place for what must not outlive it."""
    # The path of an agent's socket has to be a short one.
    with tempfile.TemporaryDirectory(prefix="hadeb-run-") as name:
        yield Path(name)


def _key_file(owner: Owner, *export: str) -> Path:
    file = owner.repository.parent / "key.asc"
    exported = owner.keychain.gpg("--armor", "--pinentry-mode", "loopback", *export)
    file.write_bytes(exported.stdout_bytes)
    return file


def _published(owner: Owner, *options: str | Path, **environment: str) -> Outcome:
    arguments = ("publish", owner.file("1.0"), "--suite", "stable", *options)
    return owner.run(*arguments, **environment)


def _without(place: Path, program: str) -> str:
    """A PATH on which all programs are but one."""
    place.mkdir()
    for directory in ("/usr/bin", "/usr/sbin"):
        for path in Path(directory).iterdir():
            if path.name != program and not (place / path.name).is_symlink():
                (place / path.name).symlink_to(path)
    return str(place)


def _homes(runtime: Path) -> list[Path]:
    return list(runtime.glob("hadeb-keys-*/*"))


def test_a_key_file_with_a_public_key_alone_is_refused_and_no_key_is_made(
    owner: Owner, tmp_path: Path
) -> None:
    owner.new_key("a key")
    file = _key_file(owner, "--export")
    done = _published(owner, "--key-file", file)
    refused(done, f"{file} holds no secret key that can sign")
    assert "made" not in done.stderr
    assert not owner.repository.exists()
    file.write_text("no key\n")
    refused(_published(owner, "--key-file", file), f"{file} holds no secret key that gpg can read")


def test_a_key_file_whose_key_only_encrypts_is_refused(owner: Owner) -> None:
    options = ("--pinentry-mode", "loopback", "--passphrase", "")
    owner.keychain.gpg(*options, "--quick-generate-key", "a key", "rsa2048", "encr", "1y")
    file = _key_file(owner, "--export-secret-keys")
    refused(_published(owner, "--key-file", file), f"{file} holds no secret key that can sign")
    assert not owner.repository.exists()


def test_a_key_file_signs_and_leaves_no_secret_behind(owner: Owner, runtime: Path) -> None:
    key = owner.new_key("a key")
    file = _key_file(owner, "--export-secret-keys")
    environment = {"XDG_RUNTIME_DIR": str(runtime), "GNUPGHOME": str(runtime / "none")}
    done = _published(owner, "--key-file", file, **environment)
    assert done.code == 0, done.stderr
    assert owner.json("repo", "status")["keys"] == [key]
    assert _homes(runtime) == []
    (homes,) = runtime.iterdir()
    assert stat.S_IMODE(homes.stat().st_mode) == 0o700


def test_publish_succeeds_without_gpgconf(owner: Owner, runtime: Path, tmp_path: Path) -> None:
    owner.new_key("a key")
    file = _key_file(owner, "--export-secret-keys")
    environment = {"XDG_RUNTIME_DIR": str(runtime), "PATH": _without(tmp_path / "bin", "gpgconf")}
    done = _published(owner, "--key-file", file, **environment)
    assert done.code == 0, done.stderr
    assert "Traceback" not in done.stderr
    assert _homes(runtime) == []


def _agents(home: Path) -> list[str]:
    listed = subprocess.run(
        ["ps", "-e", "-o", "args="], check=True, capture_output=True, text=True
    ).stdout
    return [line for line in listed.splitlines() if f"--homedir {home}" in line]


def test_the_next_command_removes_the_secret_keys_of_one_that_was_killed(
    owner: Owner, runtime: Path, tmp_path: Path
) -> None:
    owner.new_key("a key")
    file = _key_file(owner, "--export-secret-keys")
    environment = {"XDG_RUNTIME_DIR": str(runtime)}
    assert _published(owner, "--key-file", file, **environment).code == 0
    stub = tmp_path / "bin/gpgv"
    stub.parent.mkdir()
    stub.write_text("#!/bin/sh\nkill -9 $PPID\n")
    stub.chmod(0o755)
    killed = owner.run(
        *("repo", "refresh", "--key-file", file),
        **environment,
        PATH=f"{stub.parent}:{os.environ['PATH']}",
    )
    assert killed.code == -9
    (home,) = _homes(runtime)
    assert list(home.glob("private-keys-v1.d/*.key"))
    assert _agents(home)
    assert not list(owner.repository.rglob("private-keys-v1.d"))
    assert owner.run("repo", "verify", **environment).code == 0
    assert _homes(runtime) == []
    for _ in range(50):
        if not _agents(home):
            break
        time.sleep(0.1)
    assert _agents(home) == []


def test_the_secret_keys_of_a_command_that_still_runs_stay(owner: Owner, runtime: Path) -> None:
    owner.new_key("a key")
    file = _key_file(owner, "--export-secret-keys")
    with from_key_file(file, None, runtime) as first, from_key_file(file, None, runtime) as second:
        sweep(runtime)
        assert secret_keys(first) == secret_keys(second) != []
    assert _homes(runtime) == []


def test_secret_keys_go_into_no_directory_that_others_reach(
    owner: Owner, runtime: Path, tmp_path: Path
) -> None:
    owner.new_key("a key")
    file = _key_file(owner, "--export-secret-keys")
    homes = runtime / f"hadeb-keys-{os.geteuid()}"
    homes.mkdir()
    homes.chmod(0o755)
    with pytest.raises(HadebError, match="is not private to you"):
        from_key_file(file, None, runtime).__enter__()
    homes.rmdir()
    homes.symlink_to(tmp_path)
    with pytest.raises(HadebError, match="is not private to you"):
        from_key_file(file, None, runtime).__enter__()
    # Who has no such keys has nothing to do with it.
    sweep(runtime)


def _of_a_second(owner: Owner, key: str) -> None:
    """Let a key end."""
    owner.keychain.gpg("--quick-set-expire", key, "seconds=1")
    time.sleep(2)


def test_a_new_key_takes_over_when_the_old_one_has_ended(owner: Owner, tmp_path: Path) -> None:
    old = owner.new_key("old")
    owner.publish(owner.file("1.0"), options=("--key", old))
    _of_a_second(owner, old)
    assert f"the signing key {old} expired on" in owner.refused("repo", "refresh")
    new = owner.new_key("new")
    done = owner.call("repo", "key", "add", new)
    assert done.stderr.count(f"the signing key {old} expired on ") == 1
    assert f"longer signs: hadeb repo key drop {old}" in done.stderr
    keyring = tmp_path / "keyring.pgp"
    keyring.write_bytes(owner.keychain.gpg("--export", new).stdout_bytes)
    assert _faults(owner, keyring) == []
    assert owner.call("repo", "verify").code == 0
    owner.release("1.1")
    assert _faults(owner, keyring) == []
    assert "expired on" not in owner.call("repo", "key", "drop", old).stderr
    assert owner.json("repo", "status")["keys"] == [new]
    assert "expired on" not in owner.call("repo", "refresh").stderr
    assert _faults(owner, keyring) == []
    assert owner.call("repo", "verify").code == 0


def _faults(owner: Owner, keyring: Path) -> list[str]:
    read = inspection.in_release(owner.repository, "stable")
    assert read is not None
    return list(inspection.faults(owner.repository, "stable", keyring, read))


def test_a_near_expiry_is_reported_once_for_all_suites(
    owner: Owner,
) -> None:
    old = owner.new_key("old")
    owner.keychain.gpg("--quick-set-expire", old, "30d")
    owner.publish(owner.file("1.0"), options=("--key", old))
    owner.publish(owner.file("1.0"), suite="staging")
    for arguments in (("key", "add", owner.new_key("new")), ("refresh",)):
        assert owner.call("repo", *arguments).stderr.count("expires in ") == 1


def test_a_new_key_is_reported_even_with_quiet(owner: Owner) -> None:
    done = _published(owner, "--quiet")
    assert done.code == 0, done.stderr
    assert re.fullmatch(
        "made the signing key ([0-9A-F]{40}); keep a copy: gpg --export-secret-keys \\1\n",
        done.stderr,
    )


def test_a_dry_run_of_a_key_change_shows_what_clients_would_get(owner: Owner) -> None:
    owner.publish(owner.file("1.0"))
    (old,) = owner.json("repo", "status")["keys"]
    new = owner.new_key("new")
    added = ["+ example-archive-keyring 2 all"]
    before = owner.served()
    said = owner.json("repo", "key", "add", new, "--dry-run")
    assert said == [{"suite": "stable", "generation": 1, "changes": added, "dry_run": True}]
    assert owner.served() == before
    assert owner.json("repo", "key", "add", new)[0]["changes"] == added
    done = owner.call("repo", "key", "drop", old, "--dry-run")
    assert done.stdout == "+ example-archive-keyring 3 all\n"
    assert "would no longer sign" in done.stderr
    assert owner.json("repo", "status")["keys"] == [old, new]
    assert "nothing would change" in owner.call("repo", "key", "add", new, "--dry-run").stderr


def test_a_passphrase_prompt_has_time_and_the_wait_is_explained(
    owner: Owner, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pinentry = tmp_path / "pinentry"
    pinentry.write_text(_PINENTRY)
    pinentry.chmod(0o755)
    options = ("--pinentry-mode", "loopback", "--passphrase", "secret")
    owner.keychain.gpg(*options, "--quick-generate-key", "a key", "ed25519", "sign", "1y")
    (owner.home / "gpg-agent.conf").write_text(f"pinentry-program {pinentry}\n")
    subprocess.run(["gpgconf", "--homedir", owner.home, "--kill", "gpg-agent"], check=True)
    (key,) = secret_keys(owner.keychain)
    monkeypatch.setattr(keychain, "_PATIENCE", 2.5)
    monkeypatch.setattr(sign_release, "_REPORT_AFTER", 0.5)
    done = call_hadeb(
        *("publish", owner.file("1.0"), "--repo", owner.repository, "--suite", "stable"),
        *("--key", key.fingerprint),
        directory=tmp_path,
        environment={"GNUPGHOME": str(owner.home)},
    )
    assert done.code == 0, done.stderr
    waiting = "waiting for gpg, which may be asking for the passphrase of"
    assert done.stderr.count(f"{waiting} {key.fingerprint}\n") == 1
    assert owner.json("repo", "status")["keys"] == [key.fingerprint]
