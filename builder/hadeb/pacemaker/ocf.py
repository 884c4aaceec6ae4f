# SPDX-License-Identifier: Apache-2.0
"""What an OCF agent's meta-data says (OCF Resource Agent API 1.1, section 5). Pure."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Container, Mapping
from dataclasses import dataclass

from hadeb.errors import HadebError

AGENTS = "/usr/lib/ocf/resource.d"


@dataclass(frozen=True, slots=True)
class Parameter:
    """A parameter of an agent; `default` is empty where the agent has none.

    `required` is false where another parameter can take its place. `options` are the values of a
    parameter of type `select`.
    """

    name: str
    type: str
    default: str
    required: bool = False
    options: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Action:
    """An action that the agent advertises; what it does not say is empty."""

    name: str
    timeout: str = ""
    interval: str = ""
    role: str = ""
    depth: str = ""
    start_delay: str = ""


@dataclass(frozen=True, slots=True)
class MetaData:
    """An agent's name, its parameters by their names, and its actions in their order.

    `version` is that of OCF, empty where the agent says none.
    """

    name: str
    parameters: Mapping[str, Parameter]
    actions: tuple[Action, ...] = ()
    version: str = ""


def parse_meta_data(xml: str) -> MetaData:
    """The meta-data in an agent's output; HadebError if that is not XML."""
    try:
        root = ET.fromstring(xml.strip())
    except ET.ParseError as error:
        raise HadebError(
            f"the agent's meta-data is not XML: {error}",
            hint="run the agent with `meta-data`, and check its output with xmllint",
        ) from error
    return read_meta_data(root)


def read_meta_data(root: ET.Element) -> MetaData:
    """The meta-data in an element `resource-agent`."""
    elements = root.findall("parameters/parameter")
    # Names that a deprecated parameter can stand for, in OCF 1.0 and in 1.1.
    replaceable = {element.get("obsoletes", "") for element in elements}
    replaceable |= {
        new.get("name", "")
        for new in root.iterfind("parameters/parameter/deprecated/replaced-with")
    }
    parameters = [_parameter(element, replaceable) for element in elements]
    return MetaData(
        name=root.get("name", ""),
        parameters={parameter.name: parameter for parameter in parameters},
        actions=tuple(map(_action, root.iterfind("actions/action"))),
        version=root.findtext("version", "").strip(),
    )


def _parameter(element: ET.Element, replaceable: Container[str]) -> Parameter:
    content = element.find("content")
    if content is None:
        content = ET.Element("content")
    name = element.get("name", "")
    is_deprecated = element.get("deprecated") == "1" or element.find("deprecated") is not None
    return Parameter(
        name=name,
        type=content.get("type", ""),
        default=content.get("default", ""),
        required=element.get("required") == "1" and not is_deprecated and name not in replaceable,
        options=tuple(option.get("value", "") for option in content.iterfind("option")),
    )


def _action(element: ET.Element) -> Action:
    return Action(
        name=element.get("name", ""),
        timeout=element.get("timeout", ""),
        interval=element.get("interval", ""),
        role=element.get("role", ""),
        depth=element.get("depth", ""),
        start_delay=element.get("start-delay", ""),
    )


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
