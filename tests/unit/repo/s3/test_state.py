# SPDX-License-Identifier: Apache-2.0
"""What a repository in an object store is called, and says of itself."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path

import pytest

from hadeb.errors import HadebError, UsageError
from hadeb.repo.disk import pool
from hadeb.repo.model.contents import PoolFile, Published
from hadeb.repo.s3.bucket import Bucket
from hadeb.repo.s3.pack import link_by_hash, pack
from hadeb.repo.s3.state import State, StoredGeneration, headers, read_state

_STATE = State(
    serial=7,
    token="abc",
    files={"repository.json": "{}\n", "history/stable/1.json": "caf\udce9"},
    generations={"stable": {3: StoredGeneration(".hadeb/generations/stable/3-00.zip", 12.5)}},
    leaving=("pool/main/h/hello/hello_1_all.deb",),
)


@pytest.mark.parametrize(
    ("url", "name", "prefix", "last"),
    [
        ("s3://bucket", "bucket", "", "bucket"),
        ("s3://bucket/", "bucket", "", "bucket"),
        ("s3://my.bucket-1/apt", "my.bucket-1", "apt/", "apt"),
        ("s3://bucket/debian/apt/", "bucket", "debian/apt/", "apt"),
    ],
)
def test_a_place_is_a_bucket_and_a_prefix(url: str, name: str, prefix: str, last: str) -> None:
    bucket = Bucket.read(url)
    assert (bucket.name, bucket.prefix, bucket.last) == (name, prefix, last)
    assert str(bucket) == url.rstrip("/")


@pytest.mark.parametrize(
    "url",
    [
        *("s3://", "s3:///apt", "s3://b", "s3://Bucket", "s3://bucket/a//b", "s3://bucket/../b"),
        *("s3://bucket/ä", "s3://bucket/a b", "s3://-bucket/apt", "s3://bucket/a?b"),
    ],
)
def test_what_no_url_of_apt_can_name_is_no_place(url: str) -> None:
    with pytest.raises(UsageError, match="is not a location") as refused:
        Bucket.read(url)
    assert "write s3://BUCKET" in str(refused.value.hint)


def test_a_state_is_read_as_it_was_written() -> None:
    assert read_state(_STATE.write(), "state.json") == _STATE
    assert _STATE.packs() == {".hadeb/generations/stable/3-00.zip"}


@pytest.mark.parametrize(
    "broken",
    [
        {"files": {"../../etc/passwd": ""}},
        {"files": {"/etc/passwd": ""}},
        {"generations": {"..": {}}},
        {"generations": {"stable": {"1": {"pack": "../1.zip", "time": 0}}}},
        {"generations": {"stable": {"one": {"pack": "1.zip", "time": 0}}}},
        {"leaving": ["pool/../../outside"]},
        {"files": None},
        {"serial": "many"},
    ],
)
def test_a_state_that_leads_out_of_the_repository_is_refused(broken: dict[str, object]) -> None:
    text = json.dumps({**json.loads(_STATE.write()), **broken})
    with pytest.raises(HadebError, match=r"bucket/state\.json is damaged"):
        read_state(text.encode(), "bucket/state.json")


def test_a_state_of_another_release_is_not_called_damaged() -> None:
    with pytest.raises(HadebError, match="of another release of hadeb"):
        read_state(b'{"format": 2}', "bucket/state.json")


@pytest.mark.parametrize(
    ("path", "kind", "lasting"),
    [
        ("pool/main/h/hello/hello_1.orig.tar.xz", "application/octet-stream", True),
        ("pool/main/h/hello/hello_1_all.deb", "application/vnd.debian.binary-package", True),
        ("dists/stable/main/source/by-hash/SHA256/00", "application/gzip", True),
        ("dists/stable/Release", "text/plain; charset=utf-8", False),
        ("dists/stable/Release.gpg", "text/plain; charset=utf-8", False),
        ("example.sources", "text/plain; charset=utf-8", False),
        ("index.html", "text/html; charset=utf-8", False),
    ],
)
def test_changing_files_are_revalidated_and_immutable_ones_cached(
    path: str, kind: str, lasting: bool
) -> None:
    said = headers(path)
    assert said["ContentType"] == kind
    assert ("immutable" in said["CacheControl"]) is lasting
    assert (said["CacheControl"] == "no-cache") is not lasting


def test_a_placeholder_has_the_size_and_the_hash_of_what_it_stands_for(tmp_path: Path) -> None:
    file = PoolFile("pool/main/h/hello/hello_1_all.deb", 3_000_000_000, "ab" * 32)
    package = Published("main", "hello", "1", "all", "", (file,))
    pool.make_placeholder(tmp_path / "root" / file.path, file.size, file.sha256, tmp_path)
    assert pool.damage([package], tmp_path / "root") == []
    for other in (file._replace(sha256="cd" * 32), file._replace(size=3)):
        assert pool.damage([package._replace(files=(other,))], tmp_path / "root") != []


def test_a_link_that_somebody_made_in_a_pool_stands_for_nothing(tmp_path: Path) -> None:
    sha256 = "ab" * 32
    path = tmp_path / "pool/main/h/hello/hello_1_all.deb"
    path.parent.mkdir(parents=True)
    (tmp_path / sha256).write_bytes(b"x")
    path.symlink_to(tmp_path / sha256)
    file = PoolFile("pool/main/h/hello/hello_1_all.deb", 1, sha256)
    package = Published("main", "hello", "1", "all", "", (file,))
    assert pool.damage([package], tmp_path) == [
        f"{file.path} has changed in the pool since it was published"
    ]


def test_a_generation_comes_out_of_its_object_as_it_went_in(tmp_path: Path) -> None:
    made, read = tmp_path / "made", tmp_path / "read"
    (made / "main/binary-amd64").mkdir(parents=True)
    (made / "InRelease").write_text("signed")
    (made / "main/binary-amd64/Packages.gz").write_bytes(b"index")
    link_by_hash(made)
    content = pack(made)
    (tmp_path / "pack.zip").write_bytes(content)
    with zipfile.ZipFile(tmp_path / "pack.zip") as archive:
        assert archive.namelist() == ["InRelease", "main/binary-amd64/Packages.gz"]
        archive.extractall(read)
    link_by_hash(read)
    (by_hash,) = (read / "main/binary-amd64/by-hash/SHA256").iterdir()
    assert by_hash.read_bytes() == b"index"
    assert by_hash.name == next((made / "main/binary-amd64/by-hash/SHA256").iterdir()).name
