"""A stranger hears what comes back from where it spoke to, for a bounded time, and is told nothing by errors."""

import asyncio
import socket

import pytest

from tests.port import free_port
from thingstead.transport.stranger import SocketStranger

pytestmark = pytest.mark.requirement("R-84")


class Answering(asyncio.DatagramProtocol):
    def __init__(self, *answers):
        self.answers = answers
        self.sources = []

    def connection_made(self, transport):
        self._transport = transport

    def datagram_received(self, data, addr):
        self.sources.append(addr)
        for answer in self.answers:
            self._transport.sendto(answer + data, addr)


def asked(*answers, times=1, until=lambda _data: False, host="127.0.0.1", within=0.02):
    async def story():
        peer = Answering(*answers)
        transport, _ = await asyncio.get_running_loop().create_datagram_endpoint(lambda: peer, local_addr=(host, 0))
        address = transport.get_extra_info("sockname")[:2]
        try:
            heard = [await SocketStranger().say(b"x", address, within=within, until=until) for _ in range(times)]
        finally:
            transport.close()
        return heard, peer.sources

    return asyncio.run(story())


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
def test_everything_that_comes_in_time_is_heard(host):
    assert asked(b"1", b"2", host=host, within=0.1)[0] == [(b"1x", b"2x")]


def test_nothing_more_is_waited_for_after_what_is_enough():
    assert asked(b"1", b"2", until=lambda data: data == b"1x", within=60)[0] == [(b"1x",)]


def test_each_word_comes_from_a_port_of_its_own():
    _, sources = asked(b"1", times=3, until=lambda _data: True, within=60)
    assert len(set(sources)) == 3


def test_who_answers_without_end_is_not_heard_without_end():
    assert len(asked(*[b"a"] * 40, within=60)[0][0]) == 16


def test_silence_is_no_error_and_neither_is_a_closed_port():
    assert asked()[0] == [()]
    address = ("127.0.0.1", free_port())
    assert asyncio.run(SocketStranger().say(b"x", address, within=0.02, until=lambda _data: True)) == ()


def test_what_cannot_be_sent_was_answered_by_nobody():
    big = bytes(1 << 17)
    assert asyncio.run(SocketStranger().say(big, ("127.0.0.1", 9), within=1, until=lambda _data: True)) == ()


def test_an_open_port_is_found_and_a_closed_one_is_not():
    async def knocked(port):
        return await SocketStranger().knock("127.0.0.1", port, within=5)

    with socket.create_server(("127.0.0.1", 0)) as server:
        assert asyncio.run(knocked(server.getsockname()[1]))
    assert not asyncio.run(knocked(free_port()))
