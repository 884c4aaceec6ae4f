# SPDX-License-Identifier: Apache-2.0
"""Minimal Debian systems with apt, and a real nginx that serves a repository.

All of it lives in a lab's namespaces: it reaches no other network, and ends with the namespaces.
"""

from __future__ import annotations

import html
import re
import shlex
import time
import urllib.parse
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from fresh.fresh import bare
from hadeb.debian.releases import Suite
from hadeb.lab.host.namespaces import Namespaces
from hadeb.lab.node.image import image
from hadeb.lab.node.node import Address, Node
from hadeb.run import Completed, run

HOST = "packages.example"
URL = f"http://{HOST}"
ADDRESS = "172.16.0.254"
_NODE = Address("172.16.0.1", 24)
_OVERLAY = """
set -eu
lower=$1 base=$2
mkdir "$base"
mount -t tmpfs -o mode=755,size=256m tmpfs "$base"
mkdir "$base/upper" "$base/work" "$base/root"
mount -t overlay overlay -o "lowerdir=$lower,upperdir=$base/upper,workdir=$base/work" "$base/root"
"""
# As any container, with a root directory and processes of its own: in a chroot, where process 1
# has another root, apt takes no notice of phased updates.
_ENTER = """
set -eu
root=$1
shift
mount --rbind /dev "$root/dev"
mount -t proc proc "$root/proc"
exec chroot "$root" env --ignore-environment \
    PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root TERM=dumb \
    DEBIAN_FRONTEND=noninteractive "$@"
"""
# How the image came here is no business of a client: it knows no archive at all.
_BARE = f"""
set -eu
cd "$1"
rm -rf etc/apt/sources.list etc/apt/sources.list.d/* etc/apt/apt.conf.d/99mmdebstrap
rm -rf etc/dpkg/dpkg.cfg.d/99mmdebstrap var/lib/apt/lists/*
echo {ADDRESS} {HOST} >>etc/hosts
echo "$2" >etc/machine-id
"""
_SERVER = f"""
daemon off;
pid /run/nginx.pid;
error_log stderr warn;
user www-data;
events {{ }}
http {{
    include /etc/nginx/mime.types;
    access_log off;
    server {{
        listen {ADDRESS}:80;
        root /srv/repository;
    }}
}}
"""
# A minimal Debian prints this for every package, from any publisher.
_OF_BARE_DEBIANS = "debconf: delaying package configuration, since apt-utils is not installed"
# dpkg's own word for what the person has just agreed to, on Debian 12 and on 13.
_DOWN = re.compile(r"dpkg: warning: downgrading \S+ (from \S+|\(\S+\)) to \S+")
_COMPLAINT = re.compile(r"[WNEI]: |.*\b(warning|error|notice)\b", re.IGNORECASE)
_QUESTION = "Do you want to continue? [Y/n] "


@dataclass(frozen=True)
class Client:
    """A Debian 12 or 13 with apt, on which tests type what a page says."""

    namespaces: Namespaces
    name: str
    root: Path

    def sh(self, words: str, *, answers: str = "y\n" * 3, check: bool = True) -> Completed:
        """Type commands into root's shell and answer its prompts."""
        argv = (
            *self.namespaces.inside,
            *("unshare", "--mount", "--pid", "--fork", "--kill-child", "--"),
            *("sh", "-c", _ENTER, "enter", str(self.root), "sh", "-c", words),
        )
        return run(argv, input=answers, check=check)

    def has(self, package: str) -> str:
        """The version of a package that is installed, nothing where it is not."""
        shown = ("dpkg-query", "--show", "--showformat=${Version}", package)
        return self.sh(shlex.join(shown), check=False).stdout


def complaints(done: Completed) -> list[str]:
    """The warnings and errors of apt and packages."""
    # The answer is on Debian 12's own terminal, so there the question's line goes on.
    stdout = [line.removeprefix(_QUESTION).strip() for line in done.stdout.splitlines()]
    complaints = [line for line in stdout if _COMPLAINT.match(line)]
    complaints += [line.strip() for line in done.stderr.splitlines()]
    return [line for line in complaints if line != _OF_BARE_DEBIANS and not _DOWN.fullmatch(line)]


class Web:
    """An nginx in a space of its own, and the machines that it serves."""

    def __init__(self, namespaces: Namespaces, server: Path) -> None:
        self.namespaces = namespaces
        self._root = self._overlay("web", server)
        self._clients = 0

    def serve(self, repository: Path) -> None:
        """Serve a repository, in place of the one before."""
        target = self._root / "srv/repository"
        script = 'mkdir -p "$2"; umount -l "$2" 2>/dev/null; mount --bind -o ro "$1" "$2"'
        self.namespaces.run("sh", "-c", script, "serve", str(repository), str(target))

    def start(self) -> None:
        """Start nginx; returns when it answers."""
        configuration = self._root / "etc/nginx/nginx.conf"
        written = ("sh", "-c", 'cat >"$1"', "write", str(configuration))
        run([*self.namespaces.inside, *written], input=_SERVER)
        log = self.namespaces.state / "nginx.log"
        enter = ("sh", "-c", _ENTER, "enter", str(self._root))
        with log.open("wb") as output:
            nginx = self.namespaces.start(*enter, "/usr/sbin/nginx", stdout=output)
        deadline = time.monotonic() + 10
        while "nginx" not in self.fetch("/nonesuch"):
            assert nginx.poll() is None, log.read_text()
            assert time.monotonic() < deadline, log.read_text()
            time.sleep(0.05)

    def fetch(self, path: str) -> str:
        """What nginx answers to a request, with its head."""
        request = f"GET {urllib.parse.quote(path)} HTTP/1.0\r\nHost: {HOST}\r\n\r\n"
        script = (
            "import socket, sys\n"
            "with socket.create_connection((sys.argv[1], 80), 5) as web:\n"
            "    web.sendall(sys.argv[2].encode())\n"
            "    sys.stdout.buffer.write(b''.join(iter(lambda: web.recv(65536), b'')))\n"
        )
        return self.namespaces.run("python3", "-c", script, ADDRESS, request, check=False).stdout

    def words(self, step: str, suite: str) -> str:
        """The commands index.html shows for a step, as a browser displays them."""
        page = self.fetch("/index.html")
        match = re.search(
            rf'<pre id="{re.escape(f"{step}-{suite}")}"[^>]*>(.*?)</pre>', page, re.DOTALL
        )
        assert match, f"no block {step}-{suite} in {page}"
        return html.unescape(re.sub(r"<[^>]*>", "", match[1]))

    def client(self, debian: Suite) -> Client:
        """A fresh Debian."""
        self._clients += 1
        name = f"client{self._clients}"
        root = self._overlay(name, bare(debian, ()))
        self.namespaces.run("sh", "-c", _BARE, "bare", str(root), f"{self._clients:032x}")
        return Client(self.namespaces, name, root)

    @contextmanager
    def node(self, debian: Suite) -> Iterator[Node]:
        """A booted node with all that a cluster's packages depend on, for as long as the block."""
        node = Node(self.namespaces, "ha1", image(debian), (_NODE,))
        node.create(hosts={HOST: ADDRESS, "ha1": _NODE.ip})
        node.write_offline("/etc/apt/sources.list", "")
        node.boot()
        try:
            yield node
        finally:
            node.cut_power()
            base = self.namespaces.nodes / "ha1"
            self.namespaces.run("umount", "--recursive", str(base))

    def _overlay(self, name: str, lower: Path) -> Path:
        base = self.namespaces.nodes / name
        self.namespaces.run("sh", "-c", _OVERLAY, "overlay", str(lower), str(base))
        return base / "root"


@contextmanager
def web() -> Iterator[Web]:
    """An nginx that answers; it and all its clients are gone when the block ends."""
    # Made before the space: it needs the machine's network, once.
    server = image("bookworm", ("curl", "nginx"))
    with Namespaces([f"{ADDRESS}/24"]) as namespaces:
        web = Web(namespaces, server)
        web.start()
        yield web
