# SPDX-License-Identifier: Apache-2.0
"""What a lab run found reaches every reader whole: the page, the terminal, programs and CI."""

from __future__ import annotations

import errno
import json
import os
import re
import xml.etree.ElementTree as ET
from collections.abc import Callable
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import jsonschema
import pytest

from hadeb.errors import HadebError
from hadeb.lab.report.as_json import report_json, report_schema
from hadeb.lab.report.junit import junit
from hadeb.lab.report.page import page
from hadeb.lab.report.table import table
from hadeb.lab.report.text import columns
from hadeb.lab.report.write import write_reports
from hadeb.lab.verdict.result import Report, Run, Totals, totals
from support.command import ROOT
from support.report_sample import HOSTILE, OTHER, OWN, hostile, lost, sample, split, upgraded

GOLDEN = ROOT / "tests" / "golden"
VOID = {"br", "hr", "img", "input", "link", "meta"}

Golden = Callable[[Path, str], None]
SAMPLES = {
    "compared": sample(),
    "alone": sample(compared=False),
    "passed": sample(compared=False, short=False),
    "hostile": hostile(),
    "hostile-compared": hostile(compared=True),
    "nothing-tried": replace(sample(), runs=(Run(OWN, ()),), commands=(), nodes=()),
}


@pytest.fixture(params=SAMPLES, ids=list(SAMPLES))
def report(request: pytest.FixtureRequest) -> Report:
    return SAMPLES[request.param]


class Page(HTMLParser):
    """A page read by its tags: fails where one is not closed, or closed that was not open."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str]]] = []
        self.texts: list[str] = []
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        names = [name for name, _ in attrs]
        assert len(names) == len(set(names))
        self.tags.append((tag, {name: value or "" for name, value in attrs}))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.open.pop()

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if "style" not in self.open:
            self.texts.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.texts).split())

    def all(self, tag: str) -> list[dict[str, str]]:
        return [attributes for name, attributes in self.tags if name == tag]


# The numbers


def test_an_outage_without_an_end_is_the_worst() -> None:
    run = sample().runs[0]
    assert totals(run) == Totals(7, 2, None, 2.5, 0.031)
    assert totals(Run("", (lost(), upgraded()))).median is None
    assert totals(Run("", ())) == Totals(0, 0, None, None)
    assert totals(Run("", (split(),))) == Totals(1, 1, 2.5, 2.5)


# For programs


def test_the_json_is_what_its_readers_were_promised(golden: Golden) -> None:
    golden(GOLDEN / "lab-report.json.txt", json.dumps(report_json(sample()), indent=1) + "\n")


def test_the_schema_is_what_its_readers_were_promised(golden: Golden) -> None:
    golden(GOLDEN / "lab-report-schema.json.txt", json.dumps(report_schema(), indent=1) + "\n")


def test_the_json_fits_its_schema(report: Report) -> None:
    jsonschema.Draft202012Validator.check_schema(report_schema())
    # As a file, and with the letters themselves in it.
    written = json.dumps(report_json(report), ensure_ascii=False, allow_nan=False).encode()
    jsonschema.validate(json.loads(written), report_schema())


def test_the_schema_allows_nothing_that_a_report_does_not_hold() -> None:
    data = report_json(sample())
    validator = jsonschema.Draft202012Validator(report_schema())
    for bad in (
        data | {"more": 1},
        data | {"schema": 2},
        data | {"ready": "9 s"},
        {key: value for key, value in data.items() if key != "passed"},
        data | {"runs": [{**data["runs"][0], "totals": {}}]},
    ):
        with pytest.raises(jsonschema.ValidationError):
            validator.validate(bad)


def test_times_have_no_more_digits_than_they_deserve() -> None:
    data = report_json(hostile())
    assert data["runs"][0]["trials"][0]["seconds"] == 3.0
    assert data["runs"][0]["trials"][1]["outage"] == 0.0
    assert data["seconds"] == 12345.679


# For continuous integration


def test_the_junit_is_what_servers_read(golden: Golden) -> None:
    golden(GOLDEN / "lab-report.junit.txt", junit(sample()))


def test_the_junit_is_xml_and_its_counts_are_right(report: Report) -> None:
    root = ET.fromstring(junit(report).encode())
    suites = root.findall("testsuite")
    assert [suite.get("tests") for suite in suites] == [
        str(len(run.trials) + len(run.left_out)) for run in report.runs
    ]
    for element in (root, *suites):
        for count, tag in (("tests", "testcase"), ("failures", "failure"), ("skipped", "skipped")):
            assert element.get(count) == str(len(list(element.iter(tag)))), tag
    # A server takes a failure for a red pipeline: it must mean that the report did not pass.
    assert (root.get("failures") == "0") == report.passed


def test_no_two_tests_of_a_comparison_have_one_name() -> None:
    root = ET.fromstring(junit(sample()))
    names = [(case.get("classname"), case.get("name")) for case in root.iter("testcase")]
    assert len(names) == len(set(names))
    # What fell short comes first.
    assert names[0] == ("sample-tcp-server.trixie", "network-cut")


def test_what_the_bundle_is_compared_with_cannot_fail_it() -> None:
    passed = sample(compared=False, short=False)
    root = ET.fromstring(junit(replace(passed, runs=(*passed.runs, Run(OTHER, (lost(),))))))
    assert root.get("failures") == "0"
    left_out, short = [skipped.get("message", "") for skipped in root.iter("skipped")]
    assert left_out == "left out: there is no virtual address"
    assert "Nobody answered within 60 s." in short


def test_a_failure_holds_every_shortfall_and_the_events() -> None:
    root = ET.fromstring(junit(hostile()))
    case = next(root.iter("testcase"))
    failure, output = case.findtext("failure") or "", case.findtext("system-out") or ""
    for text in (HOSTILE[0], HOSTILE[1], r"\x00\x01\x1b[31mred\x1b[0m\x7f\x85 \ufffe \udcff"):
        assert text.strip() in failure
        assert text.strip() in output
    assert "before: \\u202e" in output
    assert "after: nobody" in output


# For the terminal


def test_the_table_is_what_the_terminal_shows(golden: Golden) -> None:
    golden(GOLDEN / "lab-report.table.txt", table(sample()))


def test_the_table_of_one_run_ends_with_its_totals(golden: Golden) -> None:
    golden(GOLDEN / "lab-report-alone.table.txt", table(sample(compared=False)))


def test_no_row_is_wider_than_the_terminal_or_moves_its_cursor(report: Report) -> None:
    lines = table(report).split("\n")
    assert lines.pop() == ""
    assert max(columns(line) for line in lines) <= 80
    assert all(line.isprintable() for line in lines)


def test_columns_stand_below_each_other_whatever_a_fault_is_called() -> None:
    rows = [line for line in table(hostile()).splitlines() if line.startswith(("ok ", "FAIL "))]
    ends = {columns(row.rsplit("   ", 1)[0]) for row in rows}
    assert ends == {51}


def test_failures_and_their_reasons_come_first() -> None:
    result = sample(compared=False)
    lines = table(result).splitlines()
    words = (line.split(" ")[0] for line in lines)
    marks = [word for word in words if word in {"FAIL", "ok", "-"}]
    assert marks == ["FAIL"] * 2 + ["ok"] * 5 + ["-"]
    shown = Page(page(result)).text
    assert shown.index("Nobody answered within 60 s.") < shown.index("power-cut")


# For people


def test_the_page_is_well_formed(report: Report) -> None:
    read = Page(page(report))
    assert [element["lang"] for element in read.all("html")] == ["en"]
    assert len(read.all("h1")) == 1
    assert "width=device-width" in read.all("meta")[1]["content"]
    # What no page may hold, and what turns the text around it.
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202e\ud800-\udfff\ufffe]", page(report))


def test_the_page_loads_nothing_from_elsewhere(report: Report) -> None:
    text, read = page(report), Page(page(report))
    assert not {"script", "link", "iframe", "img", "object", "base"} & {tag for tag, _ in read.tags}
    assert "url(" not in text
    assert "@import" not in text
    for _, attributes in read.tags:
        assert "src" not in attributes
        assert not [name for name in attributes if name.startswith("on")]
        assert attributes.get("href", "#").startswith(("#", "./"))


def test_every_fault_has_its_section_and_a_link_to_it(report: Report) -> None:
    read = Page(page(report))
    ids = [attributes["id"] for _, attributes in read.tags if "id" in attributes]
    assert len(ids) == len(set(ids))
    sections = [element["id"] for element in read.all("article")]
    assert len(sections) == sum(len(run.trials) for run in report.runs)
    links = {link["href"][1:] for link in read.all("a") if link["href"].startswith("#")}
    assert links == set(sections)


def test_every_event_shortfall_and_command_is_on_the_page() -> None:
    result = sample()
    text = Page(page(result)).text
    for trial in (trial for run in result.runs for trial in run.trials):
        assert trial.did in text
        told = (*trial.events, *trial.words)
        sentences = (*trial.shortfalls, *trial.remedies, *trial.logs, trial.cause)
        assert all(line in text for line in (*(event.text for event in told), *sentences))
    assert "address-removed : there is no virtual address" in text
    assert "pacemaker 3.0.0-3" in text
    assert all(command in text for command in result.commands)


def test_text_from_elsewhere_is_text() -> None:
    read = Page(page(hostile(compared=True)))
    assert "<script>alert('x')</script>" in read.text
    assert "two lines {{ 7 * 7 }} {% raw %}" in read.text
    assert not read.all("script")
    assert not read.all("style")[1:]


def test_a_link_to_a_log_leads_below_the_report() -> None:
    hrefs = {link["href"] for link in Page(page(hostile())).all("a")}
    assert "./javascript%3Aalert%281%29//../../etc/passwd%3Fa%3Db%23c" in hrefs


@pytest.mark.parametrize(
    ("name", "verdict"),
    [
        ("compared", "2 of 7 fell short"),
        ("passed", "Passed"),
        ("nothing-tried", "Nothing was tried"),
    ],
)
def test_the_verdict_is_a_word_and_is_in_the_title(name: str, verdict: str) -> None:
    text = page(SAMPLES[name])
    assert f"</span> {verdict}</p>" in text
    assert f": {verdict}</title>" in text


def test_two_that_answered_at_once_are_named() -> None:
    text = page(sample())
    assert "ha1 and ha2 answered at the same time: from +8.70 s to +10.20 s." in text
    assert text.count('class="both"') == 2  # for a screen, and for a phone
    assert "at the same time" not in page(SAMPLES["passed"])


def test_a_service_that_stayed_away_has_no_outage_of_0() -> None:
    text = page(sample(compared=False))
    assert "no answer any more" in text
    assert Page(text).text.count("no end") == 3  # the worst, in the summary, and its section's


def test_two_runs_are_compared_fault_by_fault() -> None:
    text = Page(page(sample())).text
    assert "Outages compared" in text
    assert "0.05 shorter" in text
    assert "1.00 the same" in text
    assert "not tried" in text
    assert "Outages compared" not in Page(page(sample(compared=False))).text


def test_every_picture_says_in_words_what_it_shows() -> None:
    pictures = [
        picture for picture in Page(page(sample())).all("svg") if picture["class"] == "timeline"
    ]
    assert len(pictures) == 2 * 12
    assert all(picture["role"] == "img" for picture in pictures)
    assert "ha1 answered from \N{MINUS SIGN}4.00 s to +0.06 s" in pictures[0]["aria-label"]
    assert "width" not in pictures[0], "it scales by its viewBox"


def test_the_page_is_made_for_phones_paper_and_the_dark() -> None:
    text = page(sample())
    assert "@media print" in text
    assert text.count("prefers-color-scheme: dark") == 2
    assert re.search(r"article[^{}]*\{ break-inside: avoid", text)


def test_the_docs_explain_every_key() -> None:
    text = (ROOT / "docs/reference/lab-report.md").read_text(encoding="utf-8")
    schema = report_schema()
    keys = {key for table in (schema, *schema["$defs"].values()) for key in table["properties"]}
    assert keys <= set(re.findall(r"`(\w+)`", text))


def test_a_full_disk_is_named_with_what_was_saved(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    writes = Path.write_text

    def until_it_is_full(path: Path, text: str, **options: str) -> int:
        if path.name == ".report.xml.part":
            path.touch()
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return writes(path, text, **options)

    monkeypatch.setattr(Path, "write_text", until_it_is_full)
    with pytest.raises(HadebError) as error:
        write_reports(sample(), tmp_path)
    assert error.value.message == (
        f"{tmp_path}/report.xml: No space left on device; {tmp_path}/report.json was saved"
    )
    assert error.value.hint
    assert [path.name for path in tmp_path.iterdir()] == ["report.json"]


def test_the_lines_of_a_programs_reason_stay_apart() -> None:
    own = sample(compared=False).runs[0]
    reason = "pcs ended with 1:\n  Error: invalid resource option 'prot'\n  Error: no more"
    trial = replace(own.trials[0], shortfalls=(reason,))
    shown = table(replace(sample(compared=False), runs=(replace(own, trials=(trial,)),)))
    lines = [line.strip() for line in shown.splitlines()]
    assert "Error: invalid resource option 'prot'" in lines
