# SPDX-License-Identifier: Apache-2.0
"""What is wrong with an agent's meta-data, as far as its source tells for sure. Pure."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from dataclasses import dataclass

from hadeb.pacemaker.agent_text import UNKNOWN, Printed
from hadeb.pacemaker.ocf import MetaData, read_meta_data

# pcs refuses every other (its message: "unsupported OCF version").
_VERSIONS = ("1.0", "1.1")
_REQUIRED = ("start", "stop", "monitor", "meta-data")
_TIMED = ("start", "stop", "monitor", "promote", "demote")
# What may hold any text without a change to what hadeb reads.
_PROSE = {"longdesc", "shortdesc", "desc"}
# The attributes that tell which parameters there are.
_KEYS = ("name", "required", "deprecated", "obsoletes")


@dataclass(frozen=True, slots=True)
class Described:
    """An agent's meta-data where it is certain, and what is wrong with it: (line, sentence)."""

    meta_data: MetaData | None
    problems: tuple[tuple[int, str], ...] = ()


def describe(agent: str, printed: Printed) -> Described:
    """Read what an agent prints; `agent` is the name of its file."""
    try:
        root = ET.fromstring(printed.text)
    except ET.ParseError as error:
        if not printed.is_certain:
            return Described(None)
        line, _ = error.position
        reason = str(error).partition(":")[0]
        sentence = f"the meta-data is not XML: {reason}; pcs and crmsh refuse such an agent"
        return Described(None, ((printed.line + line - 1, sentence),))
    if any(map(_is_uncertain, root.iter())):
        return Described(None)
    meta_data = read_meta_data(root)
    return Described(meta_data, tuple(_problems(agent, printed, meta_data)))


def _is_uncertain(element: ET.Element) -> bool:
    """Whether something that only a run would tell may add to what hadeb reads of an element."""
    if element.tag in _PROSE:
        return UNKNOWN in (element.tail or "")
    attributes = [value for key, value in element.items() if key in _KEYS]
    if element.tag == "resource-agent":
        # Whatever name the agent gives itself, its parameters are the same.
        attributes = []
    elif element.tag == "action":
        attributes = list(element.attrib.values())
    texts = [element.text or "", element.tail or "", *attributes]
    return any(UNKNOWN in text for text in texts)


def _problems(agent: str, printed: Printed, meta_data: MetaData) -> Iterator[tuple[int, str]]:
    if meta_data.name != agent and UNKNOWN not in meta_data.name:
        sentence = f"the meta-data's name is {meta_data.name!r}, but the agent's file is {agent!r}"
        yield _line(printed, "<resource-agent"), f"{sentence}; use one name for both"
    version = meta_data.version
    if version and version not in _VERSIONS:
        sentence = f"<version> is {version!r}, which pcs refuses"
        yield _line(printed, "<version"), f"{sentence}; it is OCF's version: write 1.0 or 1.1"
    advertised = {action.name for action in meta_data.actions}
    for name in _REQUIRED:
        if name not in advertised:
            sentence = f"the meta-data has no action {name!r}, which every agent must have"
            remedy = f'add <action name="{name}" timeout="20s"/>'
            yield _line(printed, "<actions"), f"{sentence}; {remedy}"
    for action in meta_data.actions:
        if action.name in _TIMED and not action.timeout:
            where = rf'<action[^>]*\bname="{re.escape(action.name)}"'
            sentence = f"the action {action.name!r} has no timeout; tell how long it may take"
            yield _line(printed, where), sentence


def _line(printed: Printed, pattern: str) -> int:
    """The line of the agent on which a pattern first matches its meta-data."""
    match = re.search(pattern, printed.text)
    return printed.line + (printed.text.count("\n", 0, match.start()) if match else 0)
