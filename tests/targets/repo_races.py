# SPDX-License-Identifier: Apache-2.0
"""Clients that update while the suite changes under them, and two publishers at once.

    make repo-races              250 updates, 50 pairs of publishers
    make repo-races TIMES=1000   as many updates as you like, and a fifth as many pairs

The web server delays each answer by up to a third of a second, so that most updates have the
suite change between their InRelease and their indexes; how many is counted. Ends with 1 where an
update failed or a publisher was left out.
"""

from __future__ import annotations

import functools
import http.server
import random
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
if __name__ == "__main__":
    sys.path[:0] = [str(ROOT / "tests"), str(ROOT / "builder")]

from support.command import Outcome  # noqa: E402
from support.repo import inspection  # noqa: E402
from support.repo.publisher import Publisher, publishing  # noqa: E402

_LONGEST_DELAY = 0.3
# As a node's apt and a person's would, several at a time.
_CLIENTS = 4


class _Slow(http.server.SimpleHTTPRequestHandler):
    """Files, each after a while."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        time.sleep(random.uniform(0, _LONGEST_DELAY))
        super().do_GET()

    def log_message(self, *arguments: object) -> None:
        """Say nothing."""


class _Server(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that has enough hangs up; that is its right."""


@contextmanager
def served(root: Path) -> Iterator[str]:
    """Serve a directory on loopback; where it is."""
    handler = functools.partial(_Slow, directory=str(root))
    with _Server(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}"
        finally:
            server.shutdown()
            thread.join()


@dataclass
class Updates:
    """How many updates ran, how many saw the suite change, and their complaints."""

    runs: int = 0
    overtaken: int = 0
    publishes: int = 0
    complaints: tuple[str, ...] = ()


def updates(publisher: Publisher, place: Path, times: int) -> Updates:
    """Run the given number of updates concurrently while packages are published in sequence."""
    root = place / "repository"
    publisher.publish(root, publisher.deb("hello", "1.0"))
    result, enough, lock = Updates(), threading.Event(), threading.Lock()

    def publish() -> None:
        while not enough.is_set():
            result.publishes += 1
            publisher.publish(root, publisher.deb("world", f"1.{result.publishes}"))

    def update(number: int) -> None:
        # Lists of its own: a client that has none yet asks for all.
        home = place / f"client-{number}"
        before = (root / "dists/staging").readlink()
        complaints = inspection.Client(home, uri, "staging", publisher.keyring).update()
        with lock:
            result.runs += 1
            result.overtaken += (root / "dists/staging").readlink() != before
            result.complaints += tuple(complaints)

    with served(root) as uri, ThreadPoolExecutor(_CLIENTS + 1) as pool:
        publishes = pool.submit(publish)
        try:
            list(pool.map(update, range(times)))
        finally:
            enough.set()
        publishes.result()
    return result


def pair(publisher: Publisher, root: Path, number: int) -> tuple[Outcome, Outcome]:
    """Run two publishers at the same moment, each with its own package; their output.

    AssertionError where one of them failed or is not in.
    """
    debs = [publisher.deb(name, f"2.{number}") for name in ("left", "right")]
    start = threading.Barrier(len(debs))

    def publish(deb: Path) -> Outcome:
        start.wait()
        return publisher.publish(root, deb)

    with ThreadPoolExecutor(len(debs)) as pool:
        left, right = pool.map(publish, debs)
    lacking = {deb.name for deb in debs} - inspection.packages(root, "staging")
    assert not lacking, f"{sorted(lacking)} is not in"
    return left, right


def waited(outcomes: tuple[Outcome, Outcome]) -> bool:
    """Whether either publisher reported whom it waits for."""
    return any("waiting for " in outcome.stderr for outcome in outcomes)


def _pairs(publisher: Publisher, root: Path, times: int) -> tuple[int, list[str]]:
    """How many pairs of publishers had one wait for the other, and the faults."""
    waits, faults = 0, []
    for number in range(times):
        try:
            waits += waited(pair(publisher, root, number))
        except AssertionError as fault:
            faults.append(f"pair {number + 1}: {fault}")
    return waits, faults + inspection.leftovers(root)


def main(times: int) -> int:
    """Print the result; 1 if an update failed or a publisher was left out."""
    with tempfile.TemporaryDirectory(prefix="hadeb-races-") as name:
        place = Path(name)
        for part in ("publisher", "updates"):
            (place / part).mkdir()
        with publishing(place / "publisher") as publisher:
            began = time.monotonic()
            seen = updates(publisher, place / "updates", times)
            print("| what | how often | in the way | failures | time |")
            print("| --- | ---: | --- | ---: | ---: |")
            during = f"the suite changed during {seen.overtaken} of the updates"
            way = f"{seen.publishes} publishes; {during}"
            said = len(seen.complaints) or "none"
            seconds = f"{time.monotonic() - began:.0f} s"
            print(f"| `apt-get update` | {seen.runs} | {way} | {said} | {seconds} |", flush=True)
            began = time.monotonic()
            pairs = max(times // 5, 1)
            waits, faults = _pairs(publisher, place / "pairs", pairs)
            way = f"each other; {waits} times one reported whom it waited for"
            seconds = f"{time.monotonic() - began:.0f} s"
            failed = len(faults) or "none"
            print(f"| two publishers at once | {pairs} | {way} | {failed} | {seconds} |")
            for line in [*seen.complaints, *faults]:
                print(line, file=sys.stderr)
    return int(bool(seen.complaints or faults))


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if sys.argv[1:] else 250))
