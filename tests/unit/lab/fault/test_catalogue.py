# SPDX-License-Identifier: Apache-2.0
"""The list of faults is one that can be chosen from, printed and reported."""

from __future__ import annotations

import re

import pytest

from hadeb.errors import UsageError
from hadeb.lab.fault.actions import ACTIONS, Action
from hadeb.lab.fault.catalogue import EXPECTED, FAULTS, SMOKE, TWO_VERSIONS, Fault, chosen
from hadeb.manifest.fault_names import FAULT_NAMES

NAMES = [fault.name for fault in FAULTS]


def test_no_two_faults_share_a_name() -> None:
    assert len(set(NAMES)) == len(NAMES)


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_a_fault_reads_as_a_line_of_the_report(fault: Fault) -> None:
    # The manifest's max-outage takes the name as a key, and the table has so many columns for it.
    assert re.fullmatch(r"[a-z]+(-[a-z]+)*", fault.name)
    assert len(fault.name) <= 18
    sentence = fault.did.format(node="ha1")
    assert not set("{}") & set(sentence)
    assert not sentence.endswith(".")
    assert fault.expected in EXPECTED
    assert 0 < fault.dwell < fault.deadline


def test_a_manifest_may_name_each_fault_in_max_outage() -> None:
    assert list(FAULT_NAMES) == NAMES


def test_without_names_all_faults_are_chosen() -> None:
    assert chosen((), two_versions=True) == FAULTS
    one_version = [fault.name for fault in chosen(())]
    assert one_version == [name for name in NAMES if name not in TWO_VERSIONS]


def test_a_run_of_two_versions_goes_up_first_and_down_last() -> None:
    assert (NAMES[0], NAMES[-1]) == TWO_VERSIONS
    with pytest.raises(UsageError, match="upgrade: there is no earlier version") as error:
        chosen(("standby", "upgrade"))
    assert error.value.hint == "name the earlier version's file: --from OLD.deb"
    assert len(chosen(("standby", "upgrade"), two_versions=True)) == 2


def test_names_are_taken_in_the_labs_order_and_once() -> None:
    faults = chosen((NAMES[5], NAMES[2], NAMES[5]))
    assert [fault.name for fault in faults] == [NAMES[2], NAMES[5]]


def test_unknown_names_are_all_named_with_what_there_is() -> None:
    with pytest.raises(UsageError) as error:
        chosen(("daemon-killed", "no-such", "nor-this"))
    assert error.value.message == "there is no fault no-such, nor-this"
    assert error.value.hint
    assert all(name in error.value.hint for name in NAMES)


def test_the_smoke_set_is_a_few_of_all_with_and_without_a_move() -> None:
    assert {"daemon-killed", "standby", "node-power-cut"} <= set(SMOKE) < set(NAMES)
    assert {fault.expected for fault in chosen(SMOKE)} == set(EXPECTED)


def test_every_fault_has_its_action_and_says_when_it_is_left_out() -> None:
    assert list(ACTIONS) == NAMES
    for fault in FAULTS:
        may_be_left_out = ACTIONS[fault.name].obstacle is not Action(lambda _: None).obstacle
        assert bool(fault.unless) == may_be_left_out
