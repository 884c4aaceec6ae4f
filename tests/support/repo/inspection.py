# SPDX-License-Identifier: Apache-2.0
"""Inspect a repository as clients do, without hadeb's code: gpgv, hashes and apt."""

from __future__ import annotations

import gzip
import hashlib
import os
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

_LISTED = re.compile(r"^ ([0-9a-f]{64}) +([0-9]+) +(\S+)$", re.MULTILINE)
_CONFIGURATION = """\
Dir "{home}/";
Dir::State "{home}/";
Dir::State::status "{home}/status";
Dir::Cache "{home}/cache/";
Dir::Etc "{home}/etc/";
Dir::Bin::methods "/usr/lib/apt/methods/";
APT::Architecture "amd64";
APT::Architectures "amd64";
APT::Sandbox::User "";
Acquire::Languages "none";
Acquire::Retries "0";
Acquire::http::Proxy "DIRECT";
"""


def in_release(root: Path, suite: str) -> bytes | None:
    """What a client reads first; nothing where the suite is not there yet."""
    try:
        return (root / "dists" / suite / "InRelease").read_bytes()
    except FileNotFoundError:
        return None


def faults(root: Path, suite: str, keyring: Path, read: bytes) -> Iterator[str]:
    """What a client misses that has read this InRelease, now or a while ago."""
    verified = subprocess.run(
        ["gpgv", "--keyring", str(keyring)], input=read, capture_output=True, check=False
    )
    if verified.returncode != 0:
        yield f"gpgv refuses InRelease: {verified.stderr.decode()}"
        return
    listed = _LISTED.findall(read.decode().partition("\nSHA256:\n")[2])
    if not any(name.endswith("Packages.gz") for _, _, name in listed):
        yield "InRelease names no index"
    for digest, _, name in listed:
        if not name.endswith(".gz"):
            continue
        index = root / "dists" / suite / Path(name).parent / "by-hash" / "SHA256" / digest
        if not index.is_file():
            yield f"{name} is not there by its hash"
        elif hashlib.sha256(content := index.read_bytes()).hexdigest() != digest:
            yield f"{name} is not what InRelease says"
        elif name.endswith("Packages.gz"):
            yield from _pool_faults(root, gzip.decompress(content).decode())


def detached(root: Path, suite: str, keyring: Path) -> Iterator[str]:
    """gpgv's complaints about the detached and inline signatures."""
    directory = root / "dists" / suite
    for signature, signed in (("Release.gpg", "Release"), ("manifest.json.asc", "manifest.json")):
        done = subprocess.run(
            ["gpgv", "--keyring", keyring, directory / signature, directory / signed],
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode != 0:
            yield f"gpgv refuses {signature}: {done.stderr}"


def _pool_faults(root: Path, index: str) -> Iterator[str]:
    for path, digest in _named(index):
        try:
            content = (root / path).read_bytes()
        except FileNotFoundError:
            yield f"{path} is named and not there"
            continue
        if hashlib.sha256(content).hexdigest() != digest:
            yield f"{path} is not what its index says"


def _named(index: str) -> list[tuple[str, str]]:
    paths = re.findall("^Filename: (.+)$", index, re.MULTILINE)
    return list(zip(paths, re.findall("^SHA256: (.+)$", index, re.MULTILINE), strict=True))


def packages(root: Path, suite: str) -> set[str]:
    """The file names of all packages that a client can install, besides the one with the keys."""
    index = root / "dists" / suite / "main/binary-amd64/Packages.gz"
    names = {Path(path).name for path, _ in _named(gzip.decompress(index.read_bytes()).decode())}
    return {name for name in names if "-archive-keyring_" not in name}


def published(root: Path) -> dict[str, str]:
    """Every file and link that clients can read, with what is in it."""
    contents = {}
    for top in ("dists", "pool"):
        for directory, directories, names in os.walk(root / top):
            for path in (Path(directory, name) for name in (*directories, *names)):
                place = str(path.relative_to(root))
                if path.is_symlink():
                    contents[place] = str(path.readlink())
                elif path.is_file():
                    contents[place] = hashlib.sha256(path.read_bytes()).hexdigest()
    return contents


def leftovers(root: Path) -> list[str]:
    """What a command has left that was to be gone at its end."""
    leftovers = [str(path) for path in root.rglob(".unfinished-*")]
    leftovers += [str(path) for path in (root / ".hadeb/incoming").glob("*")]
    if (root / ".hadeb/lock").read_bytes():
        leftovers.append("a name in the lock")
    for link in (root / "dists").iterdir():
        if link.is_symlink():
            newest = int(link.readlink().name)
            for kept in (
                root / "dists/.generations" / link.name,
                root / ".hadeb/history" / link.name,
            ):
                leftovers += [str(path) for path in kept.iterdir() if int(path.stem) > newest]
    return leftovers


# What is another each time: hashes, dates, sizes of what holds them, seconds since 1970.
_CHANCE = re.compile(
    r"""\b[0-9a-f]{32,}\b
    | \d{4}-\d\d-\d\d([ T]\d\d:\d\d(:\d\dZ)?)? | \w{3},[ ]\d+[ ]\w{3}[ ]\d{4}[ ][\d:]+
    | ^Size:[ ]\d+ | (?<="size":[ ])\d+ | [\d.]+[ ]k?B\b | (?<="keyring_time":[ ])\d+""",
    re.VERBOSE | re.MULTILINE,
)


def end(root: Path, created_at: Path) -> dict[str, str]:
    """All that is in a repository, so that two runs of a command have made the same of it.

    Of an index and a page it has the text without what is another each time, and instead of the
    names of files that are called by their hashes how many there are. `created_at` is where it was
    made, of which its pages tell.
    """
    contents = {}
    for directory, directories, names in os.walk(root):
        if directory.endswith("by-hash/SHA256"):
            contents[f"{os.path.relpath(directory, root)}/*"] = f"{len(names)} files"
            continue
        for path in (Path(directory, name) for name in (*directories, *names)):
            # Notes for prune: the next command recreates them, and a power cut may lose them.
            if path.name == "placed":
                continue
            kind = f"{path.lstat().st_mode:o}"
            contents[str(path.relative_to(root))] = (
                f"{kind} {_content(path, (root, created_at))}".strip()
            )
    return contents


def unlike(is_so: dict[str, str], is_to_be: dict[str, str]) -> list[str]:
    """Where two ends differ; of what is in a directory that one has and the other not, nothing."""
    differs = {
        path: (is_so.get(path), is_to_be.get(path))
        for path in sorted({*is_so, *is_to_be})
        if is_so.get(path) != is_to_be.get(path)
    }
    return [
        f"{path} is {has or 'not there'}, and without a kill {wanted or 'not there'}"
        for path, (has, wanted) in differs.items()
        if str(Path(path).parent) not in differs
    ]


def _content(path: Path, places: tuple[Path, ...]) -> str:
    """A directory entry's content as text that two runs can compare."""
    if path.is_symlink():
        return f"-> {path.readlink()}"
    # Signatures are verified, and the package of keys has their time in it.
    signed = path.name == "InRelease" or path.suffix in {".gpg", ".asc"}
    if path.is_dir() or signed or "-archive-keyring_" in path.name:
        return ""
    content = path.read_bytes()
    if path.suffix == ".deb":
        return hashlib.sha256(content).hexdigest()
    if content.startswith(b"\x1f\x8b"):
        content = gzip.decompress(content)
    if path.name == "Release":
        content = re.sub(rb"(?m)^( [0-9a-f]{64}) +\d+", rb"\1", content)
    text = _CHANCE.sub("*", content.decode(errors="replace"))
    for place in places:
        text = text.replace(str(place), "")
    return f"says {hashlib.sha256(text.encode()).hexdigest()[:12]}"


class Client:
    """An apt with private configuration and lists that knows a single suite."""

    def __init__(self, home: Path, uri: str, suite: str, keyring: Path) -> None:
        self._home = home
        for directory in ("lists/partial", "cache/archives/partial", "etc/apt.conf.d"):
            (home / directory).mkdir(parents=True)
        for directory in ("etc/sources.list.d", "etc/preferences.d", "etc/trusted.gpg.d"):
            (home / directory).mkdir()
        (home / "apt.conf").write_text(_CONFIGURATION.format(home=home))
        (home / "status").touch()
        (home / "etc/sources.list.d/own.sources").write_text(
            f"Types: deb\nURIs: {uri}\nSuites: {suite}\nComponents: main\nSigned-By: {keyring}\n"
        )

    def update(self) -> list[str]:
        """Run `apt-get update`; every line in which it complains."""
        done = subprocess.run(
            ["apt-get", "-q", "update"],
            env={"APT_CONFIG": f"{self._home}/apt.conf", "LC_ALL": "C.UTF-8", "PATH": os.defpath},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        lines = f"{done.stdout}\n{done.stderr}".splitlines()
        complaints = [line for line in lines if line.startswith(("E:", "W:", "Err:"))]
        return complaints or ([f"ended with {done.returncode}"] if done.returncode else [])
