"""Connections on loopback: what they carry, what refuses them, and what ends them."""

import asyncio
import secrets
import socket
from contextlib import suppress

import pytest

from thingstead.clock import SystemClock
from thingstead.endpoint.config import EndpointConfig, StreamConfig
from thingstead.endpoint.event import ExchangeFailed, RequestReceived, ResponseReceived
from thingstead.endpoint.stream_endpoint import StreamEndpoint
from thingstead.errors import TransportError
from thingstead.protocols.coap import tcp
from thingstead.protocols.coap.message import Message, request
from thingstead.protocols.coap.registry import Code
from thingstead.protocols.coap.tcp_connection import ConnectionConfig
from thingstead.protocols.coap.tcp_signal import Csm, encode_signal
from thingstead.transport.tcp import StreamPump

CLOCK = SystemClock()
HOST = "127.0.0.1"
CSM = tcp.encode(encode_signal(Csm(65536, block_wise=True)))


class Party(StreamEndpoint):
    """An endpoint that answers with what it was asked, and keeps what it is told."""

    def __init__(self, streams=None):
        super().__init__(EndpointConfig(), streams or StreamConfig(), random_bytes=secrets.token_bytes)
        self.events = []
        self.changed = asyncio.Event()

    def run(self, now):
        while (event := self.next_event()) is not None:
            self.events.append(event)
            self.changed.set()
            if isinstance(event, RequestReceived):
                self.send_response(event.exchange, Message(Code.CONTENT, payload=event.message.payload), now)

    def disconnect(self, address, now):
        super().disconnect(address, now)
        self.changed.set()

    async def until(self, kind):
        while not any(isinstance(event, kind) for event in self.events):
            self.changed.clear()
            await self.changed.wait()
        return next(event for event in self.events if isinstance(event, kind))


def play(story, streams=None):
    async def whole():
        server = Party(streams)
        pump = StreamPump(server, clock=CLOCK)
        try:
            async with asyncio.timeout(60):
                return await story(server, pump, await pump.listen(HOST, 0))
        finally:
            pump.close()

    return asyncio.run(whole())


@pytest.mark.spec("RFC 8323 3")
@pytest.mark.parametrize("size", [0, 1000, 12000])
def test_a_request_and_its_response_cross_a_connection(size):
    async def story(_server, _pump, port):
        client = Party()
        pump = StreamPump(client, clock=CLOCK)
        address = await pump.open(HOST, port)
        client.send_request(request(Code.POST, "/a", payload=bytes(size)), address, CLOCK.now())
        pump.flush()
        response = await client.until(ResponseReceived)
        pump.close()
        return address[0], len(response.message.payload)

    assert play(story) == (HOST, size)


def test_a_server_that_goes_away_fails_what_waits():
    async def story(server, pump, port):
        client = Party()
        side = StreamPump(client, clock=CLOCK)
        address = await side.open(HOST, port)
        server.run = lambda _now: None
        client.send_request(request(Code.GET, "/a"), address, CLOCK.now())
        side.flush()
        pump.close()
        failed = await client.until(ExchangeFailed)
        side.close()
        return failed.error.reason

    assert play(story) == "closed"


@pytest.mark.spec("RFC 8323 5.6")
def test_who_breaks_the_protocol_is_told_and_the_connection_closed():
    async def story(server, _pump, port):
        reader, writer = await asyncio.open_connection(HOST, port)
        writer.write(b"GET / HTTP/1.1\r\n\r\n")
        said = await reader.read()
        writer.close()
        return said, server.counters

    said, counters = play(story)
    assert said[-1:] != b""
    assert b"csm" in said or b"malformed" in said or b"too-large" in said
    assert sum(counters.values()) == 1


@pytest.mark.requirement("R-51")
def test_a_connection_beyond_the_bound_of_its_host_is_closed_at_once():
    async def story(server, _pump, port):
        first = await asyncio.open_connection(HOST, port)
        first[1].write(CSM)
        await first[0].readexactly(1)
        second = await asyncio.open_connection(HOST, port)
        try:
            said = await second[0].read()
        except ConnectionResetError:
            said = b""
        for _, writer in (first, second):
            writer.close()
        return said, server.counters

    assert play(story, StreamConfig(max_connections_per_host=1)) == (b"", {"connections": 1})


@pytest.mark.requirement("R-47")
def test_who_says_nothing_is_closed_in_time():
    async def story(server, _pump, port):
        reader, writer = await asyncio.open_connection(HOST, port)
        said = await reader.read()
        writer.close()
        return said[-11:], server.counters

    config = StreamConfig(ConnectionConfig(csm_timeout=0.05))
    assert play(story, config) == (b"csm-timeout", {"csm-timeout": 1})


@pytest.mark.requirement("R-51")
def test_who_asks_and_does_not_read_is_closed_and_another_is_served():
    async def story(server, pump, port):
        _, greedy = await asyncio.open_connection(HOST, port)
        frame = tcp.encode(request(Code.POST, "/a", payload=bytes(4000)))
        greedy.write(CSM)
        served = 0
        while "unread" not in server.counters and served < 2000:
            greedy.write(frame)
            served += 1
            await asyncio.sleep(0)
        greedy.transport.abort()
        client = Party()
        side = StreamPump(client, clock=CLOCK)
        client.send_request(request(Code.GET, "/a"), await side.open(HOST, port), CLOCK.now())
        side.flush()
        await client.until(ResponseReceived)
        side.close()
        return server.counters

    assert play(story)["unread"] == 1


def test_who_does_not_read_is_not_waited_for_when_its_connection_is_over():
    async def story(server, pump, port):
        silent = socket.create_connection((HOST, port))
        silent.setblocking(False)
        frame = CSM + tcp.encode(request(Code.POST, "/a", payload=bytes(4000)))
        while not any(transport.get_write_buffer_size() for transport in pump._transports.values()):
            with suppress(BlockingIOError):
                silent.send(frame)
            await asyncio.sleep(0)
        (kept,) = pump._transports.values()
        (address,) = pump._transports
        server.receive_bytes(b"\x0f" * 8192, address, CLOCK.now())
        pump.flush()
        await asyncio.sleep(0)
        silent.close()
        return kept.get_extra_info("socket").fileno()

    assert play(story) == -1


def test_who_sends_much_is_served_a_little_at_a_time():
    async def story(server, _pump, port):
        taken = []

        def take(data, _address, _now):
            taken.append(len(data))
            server.changed.set()

        server.receive_bytes = take
        _, hasty = await asyncio.open_connection(HOST, port)
        hasty.write(bytes(1 << 20))
        while sum(taken) < 1 << 20:
            server.changed.clear()
            await server.changed.wait()
        hasty.transport.abort()
        return max(taken)

    assert play(story) <= 4096


@pytest.mark.parametrize("host", ["192.0.2.1", "not an address.invalid"])
def test_an_address_that_is_not_ours_is_refused_in_a_sentence(host):
    async def story(_server, pump, _port):
        with pytest.raises(TransportError, match="expected a free TCP address"):
            await pump.listen(host, 0)

    play(story)


def test_a_peer_that_is_not_there_is_a_transport_error():
    async def story(_server, pump, _port):
        with pytest.raises(TransportError, match="expected a peer"):
            await pump.open(HOST, 1)

    play(story)


def test_a_closed_pump_takes_nothing():
    async def story(server, pump, port):
        pump.close()
        pump.flush()
        with pytest.raises(ConnectionRefusedError):
            await asyncio.open_connection(HOST, port)
        return server.next_deadline()

    assert play(story) is None


@pytest.mark.spec("RFC 9293 3.5")
def test_a_connection_that_met_itself_is_nobody():
    """Simultaneous open with one socket: what Linux does when it gives a client the port that the client asks for."""

    async def story(_server, pump, _port):
        with socket.socket() as alone:
            alone.bind((HOST, 0))
            alone.connect(alone.getsockname())
            transport, _ = await asyncio.get_running_loop().create_connection(asyncio.Protocol, sock=alone)
            assert pump.made(transport, is_ours=True) is None
            assert transport.is_closing()

    play(story)
