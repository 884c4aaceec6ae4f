# SPDX-License-Identifier: Apache-2.0
"""An agent's meta-data, read in its source without running it. Pure.

Agents print their meta-data from a here-document. Its text, with the agent's own variables put in,
is what the agent would print. Where only a run of the agent could tell, the text has UNKNOWN in
that place; where the meta-data is no single here-document, there is none.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

# Stands for text that only a run of the agent could tell; a private-use character of Unicode.
UNKNOWN = "\ue000"

_ROOT, _END = "<resource-agent", "</resource-agent"
_SHELL = re.compile(rb"#!\s*(?:\S*/env\s+)?(?:\S*/)?(?:sh|dash|bash|ksh)(?:\s|$)")
_PYTHON = re.compile(rb"#!\s*(?:\S*/env\s+(?:-S\s*)?)?(?:\S*/)?python3?(?:\.\d+)?(?:\s|$)")
# `<<END`, `<<-END`, `<<'END'`, `<< \END`; `<<<` is a here-string of bash.
_HERE = re.compile(r"(?<!<)<<(-?)[ \t]*(?:'([^'\n]+)'|\"([^\"\n]+)\"|(\\?)([\w.!+-]+))")
_NAME = r"[A-Za-z_][A-Za-z0-9_]*"
# The two forms of an assignment whose value is all that follows on its line.
_VALUE = r"""('[^'\n]*'|"[^"\n]*"|[^\s;&|#'"`()]*)"""
_REST = r"[ \t]*(?:\#.*)?$"
_ASSIGNED = re.compile(
    rf"^[ \t]*(?:(?:export|readonly|local)[ \t]+)?({_NAME})={_VALUE}{_REST}", re.MULTILINE
)
_DEFAULTED = re.compile(rf'^[ \t]*:[ \t]+("?)\$\{{({_NAME}):?=(.*)\}}\1{_REST}', re.MULTILINE)
_ANY_ASSIGNMENT = re.compile(rf"(?<![\w$])({_NAME})\+?=|\$\{{({_NAME}):?=")
# Values that an agent gives a variable in another way than by an assignment.
_SET_OTHERWISE = re.compile(rf"\bfor[ \t]+({_NAME})\b|\bread[ \t]+([^\n;|<]*)")
_EXPANSION = re.compile(
    rf"\\(?P<escaped>[$`\\\n])|\$(?P<plain>{_NAME})|\$\{{(?P<braced>{_NAME})\}}"
    rf"|\$\{{(?P<defaulted>{_NAME}):?-(?P<default>[^{{}}$`\\]*)\}}|(?P<other>[$`])"
)


@dataclass(frozen=True, slots=True)
class Printed:
    """The meta-data that an agent prints, and the line of the agent on which it begins."""

    text: str
    line: int

    @property
    def is_certain(self) -> bool:
        """Whether it holds nothing that only a run could tell."""
        return UNKNOWN not in self.text


def is_shell(content: bytes) -> bool:
    """Whether a shell runs the program."""
    return bool(_SHELL.match(content))


def is_python(content: bytes) -> bool:
    """Whether Python 3 runs the program."""
    return bool(_PYTHON.match(content))


def meta_data_of(content: bytes) -> Printed | None:
    """The meta-data that an agent's source holds; None where it cannot be read there for sure."""
    if not is_shell(content):
        return None
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError:
        return None
    matching = [document for document in _here_documents(text) if _ROOT in document.text]
    # Of several, or of one that another place of the agent ends, no one is all of it.
    if len(matching) != 1 or text.count(_END) > matching[0].text.count(_END):
        return None
    (document,) = matching
    printed = document.text
    if document.expands:
        printed = _expanded(printed, _variables(text), depth=0)
    blank = len(printed) - len(printed.lstrip())
    return Printed(
        text=printed.strip(),
        line=document.line + printed.count("\n", 0, blank),
    )


@dataclass(frozen=True, slots=True)
class _HereDocument:
    text: str
    line: int
    expands: bool


def _here_documents(text: str) -> Iterator[_HereDocument]:
    lines = text.split("\n")
    number = 0
    while number < len(lines):
        line = lines[number]
        number += 1
        if line.lstrip().startswith("#"):
            continue
        for dash, single, double, escape, plain in _HERE.findall(line):
            end, begins = single or double or plain, number
            body: list[str] = []
            while number < len(lines):
                each = lines[number].lstrip("\t") if dash else lines[number]
                number += 1
                if each == end:
                    yield _HereDocument("\n".join(body), begins + 1, bool(plain and not escape))
                    break
                body.append(each)


def _variables(text: str) -> Mapping[str, str]:
    """The variables that have one value throughout the agent, as far as that can be seen."""
    places = Counter(assigned or defaulted for assigned, defaulted in _ANY_ASSIGNMENT.findall(text))
    for looped, read in _SET_OTHERWISE.findall(text):
        places.update([looped, *read.split()])
    values = {name: _unquoted(value) for name, value in _ASSIGNED.findall(text)}
    values.update({name: _unquoted(value) for _, name, value in _DEFAULTED.findall(text)})
    return {name: value for name, value in values.items() if places[name] == 1}


def _unquoted(value: str) -> str:
    if value[:1] == value[-1:] == "'" and len(value) > 1:
        # Nothing is expanded between single quotes.
        return re.sub(r"[$`\\]", r"\\\g<0>", value[1:-1])
    return value[1:-1] if value[:1] == value[-1:] == '"' and len(value) > 1 else value


def _expanded(text: str, variables: Mapping[str, str], depth: int) -> str:
    """The text as a shell expands it between double quotes."""
    parts, position = [], 0
    while match := _EXPANSION.search(text, position):
        parts.append(text[position : match.start()])
        position = match.end()
        escaped, other = match["escaped"], match["other"]
        if escaped:
            parts.append("" if escaped == "\n" else escaped)
        elif other:
            parts.append(UNKNOWN)
            position = _end_of(text, match.start())
        else:
            name = match["plain"] or match["braced"] or match["defaulted"]
            parts.append(_value(name, match["default"], variables, depth))
    return "".join([*parts, text[position:]])


def _value(name: str, default: str | None, variables: Mapping[str, str], depth: int) -> str:
    if name in variables and depth < 10:
        return _expanded(variables[name], variables, depth + 1) or default or ""
    # What the caller may set is not known; its default is no more than a guess.
    return UNKNOWN


def _end_of(text: str, start: int) -> int:
    """Where an expansion that begins at `start` ends, which is not looked into."""
    if text[start] == "`":
        end = text.find("`", start + 1)
        return end + 1 if end >= 0 else len(text)
    bracket = text[start + 1 : start + 2]
    if bracket not in ("(", "{"):
        # `$1`, `$@`, or a lone dollar sign, which stays.
        return start + 2 if bracket and not bracket.isspace() else start + 1
    closing, open_now = {"(": ")", "{": "}"}[bracket], 0
    for position in range(start + 1, len(text)):
        if text[position] == bracket:
            open_now += 1
        elif text[position] == closing:
            open_now -= 1
            if not open_now:
                return position + 1
    return len(text)
