# SPDX-License-Identifier: Apache-2.0
"""The picture of a fault shows what was heard, and nothing else."""

from __future__ import annotations

import dataclasses
import xml.etree.ElementTree as ET

from hadeb.lab.answers import Answer
from hadeb.lab.timeline import Event, Story, timeline

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
    answers=moved(),
    start=1.0,
    end=9.99,
)


def drawn(story: Story) -> ET.Element:
    return ET.fromstring(timeline(story))


def rects(tree: ET.Element, style: str) -> list[ET.Element]:
    return [one for one in tree.iter(f"{SVG}rect") if one.get("class") == style]


def texts(tree: ET.Element) -> list[str]:
    return [one.text or "" for one in tree.iter(f"{SVG}text")]


def test_each_node_has_a_lane_and_only_who_answered_has_a_bar() -> None:
    tree = drawn(STORY)
    assert {"ha1", "ha2", "ha3", "clients"} <= set(texts(tree))
    # One among the clients, one in the node's own lane.
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
        return len([one for one in drawn(story).iter(f"{SVG}path") if one.get("class") == "off"])

    assert dashed(STORY) == 1
    assert dashed(dataclasses.replace(STORY, off=False)) == 0


def test_events_are_numbered_in_the_order_they_happened() -> None:
    words = texts(drawn(STORY))
    assert "+4.50 s  ha2: the address is up" in words
    numbers = [word for word in words if word.isdigit() and word != "0"]
    assert numbers == ["1", "1", "2", "2"]


def test_two_that_answer_at_once_are_seen_at_once() -> None:
    both = [*moved(), *(answer(8.5 + number / 100, "ha1") for number in range(100))]
    tree = drawn(dataclasses.replace(STORY, answers=both))
    assert len(rects(tree, "n0")) > 50


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
