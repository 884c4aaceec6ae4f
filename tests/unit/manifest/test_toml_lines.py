# SPDX-License-Identifier: Apache-2.0
"""The line index of TOML text, by hand for each construct and against documents of random style.

`Writer` writes a generated document in whatever forms TOML has for it and notes the lines itself.
"""

from __future__ import annotations

import json
import re
import sys
import tomllib
from collections.abc import Callable, Iterator
from datetime import date, datetime, time
from typing import Any

import pytest
from hypothesis import HealthCheck, assume, example, given, settings
from hypothesis import strategies as st

from hadeb.manifest.toml_lines import KeyPath, key_lines, nearest, syntax_error
from support.samples import examples

Draw = Callable[[st.SearchStrategy[Any]], Any]
Section = tuple[KeyPath, dict[str, Any], str]  # path, its pairs, and "[" or "[["

# fmt: off
CONSTRUCTS: dict[str, tuple[str, dict[KeyPath, int]]] = {
    "pairs": ("a = 1\n\n# c = 3\nb = true", {("a",): 1, ("b",): 4}),
    "table": ("\n[t]  # x\na = 1\n", {("t",): 2, ("t", "a"): 3}),
    "implicit super-tables": (
        "[a.b.c]\nx = 1\n[a.b.d]\n",
        {("a",): 1, ("a", "b"): 1, ("a", "b", "c"): 1, ("a", "b", "c", "x"): 2, ("a", "b", "d"): 3},
    ),
    "super-table after its sub-table": (
        "[a.b]\n[a]\nx = 1\n",
        {("a",): 2, ("a", "b"): 1, ("a", "x"): 3},
    ),
    "dotted keys": (
        "[t]\na.b = 1\na . c=2\n",
        {("t",): 1, ("t", "a"): 2, ("t", "a", "b"): 2, ("t", "a", "c"): 3},
    ),
    "blanks in a header": ("[ a . 'b' ]\n", {("a",): 1, ("a", "b"): 1}),
    "bracket in a quoted header": ('["a]#b"]\nx = 1', {("a]#b",): 1, ("a]#b", "x"): 2}),
    "quoted keys": (
        '"\\u00e9\\n\\"=" = 1\n\'a.b\\\' = 2\n"" = 3\nc . \'\' = 4\n',
        {('é\n"=',): 1, ("a.b\\",): 2, ("",): 3, ("c",): 4, ("c", ""): 4},
    ),
    "key of digits": ("1.2 = 3\n", {("1",): 1, ("1", "2"): 1}),
    "array of tables": (
        "[[a]]\nx = 1\n[[a]]\n[[a]]\nx = 2\n",
        {("a",): 1, ("a", 0): 1, ("a", 0, "x"): 2, ("a", 1): 3, ("a", 2): 4, ("a", 2, "x"): 5},
    ),
    "sub-table of the last element": (
        "[[a]]\n[a.b]\nx = 1\n[[a]]\n[a.b]\n",
        {
            ("a",): 1, ("a", 0): 1, ("a", 0, "b"): 2, ("a", 0, "b", "x"): 3,
            ("a", 1): 4, ("a", 1, "b"): 5,
        },
    ),
    "array of tables in one": (
        "[[a]]\n[[a.b]]\n[[a.b]]\nx.y = 1\n[[a]]\n[[a.b]]\n",
        {
            ("a",): 1, ("a", 0): 1, ("a", 0, "b"): 2, ("a", 0, "b", 0): 2, ("a", 0, "b", 1): 3,
            ("a", 0, "b", 1, "x"): 4, ("a", 0, "b", 1, "x", "y"): 4,
            ("a", 1): 5, ("a", 1, "b"): 6, ("a", 1, "b", 0): 6,
        },
    ),
    "super-table of an array of tables": (
        "[[a.b]]\n[a]\nx = 1\n",
        {("a",): 2, ("a", "b"): 1, ("a", "b", 0): 1, ("a", "x"): 3},
    ),
    "array over lines": (
        "a = [ # ]\n  1, # 2,\n\n  [\n  '3]', 4], {x = 5,y=6}\n  ,]\nb = []\n",
        {
            ("a",): 1, ("a", 0): 2, ("a", 1): 4, ("a", 1, 0): 5, ("a", 1, 1): 5,
            ("a", 2): 5, ("a", 2, "x"): 5, ("a", 2, "y"): 5, ("b",): 7,
        },
    ),
    "inline tables": (
        "a = {b.c = 1, 'd' = {e = [\n{f = 2}]}, g = {}}\nh = 1\n",
        {
            ("a",): 1, ("a", "b"): 1, ("a", "b", "c"): 1, ("a", "d"): 1, ("a", "d", "e"): 1,
            ("a", "d", "e", 0): 2, ("a", "d", "e", 0, "f"): 2, ("a", "g"): 2, ("h",): 3,
        },
    ),
    "multi-line basic string": (
        'a = """\n[x]\ny = 1\n\\""" "" \\\n  """""\nb = 1\n',
        {("a",): 1, ("b",): 6},
    ),
    "multi-line literal string": ("a = '''\n[x] \\'''''\nb = 1\n", {("a",): 1, ("b",): 3}),
    "empty multi-line strings": (
        "a = ''''''\nb = \"\"\"\"\"\"\nc = ''\n",
        {("a",): 1, ("b",): 2, ("c",): 3},
    ),
    "signs in strings": ('a = "#]}," # "\nb = \'"""\'\nc = 1\n', {("a",): 1, ("b",): 2, ("c",): 3}),
    "dates with a blank": (
        "a = 1979-05-27 07:32:00\nb = [1979-05-27 07:32:00.5Z,\n+inf, 1.5e3]\n",
        {("a",): 1, ("b",): 2, ("b", 0): 2, ("b", 1): 3, ("b", 2): 3},
    ),
    "other line breaks": ("a = '\u2028\u0085' # \u2029\nb = 1\n", {("a",): 1, ("b",): 2}),
    "empty": ("", {}),
    "comment only": ("# a = 1", {}),
}
# fmt: on


@pytest.mark.parametrize("ending", ["\n", "\r\n"], ids=["lf", "crlf"])
@pytest.mark.parametrize(("text", "lines"), CONSTRUCTS.values(), ids=CONSTRUCTS.keys())
def test_construct_has_its_lines(text: str, lines: dict[KeyPath, int], ending: str) -> None:
    text = text.replace("\n", ending)
    assert set(lines) == set(paths(tomllib.loads(text)))
    assert key_lines(text) == lines


def test_no_depth_or_length_ends_the_scan() -> None:
    depth = sys.getrecursionlimit()  # tomllib takes about half of it
    assert len(key_lines(f"x = {'[' * depth}1{']' * depth}\n")) == depth + 1
    assert len(key_lines(f"{'x = {' * depth}{'}' * depth}\n")) == depth
    long = '""\n\\"' * 100_000
    assert key_lines(f'x = """{long}"""\ny = 1') == {("x",): 1, ("y",): 100_002}


def test_nearest_falls_back_to_the_longest_known_part() -> None:
    lines = key_lines("[a]\nb = [\n1,\n2]\n")
    assert nearest(lines, ("a", "b", 1)) == 4
    assert nearest(lines, ["a", "b", 7, "z"]) == 2
    assert nearest(lines, ("a", "missing")) == 1
    assert nearest(key_lines("\n\n[a]\n"), ("a", "missing")) == 3
    assert nearest(lines, ("missing", "b")) == 1
    assert nearest(lines, ()) == 1
    assert nearest({}, ("a",)) == 1


@pytest.mark.parametrize(
    ("text", "line", "sentence"),
    [
        ("a = 1\nb = \n", 2, "Invalid value"),
        ("a = 1\r\na = 2\r\n", 2, "a is set twice; keep one of the two"),
        ("[a]\n[b]\n[a]\n", 3, "a is set twice; keep one of the two"),
        ("[a]\nb.c = 1\n[a.b]\n", 3, "a.b is set twice; keep one of the two"),
        ("x = {a = 1, a = 2}", 1, "a is set twice; keep one of the two"),
        ("a = [1]\n[[a]]\n", 2, "a is set twice; keep one of the two"),
        ("[a.b]\n[a]\nb = 1\n", 3, "b is set twice; keep one of the two"),
        ('a = 1\na = """\nfoo = bar"""', 3, "a key is set twice; keep one of the two"),
        ('a = [1]\na = [\n"k = v"]\n', 3, "a key is set twice; keep one of the two"),
        ("x = {a = 1, a.b = 2}", 1, "a key is set twice; keep one of the two"),
        ('["it\'s".b]\n["it\'s".b]', 2, "it's.b is set twice; keep one of the two"),
        ('"a=b" = 1\n"a=b" = "c" # d', 2, '"a=b" is set twice; keep one of the two'),
        ("a = 1 # \u2028\nb = \n", 2, "Invalid value"),
        ("a = 1\na = '''\nx\n'''\n", 4, "a key is set twice; keep one of the two"),
        ("x = 1\na = [\n1,\n", 3, "Invalid value"),
        ('a = """\n', 1, "Unterminated string"),
        ("a", 1, "Expected '=' after a key in a key/value pair"),
        ("a = 1 b", 1, "Expected newline or end of document after a statement"),
        ("\ufeffa = 1", 1, "Invalid statement"),
    ],
)
def test_syntax_error_splits_the_place_from_the_sentence(
    text: str, line: int, sentence: str
) -> None:
    with pytest.raises(tomllib.TOMLDecodeError) as raised:
        tomllib.loads(text)
    assert syntax_error(text, raised.value) == (line, sentence)


@pytest.mark.parametrize(
    ("message", "fault"),
    [
        ("Bad (at line 2, column 1) (at line 3, column 14)", (3, "Bad (at line 2, column 1)")),
        ("Bad thing (at end of document)", (2, "Bad thing")),
        ("Bad thing", (1, "Bad thing")),
    ],
)  # fmt: skip
def test_syntax_error_takes_only_the_tail(message: str, fault: tuple[int, str]) -> None:
    assert syntax_error("a\nb", tomllib.TOMLDecodeError(message)) == fault


def test_syntax_error_of_an_empty_text_is_on_line_one() -> None:
    assert syntax_error("", tomllib.TOMLDecodeError("X (at end of document)")) == (1, "X")


def paths(value: object, at: KeyPath = ()) -> Iterator[KeyPath]:
    """All the paths in a value of tomllib."""
    items: list[tuple[str | int, Any]] = []
    if isinstance(value, dict):
        items = list(value.items())
    elif isinstance(value, list):
        items = list(enumerate(value))
    for key, inner in items:
        yield (*at, key)
        yield from paths(inner, (*at, key))


class Writer:
    """Writes one document; each choice of form is drawn, each line noted when it is written."""

    def __init__(self, draw: Draw) -> None:
        self.draw = draw
        self.text = ""
        self.lines: dict[KeyPath, int] = {}

    def document(self, root: dict[str, Any]) -> None:
        pairs, sections = self.split((), root)
        self.pairs((), pairs)
        for path, table, bracket in sections:
            self.header(path, bracket)
            self.pairs(path, table)

    def coin(self) -> bool:
        return bool(self.draw(st.booleans()))

    def put(self, *choices: str) -> None:
        self.text += self.draw(st.sampled_from(choices)) if len(choices) > 1 else choices[0]

    def note(self, path: KeyPath, *, first: bool = False) -> None:
        line = self.text.count("\n") + 1
        self.lines[path] = self.lines.get(path, line) if first else line

    def split(self, path: KeyPath, table: dict[str, Any]) -> tuple[dict[str, Any], list[Section]]:
        """The pairs to write in the table itself, and the sections for the rest of it."""
        pairs: dict[str, Any] = {}
        sections: list[Section] = []
        for key, value in table.items():
            inner: list[Section] = []
            if isinstance(value, dict) and self.coin():
                inner = self.table_sections((*path, key), value)
            elif is_tables(value) and self.coin():
                for index, element in enumerate(value):
                    own, more = self.split((*path, key, index), element)
                    inner += [((*path, key, index), own, "[["), *more]
            else:
                pairs[key] = value
            sections = self.merge(sections, inner)
        return pairs, sections

    def table_sections(self, path: KeyPath, table: dict[str, Any]) -> list[Section]:
        own, inner = self.split(path, table)
        if inner and not own and self.coin():
            return inner  # implicit
        return self.merge([(path, own, "[")], inner)

    def merge(self, left: list[Section], right: list[Section]) -> list[Section]:
        """Both lists in one, in any order that keeps the order within each."""
        left, right, merged = left[:], right[:], []
        while left and right:
            merged.append((left if self.coin() else right).pop(0))
        return merged + left + right

    def header(self, path: KeyPath, bracket: str) -> None:
        self.break_line()
        self.put("", "  ")
        for end in range(1, len(path)):
            self.note(path[:end], first=True)
        self.note(path)
        self.put(bracket)
        self.key([part for part in path if isinstance(part, str)])
        self.put(bracket.replace("[", "]"))
        self.end_line()

    def pairs(self, path: KeyPath, table: dict[str, Any]) -> None:
        for at, key, value in self.dotted(path, table):
            self.put("", " \t")
            self.pair(at, key, value)
            self.end_line()

    def dotted(
        self, path: KeyPath, table: dict[str, Any], before: tuple[str, ...] = ()
    ) -> Iterator[tuple[KeyPath, tuple[str, ...], Any]]:
        """The table's pairs, some sub-tables broken up into dotted keys from `path`."""
        for part, value in table.items():
            key = (*before, part)
            if isinstance(value, dict) and value and self.coin():
                yield from self.dotted(path, value, key)
            else:
                yield path, key, value

    def pair(self, path: KeyPath, key: tuple[str, ...], value: Any) -> None:
        for end in range(1, len(key) + 1):
            self.note((*path, *key[:end]), first=True)
        self.key(key)
        self.put("=", " = ", "\t=")
        self.value((*path, *key), value)

    def key(self, parts: list[str] | tuple[str, ...]) -> None:
        for index, part in enumerate(parts):
            if index:
                self.put(".", " . ", ".\t")
            forms = [basic(part)]
            if re.fullmatch(r"[A-Za-z0-9_-]+", part):
                forms.append(part)
            if not re.search(r"['\x00-\x08\x0a-\x1f\x7f]", part):
                forms.append(f"'{part}'")
            self.put(*forms)

    def value(self, path: KeyPath, value: Any) -> None:
        if isinstance(value, dict):
            self.put("{", "{ ")
            for index, (at, key, inner) in enumerate(self.dotted(path, value)):
                if index:
                    self.put(",", " , ")
                self.pair(at, key, inner)
            self.put("}", " }")
        elif isinstance(value, list):
            self.put("[")
            for index, inner in enumerate(value):
                self.blank()
                self.note((*path, index))
                self.value((*path, index), inner)
                self.blank()
                if index < len(value) - 1 or self.coin():
                    self.put(",")
            self.blank()
            self.put("]")
        elif isinstance(value, str):
            self.put(*string_forms(value))
        elif isinstance(value, datetime):
            self.put(value.isoformat(" "), value.isoformat("T"))
        elif isinstance(value, date | time):
            self.put(value.isoformat())
        else:
            self.put(json.dumps(value))

    def blank(self) -> None:
        self.put("", " ", "\n", " # ], } ''' \"\"\" [x]\n\n\t")

    def break_line(self) -> None:
        self.put("", "\n", "# [x]\n", " \t\n\n")

    def end_line(self) -> None:
        self.put("\n", " \n", "# x = '''\n", "\t# [[x]]\n\n")


def is_tables(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(e, dict) for e in value)


def basic(text: str) -> str:
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


def string_forms(text: str) -> list[str]:
    """All the ways to write a string: on one line or several, with and without escapes."""
    escaped = basic(text)[1:-1]
    forms = [f'"{escaped}"', f'"""\n{escaped}"""']
    if not text.startswith(" "):
        forms.append(f'"""\\\n\n  {escaped}"""')
    if re.search(r"[\x00-\x08\x0b-\x1f\x7f]", text):
        return forms
    if "\\" not in text:
        forms.append('"""\n' + text.replace('"""', '""\\"') + '"""')
    if "'''" not in text:
        forms.append(f"'''\n{text}'''")
    if "'" not in text and "\n" not in text:
        forms.append(f"'{text}'")
    return forms


NASTY = [
    *("", "a", "b", "1", "a.b", "#", "]", "}", ",", '"', "'", '""', "''", "'''", '"""', "\\", "\n"),
    *(
        "\n[a]\n",
        "\nb = 1\n",
        "[[a]]",
        "\t",
        " ",
        "\\n",
        '\\"',
        "é",
        "\u2028",
        "\x85",
        "\x7f",
        "\x00",
    ),
]
TEXTS = st.lists(st.sampled_from(NASTY), max_size=4).map("".join)
KEYS = st.sampled_from(["a", "b", "c", "d-1", "0", "1"]) | TEXTS
SCALARS = (
    TEXTS
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.sampled_from(
        [1.5, -2e30, date(1979, 5, 27), time(7, 32), datetime(1979, 5, 27, 7, 32, 0, 5)]
    )
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(KEYS, inner, max_size=3)
        | st.lists(st.dictionaries(KEYS, inner, max_size=3), min_size=1, max_size=3)
    ),
    max_leaves=12,
)
DOCUMENTS = st.dictionaries(KEYS, VALUES, max_size=4)

# No machine is too slow, and most edits break a document.
UNHURRIED = settings(
    max_examples=examples(40, 2000),
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)


@st.composite
def written(draw: Draw) -> tuple[dict[str, Any], str, dict[KeyPath, int]]:
    """A document, its text and its lines."""
    document = draw(DOCUMENTS)
    writer = Writer(draw)
    writer.document(document)
    return (
        document,
        draw(st.sampled_from(["\n", "\r\n"])).join(writer.text.split("\n")),
        writer.lines,
    )


@UNHURRIED
@given(written())
def test_every_key_of_any_style_has_its_line(
    case: tuple[dict[str, Any], str, dict[KeyPath, int]],
) -> None:
    document, text, lines = case
    assert tomllib.loads(text) == document, "the writer of this test is wrong"
    assert key_lines(text) == lines
    assert set(lines) == set(paths(document))


@UNHURRIED
@given(
    written(),
    st.lists(st.tuples(st.integers(0), st.sampled_from(" \t\n#.,=[]{}\"'\\ax1")), max_size=2),
)
@example(({}, "[a]\n[a.b]\nc.d = [[{}]]", {}), [])
def test_whatever_tomllib_accepts_has_all_its_paths(
    case: tuple[dict[str, Any], str, dict[KeyPath, int]], edits: list[tuple[int, str]]
) -> None:
    text = case[1]
    for number, sign in edits:
        place = number % (len(text) + 1)
        text = text[:place] + sign + text[place + (place % 2) :]
    try:
        document = tomllib.loads(text)
    except ValueError:
        assume(False)
    assert set(key_lines(text)) == set(paths(document))
