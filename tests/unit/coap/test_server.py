"""A server of ours: what it serves to whom, and what it tells those who observe."""

import asyncio
import socket
from typing import Any

import pytest

from tests.unit.coap.party import LARGE, halves, run
from thingstead.coap.client import Client
from thingstead.coap.server import Server
from thingstead.errors import ConfigError, TransportError
from thingstead.protocols.coap.message import Message, decode
from thingstead.protocols.coap.registry import CODES, Code, OptionNumber

TEXT: Any = "text"


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


def over(scheme, uri):
    return uri.replace("coap://", f"{scheme}://")


both = pytest.mark.parametrize("is_protected", [False, True], ids=["plain", "OSCORE"])


@both
@pytest.mark.spec("RFC 8323 3")
def test_the_same_resources_are_served_over_tcp(is_protected, contexts):
    ours, theirs = contexts

    async def story(_server, uri):
        async with Client(ours if is_protected else None) as client:
            answers = []
            for scheme, payload in (("coap+tcp", LARGE), ("coap", b"short")):
                there = over(scheme, uri)
                stored = await client.put(f"{there}/store", payload)
                answers.append((stored.code, (await client.get(f"{there}/store")).payload == payload))
            return answers, len(await client.discover(over("coap+tcp", uri)))

    answers, links = run(story, tcp=True, oscore=[theirs] if is_protected else [])
    assert answers == [(Code.CHANGED, True)] * 2
    assert links > 1


@both
@pytest.mark.spec("RFC 8323 7")
def test_who_observes_is_told_over_whatever_way_it_came(is_protected, contexts):
    ours, theirs = contexts
    told: dict[str, list[bytes]] = {"coap": [], "coap+tcp": []}

    async def story(server, uri):
        async with Client(ours if is_protected else None) as client:
            async with (
                client.observe(f"{uri}/store") as datagrams,
                client.observe(f"{over('coap+tcp', uri)}/store") as streams,
            ):
                for _ in range(3):
                    told["coap"].append((await anext(datagrams)).payload)
                    told["coap+tcp"].append((await anext(streams)).payload)
                    await client.put(f"{uri}/store", b"%d" % len(told["coap"]))
                    assert server.changed("/store") == 2
            await client.get(f"{uri}/hello")
            await client.get(f"{over('coap+tcp', uri)}/hello")
            return server.changed("/store")

    assert run(story, tcp=True, oscore=[theirs] if is_protected else []) == 0
    assert told == {"coap": [b"", b"1", b"2"], "coap+tcp": [b"", b"1", b"2"]}


@pytest.mark.spec("RFC 8323 7.1")
def test_an_observer_whose_connection_is_gone_is_forgotten():
    async def story(server, uri):
        async with Client() as staying, staying.observe(f"{uri}/store") as responses:
            await anext(responses)
            async with Client() as client, client.observe(f"{over('coap+tcp', uri)}/store") as leaving:
                await anext(leaving)
                assert client._streams is not None
                client._streams._pump._transports.popitem()[1].abort()
                await staying.get(f"{uri}/hello")
                return server.changed("/store")

    assert run(story, tcp=True) == 1


@pytest.mark.spec("RFC 8613 7.4")
def test_what_came_over_udp_is_a_replay_over_tcp(contexts):
    ours, theirs = contexts
    seen: list[Any] = []

    async def story(server, uri):
        async with Client(ours, watch=lambda now, data, peer, out: seen.append(data) if out else None) as client:
            await client.put(f"{uri}/store", b"once")
        again = decode(seen[-1])
        assert again.option(OptionNumber.OSCORE) is not None
        async with Client() as stranger:
            there = over("coap+tcp", uri)
            answer = await stranger.request(CODES[again.code], there, again.payload, options=again.options)
        return answer.code

    assert run(story, tcp=True, oscore=[theirs]) == Code.UNAUTHORIZED


def test_over_tcp_too_nothing_is_served_in_clear_that_is_not_public(contexts):
    async def story(_server, uri):
        async with Client() as client:
            return (await client.get(f"{over('coap+tcp', uri)}/hello")).code

    assert run(story, tcp=True, oscore=[contexts[1]]) == Code.UNAUTHORIZED


def test_a_port_that_is_taken_over_tcp_leaves_no_socket_behind():
    async def story():
        with socket.create_server(("127.0.0.1", 0)) as taken:
            port = taken.getsockname()[1]
            with pytest.raises(TransportError):
                await Server("127.0.0.1", port, tcp=True).__aenter__()
            async with Server("127.0.0.1", port):
                pass

    asyncio.run(story())


@both
@pytest.mark.parametrize("scheme", ["coap", "coap+tcp"])
@pytest.mark.spec("RFC 7252 5.9.3")
def test_a_fault_of_one_handler_is_an_answer_and_no_loss_to_others(scheme, is_protected, contexts, caplog):
    def fault(_call):
        raise ZeroDivisionError

    async def story(server, uri):
        server.serve("/broken", Code.GET, fault, public=not is_protected)
        async with Client(contexts[0] if is_protected else None) as client:
            asked = [client.get(f"{over(scheme, uri)}/{path}", timeout=5) for path in ("broken", "hello", "broken")]
            return [response.code for response in await asyncio.gather(*asked)]

    served = run(story, oscore=[contexts[1]] if is_protected else [], tcp=True)
    assert served == [Code.INTERNAL_SERVER_ERROR, Code.CONTENT, Code.INTERNAL_SERVER_ERROR]
    assert "ZeroDivisionError" in caplog.text


@pytest.mark.spec("RFC 7641 4.2")
def test_an_observer_is_told_of_a_fault_too():
    async def story(server, uri):
        answers = [Message(Code.CONTENT, payload=b"one")]
        server.serve("/breaks", Code.GET, lambda call: answers.pop(), public=True, observable=True)
        async with Client() as client, client.observe(f"{uri}/breaks") as responses:
            first = await anext(responses)
            server.changed("/breaks")
            return first.code, (await anext(responses)).code

    assert run(story) == (Code.CONTENT, Code.INTERNAL_SERVER_ERROR)


@pytest.mark.parametrize(
    "response",
    [
        "words",
        Message(Code.GET),
        Message(0),
        Message(999),
        Message(Code.CONTENT, payload=TEXT),
        Message(Code.CONTENT, options=[(int(OptionNumber.ETAG), bytes(9))]),
        Message(Code.CONTENT, options=[(70000, b"")]),
    ],
    ids=repr,
)
@pytest.mark.parametrize("scheme", ["coap", "coap+tcp"])
@pytest.mark.spec("RFC 7252 5.9.3")
def test_what_is_no_response_or_cannot_be_encoded_is_a_fault_and_answered(response: Any, scheme):
    async def story(server, uri):
        server.serve("/odd", Code.GET, lambda _: response, public=True, observable=True)
        async with Client() as client, client.observe(f"{over(scheme, uri)}/odd", timeout=5) as responses:
            return [response.code async for response in responses], server.changed("/odd")

    assert run(story, tcp=True) == ([Code.INTERNAL_SERVER_ERROR], 0)


def test_a_coroutine_function_cannot_serve():
    async def later(_call):
        return Message(Code.CONTENT)

    handler: Any = later
    with pytest.raises(TypeError, match="coroutine"):
        Server().serve("/later", Code.GET, handler)
