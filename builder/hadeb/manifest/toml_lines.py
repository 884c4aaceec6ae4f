# SPDX-License-Identifier: Apache-2.0
"""The lines of the keys in a TOML 1.0 document: tomllib gives values without their lines. Pure.

`key_lines` is for text that tomllib has accepted, so it looks only for what opens, closes and
separates, not at the values. It keeps its own stack instead of recursing, and it advances in every
step, so neither deep nesting nor any text can crash or hang it.
"""

from __future__ import annotations

import ast
import re
import tomllib
from bisect import bisect_left
from collections.abc import Mapping, Sequence

KeyPath = tuple[str | int, ...]

# Unrolled loops without possessive quantifiers, which Python 3.11.2 of Debian 12 gets wrong.
_BASIC = r'"[^"\\\n]*(?:\\.[^"\\\n]*)*"'
_LITERAL = r"'[^'\n]*'"
# A multi-line string may end in one or two quotes of its own before the three that close it.
_LONG_BASIC = r'"""[^"\\]*(?s:(?:\\.|"{1,2}(?!"))[^"\\]*)*"{3,5}'
_LONG_LITERAL = r"'''(?s:.*?)'{3,5}"

_BLANK = re.compile(r"[ \t\n]*(?:#[^\n]*[ \t\n]*)*")
_KEY_PART = re.compile(rf"[ \t]*({_BASIC}|{_LITERAL}|[A-Za-z0-9_-]+)[ \t]*(\.?)")
_EQUALS = re.compile(r"=?[ \t]*")
_SCALAR = re.compile(rf"{_LONG_BASIC}|{_LONG_LITERAL}|{_BASIC}|{_LITERAL}|[^,\]}}\n#]*")
_ERROR_TAIL = re.compile(r"\s*\(at (?:line (\d+), column \d+|end of document)\)\Z")

_TWICE = re.compile(
    r"Cannot overwrite a value|Cannot declare (\(.+\)) twice|Duplicate inline table key ('.+')"
    r"|Cannot mutate immutable namespace (\(.+\))"
)
_PLAIN = r"[A-Za-z0-9_.+:-]"
# A key, and all of its plain value, in a line.
_SET = re.compile(
    rf"[ \t]*((?:{_BASIC}|{_LITERAL}|{_PLAIN})+)[ \t]*=[ \t]*"
    rf"(?:{_BASIC}|{_LITERAL}|{_PLAIN}+)[ \t\r]*(?:#.*)?"
)


def key_lines(text: str) -> Mapping[KeyPath, int]:
    """Map the path of each key and array element to its line, from 1.

    A table has the line of its header, or without one the line that first mentions it. An array
    element has the line on which it begins. For text that tomllib refuses, the result is
    meaningless, and a quoted key with a bad escape raises TOMLDecodeError.
    """
    return _Scanner(text.replace("\r\n", "\n")).scan()


def nearest(lines: Mapping[KeyPath, int], path: Sequence[str | int]) -> int:
    """The line of the longest prefix of `path` in `lines`; 1 if there is none."""
    for end in range(len(path), 0, -1):
        line = lines.get(tuple(path[:end]))
        if line is not None:
            return line
    return 1


def syntax_error(text: str, error: tomllib.TOMLDecodeError) -> tuple[int, str]:
    """The line of a syntax error in `text`, from 1, and tomllib's sentence without the place.

    For a duplicate key, the sentence names the key and the remedy instead.
    """
    message = str(error)
    tail = _ERROR_TAIL.search(message)
    if tail is None:
        return 1, message
    lines = text.removesuffix("\n").split("\n")
    line = int(tail[1] or len(lines))
    sentence = message[: tail.start()]
    if not (twice := _TWICE.fullmatch(sentence)):
        return line, sentence
    # tomllib names the key, except for a plain value.
    named = next(filter(None, twice.groups()), None)
    if named is None:
        set_here = _SET.fullmatch(lines[line - 1])
        name = set_here[1] if set_here else "a key"
    else:
        parts = ast.literal_eval(named)
        name = parts if isinstance(parts, str) else ".".join(parts)
    return line, f"{name} is set twice; keep one of the two"


class _Scanner:
    """One pass over a document; `text` has plain newlines only."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.pos = 0
        self.newlines = [match.start() for match in re.finditer("\n", text)]
        self.lines: dict[KeyPath, int] = {}
        self.sizes: dict[KeyPath, int] = {}  # of each array: how many elements were seen
        self.table: KeyPath = ()  # what the last header opened
        self.open: list[KeyPath] = []  # arrays and inline tables not yet closed, outermost first

    def scan(self) -> dict[KeyPath, int]:
        while self._skip(_BLANK) < len(self.text):
            start = self.pos
            char = self.text[start]
            if char in ",]}":
                self.pos += 1
                if char != "," and self.open:
                    self.open.pop()
            elif self.open and self.open[-1] in self.sizes:
                self._value(self._append(self.open[-1]))
            elif char == "[" and not self.open:
                self._header()
            else:
                self._pair()
            self.pos = max(self.pos, start + 1)
        return self.lines

    def _header(self) -> None:
        """`[a.b]` or `[[a.b]]`."""
        brackets = 2 if self.text.startswith("[[", self.pos) else 1
        self.pos += brackets
        key = self._key()
        if brackets == 1:
            self.table = self._walk((), key)
            self.lines[self.table] = self._line()  # over that of an earlier `[a.b.c]`
        else:
            array = (*self._walk((), key[:-1]), *key[-1:])
            self.lines.setdefault(array, self._line())
            self.table = self._append(array)
        self.pos += brackets

    def _pair(self) -> None:
        """`a.b = value`, in a table or an inline table."""
        path = self._walk(self.open[-1] if self.open else self.table, self._key())
        self._skip(_EQUALS)
        self._value(path)

    def _value(self, path: KeyPath) -> None:
        """Skip a scalar; of an array or an inline table only the bracket that opens it."""
        char = self.text[self.pos : self.pos + 1]
        if char not in ("[", "{"):
            self._skip(_SCALAR)
            return
        if char == "[":
            self.sizes[path] = 0
        self.open.append(path)
        self.pos += 1

    def _key(self) -> list[str]:
        parts: list[str] = []
        while match := _KEY_PART.match(self.text, self.pos):
            self.pos = match.end()
            parts.append(_unquoted(match[1]))
            if not match[2]:
                break
        return parts

    def _walk(self, path: KeyPath, key: Sequence[str]) -> KeyPath:
        """Where `key` leads from `path`: an array of tables on the way means its last element."""
        for part in key:
            path = (*path, part)
            self.lines.setdefault(path, self._line())
            if path in self.sizes:
                path = (*path, self.sizes[path] - 1)
        return path

    def _append(self, array: KeyPath) -> KeyPath:
        index = self.sizes.get(array, 0)
        self.sizes[array] = index + 1
        self.lines[(*array, index)] = self._line()
        return (*array, index)

    def _skip(self, pattern: re.Pattern[str]) -> int:
        if match := pattern.match(self.text, self.pos):
            self.pos = match.end()
        return self.pos

    def _line(self) -> int:
        return bisect_left(self.newlines, self.pos) + 1


def _unquoted(part: str) -> str:
    """The value of a part of a key; tomllib resolves the escapes."""
    if part[0] == "'":
        return part[1:-1]
    return str(tomllib.loads(f"key = {part}")["key"]) if part[0] == '"' else part
