# SPDX-License-Identifier: Apache-2.0
"""Intake: sources with all their files, and packages that contradict themselves."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from hadeb.repo.intake.incoming import read_incoming
from hadeb.repo.model.contents import SOURCE
from hadeb.repo.model.incoming_package import FilesRefused, IncomingPackage
from hadeb.repo.model.repository import RepoSuite
from hadeb.run import run
from support.command import Outcome
from support.repo import inspection
from support.repo.publisher import Publisher
from support.repo.source_package import built

SUITE = RepoSuite("staging", "staging", ("main",), ("amd64", "arm64"))


@pytest.fixture
def packer(tmp_path: Path) -> Publisher:
    """A package maker without a key."""
    return Publisher(tmp_path, tmp_path, "", tmp_path)


@pytest.fixture
def take(tmp_path: Path) -> Callable[..., list[IncomingPackage]]:
    """Takes files in as a publish does."""

    def taken(*files: Path) -> list[IncomingPackage]:
        staging = tmp_path / "staging"
        shutil.rmtree(staging, ignore_errors=True)
        staging.mkdir()
        return read_incoming(files, staging, SUITE, "main")

    return taken


@pytest.fixture(scope="module")
def greet(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory with two revisions of a source that share one orig.tar, built."""
    place = tmp_path_factory.mktemp("greet")
    for version in ("1.0-1", "1:1.0-2"):
        built(place, version)
    return place


@pytest.fixture
def copied(greet: Path, tmp_path: Path) -> Path:
    """The same, to be spoilt."""
    return Path(shutil.copytree(greet, tmp_path / "greet"))


def repacked(deb: Path, change: Callable[[str], str]) -> Path:
    """A .deb whose control file is another, such as no dpkg-deb would write."""
    place = deb.parent / "repacked"
    shutil.rmtree(place, ignore_errors=True)
    (place / "control").mkdir(parents=True)
    run(("dpkg-deb", "--control", str(deb), "control"), cwd=place)
    control = place / "control/control"
    control.write_text(change(control.read_text()))
    words = f"ar x {shlex.quote(str(deb))} && rm control.tar.*; tar -C control -cf control.tar ."
    run(("sh", "-c", words), cwd=place)
    deb.unlink()
    (data,) = place.glob("data.tar*")
    run(("ar", "qcS", str(deb), "debian-binary", "control.tar", data.name), cwd=place)
    return deb


def refusal(take: Callable[..., list[IncomingPackage]], *files: Path) -> str:
    with pytest.raises(FilesRefused) as raised:
        take(*files)
    return raised.value.message


@pytest.mark.parametrize(
    ("field", "value", "what"),
    [
        ("Source", "a/../../x", "source"),
        ("Source", "/etc", "source"),
        ("Source", "greet (1.0/../..)", "source"),
        ("Source", "greet ()", "source"),
        ("Package", "../../x", "name"),
        ("Package", "x", "name"),
        ("Package", "Greet", "name"),
        ("Version", "1.0/../../../x", "version"),
        ("Version", "..", "version"),
        ("Version", "latest", "version"),
        ("Version", "1.0-", "version"),
        ("Version", "12345678901:1", "version"),
    ],
)
def test_a_name_or_version_that_policy_forbids_is_refused(
    field: str,
    value: str,
    what: str,
    packer: Publisher,
    take: Callable[..., list[IncomingPackage]],
) -> None:
    def change(control: str) -> str:
        return re.sub(f"(?m)^{field}: .*\n", "", control).rstrip("\n") + f"\n{field}: {value}\n"

    deb = repacked(packer.deb("hello", "1.0"), change)
    assert f"{deb}: has the {what} {value!r}, which Debian Policy (5.6) does not allow" in refusal(
        take, deb
    )


def test_a_package_with_another_source_lies_with_it_in_the_pool(
    packer: Publisher, take: Callable[..., list[IncomingPackage]]
) -> None:
    binary, two = take(
        packer.deb("hello", "1.0", fields="Source: libgreet (1:2.0-1)\n"),
        packer.deb("world", "1:1.0", fields="Source: greet\n"),
    )
    assert binary.published.files[0].path == "pool/main/libg/libgreet/hello_1.0_all.deb"
    assert two.published.files[0].path == "pool/main/g/greet/world_1.0_all.deb"


@pytest.mark.parametrize("field", ["Phased-Update-Percentage", "MD5sum", "sha1", "SHA512"])
def test_a_field_that_an_index_alone_may_have_is_refused_in_a_package(
    field: str, packer: Publisher, take: Callable[..., list[IncomingPackage]]
) -> None:
    deb = packer.deb("hello", "1.0", fields=f"{field}: 10\n")
    message = refusal(take, deb).lower()
    assert (
        f"{deb}: has {field} in its control file, and clients would believe it".lower() in message
    )
    assert ("--phase sets how many" in message) is (field == "Phased-Update-Percentage")


def test_a_control_file_that_is_laid_out_in_another_way_is_read_back(
    packer: Publisher, take: Callable[..., list[IncomingPackage]]
) -> None:
    def change(control: str) -> str:
        return control.replace("Package: hello", "package:  hello ")

    (package,) = take(repacked(packer.deb("hello", "1.0"), change))
    assert package.published.name == "hello"
    assert package.published.stanza.startswith("Package: hello\n")


def test_two_packages_of_one_identity_with_other_bytes_are_both_named(
    packer: Publisher, take: Callable[..., list[IncomingPackage]]
) -> None:
    deb = packer.deb("hello", "1.0")
    two = packer.deb("hello", "1.0", content="other", directory="other")
    elsewhere = packer.deb("hello", "1.0", fields="Source: greet\n", directory="elsewhere")
    message = refusal(take, deb, two, elsewhere)
    for other in (two, elsewhere):
        assert f"{other}: is hello 1.0 all, as is {deb}, with other bytes" in message
    epoch = packer.deb("hello", "1:1.0")
    assert f"{epoch}: has another hello_1.0_all.deb than {deb}" in refusal(take, deb, epoch)


def test_the_same_package_twice_in_one_call_is_taken_once(
    packer: Publisher, take: Callable[..., list[IncomingPackage]]
) -> None:
    deb = packer.deb("hello", "1.0")
    again = packer.deb("hello", "1.0", directory="again")
    assert [str(each.published) for each in take(deb, again, deb)] == ["hello 1.0 all"]


@pytest.mark.parametrize("name", ["two  blanks.deb", "a\nline.deb", "-q.deb", "ünï 'q\" $x.deb"])
def test_a_deb_may_have_any_file_name(
    name: str, packer: Publisher, take: Callable[..., list[IncomingPackage]]
) -> None:
    deb = packer.deb("hello", "1.0").rename(packer.place / name)
    (package,) = take(deb)
    assert package.published.files[0].path == "pool/main/h/hello/hello_1.0_all.deb"


def test_packages_come_in_by_the_names_that_their_stanzas_have(
    packer: Publisher, take: Callable[..., list[IncomingPackage]]
) -> None:
    debs = [packer.deb(f"hello{number}", "1.0") for number in range(12)]
    for package in take(*debs):
        assert package.origin.name == f"{package.published.name}_1.0_all.deb"
        assert package.copies[0].read_bytes() == package.origin.read_bytes()


def test_what_is_not_a_regular_file_is_named(
    tmp_path: Path, take: Callable[..., list[IncomingPackage]]
) -> None:
    (tmp_path / "directory.deb").mkdir()
    os.mkfifo(tmp_path / "fifo.deb")
    (tmp_path / "broken.deb").symlink_to("nonesuch")
    names = ("directory.deb", "fifo.deb", "broken.deb")
    message = refusal(take, *(tmp_path / name for name in names))
    assert f"{tmp_path}/directory.deb: is a directory; name the files in it" in message
    assert f"{tmp_path}/fifo.deb: is not a regular file" in message
    assert f"{tmp_path}/broken.deb: does not exist" in message


def test_a_source_comes_in_with_all_its_files(
    greet: Path, take: Callable[..., list[IncomingPackage]]
) -> None:
    older, newer = take(greet / "greet_1.0-1.dsc", greet / "greet_1.0-2.dsc")
    assert [older.published.version, newer.published.version] == ["1.0-1", "1:1.0-2"]
    for each, revision in ((older, 1), (newer, 2)):
        assert each.published.architecture == SOURCE
        assert [Path(file.path).name for file in each.published.files] == [
            *(f"greet_1.0-{revision}.{suffix}" for suffix in ("debian.tar.xz", "dsc")),
            "greet_1.0.orig.tar.gz",
        ]
        for copy, file in zip(each.copies, each.published.files, strict=True):
            assert file.path.startswith("pool/main/g/greet/greet_")
            assert copy.read_bytes() == (greet / Path(file.path).name).read_bytes()
    # One file of the pool.
    assert older.published.files[-1] == newer.published.files[-1]


def test_a_changes_brings_its_source_and_its_binaries_once(
    copied: Path, take: Callable[..., list[IncomingPackage]]
) -> None:
    changes = copied / "greet_1.0-1_amd64.changes"
    signed = (
        "-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA512\n\n{}\n-----BEGIN PGP SIGNATURE-----\n"
    )
    for text in (changes.read_text(), signed.format(changes.read_text())):
        changes.write_text(text)
        taken = take(changes, copied / "greet_1.0-1_all.deb", copied / "greet_1.0-1.dsc")
        assert {str(package.published) for package in taken} == {
            "greet 1.0-1 all",
            "greet 1.0-1 source",
        }


@pytest.mark.parametrize(
    ("file", "words"),
    [
        ("greet_1.0.orig.tar.gz", "lists greet_1.0.orig.tar.gz with [0-9]+ bytes, but it has "),
        ("greet_1.0-1.debian.tar.xz", "lists greet_1.0-1.debian.tar.xz with another SHA256"),
        ("greet_1.0-1.dsc", "lists greet_1.0-1.dsc with [0-9]+ bytes, but it has "),
        ("greet_1.0-1_all.deb", "lists greet_1.0-1_all.deb with another SHA256"),
        ("greet_1.0-1_amd64.buildinfo", "lists greet_1.0-1_amd64.buildinfo with another SHA256"),
    ],
)
def test_a_file_that_differs_from_its_listing_is_refused(
    file: str, words: str, copied: Path, take: Callable[..., list[IncomingPackage]]
) -> None:
    path, changes = copied / file, copied / "greet_1.0-1_amd64.changes"
    whole = path.read_bytes()
    path.write_bytes(whole + b"x" if "[0-9]" in words else whole[:-1] + b"x")
    assert re.search(words, refusal(take, changes))
    if file.endswith((".gz", ".xz")):
        assert re.search(words, refusal(take, copied / "greet_1.0-1.dsc"))
    path.unlink()
    assert f"{file}, which is not beside it" in refusal(take, changes)
    os.mkfifo(path)
    assert f"{file}, which is not beside it" in refusal(take, changes)


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("Source: greet", "Source: ../../x", "has the source '../../x' '1.0-1', which Debian Pol"),
        ("Version: 1.0-1", "Version: /../1", "has the source 'greet' '/../1', which Debian Policy"),
        ("Version: 1.0-1", "X: y", "has the source 'greet' '', which Debian Policy"),
        (" greet_1.0.orig", " ../greet_1.0.orig", "lists '../greet_1.0.orig.tar.gz', which a URL"),
        (
            " greet_1.0.orig.tar.gz",
            " other_1.0.tar",
            "lists other_1.0.tar, which is not a file of the",
        ),
        ("Checksums-Sha256:", "Checksums-Sha9:", "lists no files with their SHA256"),
        ("Checksums-Sha256:\n", "Checksums-Sha256:\n x 1 y\n", "lists y without a SHA256"),
    ],
)
def test_a_dsc_with_invalid_fields_is_refused(
    old: str, new: str, words: str, copied: Path, take: Callable[..., list[IncomingPackage]]
) -> None:
    dsc = copied / "greet_1.0-1.dsc"
    (copied / "other_1.0.tar").touch()
    dsc.write_text(dsc.read_text().replace(old, new))
    assert f"{dsc}: {words}" in refusal(take, dsc)


def test_two_sources_with_one_name_for_two_archives_are_both_named(
    greet: Path, tmp_path: Path, take: Callable[..., list[IncomingPackage]]
) -> None:
    other = tmp_path / "other"
    other.mkdir()
    built(other, "1.0-3", "-S", greeting="another\n")
    first, second = greet / "greet_1.0-1.dsc", other / "greet_1.0-3.dsc"
    assert f"{second}: has another greet_1.0.orig.tar.gz than {first}" in refusal(
        take, first, second
    )


@pytest.fixture
def root(publisher: Publisher, tmp_path: Path) -> Path:
    """A repository with hello 2.0 for all in its suite `staging`."""
    path = tmp_path / "repository"
    publisher.publish(path, publisher.deb("hello", "2.0"))
    return path


def publish(publisher: Publisher, root: Path, *arguments: str | Path) -> Outcome:
    return publisher.hadeb("publish", *arguments, "--repo", root, "--suite", "staging")


def refused(publisher: Publisher, root: Path, words: str, *arguments: str | Path) -> None:
    """A publish that ends with a sentence for people, and changes nothing."""
    before = inspection.published(root) if root.exists() else None
    done = publish(publisher, root, *arguments)
    assert done.code in {1, 2}, done
    assert re.search(words, done.stderr), done.stderr
    assert "Traceback" not in done.stderr
    assert (inspection.published(root) if root.exists() else None) == before


def test_a_client_gets_the_source_of_what_it_installs(
    publisher: Publisher, greet: Path, tmp_path: Path
) -> None:
    root = tmp_path / "repository"
    publisher.publish(root, greet / "greet_1.0-1_amd64.changes")
    publisher.publish(root, greet / "greet_1.0-2.dsc", greet / "greet_1.0-2_all.deb")
    assert inspection.packages(root, "staging") == {"greet_1.0-1_all.deb", "greet_1.0-2_all.deb"}
    client = inspection.Client(tmp_path / "client", f"file:{root}", "staging", publisher.keyring)
    sources = tmp_path / "client/etc/sources.list.d/own.sources"
    sources.write_text(sources.read_text().replace("Types: deb\n", "Types: deb deb-src\n"))
    assert client.update() == []
    for version, revision in (("1:1.0-2", 2), ("1.0-1", 1)):
        place = tmp_path / str(revision)
        place.mkdir()
        environment = {"APT_CONFIG": str(tmp_path / "client/apt.conf"), "PATH": os.environ["PATH"]}
        argv = ("apt-get", "-q", "source", f"greet={version}")
        done = subprocess.run(
            argv, cwd=place, env=environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr
        assert (place / "greet-1.0/greeting").read_text() == "hello\n"
        assert f"greet ({version})" in (place / "greet-1.0/debian/changelog").read_text()
    verified = publisher.hadeb("repo", "verify", "--repo", root)
    assert verified.code == 0, verified.stdout


def test_a_later_revision_with_another_orig_tar_is_refused(
    publisher: Publisher, greet: Path, tmp_path: Path
) -> None:
    root, other = tmp_path / "repository", tmp_path / "other"
    publisher.publish(root, greet / "greet_1.0-1.dsc")
    other.mkdir()
    built(other, "1.0-4", "-S", greeting="another\n")
    refused(publisher, root, "orig.tar.gz is published with other bytes", other / "greet_1.0-4.dsc")


def test_a_changes_without_packages_makes_no_repository(
    publisher: Publisher, tmp_path: Path
) -> None:
    changes, notes = tmp_path / "greet_1.0_amd64.changes", tmp_path / "greet_1.0_amd64.buildinfo"
    notes.write_text("x")
    digest = subprocess.run(["sha256sum", notes], capture_output=True, text=True, check=True).stdout
    changes.write_text(f"Format: 1.8\nChecksums-Sha256:\n {digest.split()[0]} 1 {notes.name}\n")
    root = tmp_path / "repository"
    words = f"{changes}: lists no .deb and no .dsc, so there is nothing to publish"
    refused(publisher, root, words, changes)
    refused(publisher, root, words, changes, "--dry-run")
    assert not root.exists()


def test_the_name_of_hadeb_s_own_package_is_refused(publisher: Publisher, root: Path) -> None:
    deb = publisher.deb("sample-archive-keyring", "9")
    words = f"{deb}: has the name sample-archive-keyring, which hadeb gives to the package .* keys"
    refused(publisher, root, words, deb)


def test_a_lower_version_for_another_architecture_is_a_downgrade(
    publisher: Publisher, root: Path
) -> None:
    wider = ("--architecture", "amd64", "--architecture", "arm64")
    older = [
        publisher.deb("hello", "1.9", architecture=architecture)
        for architecture in ("arm64", "amd64")
    ]
    for deb in older:
        words = (
            "staging would go back to an older version:\n  hello 1.9 .*: the suite has 2.0 for all"
        )
        refused(publisher, root, words, deb, *wider)
    done = publish(publisher, root, *older, *wider, "--downgrade")
    assert done.code == 0, done.stderr
    assert "- hello 2.0 all" in done.stdout
    assert inspection.packages(root, "staging") == {"hello_1.9_amd64.deb"}


@pytest.mark.parametrize("name", ["AMD64", "../x", "amd 64", "", "all", "source", "any", "-x", "é"])
def test_an_unknown_architecture_is_refused(
    name: str, publisher: Publisher, tmp_path: Path
) -> None:
    words = f"--architecture {name!r} is not the architecture of a machine\nhint: name one as dpkg"
    refused(
        publisher, tmp_path / "new", words, publisher.deb("hello", "2.0"), f"--architecture={name}"
    )
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize("name", ["../x", "a b", "", ".", "bookworm/updates", "a\nb"])
def test_an_invalid_codename_is_refused(name: str, publisher: Publisher, tmp_path: Path) -> None:
    words = f"--codename {re.escape(repr(name))} cannot be a codename\nhint: use letters"
    refused(publisher, tmp_path / "new", words, publisher.deb("hello", "2.0"), f"--codename={name}")
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize(
    "fields",
    [
        "Depends: python3:any, debconf:any (>= 1)",
        "Depends: foo (>= 1), foo (<< 3)",
        "Pre-Depends: foo (>= 1)\nDepends: foo (<= 2:3), bar | foo\nBreaks: foo (<< 0.9)",
        "Depends: foo, bar | baz\nConflicts: foo (>= 2), bar\nBreaks: hello (<< 1), none",
        "Depends: hello (>= 2), foo (= 1)",
    ],
)
def test_an_installable_package_passes_the_trial(
    fields: str, publisher: Publisher, root: Path
) -> None:
    done = publish(publisher, root, publisher.deb("world", "1.0", fields=f"{fields}\n"))
    assert done.code == 0, done.stderr
    # Others bring it along, with all that it wants of Debian.
    done = publish(publisher, root, publisher.deb("more", "1.0", fields="Depends: world\n"))
    assert done.code == 0, done.stderr


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        (
            "Depends: foo (>= 3), foo (<< 3)",
            "no version of foo satisfies all relations to it:\n  wor",
        ),
        ("Depends: foo\nConflicts: foo", "  world 1.0 all has Conflicts: foo\n"),
        (
            "Depends: hello (>= 3)",
            r"world 1.0 all has Depends: hello \(>= 3\), but the suite has hello 2.0\nhint: .* "
            "remove the suite's own: hadeb repo remove hello SUITE",
        ),
    ],
)
def test_an_uninstallable_package_is_refused(
    fields: str, words: str, publisher: Publisher, root: Path
) -> None:
    before = inspection.in_release(root, "staging")
    done = publish(publisher, root, publisher.deb("world", "1.0", fields=f"{fields}\n"))
    assert done.code == 1
    assert re.search(words, done.stderr), done.stderr
    assert inspection.in_release(root, "staging") == before


def test_packages_of_one_call_that_want_different_versions_are_tried_alone(
    publisher: Publisher, root: Path
) -> None:
    one = publisher.deb("one", "1.0", fields="Depends: foo (<< 2)\n")
    two = publisher.deb("two", "1.0", fields="Depends: foo (>= 2)\n")
    done = publish(publisher, root, one, two)
    assert done.code == 0, done.stderr


@pytest.mark.parametrize("name", ["with a blank", "quote\" ' ; {}", "%20 #ü"])
def test_a_temporary_directory_of_any_name_will_do(
    name: str, publisher: Publisher, root: Path, tmp_path: Path
) -> None:
    place = tmp_path / name
    place.mkdir()
    deb = publisher.deb("world", "1.0", fields="Depends: foo:any\n")
    done = publisher.hadeb(
        *("publish", deb, "--repo", root, "--suite", "staging"), environment={"TMPDIR": str(place)}
    )
    assert done.code == 0, done.stderr
    # What stays is where they are made, with nothing in it.
    assert list(place.glob("*/*")) == []
