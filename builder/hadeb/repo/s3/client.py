# SPDX-License-Identifier: Apache-2.0
"""An S3 object store through boto3, which finds credentials and the endpoint itself.

Every write has a condition: the object does not exist yet, or is still the one that was read.
"""

from __future__ import annotations

import base64
import datetime
import email.utils
import hashlib
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hadeb.errors import HadebError, ToolMissing
from hadeb.files.digest import digest
from hadeb.repo.s3.bucket import Bucket
from hadeb.repo.s3.state import below, headers

# The extra hadeb[s3]: the first release whose put_object supports If-Match.
BOTO3 = "boto3>=1.35.69"
_INSTALL = (
    f"install hadeb[s3]: {sys.executable} -m pip install '{BOTO3}', or on Debian 13 and later "
    "apt install python3-boto3"
)
_CHUNK = 1 << 20
_HASH = "sha256"
# How many keys one DeleteObjects request may name.
_MOST = 1000
# A store's answers to a condition that does not hold, and to two simultaneous conditional writes.
_UNMET = {"PreconditionFailed", "ConditionalRequestConflict", "412", "409"}
_ABSENT = {"NoSuchKey", "404"}


class PreconditionFailed(Exception):
    """The condition of a write does not hold; nothing was written."""


class NotFound(HadebError):
    """There is no such object."""


@dataclass(frozen=True, slots=True)
class ObjectInfo:
    """An object in a listing: size in bytes, entity tag, and when it was written."""

    size: int
    etag: str
    time: datetime.datetime


@dataclass(frozen=True, slots=True)
class PendingObject:
    """An object that is to be written."""

    path: str
    content: Path | bytes


@dataclass(frozen=True, slots=True)
class ObjectStore:
    """The objects of one repository, by their paths below its prefix."""

    client: Any
    bucket: Bucket

    def list(self) -> dict[str, ObjectInfo]:
        """All objects by path, without those whose key is not a path."""
        pages = self.client.get_paginator("list_objects_v2")
        objects = {}
        with self._errors_translated():
            for page in pages.paginate(Bucket=self.bucket.name, Prefix=self.bucket.prefix):
                for entry in page.get("Contents", ()):
                    path = entry["Key"].removeprefix(self.bucket.prefix)
                    # Other programs create keys that end with a slash, as if for a directory.
                    with suppress(ValueError):
                        objects[below(path)] = ObjectInfo(
                            entry["Size"], entry["ETag"], entry["LastModified"]
                        )
        return objects

    def get(self, path: str) -> tuple[bytes, str] | None:
        """An object and its entity tag; None if there is no such object."""
        try:
            with self._errors_translated():
                answer = self.client.get_object(**self._named(path))
                return answer["Body"].read(), answer["ETag"]
        except NotFound:
            return None

    def digest(self, path: str) -> str:
        """The SHA256 of an object, computed by reading all of it."""
        sha256 = hashlib.sha256()
        with self._errors_translated():
            body = self.client.get_object(**self._named(path))["Body"]
            for chunk in body.iter_chunks(_CHUNK):
                sha256.update(chunk)
        return sha256.hexdigest()

    def known_digest(self, path: str) -> str:
        """The SHA256 of an object, from its metadata if hadeb wrote it there."""
        with self._errors_translated():
            answer = self.client.head_object(**self._named(path))
        return answer["Metadata"].get(_HASH) or self.digest(path)

    def put(self, path: str, content: bytes | Path, etag: str | None) -> tuple[str, float]:
        """Write an object in place of the one with that entity tag; with None, a new one.

        Returns its entity tag and the store's time, in seconds since 1970. Raises
        PreconditionFailed if the condition does not hold.
        """
        condition = {"IfNoneMatch": "*"} if etag is None else {"IfMatch": etag}
        sha256 = (
            digest(content) if isinstance(content, Path) else hashlib.sha256(content).hexdigest()
        )
        request = {
            **self._named(path),
            **headers(path),
            **condition,
            "Metadata": {_HASH: sha256},
            "ChecksumSHA256": base64.b64encode(bytes.fromhex(sha256)).decode(),
        }
        with self._errors_translated():
            if isinstance(content, bytes):
                answer = self.client.put_object(**request, Body=content)
            else:
                with content.open("rb") as stream:
                    answer = self.client.put_object(**request, Body=stream)
        return answer["ETag"], _time(answer)

    def delete(self, paths: Iterable[str]) -> None:
        """Remove objects; it is no error if some are already gone."""
        keys = [{"Key": f"{self.bucket.prefix}{path}"} for path in paths]
        for start in range(0, len(keys), _MOST):
            listed = {"Objects": keys[start : start + _MOST], "Quiet": True}
            with self._errors_translated():
                answer = self.client.delete_objects(Bucket=self.bucket.name, Delete=listed)
            for failed in answer.get("Errors", ()):
                raise HadebError(f"{self.bucket.name}/{failed['Key']}: {failed['Message']}")

    def _named(self, path: str) -> dict[str, str]:
        return {"Bucket": self.bucket.name, "Key": f"{self.bucket.prefix}{path}"}

    @contextmanager
    def _errors_translated(self) -> Iterator[None]:
        """Turn boto3's errors into hadeb's."""
        # boto3 is an extra, so nothing imports it before a command needs an object store.
        from botocore import exceptions

        try:
            yield
        except exceptions.ClientError as error:
            code = str(error.response.get("Error", {}).get("Code", ""))
            message = error.response.get("Error", {}).get("Message", error)
            # A conditional write also fails if the object is gone.
            if code in _UNMET or (code in _ABSENT and error.operation_name == "PutObject"):
                raise PreconditionFailed from error
            if code in _ABSENT:
                raise NotFound(f"{self.bucket}: {message}") from error
            raise HadebError(f"{self.bucket}: {code}: {message}", hint=_hint(code)) from error
        except exceptions.BotoCoreError as error:
            raise HadebError(f"{self.bucket}: {error}", hint=_hint(type(error).__name__)) from error


def connected(bucket: Bucket) -> ObjectStore:
    """Connect with boto3's own settings; ToolMissing if boto3 is missing or too old."""
    try:
        import boto3
        from botocore.exceptions import BotoCoreError
    except ImportError:
        raise ToolMissing(
            f"{bucket} needs boto3, which is not installed",
            hint=_INSTALL,
        ) from None
    try:
        client = boto3.Session().client("s3")
    except (BotoCoreError, ValueError) as error:
        raise HadebError(f"{bucket}: {error}", hint=_hint(type(error).__name__)) from error
    wanted = client.meta.service_model.operation_model("PutObject").input_shape.members
    if "IfMatch" not in wanted:
        raise ToolMissing(
            f"boto3 {boto3.__version__} is too old for {bucket}: it does not support If-Match",
            hint=_INSTALL,
        )
    return ObjectStore(client, bucket)


def _hint(code: str) -> str | None:
    if code == "NoSuchBucket":
        return "create the bucket first, and check its name and the endpoint"
    if "Credentials" in code or code in {"AccessDenied", "InvalidAccessKeyId", "403"}:
        return (
            "boto3 looks for credentials in AWS_PROFILE, AWS_ACCESS_KEY_ID with "
            "AWS_SECRET_ACCESS_KEY, and ~/.aws; they have to allow list, read, write and delete"
        )
    if code in {"EndpointConnectionError", "InvalidEndpoint", "NoRegionError", "ValueError"}:
        return "set AWS_ENDPOINT_URL and AWS_REGION to where the store is"
    return None


def _time(answer: dict[str, Any]) -> float:
    """The time of an answer by the store's own clock, to the second."""
    date = answer["ResponseMetadata"]["HTTPHeaders"].get("date")
    moment = email.utils.parsedate_to_datetime(date) if date else None
    return (moment or datetime.datetime.now(datetime.UTC)).timestamp()
