# SPDX-License-Identifier: Apache-2.0
"""An object store that speaks S3, through boto3, which has credentials and endpoint of its own.

No object is written without a condition: that there is none yet, or still the one that was seen.
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

# What the extra hadeb[s3] is: the first release whose put_object can say If-Match.
BOTO3 = "boto3>=1.35.69"
_INSTALL = (
    f"hadeb[s3] brings it: {sys.executable} -m pip install '{BOTO3}', or from Debian 13 on "
    "apt install python3-boto3"
)
_CHUNK = 1 << 20
_HASH = "sha256"
# As many as one request may name.
_MOST = 1000
# What a store answers where a condition does not hold, or two of them were tried at once.
_UNMET = {"PreconditionFailed", "ConditionalRequestConflict", "412", "409"}
_ABSENT = {"NoSuchKey", "404"}


class Changed(Exception):
    """The object is not as the condition has it; nothing was written."""


class Absent(HadebError):
    """There is no such object."""


@dataclass(frozen=True, slots=True)
class Listed:
    """An object as a listing has it: bytes, entity tag, and when it was written."""

    size: int
    etag: str
    time: datetime.datetime


@dataclass(frozen=True, slots=True)
class ObjectStore:
    """The objects of one repository, by their paths below its prefix."""

    client: Any
    bucket: Bucket

    def list(self) -> dict[str, Listed]:
        """All objects by their paths, without those whose keys are no paths."""
        pages = self.client.get_paginator("list_objects_v2")
        found = {}
        with self._told():
            for page in pages.paginate(Bucket=self.bucket.name, Prefix=self.bucket.prefix):
                for each in page.get("Contents", ()):
                    path = each["Key"].removeprefix(self.bucket.prefix)
                    # Other programs leave keys with a slash at the end, as if for a directory.
                    with suppress(ValueError):
                        found[below(path)] = Listed(
                            each["Size"], each["ETag"], each["LastModified"]
                        )
        return found

    def get(self, path: str) -> tuple[bytes, str] | None:
        """An object and its entity tag; None where there is none."""
        try:
            with self._told():
                answer = self.client.get_object(**self._named(path))
                return answer["Body"].read(), answer["ETag"]
        except Absent:
            return None

    def digest(self, path: str) -> str:
        """The SHA256 of an object, by reading it whole."""
        seen = hashlib.sha256()
        with self._told():
            body = self.client.get_object(**self._named(path))["Body"]
            for chunk in body.iter_chunks(_CHUNK):
                seen.update(chunk)
        return seen.hexdigest()

    def known_digest(self, path: str) -> str:
        """The SHA256 of an object, by what was noted when it was written, if it was."""
        with self._told():
            answer = self.client.head_object(**self._named(path))
        return answer["Metadata"].get(_HASH) or self.digest(path)

    def put(self, path: str, content: bytes | Path, etag: str | None) -> tuple[str, float]:
        """Write an object in place of the one with that entity tag, or where there is none.

        Returns its entity tag and the store's time, in seconds since 1970. Raises Changed where
        the condition does not hold.
        """
        condition = {"IfNoneMatch": "*"} if etag is None else {"IfMatch": etag}
        known = (
            digest(content) if isinstance(content, Path) else hashlib.sha256(content).hexdigest()
        )
        said = {
            **self._named(path),
            **headers(path),
            **condition,
            "Metadata": {_HASH: known},
            "ChecksumSHA256": base64.b64encode(bytes.fromhex(known)).decode(),
        }
        with self._told():
            if isinstance(content, bytes):
                answer = self.client.put_object(**said, Body=content)
            else:
                with content.open("rb") as stream:
                    answer = self.client.put_object(**said, Body=stream)
        return answer["ETag"], _time(answer)

    def delete(self, paths: Iterable[str]) -> None:
        """Remove objects; those that are gone already are no fault."""
        keys = [{"Key": f"{self.bucket.prefix}{path}"} for path in paths]
        for start in range(0, len(keys), _MOST):
            listed = {"Objects": keys[start : start + _MOST], "Quiet": True}
            with self._told():
                answer = self.client.delete_objects(Bucket=self.bucket.name, Delete=listed)
            for failed in answer.get("Errors", ()):
                raise HadebError(f"{self.bucket.name}/{failed['Key']}: {failed['Message']}")

    def _named(self, path: str) -> dict[str, str]:
        return {"Bucket": self.bucket.name, "Key": f"{self.bucket.prefix}{path}"}

    @contextmanager
    def _told(self) -> Iterator[None]:
        """Say what boto3 raises as this program does."""
        from botocore import exceptions

        try:
            yield
        except exceptions.ClientError as error:
            code = str(error.response.get("Error", {}).get("Code", ""))
            said = error.response.get("Error", {}).get("Message", error)
            # What a condition names may be gone, too.
            if code in _UNMET or (code in _ABSENT and error.operation_name == "PutObject"):
                raise Changed from error
            if code in _ABSENT:
                raise Absent(f"{self.bucket}: {said}") from error
            raise HadebError(f"{self.bucket}: {code}: {said}", hint=_hint(code)) from error
        except exceptions.BotoCoreError as error:
            raise HadebError(f"{self.bucket}: {error}", hint=_hint(type(error).__name__)) from error


def connected(bucket: Bucket) -> ObjectStore:
    """The store by boto3's own settings; ToolMissing where boto3 is not here or too old."""
    try:
        import boto3
        from botocore.exceptions import BotoCoreError
    except ImportError:
        raise ToolMissing(
            f"{bucket} wants boto3, which is not here",
            hint=_INSTALL,
        ) from None
    try:
        client = boto3.Session().client("s3")
    except (BotoCoreError, ValueError) as error:
        raise HadebError(f"{bucket}: {error}", hint=_hint(type(error).__name__)) from error
    wanted = client.meta.service_model.operation_model("PutObject").input_shape.members
    if "IfMatch" not in wanted:
        raise ToolMissing(
            f"boto3 {boto3.__version__} is too old for {bucket}: it cannot say If-Match",
            hint=_INSTALL,
        )
    return ObjectStore(client, bucket)


def _hint(code: str) -> str | None:
    if code == "NoSuchBucket":
        return "make the bucket first; its name, and the endpoint, have to be right"
    if "Credentials" in code or code in {"AccessDenied", "InvalidAccessKeyId", "403"}:
        return (
            "boto3 looks for credentials as ever: AWS_PROFILE, AWS_ACCESS_KEY_ID with "
            "AWS_SECRET_ACCESS_KEY, ~/.aws; they have to list, read, write and delete here"
        )
    if code in {"EndpointConnectionError", "InvalidEndpoint", "NoRegionError", "ValueError"}:
        return "AWS_ENDPOINT_URL and AWS_REGION say where the store is"
    return None


def _time(answer: dict[str, Any]) -> float:
    """The second that the store had when it answered, by its own clock."""
    said = answer["ResponseMetadata"]["HTTPHeaders"].get("date")
    moment = email.utils.parsedate_to_datetime(said) if said else None
    return (moment or datetime.datetime.now(datetime.UTC)).timestamp()
