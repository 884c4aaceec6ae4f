# SPDX-License-Identifier: Apache-2.0
"""The picture of a fault shows what was heard, and nothing else."""

from __future__ import annotations

import dataclasses
import xml.etree.ElementTree as ET

from hadeb.lab.client.answers import Answer, Turn, turns
from hadeb.lab.report.timeline import Story, inline, style, timeline
from hadeb.lab.verdict.result import Event

SVG = "{http://www.w3.org/2000/svg}"


def answer(at: float, who: str | None) -> Answer:
    return Answer(at, at, "", "service", who, f"Hi! This is {who}!\n" if who else "", None)


def moved() -> list[Answer]:
    """ha1 until 3.0, nobody until 8.0, then ha2."""
    times = [number / 100 for number in range(1000)]
    speakers = [("ha1" if at <= 3.0 else None if at < 8.0 else "ha2") for at in times]
    return [answer(at, who) for at, who in zip(times, speakers, strict=True)]


STORY = Story(
    title="ha1 loses power",
    subtitle="as the clients saw it",
    nodes=("ha1", "ha2", "ha3"),
    fault=Event(3.0, "ha1", "power cut"),
    off=True,
    events=(Event(7.9, "ha2", "the daemon starts"), Event(7.5, "ha2", "the address is up")),
    turns=turns(moved(), apart=0.2),
    captions={"ha1": "Hi! This is ha1!", "ha2": "Hi! This is ha2!"},
    start=1.0,
    end=9.99,
)


def drawn(story: Story) -> ET.Element:
    return ET.fromstring(timeline(story))


def rects(tree: ET.Element, style: str) -> list[ET.Element]:
    return [element for element in tree.iter(f"{SVG}rect") if element.get("class") == style]


def texts(tree: ET.Element) -> list[str]:
    return [element.text or "" for element in tree.iter(f"{SVG}text")]


def test_each_node_has_a_lane_and_only_one_that_answered_has_a_bar() -> None:
    tree = drawn(STORY)
    assert {"ha1", "ha2", "ha3", "clients"} <= set(texts(tree))
    # One in the clients' lane, one in the node's own.
    assert len(rects(tree, "n0")) == 2
    assert len(rects(tree, "n1")) == 2
    assert rects(tree, "n2") == []


def test_the_gap_is_as_wide_as_it_was_long() -> None:
    tree = drawn(STORY)
    (gap,) = rects(tree, "gap")
    before = rects(tree, "n0")[0]
    seconds_a_pixel = 2.0 / float(before.get("width", "0"))
    assert abs(float(gap.get("width", "0")) * seconds_a_pixel - 5.0) < 0.05
    assert "no answer for 5.0 s" in texts(tree)


def test_a_dead_node_is_drawn_without_power() -> None:
    def dashed(story: Story) -> int:
        return len(
            [
                element
                for element in drawn(story).iter(f"{SVG}path")
                if element.get("class") == "off"
            ]
        )

    assert dashed(STORY) == 1
    assert dashed(dataclasses.replace(STORY, off=False)) == 0


def test_events_are_numbered_in_the_order_they_happened() -> None:
    words = texts(drawn(STORY))
    assert "+4.50 s  ha2: the address is up" in words
    # Each on its node's lane, and before its words.
    assert words.count("1") == words.count("2") == 2
    second = words.index("+4.90 s  ha2: the daemon starts")
    assert words.index("+4.50 s  ha2: the address is up") < second
    assert words[second - 1] == "2"


def test_events_too_close_to_distinguish_share_a_mark() -> None:
    crowd = tuple(Event(7.0 + number / 1000, "ha2", f"{number}") for number in range(12))
    words = texts(drawn(dataclasses.replace(STORY, events=crowd)))
    assert "1\N{EN DASH}12" in words


def test_an_event_without_a_node_has_a_lane_as_well() -> None:
    assert "cluster" not in texts(drawn(STORY))
    lost = (Event(4.0, "", "the network is cut", "fault"),)
    tree = drawn(dataclasses.replace(STORY, events=lost))
    assert "cluster" in texts(tree)
    assert len(rects(tree, "mark lab")) == 2


def test_a_service_that_never_returned_is_a_gap_to_the_end() -> None:
    gone = [turn for turn in STORY.turns if turn.who == "ha1"]
    tree = drawn(dataclasses.replace(STORY, turns=gone, returned=False))
    assert "no answer any more" in texts(tree)
    tree = drawn(dataclasses.replace(STORY, turns=(), returned=False))
    assert "no answer at all" in texts(tree)


def test_a_node_that_came_back_was_gone() -> None:
    again = [answer(at / 10, "ha1") for at in (*range(30), *range(80, 99))]
    tree = drawn(dataclasses.replace(STORY, turns=turns(again, apart=0.2)))
    assert "no answer for 5.1 s" in texts(tree)
    assert len(rects(tree, "n0")) == 4


def test_two_that_answer_at_once_are_seen_at_once() -> None:
    both = [*moved(), *(answer(8.5 + number / 100, "ha1") for number in range(100))]
    tree = drawn(dataclasses.replace(STORY, turns=turns(both)))
    assert len(rects(tree, "n0")) > 50
    assert len(rects(tree, "both")) == 1
    assert rects(drawn(STORY), "both") == []


def test_a_second_one_that_no_client_reaches_is_seen_at_its_own_address() -> None:
    tree = drawn(dataclasses.replace(STORY, direct=(Turn("ha1", 8.5, 9.5, 10),)))
    (frame,) = rects(tree, "both")
    assert frame.findtext(f"{SVG}title") == "ha1 and ha2 answered at the same time"


def test_pictures_in_one_page_leave_their_looks_to_it() -> None:
    tree = ET.fromstring(inline(STORY, 360))
    assert tree.get("viewBox", "").startswith("0 0 360 ")
    assert tree.find("style") is None
    assert "id=" not in inline(STORY, 360)
    rules = [line for line in style().splitlines() if "{" in line and not line.startswith("@")]
    assert all(line.startswith(".timeline") for line in rules)


def test_the_picture_needs_nothing_from_elsewhere_and_takes_any_words() -> None:
    hostile = dataclasses.replace(
        STORY, title='<script>"&', nodes=("<ha1>", "ha2"), fault=Event(3.0, "<ha1>", "]]>")
    )
    text = timeline(hostile)
    assert 'aria-label="&lt;script&gt;&quot;&amp;.' in text
    assert ET.fromstring(text).get("width") == "900"
    assert "href" not in text
    assert "url(" not in text
    assert "@import" not in text
