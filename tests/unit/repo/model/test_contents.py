# SPDX-License-Identifier: Apache-2.0
"""A suite's list, its order and its way into a generation's files and back."""

from __future__ import annotations

import dataclasses
import json
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hadeb.debian.deb822 import field
from hadeb.debian.version import version_key
from hadeb.errors import HadebError, UsageError
from hadeb.repo.apt.dependencies import NoPlaceholder, placeholders
from hadeb.repo.disk.history import Change, origin_of
from hadeb.repo.disk.indexes import index, index_paths, manifest, misfits, read_contents
from hadeb.repo.model.contents import SOURCE, Contents, PoolFile, Published, difference
from hadeb.repo.model.repository import Repository, RepoSuite, read_repository

SUITE = RepoSuite("stable", "stable", ("main", "extra"), ("amd64", "arm64"))
REPOSITORY = Repository("sample", "Sample", "Sample", "http://apt.example", ("AB" * 20,))


def published(
    name: str,
    version: str = "1.0",
    architecture: str = "all",
    *,
    component: str = "main",
    more: str = "",
    phase: int = 100,
) -> Published:
    path = f"pool/{component}/{name[0]}/{name}/{name}_{version}_{architecture}.deb"
    stanza = f"Package: {name}\nVersion: {version}\nArchitecture: {architecture}{more}"
    file = PoolFile(path, 7, "0" * 64)
    return Published(component, name, version, architecture, stanza, (file,), phase)


def round_trip(contents: Contents) -> Contents:
    indexes = {
        (component, architecture): index(contents.indexed(component, architecture)).decode()
        for component, architecture in index_paths(SUITE)
    }
    return read_contents(manifest(contents, {"suite": "stable"}).decode(), indexes)


@settings(deadline=None)
@given(
    st.text("0123456789.~+-:abZ", min_size=1, max_size=8).map(lambda text: f"1{text}"),
    st.text("0123456789.~+-:abZ", min_size=1, max_size=8).map(lambda text: f"1{text}"),
)
def test_hostile_versions_sort_without_an_error(left: str, right: str) -> None:
    assert (version_key(left) < version_key(right)) is not (version_key(left) >= version_key(right))


def test_newer_versions_follow_dpkgs_order_across_all_architectures() -> None:
    contents = Contents().with_packages(
        [
            *(published("a", version, "amd64") for version in ("9", "10", "1:1", "3+b2")),
            published("a", "12", SOURCE),
            published("b", "20"),
        ]
    )

    def newer(version: str, architecture: str) -> list[str]:
        return [
            package.version for package in contents.newer(published("a", version, architecture))
        ]

    assert newer("9", "amd64") == newer("9", "arm64") == newer("9", "all") == ["10", "1:1"]
    assert newer("1:1", "arm64") == []
    assert newer("11", SOURCE) == ["12"]
    # Rebuilt for amd64 alone, it is no newer than what arm64 gets; for amd64 itself it is.
    assert newer("3", "arm64") == ["9", "10", "1:1"]
    assert newer("3", "amd64") == ["3+b2", "9", "10", "1:1"]


def test_a_list_comes_back_from_the_files_of_a_generation() -> None:
    source = PoolFile("pool/main/s/s/s_1.dsc", 3, "1" * 64)
    contents = Contents().with_packages(
        [
            published("b", "2", "arm64"),
            published("b", "2", "amd64"),
            published("b", "10", "amd64", phase=10),
            published("a", more="\nDescription: text\n of two lines\n ."),
            published("c", component="extra"),
            Published("main", "s", "1", SOURCE, "Package: s\nDirectory: x", (source, source)),
        ]
    )
    assert round_trip(contents) == contents
    assert [package.version for package in contents.named("b")] == ["2", "2", "10"]


def test_a_phase_stands_in_the_index_and_not_in_the_stanza() -> None:
    package = published("a", phase=25)
    assert index([package]).endswith(b"\nPhased-Update-Percentage: 25\n\n")
    (back,) = round_trip(Contents((package,))).packages
    assert back == package


def test_the_manifest_is_json_with_a_line_a_package() -> None:
    text = manifest(
        Contents((published("a"), published("b", phase=5))), {"suite": 'a "b"'}
    ).decode()
    read = json.loads(text)
    assert read["suite"] == 'a "b"'
    assert [package["package"] for package in read["packages"]] == ["a", "b"]
    assert read["packages"][1]["phase"] == 5
    assert len([line for line in text.splitlines() if '"package": "' in line]) == 2
    assert json.loads(manifest(Contents(), {"suite": "s"}))["packages"] == []


def test_a_package_s_own_phase_and_all_that_follows_it_stay_in_its_stanza() -> None:
    more = "\nPhased-Update-Percentage: 10\nDescription: x"
    for phase in (10, 25, 100):
        contents = Contents((published("aa", more=more, phase=phase),))
        assert round_trip(contents) == contents


def test_a_stanza_without_its_phase_is_damage() -> None:
    text = manifest(Contents((published("a", phase=10),)), {}).decode()
    with pytest.raises(HadebError, match="damaged"):
        read_contents(text, {("main", "amd64"): published("a").stanza})


def test_a_stanza_that_contradicts_the_list_is_reported() -> None:
    hello = published(
        "aa", more=f"\nFilename: pool/main/a/aa/aa_1.0_all.deb\nSize: 7\nSHA256: {'0' * 64}"
    )
    source = PoolFile("pool/main/s/ss/ss_1.dsc", 3, "1" * 64)
    stanza = "Package: ss\nVersion: 1\nDirectory: pool/main/s/ss"
    two = Published("main", "ss", "1", SOURCE, stanza, (source,))
    assert misfits(Contents((hello, two))) == []
    cut = hello._replace(stanza=hello.stanza.partition("\nSize")[0])
    other = two._replace(stanza=stanza.replace("s/ss", "s/st"))
    assert misfits(Contents((cut, other))) == [
        "the index has nothing as Size of aa 1.0 all, but the list has 7",
        f"the index has nothing as SHA256 of aa 1.0 all, but the list has {'0' * 64}",
        "the index has pool/main/s/st as Directory of ss 1 source, but the list has pool/main/s/ss",
    ]


@pytest.mark.parametrize(
    ("text", "stanza"),
    [
        ("{", "Package: a"),
        ('{"packages": [{"package": "a"}]}', "Package: a"),
        (manifest(Contents((published("a"),)), {}).decode(), "Package: b"),
        (manifest(Contents((published("a"),)), {}).decode(), ""),
    ],
)
def test_a_damaged_generation_is_not_taken_for_a_list(text: str, stanza: str) -> None:
    with pytest.raises(HadebError, match="damaged"):
        read_contents(text, {("main", "amd64"): stanza})


def test_a_few_packages_among_many_find_the_places_that_sorting_gives_them() -> None:
    many = [published(name, version) for name in map(str, range(200)) for version in ("1.0", "10")]
    few = [published("77", "9"), published("0", "1.0", phase=5), published("zebra")]
    expected = Contents().with_packages([*few[:1], *few[2:], *many[1:], few[1]])
    assert Contents().with_packages(many).with_packages(few) == expected
    assert len(expected.packages) == 402


def test_lists_differ_alike_whether_they_share_their_values_or_not() -> None:
    kept, gone, phased = published("a"), published("b"), published("c", phase=5)
    old = Contents((kept, gone, phased))
    new = Contents((kept, phased._replace(phase=50), published("d")))
    copied = Contents(
        tuple(package._replace(stanza=f"{package.stanza}\n") for package in old.packages)
    )
    lines = ["+ d 1.0 all", "- b 1.0 all", "~ c 1.0 all, for 50 % of machines"]
    assert difference(old, new).lines() == difference(copied, new).lines() == lines


def test_a_difference_says_what_comes_goes_and_spreads() -> None:
    old = Contents().with_packages([published("a"), published("b"), published("c", phase=10)])
    new = old.without(old.named("a")).with_packages([published("c", phase=50), published("d")])
    assert difference(old, new).lines() == [
        "+ d 1.0 all",
        "- a 1.0 all",
        "~ c 1.0 all, for 50 % of machines",
    ]
    assert not difference(old, old)
    assert difference(Contents(), Contents((published("x", phase=5),))).lines() == [
        "+ x 1.0 all, for 5 % of machines"
    ]


def test_a_package_is_in_a_list_once() -> None:
    contents = Contents().with_packages([published("a"), published("a", more="\nX: y")])
    assert [package.stanza.endswith("X: y") for package in contents.packages] == [True]


def record(generation: int, restores: int | None = None) -> Change:
    return Change(generation, "2026-01-01T00:00:00Z", "a@b", "publish", (), None, restores)


@pytest.mark.parametrize(
    ("restored", "origin"),
    [({}, 5), ({5: 3}, 3), ({5: 4, 4: 2}, 2), ({4: 1}, 5)],
)
def test_a_second_rollback_goes_further_back(restored: dict[int, int], origin: int) -> None:
    records = [record(number, restored.get(number)) for number in range(1, 6)]
    assert origin_of(records, 5) == origin


def test_a_repository_comes_back_from_its_file() -> None:
    repository = REPOSITORY.with_suite(SUITE).with_suite(RepoSuite("edge", "edge"))
    assert read_repository(repository.write(), "x") == repository
    assert [suite.name for suite in repository.suites] == ["edge", "stable"]
    wider = dataclasses.replace(SUITE, components=("main",))
    assert repository.with_suite(wider).suite("stable") == wider


@pytest.mark.parametrize(
    "text", ["", "{", "[]", "null", '{"format": 1}', '{"format": 1, "suites": [1]}']
)
def test_a_damaged_state_is_named(text: str) -> None:
    with pytest.raises(HadebError, match=r"here/repository\.json is damaged"):
        read_repository(text, "here/repository.json")


def test_the_state_of_a_newer_release_is_left_alone() -> None:
    with pytest.raises(HadebError, match="another release of hadeb"):
        read_repository('{"format": 2}', "x")


def test_an_unknown_suite_is_reported_with_the_known_ones() -> None:
    with pytest.raises(UsageError, match="no suite x") as raised:
        REPOSITORY.with_suite(SUITE).suite("x")
    assert "stable" in (raised.value.hint or "")


def test_a_field_is_read_over_its_lines() -> None:
    stanza = "Package: a\nDepends: b,\n c (>= 1)\nDescription: x"
    assert field(stanza, "Depends") == "b, c (>= 1)"
    assert field(stanza, "depends") == "b, c (>= 1)"
    assert not field(stanza, "Pre-Depends")


@pytest.mark.parametrize(
    ("depends", "expected"),
    [
        ("debian (>= 3)", {"debian": "9999:0"}),
        ("debian (<< 3)", {"debian": "3~"}),
        ("debian (< 3)", {"debian": "3"}),
        ("debian (= 3)", {"debian": "3"}),
        ("debian:any, other | own", {"debian": "9999:0"}),
        ("debian (>= 1), debian (<< 3)", {"debian": "3~"}),
        ("debian (>> 1.0), debian (<< 1.0-1)", {"debian": "1.0-1~"}),
        ("debian (>= 1~rc1), debian (<< 1)", {"debian": "1~rc1+"}),
        ("debian (= 2), debian (>= 1)", {"debian": "2"}),
        ("first (<< 2) | second, first (>= 3)", {"first": "9999:0", "second": "9999:0"}),
        ("own", {}),
        ("own (>= 1.0)", {}),
        ("virtual", {}),
        ("virtual (>= 1)", {"virtual": "9999:0"}),
        ("numbered (= 4)", {}),
    ],
)
def test_only_what_the_suite_does_not_have_is_taken_for_installed(
    depends: str, expected: dict[str, str]
) -> None:
    new = published("new", more=f"\nDepends: {depends}")
    own = published("own", more="\nProvides: virtual, numbered (= 4)")
    assert placeholders([new], [new, own], "amd64") == expected


@pytest.mark.parametrize("depends", ["own (>> 1.0)", "own (= 2)", "own (<< 1)"])
def test_a_name_that_the_suite_has_in_another_version_is_not_taken_for_installed(
    depends: str,
) -> None:
    new, own = published("new", more=f"\nDepends: {depends}"), published("own")
    with pytest.raises(
        NoPlaceholder, match=r"new 1\.0 all has Depends: own .*, but the suite has own 1.0"
    ):
        placeholders([new], [new, own], "amd64")
    # Of what comes along with it apt is to judge.
    more = published("more", more="\nDepends: new")
    assert placeholders([more], [more, new, own], "amd64") == {}
    other = published("new", more=f"\nDepends: {depends} | debian")
    assert placeholders([other], [other, own], "amd64") == {"debian": "9999:0"}


def test_what_the_suite_has_for_another_architecture_is_not_there() -> None:
    new, own = published("new", more="\nDepends: own"), published("own", architecture="arm64")
    assert placeholders([new], [new, own], "amd64") == {"own": "9999:0"}
    assert placeholders([new], [new, own], "arm64") == {}


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        ("\nDepends: a, b\nBreaks: a (<< 2)", {"a": "9999:0", "b": "9999:0"}),
        ("\nDepends: a\nBreaks: a (>> 2)", {"a": "2"}),
        ("\nDepends: a (>= 1)\nConflicts: a (>= 2), a (= 2~)", {"a": "2~+"}),
        ("\nDepends: a | b\nConflicts: a", {"b": "9999:0"}),
        ("\nDepends: a\nBreaks: other", {"a": "9999:0"}),
    ],
)
def test_what_is_taken_for_installed_is_nothing_that_the_package_refuses(
    more: str, expected: dict[str, str]
) -> None:
    assert placeholders([published("new", more=more)], [], "amd64") == expected


def test_what_the_suite_s_own_packages_want_is_taken_for_installed_with_them() -> None:
    new = published("new", more="\nDepends: own")
    old = published("own", "1.0", more="\nDepends: debian (<< 2)")
    own = published("own", "2.0", more="\nDepends: debian (>= 2), new")
    assert placeholders([new], [new, old, own], "amd64") == {"debian": "9999:0"}
    assert placeholders([new, old], [new, old, own], "amd64") == {"debian": "2~"}


@pytest.mark.parametrize(
    "more",
    [
        "\nDepends: debian (<< 1), debian (>= 2)",
        "\nPre-Depends: debian (= 1)\nDepends: debian (= 2)",
        "\nDepends: debian\nConflicts: debian",
        "\nDepends: debian (>= 2)\nBreaks: debian (>> 1)",
    ],
)
def test_bounds_that_no_version_fits_are_all_reported(more: str) -> None:
    with pytest.raises(
        NoPlaceholder, match="no version of debian satisfies all relations to it:"
    ) as raised:
        placeholders([published("new", more=more)], [], "amd64")
    assert raised.value.message.count("\n  new 1.0 all has ") == 2


def test_many_bounds_on_one_name_take_no_time() -> None:
    many = [
        published(f"p{n}", more=f"\nDepends: debian (>= {n}), lib (<< {n + 5})")
        for n in range(2000)
    ]
    started = time.process_time()
    assert placeholders(many, many, "amd64") == {"debian": "9999:0", "lib": "5~"}
    assert time.process_time() - started < 2
