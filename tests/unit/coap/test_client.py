"""A client of ours, in clear and under OSCORE."""

import asyncio
import re
from functools import partial
from typing import Any

import pytest

from tests.port import free_port
from tests.unit.coap.party import LARGE, halves, run
from thingstead.coap.client import Client
from thingstead.endpoint.config import EndpointConfig
from thingstead.errors import (
    ConfigError,
    DecodeError,
    NoResponseError,
    PeerFaultError,
    RequestRefusedError,
    SecurityError,
    StateError,
    ThingsteadError,
    TransportError,
    UnreachableError,
    UnsupportedError,
)
from thingstead.protocols.coap.message import Message, MessageType, decode, encode
from thingstead.protocols.coap.registry import Code, ContentFormat
from thingstead.protocols.coap.reliability import TransmissionParameters
from thingstead.storage.oscore_context import ContextFile
from thingstead.transport.udp import open_multicast_socket, open_socket


@pytest.fixture
def contexts(tmp_path):
    return halves(tmp_path)


@pytest.mark.spec("RFC 7252 5.8.1")
@pytest.mark.parametrize("host", ["::1", "127.0.0.1", "localhost"])
@pytest.mark.parametrize("confirmable", [True, False])
def test_a_resource_is_read(host, confirmable):
    async def story(server, _uri):
        name = "[::1]" if host == "::1" else host
        async with Client() as client:
            return await client.get(f"coap://{name}:{server.port}/hello", confirmable=confirmable)

    response = run(story, host="::1" if host == "::1" else "127.0.0.1")
    assert (response.code, response.payload, response.content_format) == (Code.CONTENT, b"hello", None)
    assert not response.is_protected


@pytest.mark.spec("RFC 7959 2")
def test_large_bodies_go_in_blocks_both_ways_unasked():
    async def story(_server, uri):
        async with Client() as client:
            await client.put(f"{uri}/store", LARGE, content_format=ContentFormat.OCTET_STREAM)
            return await client.get(f"{uri}/store", accept=ContentFormat.CBOR)

    response = run(story)
    assert (response.payload, response.content_format) == (LARGE, ContentFormat.CBOR)


@pytest.mark.spec("RFC 7252 6.4")
def test_a_query_arrives_as_it_was_meant():
    async def story(_server, uri):
        async with Client() as client:
            return (await client.get(f"{uri}/query?a=1&b=%26")).payload

    assert run(story) == b"a=1;b=&"


@pytest.mark.spec("RFC 7641 3")
def test_an_observation_begins_goes_on_and_ends_at_the_peer():
    async def story(server, uri):
        payloads = []
        async with Client() as client:
            async with client.observe(f"{uri}/store") as responses:
                async for response in responses:
                    payloads.append(response.payload)
                    if len(payloads) == 3:
                        break
                    await client.put(f"{uri}/store", b"%d" % len(payloads))
                    server.changed("/store")
            await client.get(f"{uri}/hello")
            return payloads, server.changed("/store")

    assert run(story) == ([b"", b"1", b"2"], 0)


@pytest.mark.spec("RFC 7641 4.1")
def test_what_cannot_be_observed_answers_once():
    async def story(_server, uri):
        async with Client() as client, client.observe(f"{uri}/hello") as responses:
            return [response.payload async for response in responses]

    assert run(story) == [b"hello"]


@pytest.mark.spec("RFC 6690 4")
@pytest.mark.parametrize("path", ["", "/", "/.well-known/core"])
def test_a_host_is_asked_what_it_serves(path):
    async def story(_server, uri):
        async with Client() as client:
            return [link.target for link in await client.discover(f"{uri}{path}")]

    assert run(story) == ["/fault", "/hello", "/query", "/silent", "/store"]


@pytest.mark.spec("RFC 7252 5.9")
@pytest.mark.parametrize(
    ("method", "path", "error", "says"),
    [
        (Code.GET, "/nothing", RequestRefusedError, "4.04 Not Found"),
        (Code.DELETE, "/store", RequestRefusedError, "4.05 Method Not Allowed"),
        (Code.POST, "/fault", PeerFaultError, "5.03 Service Unavailable: later"),
    ],
)
def test_an_error_is_a_response_until_success_is_required(method, path, error, says):
    async def story(_server, uri):
        async with Client() as client:
            return await client.request(method, f"{uri}{path}")

    response = run(story)
    with pytest.raises(error, match=re.escape(says)) as refused:
        response.require_success()
    assert refused.value.reason == says[:4]


@pytest.mark.parametrize(
    ("uri", "error"),
    [
        ("coap://127.0.0.1:{port}/x", UnreachableError),
        ("coap://localhost:{port}/x", UnreachableError),
        ("coap://nobody.invalid/x", UnreachableError),
        ("coap://[ff02::fd]/x", UnsupportedError),
        ("coaps://127.0.0.1/x", UnsupportedError),
        ("/x", DecodeError),
        ("coap://127.0.0.1/" + "x" * 256, DecodeError),
    ],
)
def test_what_cannot_be_asked_fails_at_once_and_says_why(uri, error):
    async def story():
        async with asyncio.timeout(5), Client() as client:
            await client.get(uri.format(port=free_port()))

    with pytest.raises(error):
        asyncio.run(story())


def test_nobody_waits_longer_than_was_said():
    async def story(_server, uri):
        async with Client() as client:
            await client.get(f"{uri}/silent", timeout=0.05)

    with pytest.raises(NoResponseError, match=r"within 0\.05 s"):
        run(story)


@pytest.mark.spec("RFC 7252 4.2")
def test_what_nobody_acknowledges_is_given_up():
    async def story():
        hurry = EndpointConfig(transmission=TransmissionParameters(ack_timeout=0.01, max_retransmit=1))
        with open_socket("127.0.0.1", 0) as deaf:
            async with Client(config=hurry) as client:
                await client.get(f"coap://127.0.0.1:{deaf.getsockname()[1]}/")

    with pytest.raises(NoResponseError, match="acknowledged"):
        asyncio.run(story())


@pytest.mark.spec("RFC 8613 8")
def test_under_oscore_all_is_protected_and_numbers_go_on(contexts):
    ours, theirs = contexts
    seen: list[Any] = []

    async def story(_server, uri):
        for _ in range(2):
            async with Client(ours, watch=lambda now, data, peer, out: seen.append(data)) as client:
                await client.put(f"{uri}/store", LARGE)
                response = await client.get(f"{uri}/store")
        return response, await client_links(uri)

    async def client_links(uri):
        async with Client(ours) as client:
            return await client.discover(uri)

    response, links = run(story, oscore=[theirs])
    assert (response.payload, response.is_protected, len(links)) == (LARGE, True, 5)
    assert not any(b"hello" in data or LARGE[:64] in data for data in seen)
    file = ContextFile.open(ours)
    assert 4 < (file.sequences.sender or 0) < 100
    file.close()


@pytest.mark.spec("RFC 8613 8.2")
def test_a_peer_without_our_context_is_a_security_error(contexts):
    async def story(_server, uri):
        async with Client(contexts[0]) as client:
            await client.get(f"{uri}/hello")

    with pytest.raises(SecurityError):
        run(story)


def test_one_context_has_one_user(contexts):
    async def story():
        async with Client(contexts[0]), Client(contexts[0]):
            pass

    with pytest.raises(ConfigError, match="another process"):
        asyncio.run(story())


# --- conditions (RFC 7252 §5.10.8, §5.10.6.2)


def entity_tag_of(uri):
    async def ask(client):
        return (await client.get(f"{uri}/store", etag=[b"?"])).etag

    return ask


@pytest.mark.spec("RFC 7252 5.10.8")
@pytest.mark.parametrize(
    ("condition", "code"),
    [
        ({"if_match": ["current"]}, Code.CHANGED),
        ({"if_match": [b"other", "current"]}, Code.CHANGED),
        ({"if_match": [b""]}, Code.CHANGED),
        ({"if_match": [b"other"]}, Code.PRECONDITION_FAILED),
        ({"if_none_match": True}, Code.PRECONDITION_FAILED),
        ({"if_none_match": False}, Code.CHANGED),
    ],
)
def test_a_write_may_be_meant_for_one_state_only(condition, code):
    async def story(_server, uri):
        async with Client() as client:
            tag = await entity_tag_of(uri)(client)
            stated = dict(condition)
            if "if_match" in stated:
                stated["if_match"] = [tag if one == "current" else one for one in stated["if_match"]]
            return (await client.put(f"{uri}/store", b"new", **stated)).code

    assert run(story) == code


@pytest.mark.spec("RFC 7252 5.10.6.2")
def test_what_is_still_right_is_not_sent_again():
    async def story(_server, uri):
        async with Client() as client:
            tag = await entity_tag_of(uri)(client)
            return await client.get(f"{uri}/store", etag=[b"other", tag])

    response = run(story)
    assert (response.code, response.payload) == (Code.VALID, b"")


@pytest.mark.spec("RFC 7252 5.10.6.2")
def test_an_entity_tag_that_is_too_long_is_sent_to_nobody():
    async def story():
        async with asyncio.timeout(5), Client() as client:
            await client.get(f"coap://127.0.0.1:{free_port()}/", etag=[bytes(9)])

    with pytest.raises(DecodeError, match="ETag"):
        asyncio.run(story())


# --- what nobody wants a response to (RFC 7967)


@pytest.mark.spec("RFC 7967 2.1")
@pytest.mark.parametrize("scheme", ["coap", "coap+tcp"])
def test_what_is_told_is_done_and_has_no_answer(scheme):
    seen: list[Any] = []

    async def story(_server, uri):
        watch = lambda now, data, peer, out: seen.append(out)  # noqa: E731
        async with Client(watch=watch) as client:
            await client.tell(Code.PUT, f"{uri.replace('coap:', scheme + ':')}/store", b"told")
        async with Client() as client:
            return [(await client.get(f"{uri}/store")).payload for _ in range(20)][-1]

    assert run(story, tcp=True) == b"told"
    assert scheme != "coap" or seen == [True]


@pytest.mark.spec("RFC 7967 2.1")
@pytest.mark.parametrize(
    ("uri", "error"),
    [("coaps://127.0.0.1/x", UnsupportedError), ("coap://127.0.0.1/" + "x" * 256, DecodeError), ("/x", DecodeError)],
)
def test_what_cannot_be_told_fails_at_once(uri, error):
    async def story():
        async with asyncio.timeout(5), Client() as client:
            await client.tell(Code.POST, uri)

    with pytest.raises(error):
        asyncio.run(story())


# --- groups (RFC 7252 §8)


class Member(asyncio.DatagramProtocol):
    """Answers what comes to the group, from a socket of its own."""

    def __init__(self, payload):
        self.payload = payload
        self.own = open_socket("127.0.0.1", 0)

    def itself(self):
        return self

    def datagram_received(self, data, addr):
        asked = decode(data)
        told = Message(Code.CONTENT, MessageType.NON, 1, asked.token, [], self.payload)
        self.own.sendto(encode(told), addr)


def with_group(story, *payloads, **changes):
    async def whole():
        loop = asyncio.get_running_loop()
        members = [Member(payload) for payload in payloads]
        port = free_port()
        async with asyncio.timeout(10):
            transports = []
            for member in members:
                try:
                    sock = open_multicast_socket("224.0.1.187", port, interface="127.0.0.1")
                except TransportError:
                    pytest.skip("ABSENT: multicast on loopback")
                made, _ = await loop.create_datagram_endpoint(partial(Member.itself, member), sock=sock)
                transports.append(made)
            try:
                async with Client(config=EndpointConfig(**changes)) as client:
                    return await story(client, f"coap://224.0.1.187:{port}/.well-known/core")
            finally:
                for transport, member in zip(transports, members, strict=True):
                    transport.close()
                    member.own.close()

    return asyncio.run(whole())


@pytest.mark.spec("RFC 7252 8.2")
def test_a_group_answers_each_for_itself():
    async def story(client, uri):
        return sorted([one.payload async for one in client.collect(uri, interface="127.0.0.1", timeout=0.1)])

    assert with_group(story, b"one", b"two") == [b"one", b"two"]


@pytest.mark.spec("RFC 7252 8.2")
def test_a_group_is_waited_for_as_long_as_the_configuration_says():
    async def story(client, uri):
        return [one.payload async for one in client.collect(uri, interface="127.0.0.1")]

    assert with_group(story, b"one", group_timeout=0.1) == [b"one"]


def test_a_group_of_nobody_has_no_response():
    async def story(client, uri):
        return [one async for one in client.collect(uri, interface="127.0.0.1")]

    with pytest.raises(TransportError):
        with_group(story, group_timeout=0.05)


@pytest.mark.spec("RFC 7252 8.1")
@pytest.mark.parametrize("uri", ["coap://127.0.0.1/", "coap://localhost/", "coap+tcp://224.0.1.187/"])
def test_what_is_no_group_is_not_asked_as_one(uri):
    async def story():
        async with Client() as client:
            return [one async for one in client.collect(uri)]

    with pytest.raises(UnsupportedError):
        asyncio.run(story())


def test_a_group_is_asked_nothing_under_oscore(contexts):
    async def story():
        async with Client(contexts[0]) as client:
            return [one async for one in client.collect("coap://224.0.1.187/")]

    with pytest.raises(UnsupportedError):
        asyncio.run(story())


def test_an_interface_that_is_not_ours_reaches_no_group():
    async def story():
        async with Client() as client:
            return [one async for one in client.collect("coap://224.0.1.187/", interface="192.0.2.77")]

    with pytest.raises(UnreachableError, match="no group is reached"):
        asyncio.run(story())


# --- asking without keeping what was asked (RFC 8974)


async def answered(client, count):
    """So many answers, by state."""
    found = {}
    async for state, response in client.answers(patience=5):
        found[state] = response.payload
        if len(found) == count:
            break
    return found


@pytest.mark.spec("RFC 8974 3")
@pytest.mark.parametrize("scheme", ["coap", "coap+tcp"])
@pytest.mark.parametrize("secured", [False, True])
def test_what_travelled_in_a_token_tells_answers_apart(contexts, scheme, secured):
    async def story(_server, uri):
        uri = uri.replace("coap:", f"{scheme}:")
        async with Client(contexts[0] if secured else None) as client:
            await client.ask(f"{uri}/query?first", b"first")
            first = await answered(client, 1)
            for number in range(5):
                await client.ask(f"{uri}/query?{number}", b"%d" % number)
            return first | await answered(client, 5)

    found = run(story, tcp=True, oscore=[contexts[1]] if secured else ())
    assert found == {b"first": b"first"} | {b"%d" % number: b"%d" % number for number in range(5)}


def test_who_is_silent_gives_no_answer_and_is_not_waited_for_longer_than_was_said():
    async def story(_server, uri):
        async with Client() as client:
            await client.ask(f"{uri}/silent", b"s")
            return [one async for one in client.answers(patience=0.05)]

    assert run(story) == []


def test_answers_that_nobody_takes_are_bounded():
    async def story(_server, uri):
        async with Client(config=EndpointConfig(max_requests=2)) as client:
            for number in range(4):
                await client.ask(f"{uri}/query?{number}", b"%d" % number)
                await client.get(f"{uri}/hello")
            return [state async for state, _ in client.answers(patience=0.05)]

    assert run(story) == [b"2", b"3"]


@pytest.mark.parametrize(
    ("uri", "state", "error"),
    [
        ("coaps://127.0.0.1/x", b"", UnsupportedError),
        ("coap://127.0.0.1/x", bytes(1025), DecodeError),
        ("/x", b"", DecodeError),
        ("coap://nobody.invalid/x", b"", UnreachableError),
        ("coap+tcp://127.0.0.1:{port}/x", b"", UnreachableError),
    ],
)
def test_what_cannot_be_asked_so_fails_at_once(uri, state, error):
    async def story():
        async with asyncio.timeout(5), Client() as client:
            await client.ask(uri.format(port=free_port()), state)

    with pytest.raises(error):
        asyncio.run(story())


async def outcome(asked):
    try:
        return await asked
    except ThingsteadError as error:
        return error


@pytest.mark.parametrize("scheme", ["coap", "coap+tcp"])
def test_who_waits_when_the_client_is_closed_is_told_at_once(scheme):
    async def story(_server, uri):
        async with asyncio.TaskGroup() as tasks:
            async with Client() as client:
                await client.get(f"{uri.replace('coap', scheme)}/hello")
                waiting = tasks.create_task(outcome(client.get(f"{uri.replace('coap', scheme)}/silent", timeout=15)))
                await client.get(f"{uri.replace('coap', scheme)}/hello")
            async with asyncio.timeout(2):
                return await waiting

    assert re.search("closed", str(run(story, tcp=True)))


@pytest.mark.spec("RFC 8613 12.1")
def test_outside_of_its_block_a_client_sends_nothing_neither_in_clear_nor_under_numbers_given_back(contexts):
    seen = []

    async def story(_server, uri):
        client = Client(contexts[0], watch=lambda *told: seen.append(told))
        for _ in range(2):
            with pytest.raises(StateError, match="async with"):
                await client.get(f"{uri}/hello")
            assert seen == []
            async with client:
                await client.get(f"{uri}/hello")
            seen.clear()

    run(story, oscore=[contexts[1]])


@pytest.mark.spec("RFC 8323 3.2")
def test_requests_that_begin_together_share_a_connection():
    async def story(_server, uri):
        async with Client() as client:
            asked = [client.get(f"{uri.replace('coap', 'coap+tcp')}/hello") for _ in range(20)]
            return [response.payload for response in await asyncio.gather(*asked)]

    assert run(story, tcp=True) == [b"hello"] * 20
