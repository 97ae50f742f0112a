import asyncio
import errno
import select
import socket

import pytest

from thingstead.clock import SystemClock
from thingstead.transport.udp import Pump, open_socket
from thingstead.transport.unreachable import listen_for_errors, unreachable


def nobody(host):
    """An address where nobody listens."""
    with open_socket(host, 0) as probe:
        return probe.getsockname()[:2]


@pytest.mark.spec("RFC 792")
@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
def test_the_destination_that_nobody_listens_on_is_told_once(host):
    with open_socket(host, 0) as sock:
        listen_for_errors(sock)
        sock.sendto(b"hello", there := nobody(host))
        assert select.select([sock], [], [], 5)[0]
        assert [address[:2] for address in unreachable(sock)] == [there]
        assert list(unreachable(sock)) == []


def test_a_socket_that_was_not_asked_to_listen_tells_nothing():
    with open_socket("127.0.0.1", 0) as sock:
        sock.sendto(b"hello", nobody("127.0.0.1"))
        assert list(unreachable(sock)) == []


class Sender:
    def __init__(self, *datagrams):
        self.outgoing = list(datagrams)

    def receive_datagram(self, data, source, now, *, multicast=False):
        raise AssertionError("nobody sends")

    def run(self, now):
        pass

    def datagrams_to_send(self, now):
        outgoing, self.outgoing = self.outgoing, []
        return outgoing

    def next_deadline(self):
        return None


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
def test_a_pump_tells_who_asked_and_goes_on(host):
    async def story():
        told: asyncio.Queue[tuple[str, int]] = asyncio.Queue()
        first, second = nobody(host), nobody(host)
        core = Sender((b"one", first), (b"two", first), (b"three", second))
        pump = Pump(core, [open_socket(host, 0)], clock=SystemClock(), on_unreachable=told.put_nowait)
        pump.flush()
        try:
            async with asyncio.timeout(5):
                found = [await told.get() for _ in range(2)]
        finally:
            pump.close()
        return found, {first, second}

    found, asked = asyncio.run(story())
    assert set(found) <= asked


def test_what_has_no_route_is_told_at_once():
    async def story():
        told: list[tuple[str, int]] = []
        core = Sender((b"one", ("127.0.0.1", 5683)), (b"two", ("2001:db8::1", 5683)))
        pump = Pump(core, [Blocked()], clock=SystemClock(), on_unreachable=told.append)
        pump.flush()
        pump.close()
        return told

    assert asyncio.run(story()) == [("127.0.0.1", 5683)]


class Blocked(socket.socket):
    """A firewall drops the first family on its way out, and the other's buffer is full."""

    def __init__(self):
        super().__init__(socket.AF_INET, socket.SOCK_DGRAM)
        self.setblocking(False)

    def sendto(self, *arguments):
        destination = arguments[-1]
        raise PermissionError(errno.EPERM, "no") if "." in destination[0] else BlockingIOError(errno.EAGAIN, "full")


def test_without_ears_a_pump_is_as_it_was():
    async def story():
        pump = Pump(Sender((b"one", nobody("127.0.0.1"))), [open_socket("127.0.0.1", 0)], clock=SystemClock())
        pump.flush()
        await asyncio.sleep(0)
        pump.close()
        return pump.undeliverable

    assert asyncio.run(story()) == 0
    assert socket.has_ipv6
