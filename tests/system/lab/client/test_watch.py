# SPDX-License-Identifier: Apache-2.0
"""The lab's client records answers and silence, and no silent target delays another."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from hadeb.errors import HadebError
from hadeb.lab.client.answers import to_service, unanswered
from hadeb.lab.client.outage import outage
from hadeb.lab.client.watch import Target, Watch
from hadeb.lab.host.namespaces import Namespaces
from hadeb.lab.node.image import image
from hadeb.lab.node.node import Address, Node

pytestmark = pytest.mark.usefixtures("as_root")

# Greets like the sample daemon does; on the port after that, accepts and never says a word.
GREETER = """
import socket, threading
def greet(server):
    while True:
        connection = server.accept()[0]
        connection.sendall(b"Hi! This is ha1!\\n")
        connection.close()
mute = socket.create_server(("172.16.0.1", 5679))
greet(socket.create_server(("172.16.0.1", 5678)))
"""


@pytest.fixture(scope="module")
def lab() -> Iterator[tuple[Namespaces, Node]]:
    """A space whose only node greets."""
    with Namespaces(["172.16.0.254/24", "172.16.0.253/24"]) as namespaces:
        node = Node(namespaces, "ha1", image("bookworm"), (Address("172.16.0.1", 24),))
        node.create()
        node.boot()
        node.write("/root/greeter.py", GREETER)
        node.write(
            "/etc/systemd/system/greeter.service",
            "[Service]\nExecStart=python3 /root/greeter.py\n",
        )
        node.sh("systemctl daemon-reload && systemctl start greeter")
        yield namespaces, node


EXPECT = r"This is (?P<node>\S+)!"


def target(port: int, *, name: str = "service", source: str = "") -> Target:
    return Target(name, "172.16.0.1", port, every=0.02, patience=0.3, source=source)


def test_the_watch_records_an_outage_from_start_to_end(lab: tuple[Namespaces, Node]) -> None:
    namespaces, node = lab
    with Watch(namespaces, [target(5678)], EXPECT) as watch:
        watch.until(
            lambda answers: any(answer.who for answer in answers), timeout=20, what="no answer"
        )
        node.sh("systemctl stop greeter; sleep 1; systemctl start greeter")
        watch.until(lambda answers: answers[-1].who == "ha1", timeout=20, what="no answer again")
    gap = outage(watch.answers)
    assert gap
    assert gap.seconds >= 1
    assert {answer.error for answer in unanswered(watch.answers)} <= {
        "Connection refused",
        "Connection reset by peer",
        "closed without an answer",
    }
    assert {answer.text for answer in watch.answers if answer.who} == {"Hi! This is ha1!\n"}


def test_a_mute_service_and_a_dead_address_do_not_delay_other_targets(
    lab: tuple[Namespaces, Node],
) -> None:
    namespaces, _ = lab
    mute = target(5679, name="mute")
    dead = Target("dead", "172.16.0.77", 5678, every=0.02, patience=0.3)
    with Watch(namespaces, [target(5678), mute, dead], EXPECT) as watch:
        answers = watch.until(
            lambda answers: sum(answer.target == "dead" for answer in answers) > 20,
            timeout=30,
            what="the dead address was not given up",
        )
    assert {answer.error for answer in answers if answer.target == "mute"} == {"no answer in time"}
    assert unanswered(to_service(answers)) == []
    late = [answer for answer in answers if answer.target != "service"]
    assert len(to_service(answers)) > len(late) / 2


def test_each_source_asks(lab: tuple[Namespaces, Node]) -> None:
    namespaces, _ = lab
    sources = {"172.16.0.254", "172.16.0.253"}
    with Watch(namespaces, [target(5678, source=source) for source in sources], EXPECT) as watch:
        watch.until(
            lambda answers: {answer.source for answer in answers if answer.who} == sources,
            timeout=20,
            what="not both",
        )


def test_a_client_that_crashes_is_not_mistaken_for_an_outage(lab: tuple[Namespaces, Node]) -> None:
    namespaces, _ = lab
    with Watch(namespaces, [target(70000)], EXPECT) as watch, pytest.raises(HadebError) as error:
        watch.until(lambda _: False, timeout=20, what="waited in vain")
    assert "client broke" in error.value.message
