# SPDX-License-Identifier: Apache-2.0
"""The value that a trial writes before its fault, and reads after it and once it is undone."""

from __future__ import annotations

import dataclasses
import secrets
import time

from hadeb.errors import HadebError
from hadeb.lab.client.store import Store
from hadeb.lab.client.stored import Reading, outcome, value_of
from hadeb.lab.scenario.stage import Stage
from hadeb.lab.verdict.data import DataEvidence

_LONGEST = 200


class TrialData:
    """One trial's value. It does nothing if the manifest does not say how to write one."""

    def __init__(self, stage: Stage, fault: str) -> None:
        self._table = stage.scenario.answer
        self._store = Store(
            stage.cluster.namespaces,
            self._table,
            stage.cluster.sources(self._table.address)[0],
            value_of(fault, secrets.token_hex(4)),
        )
        self._written: float | None = None
        self._problem = ""
        self._readings: list[Reading] = []

    def write(self) -> None:
        """Write the value, and see that it can be read as long as nothing has happened."""
        if not self._table.write:
            return
        acknowledged, refusal = self._store.write()
        if not acknowledged:
            self._problem = (
                "no write was acknowledged before the fault, so nothing shows whether data "
                f"survives it: the write answers {refusal[:_LONGEST]!r}"
            )
            return
        answer = self._store.read()
        if not answer or outcome(self._table, answer, self._store.value)[0] != "kept":
            text = (answer.text or answer.error or "") if answer else "nothing"
            self._problem = (
                "a value that was written and acknowledged cannot be read even before the "
                f"fault: the read answers {text.strip()[:_LONGEST]!r}"
            )
            return
        self._written = acknowledged.at

    def read(self, *, restored: bool = False) -> None:
        """Read the value, if it was written; `restored` says that the fault has been undone."""
        if self._written is None:
            return
        result, of = "unread", ""
        try:
            answer = self._store.read()
        except HadebError as error:
            answer, text = None, error.message
        else:
            text = (answer.text.strip() or answer.error or "") if answer else "no answer"
        if answer:
            result, of = outcome(self._table, answer, self._store.value)
        at = answer.at if answer else time.monotonic()
        self._readings.append(Reading(self._written, at, result, of, text[:_LONGEST], restored))

    def evidence(self, zero: float) -> DataEvidence:
        """What was seen; `zero` is the moment of the fault on the monotonic clock."""
        return DataEvidence(
            self._problem,
            tuple(
                dataclasses.replace(reading, written=reading.written - zero, at=reading.at - zero)
                for reading in self._readings
            ),
        )
