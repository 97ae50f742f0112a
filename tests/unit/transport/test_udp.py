"""One name for one peer, whatever family it speaks."""

import asyncio
import socket

import pytest

from thingstead.clock import SystemClock
from thingstead.errors import TransportError
from thingstead.transport.udp import Pump, open_socket


class Echo:
    """Sends back what comes."""

    def __init__(self):
        self.sources = []
        self._outgoing = []
        self.came = asyncio.Event()

    def receive_datagram(self, data, source, now, *, multicast=False):
        self.sources.append(source)
        self._outgoing.append((data, source))
        self.came.set()

    def run(self, now):
        pass

    def datagrams_to_send(self, now):
        outgoing, self._outgoing = self._outgoing, []
        return outgoing

    def next_deadline(self):
        return None


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
                async with asyncio.timeout(5):
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
