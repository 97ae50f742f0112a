"""A server of ours: what it serves to whom, and what it tells those who observe."""

import asyncio

import pytest

from tests.unit.coap.party import halves, run
from thingstead.coap.client import Client
from thingstead.coap.server import Server
from thingstead.errors import ConfigError, TransportError
from thingstead.protocols.coap.code import Code
from thingstead.protocols.coap.message import Message


@pytest.fixture
def contexts(tmp_path):
    return halves(tmp_path)


@pytest.mark.spec("RFC 8613 B.1.2")
def test_a_server_that_starts_again_asks_for_freshness_and_takes_no_replay(contexts):
    ours, theirs = contexts

    async def story(_server, uri):
        async with Client(ours) as client:
            return (await client.get(f"{uri}/hello")).payload

    assert [run(story, oscore=[theirs]) for _ in range(2)] == [b"hello", b"hello"]


@pytest.mark.spec("RFC 8613 8.2")
def test_who_has_no_context_sees_nothing_and_is_served_nothing(contexts):
    async def story(_server, uri):
        async with Client() as client:
            return await client.discover(uri), (await client.get(f"{uri}/hello")).code

    assert run(story, oscore=[contexts[1]]) == ([], Code.UNAUTHORIZED)


@pytest.mark.spec("RFC 7641 4.2")
def test_an_observer_is_told_an_error_as_the_last_word():
    async def story(server, uri):
        answers = [Message(Code.CONTENT, payload=b"one"), Message(Code.NOT_FOUND)]
        server.serve("/ends", Code.GET, lambda call: answers.pop(0), public=True, observable=True)
        codes = []
        async with Client() as client, client.observe(f"{uri}/ends") as responses:
            async for response in responses:
                codes.append(response.code)
                server.changed("/ends")
        return codes, server.changed("/ends")

    assert run(story) == ([Code.CONTENT, Code.NOT_FOUND], 0)


@pytest.mark.spec("RFC 7641 3.6")
def test_an_observer_that_leaves_is_forgotten():
    async def story(server, uri):
        async with Client() as client:
            async with client.observe(f"{uri}/store") as responses:
                await anext(responses)
                before = server.changed("/store")
            await client.get(f"{uri}/hello")
        return before, server.changed("/store"), server.changed("/hello")

    assert run(story) == (1, 0, 0)


def test_a_context_that_cannot_be_used_leaves_no_socket_behind(contexts, tmp_path):
    async def story():
        with pytest.raises(ConfigError):
            await Server("127.0.0.1", 0, oscore=[contexts[1], tmp_path / "absent"]).__aenter__()
        async with Server("127.0.0.1", 0, oscore=[contexts[1]]) as server:
            with pytest.raises(TransportError):
                await Server("127.0.0.1", server.port).__aenter__()

    asyncio.run(story())
