"""A client of ours, in clear and under OSCORE."""

import asyncio
import re
from typing import Any

import pytest

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
    UnreachableError,
    UnsupportedError,
)
from thingstead.protocols.coap.registry import Code, ContentFormat
from thingstead.protocols.coap.reliability import TransmissionParameters
from thingstead.storage.oscore_context import ContextFile
from thingstead.transport.udp import open_socket


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


def free_port():
    with open_socket("127.0.0.1", 0) as probe:
        return probe.getsockname()[1]


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
