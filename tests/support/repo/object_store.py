# SPDX-License-Identifier: Apache-2.0
"""An object store on loopback, its contents, and a publisher that uses it."""

from __future__ import annotations

import functools
import json
import os
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest import mock

import boto3
import botocore.session
from botocore.loaders import create_loader
from moto.server import ThreadedMotoServer

from hadeb.repo.s3.client import ObjectStore
from support.command import Outcome, call_hadeb, run_hadeb
from support.repo.inspection import Client
from support.repo.publisher import Publisher

_CREDENTIALS = {
    "AWS_ACCESS_KEY_ID": "nobody",
    "AWS_SECRET_ACCESS_KEY": "secret",
    "AWS_DEFAULT_REGION": "us-east-1",
    "AWS_CONFIG_FILE": "/nonexistent/config",
    "AWS_SHARED_CREDENTIALS_FILE": "/nonexistent/credentials",
}
BUCKET = "packages"
HELLO = ("hello_1.0_all.deb", "hello_2.0_all.deb", "hello_3.0_all.deb")


@dataclass(frozen=True)
class Server:
    """A store with one bucket, which everybody may read."""

    url: str
    client: Any

    @property
    def environment(self) -> dict[str, str]:
        return {**_CREDENTIALS, "AWS_ENDPOINT_URL": self.url}

    def copy(self, source: str, target: str) -> None:
        """All objects of one prefix under another."""
        pages = self.client.get_paginator("list_objects_v2")
        for page in pages.paginate(Bucket=BUCKET, Prefix=f"{source}/"):
            for key in [each["Key"] for each in page.get("Contents", ())]:
                self.client.copy_object(
                    Bucket=BUCKET,
                    Key=f"{target}/{key.removeprefix(f'{source}/')}",
                    CopySource={"Bucket": BUCKET, "Key": key},
                )


@contextmanager
def server() -> Iterator[Server]:
    """A store that ends with the block."""
    # The credentials come before the first client is made: moto reads them as well. A loader of
    # botocore parses some megabytes of JSON, and each command in this process would have its own.
    with (
        mock.patch.dict(os.environ, _CREDENTIALS),
        mock.patch.object(botocore.session, "create_loader", functools.cache(create_loader)),
    ):
        there = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
        there.start()
        try:
            host, port = there.get_host_and_port()
            url = f"http://{host}:{port}"
            client = boto3.client("s3", endpoint_url=url)
            client.create_bucket(Bucket=BUCKET)
            allowed = {
                "Effect": "Allow",
                "Principal": "*",
                "Action": "s3:GetObject",
                "Resource": f"arn:aws:s3:::{BUCKET}/*",
            }
            policy = {"Version": "2012-10-17", "Statement": [allowed]}
            client.put_bucket_policy(Bucket=BUCKET, Policy=json.dumps(policy))
            yield Server(url, client)
        finally:
            there.stop()


class Killed(BaseException):
    """The command ends here, as by SIGKILL: nothing that is after it happens."""


@dataclass(frozen=True)
class Stored:
    """A repository below its own prefix, and the publisher that writes to it."""

    server: Server
    publisher: Publisher
    prefix: str

    @property
    def url(self) -> str:
        return f"{self.server.url}/{BUCKET}/{self.prefix}"

    @property
    def place(self) -> str:
        return f"s3://{BUCKET}/{self.prefix}"

    @property
    def environment(self) -> dict[str, str]:
        return {**self.publisher.environment(), **self.server.environment}

    def hadeb(self, *arguments: str | Path) -> Outcome:
        """A command on the repository, in this process."""
        words = [*arguments, "--repo", self.place]
        return call_hadeb(*words, directory=self.publisher.place, environment=self.environment)

    def elsewhere(self, *arguments: str | Path) -> Outcome:
        """The same in a separate process, as from another machine."""
        words = [*arguments, "--repo", self.place]
        return run_hadeb(
            *words, directory=self.publisher.place, environment=self.environment, timeout=300
        )

    def call(self, *arguments: str | Path) -> Outcome:
        """The same, and it goes well."""
        done = self.hadeb(*arguments)
        assert done.code == 0, done
        return done

    def json(self, *arguments: str | Path) -> Any:
        return json.loads(self.call(*arguments, "--json").stdout)

    def words(self, *files: str | Path, suite: str = "staging") -> list[str | Path]:
        """A call of publish that may be the first."""
        creation = ("--url", self.url, "--name", "sample", "--key", self.publisher.key)
        return ["publish", *files, "--suite", suite, *creation]

    def publish(self, *files: str | Path, suite: str = "staging") -> Outcome:
        return self.call(*self.words(*files, suite=suite))

    def objects(self) -> dict[str, bytes]:
        """Everything below the prefix, by its path."""
        listing = self.server.client.list_objects_v2(Bucket=BUCKET, Prefix=f"{self.prefix}/")
        assert not listing["IsTruncated"]
        keys = [each["Key"] for each in listing.get("Contents", ())]
        return {key.removeprefix(f"{self.prefix}/"): self.read(key) for key in keys}

    def read(self, key: str) -> bytes:
        body: bytes = self.server.client.get_object(Bucket=BUCKET, Key=key)["Body"].read()
        return body

    def head(self, path: str) -> dict[str, Any]:
        head: dict[str, Any] = self.server.client.head_object(
            Bucket=BUCKET, Key=f"{self.prefix}/{path}"
        )
        return head

    def write(self, path: str, content: bytes) -> None:
        """Put an object there behind hadeb's back."""
        self.server.client.put_object(Bucket=BUCKET, Key=f"{self.prefix}/{path}", Body=content)

    def remove(self, path: str) -> None:
        self.server.client.delete_object(Bucket=BUCKET, Key=f"{self.prefix}/{path}")

    def packages(self, suite: str = "staging") -> set[str]:
        """Name and version of what is in force, as hadeb has it; without the package of keys."""
        rows = self.json("repo", "list", suite)
        return {
            f"{row['package']} {row['version']}"
            for row in rows
            if row["package"] != "sample-archive-keyring"
        }


class Reader(Client):
    """An apt that follows a suite over HTTP, and downloads from its pool."""

    def __init__(self, home: Path, stored: Stored, suite: str = "staging") -> None:
        super().__init__(home, stored.url, suite, stored.publisher.keyring)

    def newest(self, package: str) -> str:
        """Update and download; the version that came. Whatever apt complains of fails."""
        assert self.update() == []
        archives = self._home / "cache/archives"
        for old in archives.glob("*.deb"):
            old.unlink()
        done = subprocess.run(
            ["apt-get", "-q", "--yes", "--download-only", "install", package],
            env={"APT_CONFIG": f"{self._home}/apt.conf", "LC_ALL": "C.UTF-8", "PATH": os.defpath},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        (file,) = archives.glob(f"{package}_*.deb")
        return file.name.split("_")[1]


@contextmanager
def before_each_change(action: Callable[[int, str], None]) -> Iterator[None]:
    """Call this before each object is written or removed, one after the other, with its path."""
    count, lock = [0], threading.Lock()
    put, delete = ObjectStore.put, ObjectStore.delete

    def watched_put(store: ObjectStore, path: str, content: Any, etag: str | None) -> Any:
        with lock:
            action(count[0], path)
            count[0] += 1
            return put(store, path, content, etag)

    def watched_delete(store: ObjectStore, paths: Any) -> None:
        with lock:
            action(count[0], "pool/ and others, removed")
            count[0] += 1
            delete(store, paths)

    with (
        mock.patch.object(ObjectStore, "put", watched_put),
        mock.patch.object(ObjectStore, "delete", watched_delete),
    ):
        yield


def killed_at(number: int) -> Any:
    """Let a command end before its change of this number, counted from 0."""

    def kill(count: int, path: str) -> None:
        if count >= number:
            raise Killed

    return before_each_change(kill)


def step_of(path: str) -> int:
    """What part of the order a path is of: within one, several are written at the same time."""
    if path.startswith("pool/"):
        return 0
    if "/by-hash/" in path:
        return 1
    if path.startswith(".hadeb/"):
        return 3 if path.endswith("state.json") else 2
    if path.startswith("dists/"):
        return 5 if path.endswith("/InRelease") else 4
    return 6


def refused(done: Outcome, words: str, code: int = 1) -> None:
    assert done.code == code, done
    assert words in done.stderr
    assert "Traceback" not in done.stderr
    assert "bug: " not in done.stderr
    assert "/hadeb-bucket-" not in done.stderr, "it names the copy, which nobody knows"
