# SPDX-License-Identifier: Apache-2.0
"""500 greetings that break naive quoting, from the agent's environment to the socket."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from pathlib import Path

import pytest

from hadeb.debian.releases import Suite
from hadeb.lab.node.node import Node
from support.resource import CONFIGURED, SUCCESS, Resource

Result = tuple[int, str, str, str]
PER_SUITE = 250
LONGEST = 65536
KNOWN = (
    *(
        b"",
        b" ",
        b"  Hi!  ",
        b"\tHi!\t",
        b"# not a comment",
        b"; nor this",
        b"greet=x",
        b"=",
        b"-n",
    ),
    *(
        b"--help",
        b"-e \\n",
        b"'",
        b'"',
        b"''",
        b'""',
        b"'\"'\"'",
        b"`id`",
        b"$(id)",
        b"$HOME",
        b"${x}",
    ),
    *(
        b"%",
        b"%s%n",
        b"%i",
        b"%%",
        b"%t/%H",
        b"\\",
        b"\\\\",
        b"\\n",
        b"trailing \\",
        b"\\x41",
        b"!!",
    ),
    *(
        b"*",
        b"?",
        b"[a-z]*",
        b"/*/*",
        b"~",
        b"{a,b}",
        b"&",
        b"a;b",
        b"a|b",
        b">x",
        b"<x",
        b"(a)",
        b"\r",
    ),
    *(
        b"a\rb",
        b"\x0b\x0c\x1c\x1d\x1e",
        b"\x01\x02\x7f\x1b[31m",
        bytes(range(0x80, 0xA0)),
        b"\xff\xfe",
    ),
    *("Grüße".encode(), "日本語 🦊".encode(), "\u2028\u2029\u0085\u200b\ufeff".encode(), b"\xc3("),
    *(
        b" This is ha1!",
        b" This is ",
        b"x" * 4096,
        b"x" * LONGEST,
        b"]]>",
        b"<!--",
        b"&amp;",
        b"&#10;",
    ),
    *(b"\n", b"a\nb", b"a\n", b"\nport=1", b"x\nbind=::1\n", b"x" * (LONGEST + 1), b"\r\n"),
)
PIECES = (
    *(bytes([code]) for code in range(1, 256)),
    *(
        b"'",
        b'"',
        b"$",
        b"`",
        b"\\",
        b"%",
        b"#",
        b" ",
        b"\t",
        b"=",
        b"\n",
        b"\r",
        b"$(",
        b"${",
        b"\\\n",
    ),
    *(
        "ü".encode(),
        "€".encode(),
        "🦊".encode(),
        b"%i",
        b"%%",
        b"\\x0a",
        b"\\n",
        b" This is ",
        b"!",
    ),
)


def greetings(seed: int) -> list[bytes]:
    """Known troublemakers, and as many more from their pieces."""
    chance = random.Random(seed)
    more = [
        b"".join(chance.choices(PIECES, k=chance.randrange(1, 40)))
        for _ in range(PER_SUITE - len(KNOWN))
    ]
    return [*KNOWN, *more]


def is_refused(greeting: bytes) -> bool:
    return b"\n" in greeting or len(greeting) > LONGEST


def exchange(node: Node, jobs: list[tuple[str, int, list[bytes]]]) -> list[list[Result]]:
    driver = Path(__file__).with_name("hostile_driver.py").read_text(encoding="utf-8")
    given = [(name, port, [each.hex() for each in asked]) for name, port, asked in jobs]
    done = node.exec("python3", "-c", driver, input=json.dumps(given), timeout=300)
    results: list[list[Result]] = json.loads(done.stdout)
    return results


def check(port: int, asked: list[bytes], results: list[Result]) -> None:
    valid = b"Hello!"
    for each, (code, error, answer, settings) in zip(asked, results, strict=True):
        if is_refused(each):
            assert code == CONFIGURED, each
            assert error.startswith("ocf-exit-reason:greet "), each
        else:
            assert (code, error) == (SUCCESS, ""), each
            valid = each
        assert bytes.fromhex(answer) == valid + b" This is ha1!\n", each
        written = b"greet=%b\nport=%d\nbind=127.0.0.1\n" % (valid, port)
        assert bytes.fromhex(settings) == written, each


def test_every_greeting_reaches_the_socket_unchanged(
    node: Node, server: Callable[..., Resource], suite: Suite
) -> None:
    asked = greetings(seed=12 if suite == "bookworm" else 13)
    assert len(asked) == PER_SUITE
    jobs = [("A", 7001, asked[0::2]), ("B", 7002, asked[1::2])]
    for name, port, _ in jobs:
        assert server(name, port=str(port), bind="127.0.0.1")("start").returncode == SUCCESS
    for (_, port, given), results in zip(jobs, exchange(node, jobs), strict=True):
        check(port, given, results)


@pytest.mark.parametrize("index", range(12))
def test_start_leaves_a_greeting_unchanged(
    node: Node, server: Callable[..., Resource], index: int
) -> None:
    """A restart reads the settings again; one greeting of each kind."""
    kinds = [each for each in KNOWN if not is_refused(each) and len(each) < LONGEST]
    greeting = kinds[index * len(kinds) // 12].decode("utf-8", "surrogateescape")
    resource = server(greet=greeting, bind="127.0.0.1")
    done = resource("start")
    assert (done.returncode, done.stderr) == (SUCCESS, "")
