# SPDX-License-Identifier: Apache-2.0
"""Clients that update while the suite changes under them, and two publishers at once.

    make repo-races                      250 updates, 50 pairs of publishers
    python3 tests/repo/racing.py 1000 50    as many as you like

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

from repo import looking, publishing  # noqa: E402
from repo.publishing import Desk  # noqa: E402
from unit.calling import Outcome  # noqa: E402

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
    """How many updates ran, how many had the suite change under them, and what they said."""

    runs: int = 0
    overtaken: int = 0
    publishes: int = 0
    complaints: tuple[str, ...] = ()


def updates(desk: Desk, place: Path, times: int) -> Updates:
    """Run so many updates, several at once, while packages are published one after the other."""
    root = place / "repository"
    desk.publish(root, desk.deb("hello", "1.0"))
    result, enough, lock = Updates(), threading.Event(), threading.Lock()

    def publish() -> None:
        while not enough.is_set():
            result.publishes += 1
            desk.publish(root, desk.deb("world", f"1.{result.publishes}"))

    def one(number: int) -> None:
        # Lists of its own: a client that has none yet asks for all.
        home = place / f"client-{number}"
        before = (root / "dists/staging").readlink()
        said = looking.Client(home, uri, "staging", desk.keyring).update()
        with lock:
            result.runs += 1
            result.overtaken += (root / "dists/staging").readlink() != before
            result.complaints += tuple(said)

    with served(root) as uri, ThreadPoolExecutor(_CLIENTS + 1) as pool:
        publisher = pool.submit(publish)
        try:
            list(pool.map(one, range(times)))
        finally:
            enough.set()
        publisher.result()
    return result


def pair(desk: Desk, root: Path, number: int) -> tuple[Outcome, Outcome]:
    """Two publishers at the same moment, each with a package of its own; what each said."""
    debs = [desk.deb(name, f"2.{number}") for name in ("left", "right")]
    start = threading.Barrier(len(debs))

    def one(deb: Path) -> Outcome:
        start.wait()
        return desk.publish(root, deb)

    with ThreadPoolExecutor(len(debs)) as pool:
        left, right = pool.map(one, debs)
    wanted = {deb.name for deb in debs}
    assert wanted <= looking.packages(root, "staging"), wanted
    return left, right


def waited(outcomes: tuple[Outcome, Outcome]) -> bool:
    """Whether one of the two has said whom it waits for."""
    return any("waiting for " in outcome.stderr for outcome in outcomes)


def main(times: int, pairs: int) -> int:
    """Print how it went; 1 where it did not."""
    with tempfile.TemporaryDirectory(prefix="hadeb-races-") as name:
        place = Path(name)
        for part in ("desk", "updates"):
            (place / part).mkdir()
        with publishing.desk(place / "desk") as desk:
            seen = updates(desk, place / "updates", times)
            print(
                f"{seen.runs} updates during {seen.publishes} publishes, "
                f"{seen.overtaken} of them overtaken: {len(seen.complaints)} failures"
            )
            for line in seen.complaints:
                print(f"  {line}")
            told = [waited(pair(desk, place / "pairs", number)) for number in range(pairs)]
            print(f"{pairs} pairs of publishers: all packages in, {sum(told)} said whom they await")
    return 1 if seen.complaints else 0


if __name__ == "__main__":
    numbers = [int(word) for word in sys.argv[1:]]
    sys.exit(main(numbers[0] if numbers else 250, numbers[1] if numbers[1:] else 50))
