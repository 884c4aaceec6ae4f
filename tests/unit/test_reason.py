# SPDX-License-Identifier: Apache-2.0
"""Of what a failed program printed, an error quotes what says why, and not more."""

from __future__ import annotations

import pytest

from hadeb.errors import CommandFailed
from hadeb.reason import after_colon, reason

PCS = """\
Error: invalid resource option 'prot', allowed options are: 'port', use --force to override
Error: Errors have occurred, therefore pcs is unable to continue
"""
REFUSED_CIB = """\
Error: Unable to update cib
Call cib_apply_diff failed (-203): Update does not conform to the configured schema
<cib crm_feature_set="3.16.2" validate-with="pacemaker-3.9" epoch="8" num_updates="0">
  <configuration>
    <primitive class="ocf" id="TICK"/>
  </configuration>
</cib>
"""
NUMBERED_CIB = """\
Error: Unable to update cib
1   <cib crm_feature_set="3.16.2" validate-with="pacemaker-3.9">
9           <op name="start" interval="0s" timeout="20s" id="TICK-start-interval-0s"/>
15      <rsc_colocation rsc="TICK" with-rsc="IP" score="bogus" id="colocation-TICK-IP"/>
19  </cib>
20
Call failed: Update does not conform to the configured schema
"""
DPKG_OUTPUT = """\
Selecting previously unselected package tickd.
(Reading database ... 11218 files and directories currently installed.)
Preparing to unpack /root/tickd_1.0_all.deb ...
Unpacking tickd (1.0) ...
Setting up tickd (1.0) ...
the license server is away
"""
DPKG_ERRORS = """\
dpkg: error processing package tickd (--install):
 installed tickd package post-installation script subprocess returned error exit status 1
Errors were encountered while processing:
 tickd
"""
NFT = """\
/dev/stdin:1:22-26: Error: syntax error, unexpected newline, expecting string
add rule inet filter
                     ^
"""


def test_pcs_says_why_before_it_says_that_it_failed() -> None:
    assert reason("", PCS).splitlines()[0] == (
        "Error: invalid resource option 'prot', allowed options are: 'port', "
        "use --force to override"
    )


def test_a_refused_configuration_is_not_quoted() -> None:
    assert reason("", REFUSED_CIB).splitlines() == [
        "Error: Unable to update cib",
        "Call cib_apply_diff failed (-203): Update does not conform to the configured schema",
    ]


def test_nor_is_one_with_line_numbers() -> None:
    assert reason("", NUMBERED_CIB).splitlines() == [
        "Error: Unable to update cib",
        "Call failed: Update does not conform to the configured schema",
    ]


def test_what_a_maintainer_script_printed_is_the_cause_and_progress_is_not() -> None:
    assert reason(DPKG_OUTPUT, DPKG_ERRORS).splitlines() == [
        "the license server is away",
        *DPKG_ERRORS.splitlines(),
    ]


def test_marks_below_a_line_keep_their_place() -> None:
    assert reason("", NFT) == NFT.rstrip("\n")


def test_of_many_lines_the_first_errors_and_the_end_are_kept() -> None:
    lines = [f"line {number}" for number in range(500)]
    lines[40], lines[41] = "E: Unable to locate package tickd-lib", "E: Broken packages"
    shown = reason("", "\n".join(lines)).splitlines()
    assert "E: Unable to locate package tickd-lib" in shown
    assert "E: Broken packages" in shown
    assert shown[-1] == "line 499"
    assert "…" in shown
    assert len(shown) < 20


@pytest.mark.parametrize("size", [1, 12, 13, 100])
def test_a_reason_is_bounded(size: int) -> None:
    shown = reason("", "\n".join(f"error {number}: {'x' * 5000}" for number in range(size)))
    assert len(shown) < 8000
    assert shown.startswith("error 0: ")


def test_data_on_standard_output_is_not_taken_for_a_message() -> None:
    listing = "\n".join(f"resource {number}" for number in range(100))
    assert reason(listing, "crm_resource: Timeout occurred\n") == "crm_resource: Timeout occurred"
    assert reason(f"{listing}\nERROR: TICK is not there\n", "exit") == (
        "ERROR: TICK is not there\nexit"
    )


def test_without_errors_the_output_says_why() -> None:
    assert reason("ERROR: constraint with no resource\n", "") == (
        "ERROR: constraint with no resource"
    )
    assert reason("", "") == ""
    # Where there is nothing but XML, XML it is.
    assert reason("<cib/>\n", "") == "<cib/>"


def test_colors_and_progress_bars_are_dropped() -> None:
    assert reason("", "10%\r50%\r\x1b[31mERROR\x1b[0m: it broke\n") == "ERROR: it broke"


def test_one_line_follows_a_colon_and_several_are_indented() -> None:
    assert after_colon("why") == ": why"
    assert after_colon("one\ntwo") == ":\n  one\n  two"
    assert after_colon("") == ""


def test_a_full_disk_that_a_program_reports_has_a_remedy() -> None:
    failure = CommandFailed(["apt-get"], 100, stderr="E: write (28: No space left on device)\n")
    assert failure.hint
    assert "df" in failure.hint
    assert CommandFailed(["apt-get"], 100, stderr="E: no\n").hint is None
    assert CommandFailed(["x"], 1, stderr="No space left on device", hint="own").hint == "own"


def test_what_gpg_says_to_programs_is_dropped() -> None:
    shown = reason("[GNUPG:] KEY_NOT_CREATED \n", "gpg: key generation failed: Not found\n")
    assert shown == "gpg: key generation failed: Not found"


def test_a_command_is_quoted_as_a_shell_takes_it_and_not_without_end() -> None:
    failure = CommandFailed(["echo", "a b"], 1)
    assert failure.message == "echo 'a b' ended with 1"
    assert len(CommandFailed(["echo", "x" * 9000], None).message) < 400
