# SPDX-License-Identifier: Apache-2.0
"""Sources of settings, errors in them, and the addresses the daemon listens on."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from integration.daemon.conftest import Start
from support.daemon_process import MODULE, answer, ask, connect, environment, free_port


def run(python: str, *arguments: str, **env: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [python, *MODULE, *arguments],
        env=environment(env),
        capture_output=True,
        text=True,
        timeout=15,
        check=False,
    )


def test_greets_by_hand_as_in_the_article(start: Start) -> None:
    daemon = start(env={"GREET": "Hii!"})
    assert ask(daemon.port) == answer("Hii!")


def test_the_default_greeting_is_the_articles(start: Start) -> None:
    assert ask(start().port) == answer("Hello!")


def test_a_flag_beats_the_file_which_beats_the_environment(start: Start) -> None:
    wrong = {"PORT": "1", "GREET": "environment"}
    assert ask(start(env=wrong).port) == answer("environment")
    assert ask(start(settings={"greet": "file"}, env=wrong).port) == answer("file")
    assert ask(start("--greet=flag", settings={"greet": "file"}, env=wrong).port) == answer("flag")


def test_an_overridden_value_may_be_invalid(start: Start) -> None:
    assert ask(start(env={"PORT": "no number"}).port) == answer()


def test_the_settings_file_can_be_named_by_the_environment(python: str, tmp_path: Path) -> None:
    file = tmp_path / "settings"
    file.write_text("port=0\n")
    ended = run(python, SETTINGS=str(file))
    assert (ended.returncode, ended.stderr) == (
        2,
        f"sample-tcp-server: {file}:1: port: '0' is not between 1 and 65535\n",
    )


def test_all_faults_are_reported_at_once(python: str) -> None:
    ended = run(
        python,
        *("--port", "99999", "--greet", "two\nlines", "--bind", "::1,localhost", "--nonsense"),
        *("--timeout", "3"),
    )
    assert ended.returncode == 2
    assert ended.stderr.splitlines() == [
        "sample-tcp-server: --nonsense: unknown argument (see --help)",
        "sample-tcp-server: timeout: --timeout needs --probe",
        "sample-tcp-server: greet: a greeting is one line, and 'two\\nlines' has a newline",
        "sample-tcp-server: port: '99999' is not between 1 and 65535",
        "sample-tcp-server: bind: 'localhost' is not an IPv4 or IPv6 address",
    ]


def test_all_faults_of_a_file_are_reported_with_their_lines(python: str, tmp_path: Path) -> None:
    file = tmp_path / "settings"
    file.write_bytes(b"greet=a\0b\n\nport=\nmood=good\ngreet=again\n")
    ended = run(python, "--settings", str(file))
    assert ended.returncode == 2
    assert ended.stderr.splitlines() == [
        f"sample-tcp-server: {file}:4: 'mood=good' is not greet=, port= or bind=",
        f"sample-tcp-server: {file}:5: greet is given twice",
        f"sample-tcp-server: {file}:1: greet: a greeting cannot hold a NUL byte, as 'a\\x00b' does",
        f"sample-tcp-server: {file}:3: port: '' is not between 1 and 65535",
    ]


def test_a_settings_file_that_is_missing_is_a_fault(python: str) -> None:
    ended = run(python, "--settings", "/nonexistent/file")
    assert (ended.returncode, ended.stderr) == (
        2,
        "sample-tcp-server: settings: cannot read /nonexistent/file: No such file or directory\n",
    )


@pytest.mark.parametrize("port", ["0", "65536", "-1", "+80", " 80", "8e3", "²", ""])
def test_an_invalid_port_is_refused(python: str, port: str) -> None:
    ended = run(python, f"--port={port}")
    assert (ended.returncode, ended.stderr) == (
        2,
        f"sample-tcp-server: port: {port!r} is not between 1 and 65535\n",
    )


def test_a_greeting_too_long_to_send_is_refused(python: str) -> None:
    ended = run(python, "--greet", "x" * 65537)
    assert (ended.returncode, ended.stderr) == (
        2,
        "sample-tcp-server: greet: a greeting of 65537 bytes is over 65536\n",
    )


def test_listens_on_all_addresses_of_both_families(start: Start) -> None:
    daemon = start()
    assert [ask(daemon.port, host) for host in ("127.0.0.1", "127.9.9.9", "::1")] == [answer()] * 3


def test_listens_on_the_given_addresses_only(start: Start) -> None:
    daemon = start("--bind", "127.0.0.2, 127.0.0.3", "--bind=::1")
    for host in ("127.0.0.2", "127.0.0.3", "::1"):
        assert ask(daemon.port, host) == answer()
    with pytest.raises(ConnectionRefusedError):
        connect(daemon.port, "127.0.0.1")


def test_an_address_that_a_wildcard_covers_does_not_collide_with_it(start: Start) -> None:
    daemon = start("--bind", "127.0.0.1,0.0.0.0,127.0.0.1")
    assert ask(daemon.port, "127.0.0.1") == answer()
    with pytest.raises(ConnectionRefusedError):
        connect(daemon.port, "::1")


@pytest.mark.parametrize("missing", ["AF_INET6", "AF_INET"])
def test_a_machine_without_one_of_the_families_still_serves(start: Start, missing: str) -> None:
    code = f"""
import errno, socket, sys
class Socket(socket.socket):
    def __init__(self, family=-1, *rest, **named):
        if family == socket.{missing}:
            raise OSError(errno.EAFNOSUPPORT, "")
        super().__init__(family, *rest, **named)
socket.socket = Socket
from sample_tcp_server.cli import main
sys.exit(main())
"""
    daemon = start(command=("-c", code))
    assert ask(daemon.port, "127.0.0.1" if missing == "AF_INET6" else "::1") == answer()


def test_a_family_that_was_asked_for_has_to_be_there(start: Start, python: str) -> None:
    port = free_port()
    ended = run(python, "--bind", "127.0.0.1,2001:db8::1,192.0.2.254", "--port", str(port))
    assert ended.returncode == 1
    assert ended.stderr.splitlines() == [
        f"<3>cannot listen on [2001:db8::1]:{port}: Cannot assign requested address",
        f"<3>cannot listen on 192.0.2.254:{port}: Cannot assign requested address",
    ]


def test_a_taken_port_is_reported_and_not_shared(start: Start, python: str) -> None:
    daemon = start("--bind=127.0.0.1")
    ended = run(python, "--bind=127.0.0.1", "--port", str(daemon.port))
    assert (ended.returncode, ended.stderr) == (
        1,
        f"<3>cannot listen on 127.0.0.1:{daemon.port}: Address already in use\n",
    )


def test_help_names_every_option(python: str) -> None:
    ended = run(python, "--help")
    assert ended.returncode == 0
    for option in ("greet", "port", "bind", "settings", "probe", "expect", "timeout"):
        assert f"--{option} " in ended.stdout


def test_faults_carry_their_priority_in_the_journal(python: str) -> None:
    ended = run(python, "--port=x", JOURNAL_STREAM="8:1")
    assert ended.stderr == "<3>sample-tcp-server: port: 'x' is not between 1 and 65535\n"
