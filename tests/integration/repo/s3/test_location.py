# SPDX-License-Identifier: Apache-2.0
"""Locations, credentials and libraries of an object store that do not do."""

from __future__ import annotations

import sys
import tomllib
from unittest import mock

import boto3
import pytest

from support.command import ROOT, call_hadeb
from support.repo.object_store import (
    BUCKET,
    HELLO,
    Stored,
    refused,
)

_PYPROJECT = ROOT / "pyproject.toml"


def test_without_boto3_the_command_that_installs_it_is_named(stored: Stored) -> None:
    with mock.patch.dict(sys.modules, {"boto3": None}):
        done = stored.hadeb("repo", "status")
    refused(done, "needs boto3, which is not installed", code=5)
    (wanted,) = tomllib.loads(_PYPROJECT.read_text())["project"]["optional-dependencies"]["s3"]
    assert f"{sys.executable} -m pip install '{wanted}'" in done.stderr


def test_a_boto3_that_knows_no_conditions_is_refused(
    stored: Stored, monkeypatch: pytest.MonkeyPatch
) -> None:
    session = mock.Mock()
    old = session.return_value.client.return_value
    old.meta.service_model.operation_model.return_value.input_shape.members = {"Body": None}
    monkeypatch.setattr(boto3, "Session", session)
    refused(stored.hadeb("repo", "status"), "is too old", code=5)


@pytest.mark.parametrize("place", ["s3://", "s3://UPPER/x", f"s3://{BUCKET}/a b", "s3://abc/../x"])
def test_an_invalid_location_is_refused(stored: Stored, place: str) -> None:
    words = ("repo", "status", "--repo", place)
    done = call_hadeb(*words, directory=stored.publisher.place, environment=stored.environment)
    refused(done, "is not a location in an object store", code=2)


def test_a_missing_bucket_is_named(stored: Stored) -> None:
    words = ("repo", "status", "--repo", "s3://nonesuch/apt")
    done = call_hadeb(*words, directory=stored.publisher.place, environment=stored.environment)
    refused(done, "s3://nonesuch/apt: NoSuchBucket")
    assert "create the bucket first" in done.stderr


@pytest.mark.parametrize(
    ("variable", "value", "words", "hint"),
    [
        ("AWS_ENDPOINT_URL", "http://127.0.0.1:1", "Could not connect", "AWS_ENDPOINT_URL"),
        ("AWS_ENDPOINT_URL", "nonsense", "Invalid endpoint", "AWS_ENDPOINT_URL"),
        ("AWS_ACCESS_KEY_ID", "", "Unable to locate credentials", "AWS_PROFILE"),
    ],
)
def test_an_unreachable_store_names_the_setting_that_helps(
    stored: Stored, variable: str, value: str, words: str, hint: str
) -> None:
    environment = {**stored.environment, variable: value, "AWS_EC2_METADATA_DISABLED": "true"}
    if not value:
        del environment[variable]
    done = call_hadeb(
        *("repo", "status", "--repo", stored.place),
        directory=stored.publisher.place,
        environment={**environment, "AWS_MAX_ATTEMPTS": "1"},
    )
    refused(done, words)
    assert hint in done.stderr


def test_a_location_without_a_repository_is_named(stored: Stored) -> None:
    for words in (["repo", "status"], ["repo", "verify"], ["prune"], ["rollback", "staging"]):
        refused(stored.hadeb(*words), f"there is no repository in {stored.place}", code=2)
    assert stored.objects() == {}


def test_a_new_repository_in_a_bucket_needs_a_url(stored: Stored) -> None:
    done = stored.hadeb("publish", HELLO[0], "--suite", "staging", "--key", stored.publisher.key)
    refused(done, "a bucket can have many URLs", code=2)
    assert "--url" in done.stderr
    assert stored.objects() == {}


def test_a_new_repository_in_a_bucket_is_named_after_its_location(stored: Stored) -> None:
    words = ("--suite", "staging", "--url", stored.url, "--key", stored.publisher.key)
    stored.call("publish", HELLO[0], *words)
    assert f"{stored.prefix}.sources" in stored.objects()


def test_a_repository_that_another_tool_put_there_is_not_overwritten(stored: Stored) -> None:
    stored.write("dists/staging/InRelease", b"another's")
    refused(stored.hadeb(*stored.words(HELLO[0])), "hadeb did not put it there")
    assert stored.objects() == {"dists/staging/InRelease": b"another's"}
