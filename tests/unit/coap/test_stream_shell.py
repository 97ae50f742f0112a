"""One endpoint on TCP connections."""

import asyncio
import contextlib
import socket
from typing import Any

import pytest

from tests.unit.coap.party import LARGE
from thingstead.clock import SystemClock
from thingstead.coap.client import Client
from thingstead.coap.stream_shell import StreamShell
from thingstead.endpoint.config import EndpointConfig
from thingstead.errors import NoResponseError, TransportError, UnreachableError
from thingstead.protocols.coap.message import Message
from thingstead.protocols.coap.registry import Code
from thingstead.protocols.coap.tcp_signal import Release


class Hello:
    """Answers everything, with what it was sent."""

    def on_request(self, event, now):
        return Message(Code.CONTENT, payload=event.message.payload or b"hello")

    def on_ended(self, exchange):
        pass


def over_tcp(story, host="127.0.0.1"):
    async def whole():
        async with asyncio.timeout(10):
            server = StreamShell(
                EndpointConfig(), clock=SystemClock(), reserve=lambda association, upto: None, application=Hello()
            )
            try:
                port = await server.listen(host, 0)
                return await story(f"coap+tcp://{f'[{host}]' if ':' in host else host}:{port}", server)
            finally:
                server.close()

    return asyncio.run(whole())


@pytest.mark.spec("RFC 8323 3")
@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
def test_a_uri_of_tcp_is_asked_over_one_connection(host):
    seen: list[Any] = []

    async def story(uri, server):
        async with Client(watch=lambda now, message, peer, out: seen.append(message)) as client:
            first = await client.get(f"{uri}/a")
            large = await client.put(f"{uri}/a", LARGE)
            return first.payload, large.payload, len(server._open)

    assert over_tcp(story, host) == (b"hello", LARGE, 1)
    assert [message.path for message in seen if message.code == Code.GET] == ["/a"]


@pytest.mark.spec("RFC 8323 5.6")
def test_a_connection_that_the_peer_closes_fails_what_waits_and_is_opened_again():
    async def story(uri, server):
        async with Client() as client:
            await client.get(f"{uri}/a")
            server._pump._transports.popitem()[1].abort()
            with contextlib.suppress(TransportError):
                await client.get(f"{uri}/a")
            return (await client.get(f"{uri}/a")).payload

    assert over_tcp(story) == b"hello"


def test_nobody_at_a_port_of_tcp_is_said_at_once():
    async def story():
        with socket.create_server(("127.0.0.1", 0)) as probe:
            port = probe.getsockname()[1]
        async with asyncio.timeout(5), Client() as client:
            await client.get(f"coap+tcp://127.0.0.1:{port}/")

    with pytest.raises(UnreachableError, match="nobody can be reached"):
        asyncio.run(story())


class Late(Hello):
    """Keeps what it was asked, to answer it later."""

    def __init__(self):
        self.asked: Any = None
        self.is_asked = asyncio.Event()

    def on_request(self, event, now):
        self.asked = event
        self.is_asked.set()


# --- a peer that wants no more requests (RFC 8323 §5.5)


async def release(server, client, hold_off=0):
    """The server wants no more requests, and the client has heard it."""
    (address,) = server._open
    connection = server._stream._connections.find(address)
    connection._signal(Release(hold_off=hold_off))
    connection.is_released = True
    server._stream.release(address)
    server.flush()
    (ours,) = client._streams._open
    while ours in client._streams._open and client._streams._stream.hold_off(ours) is None:  # noqa: ASYNC110 (no event)
        await asyncio.sleep(0)


@pytest.mark.spec("RFC 8323 5.5")
def test_after_a_release_the_next_request_takes_a_connection_of_its_own():
    async def story(uri, server):
        async with Client() as client:
            await client.get(f"{uri}/a")
            first = set(server._open)
            await release(server, client)
            answers = [(await client.get(f"{uri}/a")).payload for _ in range(2)]
            return answers, len(server._open - first)

    assert over_tcp(story) == ([b"hello", b"hello"], 1)


@pytest.mark.spec("RFC 8323 5.5")
def test_a_peer_that_wants_to_be_left_alone_is():
    async def story(uri, server):
        async with Client() as client:
            await client.get(f"{uri}/a")
            await release(server, client, hold_off=60)
            await client.get(f"{uri}/a", timeout=0.2)

    with pytest.raises(NoResponseError):
        over_tcp(story)


@pytest.mark.spec("RFC 8323 5.5")
def test_what_is_under_way_is_still_answered_after_a_release():
    late = Late()

    async def story(uri, server):
        server._application = late
        async with Client() as client, asyncio.TaskGroup() as tasks:
            first = tasks.create_task(client.get(f"{uri}/a"))
            await late.is_asked.wait()
            await release(server, client)
            second = tasks.create_task(client.get(f"{uri}/b"))
            await asyncio.sleep(0)
            server._application = Hello()
            server.respond(late.asked.exchange, Message(Code.CONTENT, payload=b"late"))
            return (await first).payload, late.asked.message.path, (await second).payload

    assert over_tcp(story) == (b"late", "/a", b"hello")
