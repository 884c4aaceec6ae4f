# SPDX-License-Identifier: Apache-2.0
"""What an OCF agent's meta-data says (OCF Resource Agent API 1.1, section 5). Pure."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Mapping
from dataclasses import dataclass

from hadeb.errors import HadebError

AGENTS = "/usr/lib/ocf/resource.d"


@dataclass(frozen=True, slots=True)
class Parameter:
    """A parameter of an agent; `default` is empty where the agent has none."""

    name: str
    type: str
    default: str


@dataclass(frozen=True, slots=True)
class MetaData:
    """An agent's name and parameters, these by their names."""

    name: str
    parameters: Mapping[str, Parameter]


def parse_meta_data(xml: str) -> MetaData:
    """The meta-data in an agent's output; HadebError if that is not XML."""
    try:
        root = ET.fromstring(xml)
    except ET.ParseError as error:
        raise HadebError(
            f"the agent's meta-data is not XML: {error}",
            hint="run the agent with `meta-data`, and check its output with xmllint",
        ) from error
    parameters = {}
    for parameter in root.iterfind("parameters/parameter"):
        name, content = parameter.get("name", ""), parameter.find("content")
        attributes = {} if content is None else content.attrib
        parameters[name] = Parameter(
            name, attributes.get("type", ""), attributes.get("default", "")
        )
    return MetaData(root.get("name", ""), parameters)


def agent_path(agent: str) -> str:
    """The file of an agent `ocf:PROVIDER:TYPE`, empty for one of another class.

    Raises HadebError where an agent of the class ocf has another form.
    """
    parts = agent.split(":")
    if parts[0] != "ocf":
        return ""
    if len(parts) != 3:
        raise HadebError(f"{agent} is no agent", hint="write it as ocf:PROVIDER:TYPE")
    return f"{AGENTS}/{parts[1]}/{parts[2]}"
