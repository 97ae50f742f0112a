"""Which queue the kernel puts a datagram into; real sockets on loopback."""

import random
import socket
from contextlib import ExitStack

import pytest

from thingstead.transport.source_queue import SourceQueues

pytestmark = pytest.mark.requirement("R-36")
BOTH = pytest.mark.parametrize(
    ("family", "host"), [(socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1")], ids=["IPv4", "IPv6"]
)


class Site:
    """A socket with its second queue, and many peers; `sort` says which of these each queue has."""

    def __init__(self, stack, family, host, *, peers=40, seed=1):
        self.ours = self._open(stack, family, host)
        queues = SourceQueues.beside(self.ours, random.Random(seed).randbytes)
        assert queues is not None
        self.queues = queues
        stack.callback(self.queues.close)
        self.peers = [self._open(stack, family, host) for _ in range(peers)]
        self.addresses = [peer.getsockname()[:2] for peer in self.peers]

    def sort(self):
        """(numbers of peers in the first queue, in the second) after each has sent once."""
        for number, peer in enumerate(self.peers):
            peer.sendto(bytes((number,)), self.ours.getsockname())
        return received(self.ours), received(self.queues.strangers)

    @staticmethod
    def _open(stack, family, host):
        sock = stack.enter_context(socket.socket(family, socket.SOCK_DGRAM))
        sock.setblocking(False)
        sock.bind((host, 0))
        return sock


def received(sock):
    found = set()
    while True:
        try:
            found.add(sock.recv(16)[0])
        except BlockingIOError:
            return found


@BOTH
def test_until_somebody_is_admitted_all_is_in_the_first_queue(family, host):
    with ExitStack() as stack:
        assert Site(stack, family, host).sort() == (set(range(40)), set())


@BOTH
@pytest.mark.parametrize("known", [1, 7, 8, 9, 20, 40])
def test_who_is_admitted_is_apart_from_all_others(family, host, known):
    with ExitStack() as stack:
        site = Site(stack, family, host)
        site.queues.admit(site.addresses[:known])
        assert site.sort() == (set(range(known)), set(range(known, 40)))


@BOTH
def test_who_was_admitted_and_is_no_longer_is_a_stranger(family, host):
    with ExitStack() as stack:
        site = Site(stack, family, host)
        site.queues.admit(site.addresses)
        site.queues.admit([])
        assert site.sort() == (set(), set(range(40)))


@BOTH
def test_of_more_than_a_program_takes_the_newest_are_admitted(family, host):
    with ExitStack() as stack:
        site = Site(stack, family, host)
        others = [(host, port) for port in range(1, 3000)]
        site.queues.admit([*site.addresses[:20], *others, *site.addresses[20:]])
        first, second = site.sort()
        assert first >= set(range(20, 40))
        assert second == set(range(40)) - first


def test_the_same_port_of_another_address_is_another_source():
    with ExitStack() as stack:
        site = Site(stack, socket.AF_INET, "127.0.0.1")
        site.queues.admit([(f"127.0.0.{number}", port) for number in range(2, 20) for _, port in site.addresses])
        assert site.sort() == (set(), set(range(40)))


def test_an_address_that_is_taken_is_still_noticed():
    with ExitStack() as stack:
        site = Site(stack, socket.AF_INET, "127.0.0.1")
        second = stack.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
        with pytest.raises(OSError, match="in use"):
            second.bind(site.ours.getsockname())


def test_where_the_kernel_cannot_do_it_there_is_one_queue(caplog):
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as other:
        assert SourceQueues.beside(other, random.Random(1).randbytes) is None
    assert "no queue of their own" in caplog.text


def test_what_the_kernel_does_not_take_changes_nothing(caplog):
    with ExitStack() as stack:
        site = Site(stack, socket.AF_INET, "127.0.0.1")
        site.queues.admit(site.addresses[:20])
        site.queues.admit([("::1", 5683)])
        assert site.sort() == (set(range(20)), set(range(20, 40)))
    assert "cannot be kept apart" in caplog.text
