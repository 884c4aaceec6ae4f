# SPDX-License-Identifier: Apache-2.0
"""The daemon sends any one-line greeting unchanged, or refuses it with a reason."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from support.daemon_process import Daemon, answer, ask
from support.samples import examples

NASTY = [
    *("", " ", "\t", "'", '"', "''", "$HOME", "$(id)", "`id`", "%n%i%%", "\\", "\\n", "#not a"),
    *(
        "trailing  ",
        "  leading",
        "a=b",
        "greet=",
        "--port",
        "-",
        "\r",
        "\x1b[2J",
        "\x7f",
        "é",
        "日本",
    ),
    *(" This is ", "!\n"[:1], "\u2028", "\x85", "\x0b\x0c", ";", "&&", "|", "{}", "%s", "\udcff"),
]

texts = st.one_of(
    st.sampled_from([os.fsencode(text) for text in NASTY]),
    st.lists(st.sampled_from(NASTY), max_size=8).map(lambda parts: os.fsencode("".join(parts))),
    st.text(max_size=200).map(lambda text: text.encode("utf-8", "replace")),
    st.binary(max_size=2000),
    st.integers(60000, 65600).map(lambda size: b"x" * size),
)


@pytest.fixture(scope="module")
def daemon(python: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Daemon]:
    with Daemon(python, tmp_path_factory.mktemp("greetings"), settings={}) as running:
        yield running


@given(greet=texts)
@settings(max_examples=examples(200, 2000), deadline=None, suppress_health_check=list(HealthCheck))
def test_a_hostile_greeting_from_the_file_comes_out_or_is_refused(
    daemon: Daemon, greet: bytes
) -> None:
    before, seen = ask(daemon.port), len(daemon.log)
    daemon.write({"greet": greet})
    daemon.reload()
    log = daemon.log[seen:]
    line, *more = greet.split(b"\n")
    if any(more) or b"\0" in line or len(line) > 65536:
        assert ask(daemon.port) == before
        assert log.startswith("<3>reload: ")
        assert log.endswith("<3>reload: nothing has changed\n")
    else:
        assert ask(daemon.port) == answer(line)
        assert log.startswith("<5>reloaded: ")


@pytest.mark.parametrize("way", ["flag", "environment"])
def test_hostile_greetings_from_flag_and_environment_come_out(
    python: str, tmp_path: Path, way: str
) -> None:
    greet = "".join(NASTY)
    arguments = ["--greet", greet] if way == "flag" else []
    env = {"GREET": greet} if way == "environment" else {}
    with Daemon(python, tmp_path, *arguments, env=env) as running:
        assert ask(running.port) == answer(greet)


def test_the_locale_does_not_change_a_greeting(python: str, tmp_path: Path) -> None:
    for locale in ("C", "C.UTF-8", "en_US.ISO-8859-1"):
        with Daemon(python, tmp_path, env={"GREET": "é\udcff", "LC_ALL": locale}) as running:
            assert ask(running.port) == answer(b"\xc3\xa9\xff")
