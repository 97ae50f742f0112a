"""One name for one peer, whatever family it speaks."""

import asyncio
import itertools
import random
import socket
from typing import Any

import pytest

from thingstead.clock import SystemClock
from thingstead.errors import TransportError
from thingstead.transport.udp import Pump, open_multicast_socket, open_socket, send_groups_through


class Echo:
    """Sends back what comes, and wants to run again at `deadline`."""

    def __init__(self, deadline=None):
        self.deadline = deadline
        self.runs = 0
        self.sources = []
        self._outgoing = []
        self.came = asyncio.Event()

    def receive_datagram(self, data, source, now, *, multicast=False):
        self.sources.append(source)
        self._outgoing.append((data, source))
        self.came.set()

    def run(self, now):
        self.runs += 1

    def datagrams_to_send(self, now):
        outgoing, self._outgoing = self._outgoing, []
        return outgoing

    def next_deadline(self):
        return self.deadline


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
def test_a_peer_is_named_by_what_it_was_sent_to(host):
    async def story():
        core = Echo()
        with open_socket(host, 0) as peer:
            ours = open_socket(host, 0)
            address = ours.getsockname()[:2]
            pump = Pump(core, [ours], clock=SystemClock())
            try:
                peer.sendto(b"hello", address)
                async with asyncio.timeout(30):
                    await core.came.wait()
                    return core.sources, peer.getsockname()[:2], await asyncio.get_running_loop().sock_recv(peer, 64)
            finally:
                pump.close()

    sources, name, answer = asyncio.run(story())
    assert sources == [name]
    assert answer == b"hello"


@pytest.mark.parametrize("host", ["not an address", "192.0.2.1", ""])
def test_an_address_that_is_not_ours_is_refused_in_a_sentence(host):
    with pytest.raises(TransportError, match="expected a free UDP address"):
        open_socket(host, 0)


def test_a_taken_port_is_refused_in_a_sentence():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
        taken.bind(("127.0.0.1", 0))
        with pytest.raises(TransportError, match="expected a free UDP address"):
            open_socket("127.0.0.1", taken.getsockname()[1])


def test_a_closed_pump_runs_nothing_and_sets_no_timer():
    async def story():
        core = Echo(deadline=0.0)
        pump = Pump(core, [open_socket("127.0.0.1", 0)], clock=SystemClock())
        pump.flush()
        pump.close()
        runs = core.runs
        pump.flush()
        for _ in range(3):
            await asyncio.sleep(0)
        return core.runs - runs

    assert asyncio.run(story()) == 0


def test_a_timer_that_is_due_runs_the_core_again():
    async def story():
        core = Echo(deadline=0.0)
        pump = Pump(core, [open_socket("127.0.0.1", 0)], clock=SystemClock())
        pump.flush()
        try:
            async with asyncio.timeout(30):
                while core.runs < 3:  # noqa: ASYNC110  the loop's own timer is what is waited for
                    await asyncio.sleep(0)
        finally:
            pump.close()

    asyncio.run(story())


def test_what_cannot_be_sent_is_counted_and_hinders_nobody():
    async def story():
        core = Echo()
        pump = Pump(core, [open_socket("127.0.0.1", 0)], clock=SystemClock())
        core.receive_datagram(bytes(100_000), ("127.0.0.1", 9), 0.0)
        core.receive_datagram(b"next", ("127.0.0.1", 9), 0.0)
        pump.flush()
        pump.close()
        return pump.undeliverable

    assert asyncio.run(story()) == 1


class Broken:
    """A socket whose peer says that nobody is there (ICMP port unreachable)."""

    def __init__(self, sock):
        self._sock = sock

    def __getattr__(self, name):
        return getattr(self._sock, name)

    def recvfrom(self, _size):
        raise ConnectionRefusedError


def test_an_error_of_the_socket_ends_one_reading_and_not_the_pump():
    async def story():
        core = Echo()
        with open_socket("127.0.0.1", 0) as peer:
            ours: Any = Broken(open_socket("127.0.0.1", 0))
            pump = Pump(core, [ours], clock=SystemClock())
            peer.sendto(b"hello", ours.getsockname())
            try:
                async with asyncio.timeout(30):
                    while not core.runs:  # noqa: ASYNC110  a wake-up that brings nothing has no event
                        await asyncio.sleep(0)
            finally:
                pump.close()
        return core.sources

    assert asyncio.run(story()) == []


@pytest.mark.parametrize(
    ("group", "interface"), [("192.0.2.1", "127.0.0.1"), ("nonsense", "127.0.0.1"), ("239.83.0.9", "x")]
)
def test_a_group_that_cannot_be_joined_is_refused_in_a_sentence(group, interface):
    with pytest.raises(TransportError, match="expected to join group"):
        open_multicast_socket(group, 0, interface=interface)


def test_what_goes_to_a_group_is_heard_on_the_interface_it_left_by():
    try:
        listener = open_multicast_socket("239.83.0.77", 0, interface="127.0.0.1")
    except TransportError:
        pytest.skip("ABSENT: multicast on loopback")
    with listener, open_socket("127.0.0.1", 0) as sender:
        send_groups_through(sender, "127.0.0.1")
        sender.sendto(b"all", ("239.83.0.77", listener.getsockname()[1]))
        listener.settimeout(30)
        assert listener.recvfrom(16)[0] == b"all"


@pytest.mark.requirement("R-36")
def test_a_verified_source_is_answered_before_the_strangers_that_came_first():
    """A hundred datagrams of a stranger stand in the socket's queue before one of a thing: it waits for few of them."""

    async def story():
        core = Echo()
        with open_socket("127.0.0.1", 0) as stranger, open_socket("127.0.0.1", 0) as thing:
            ours = open_socket("127.0.0.1", 0)
            address, known = ours.getsockname(), thing.getsockname()
            for number in range(100):
                stranger.sendto(bytes([number]), address)
            thing.sendto(b"thing", address)
            pump = Pump(core, [ours], clock=SystemClock(), is_known=lambda source: source == known)
            try:
                async with asyncio.timeout(30):
                    while len(core.sources) < 101:  # noqa: ASYNC110  the loop's own turns are what is waited for
                        await asyncio.sleep(0)
            finally:
                pump.close()
        return core.sources.index(known), pump.dropped

    assert asyncio.run(story()) == (16, 0)


class Flooded(Echo):
    """Whenever it runs, more has come meanwhile."""

    def __init__(self, stranger):
        super().__init__()
        self._stranger = stranger

    def run(self, now):
        super().run(now)
        for number in range(100 if self.runs < 20 else 0):
            self._stranger.send(bytes([number]))


@pytest.mark.requirement("R-36")
def test_a_flood_leaves_the_event_loop_to_others():
    """However long strangers wait, the sockets are looked at a bounded number of times between two turns of others."""

    async def story():
        with open_socket("127.0.0.1", 0) as stranger:
            ours = open_socket("127.0.0.1", 0)
            stranger.connect(ours.getsockname())
            core = Flooded(stranger)
            pump = Pump(core, [ours], clock=SystemClock(), is_known=lambda _source: False)
            pump.flush()
            looks = [core.runs]
            try:
                async with asyncio.timeout(5):
                    while core.runs < 30:
                        await asyncio.sleep(0)
                        looks.append(core.runs)
            finally:
                pump.close()
        return max(after - before for before, after in itertools.pairwise(looks))

    assert asyncio.run(story()) <= 2


@pytest.mark.requirement("R-36")
def test_once_strangers_crowd_the_kernel_keeps_verified_sources_apart():
    async def story():
        with open_socket("127.0.0.1", 0) as stranger, open_socket("127.0.0.1", 0) as known:
            ours = open_socket("127.0.0.1", 0)
            for peer in (stranger, known):
                peer.connect(ours.getsockname())
            verified = known.getsockname()
            core = Echo()
            pump = Pump(
                core,
                [ours],
                clock=SystemClock(),
                is_known=lambda source: source == verified,
                known_sources=lambda: [verified],
                random_bytes=random.Random(1).randbytes,
            )
            try:
                for _ in range(30):
                    stranger.send(b"crowd")
                await heard(core, 30)
                # Nobody reads while this comes: what the kernel holds is in two queues.
                for _ in range(3):
                    stranger.send(b"stranger")
                known.send(b"known")
                apart = received(ours)
                await heard(core, 33)
            finally:
                pump.close()
        return apart

    assert asyncio.run(story()) == [b"known"]


async def heard(core, count):
    for _ in range(10_000):
        if len(core.sources) >= count:
            return
        await asyncio.sleep(0)
    raise AssertionError(f"heard {len(core.sources)} of {count}")


def received(sock):
    found = []
    while True:
        try:
            found.append(sock.recv(64))
        except BlockingIOError:
            return found
