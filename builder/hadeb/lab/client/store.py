# SPDX-License-Identifier: Apache-2.0
"""A client that writes a value to the service, and one that reads it."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable

from hadeb.lab.client.answers import SERVICE, Answer
from hadeb.lab.client.stored import expectation, is_acknowledged, outcome
from hadeb.lab.client.watch import Target, Watch
from hadeb.lab.host.namespaces import Namespaces
from hadeb.lab.host.wait import wait_until
from hadeb.manifest.cluster import VALUE, AnswerTable

# Seconds from one try to the next, and until a try or all of them are given up.
_EVERY, _PATIENCE, _WRITING, _READING = 0.5, 1.0, 8.0, 4.0


class Store:
    """Writes one value through the service's address, and reads it.

    `source` is the address that the client asks from.
    """

    def __init__(self, namespaces: Namespaces, table: AnswerTable, source: str, value: str) -> None:
        self.value = value
        self._namespaces = namespaces
        self._table = table
        self._source = source
        self._asked = 0

    def write(self) -> tuple[Answer | None, str]:
        """Write until the service acknowledges; that answer, and what the last one said."""
        table = self._table
        answers = self._ask(
            _target(table, table.write, table.write_expect, self._source, self.value),
            lambda answer: is_acknowledged(table, answer),
            timeout=_WRITING,
        )
        good = next((answer for answer in answers if is_acknowledged(table, answer)), None)
        return good, _said(answers)

    def read(self) -> Answer | None:
        """Read until the value comes back, for some seconds; the last answer, None without any.

        A service that has just moved may need a moment to have it.
        """
        table = self._table
        answers = self._ask(
            _target(table, table.read, table.read_expect, self._source, self.value),
            lambda answer: outcome(table, answer, self.value)[0] == "kept",
            timeout=_READING,
        )
        kept = (answer for answer in answers if outcome(table, answer, self.value)[0] == "kept")
        return next(kept, answers[-1] if answers else None)

    def _ask(
        self, target: Target, is_enough: Callable[[Answer], bool], *, timeout: float
    ) -> list[Answer]:
        self._asked += 1
        name = f"{self.value}-{self._asked}"
        with Watch(self._namespaces, [target], "", name) as watch:
            wait_until(
                lambda: any(is_enough(answer) for answer in watch.answers),
                timeout=timeout,
                pause=0.05,
            )
        return watch.answers


def _said(answers: list[Answer]) -> str:
    if not answers:
        return "no answer"
    return (answers[-1].text.strip() or answers[-1].error or "an empty answer").strip()


def _target(table: AnswerTable, text: str, expect: str, source: str, value: str) -> Target:
    text = text.replace(VALUE, value)
    send, command = text, ""
    if table.kind == "http":
        send = http_request(text, table.address)
    elif table.kind == "command":
        send, command = "", text.replace("{address}", shlex.quote(table.address))
    return Target(
        name=SERVICE,
        host=table.address,
        port=table.port or 0,
        every=_EVERY,
        patience=_PATIENCE,
        source=source,
        send=send,
        # A page ends when the other side closes, a command when it exits.
        expect=expectation(expect, value) if table.kind == "tcp" else "",
        command=command,
    )


def http_request(text: str, host: str) -> str:
    """The request of a manifest as it is sent: with the version, lengths and ends of lines."""
    head, _, body = re.sub(r"\r\n", "\n", text).partition("\n\n")
    first, *headers = head.strip("\n").split("\n")
    host = f"[{host}]" if ":" in host else host
    length = len(body.encode("utf-8", "surrogateescape"))
    given = {header.partition(":")[0].strip().lower() for header in headers}
    own = {"Host": host, "Connection": "close", "Content-Length": str(length)}
    lines = [
        f"{first.strip()} HTTP/1.0",
        *(f"{name}: {value}" for name, value in own.items() if name.lower() not in given),
        *headers,
    ]
    return "\r\n".join([*lines, "", ""]) + body
