# SPDX-License-Identifier: Apache-2.0
"""Clients outside the nodes that connect all the time, and record which node answered."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from types import TracebackType
from typing import IO, Self

from hadeb.errors import HadebError
from hadeb.interrupt import clean_up_after
from hadeb.lab.client.answers import SERVICE, UNNAMED, Answer, responder
from hadeb.lab.client.outage import Stall
from hadeb.lab.host.namespaces import Namespaces
from hadeb.lab.host.wait import wait_until
from hadeb.manifest.cluster import AnswerTable

_PROGRAM = Path(__file__).with_name("ask.py")
_STATUS = re.compile(r"HTTP/\d\.\d (\d{3})")


@dataclass(frozen=True, slots=True)
class Target:
    """What to ask; `every` and `patience`, the time to wait for an answer, are in seconds."""

    name: str
    host: str
    port: int
    every: float
    patience: float = 1.0
    source: str = ""
    send: str = ""
    expect: str = ""
    command: str = ""


def targets_of(
    answer: AnswerTable, nodes: Mapping[str, str], sources: Sequence[str]
) -> list[Target]:
    """The service's address from each source, 100 times a second in all, and each node's own."""
    # A process for each request costs more than a connection.
    pace = 0.1 if answer.kind == "command" else 0.01
    every = pace * len(sources)
    asked = [_target(SERVICE, answer.address, every, answer, source) for source in sources]
    # Enough to notice a second active instance, which must never exist.
    direct = [_target(name, host, 5 * pace, answer) for name, host in nodes.items()]
    return asked + direct


def _target(name: str, host: str, every: float, answer: AnswerTable, source: str = "") -> Target:
    send, expect, command = answer.send, answer.expect, ""
    if answer.kind == "http":
        named = f"[{host}]" if ":" in host else host
        send = f"GET {answer.path} HTTP/1.0\r\nHost: {named}\r\nConnection: close\r\n\r\n"
        # The page ends when the other side closes.
        expect = ""
    elif answer.kind == "command":
        command = (answer.command or "").replace("{address}", shlex.quote(host))
    return Target(
        name=name,
        host=host,
        port=answer.port or 0,
        every=every,
        source=source,
        send=send,
        expect=expect,
        command=command,
    )


class Watch:
    """A context manager: clients connect from when it is entered until it is left.

    `expect` is a regular expression for a right answer; its group `node` is the node that gave it.
    """

    def __init__(
        self, namespaces: Namespaces, targets: Sequence[Target], expect: str, name: str = "watch"
    ) -> None:
        self._namespaces = namespaces
        self._targets = tuple(targets)
        self._expect = expect
        self._record = namespaces.state / f"{name}.jsonl"
        self._program: subprocess.Popen[bytes] | None = None
        self._output: IO[bytes] | None = None
        self._answers: list[Answer] = []
        self._stalls: list[Stall] = []
        self._read = 0

    def __enter__(self) -> Self:
        argument = json.dumps([asdict(target) for target in self._targets])
        self._output = self._record.open("wb")
        self._program = self._namespaces.start(
            *(sys.executable, "-I", str(_PROGRAM), argument),
            stdin=subprocess.PIPE,
            stdout=self._output,
        )
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if error is None:
            self._close()
        else:
            clean_up_after(error, self._close)

    def _close(self) -> None:
        program, self._program = self._program, None
        if program and self._output:
            try:
                program.communicate(timeout=10)
            except subprocess.TimeoutExpired:
                # It ends with the namespaces at the latest.
                program.kill()
            self._output.close()

    @property
    def answers(self) -> list[Answer]:
        """All that ended so far, in that order; still readable after the watch."""
        # Only what is new: reading everything every time would slow down what is measured.
        with self._record.open("rb") as record:
            record.seek(self._read)
            new = record.read()
        whole = new[: new.rfind(b"\n") + 1]
        try:
            for line in map(json.loads, whole.splitlines()):
                if stalled := line.get("stalled"):
                    self._stalls.append(Stall(*stalled))
                else:
                    self._answers.append(_answer(line, self._expect))
        except ValueError:
            output = whole.decode(errors="replace").strip()[-500:]
            raise HadebError(f"the lab's client broke: {output}") from None
        self._read += len(whole)
        # A client that has ended records no failures.
        if self._program and self._program.poll() is not None:
            raise HadebError("the lab's client ended too early")
        return list(self._answers)

    @property
    def stalls(self) -> list[Stall]:
        """The times in which the client itself did not run, up to the last look at `answers`."""
        return list(self._stalls)

    def until(
        self, condition: Callable[[list[Answer]], bool], *, timeout: float, what: str
    ) -> list[Answer]:
        """Wait until the answers so far satisfy a condition; HadebError after the timeout."""
        answers: list[Answer] = []

        def is_satisfied() -> bool:
            nonlocal answers
            answers = self.answers
            return condition(answers)

        if not wait_until(is_satisfied, timeout=timeout, pause=0.1):
            raise HadebError(f"{what}: not within {timeout:.0f} s")
        return answers


def _answer(line: dict[str, object], expect: str) -> Answer:
    text, error = str(line["text"]), line["error"]
    status = _STATUS.match(text)
    if error is None and status and int(status[1]) >= 400:
        error = f"HTTP {status[1]}"
    target = str(line["target"])
    who = responder(text, expect) if error is None else None
    if who == UNNAMED and target != SERVICE:
        who = target
    return Answer(
        asked=float(str(line["asked"])),
        at=float(str(line["at"])),
        source=str(line["source"]),
        target=target,
        who=who,
        text=text,
        error=None if error is None else str(error),
    )
