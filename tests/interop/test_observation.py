"""Observation with peers that are not ours, in both roles, in clear and under OSCORE."""

from __future__ import annotations

from contextlib import aclosing

import pytest

from tests.interop.test_requests import ALL, TCP, at
from thingstead.protocols.coap.registry import Code

pytestmark = [pytest.mark.interop, pytest.mark.slow]

VALUES = [b"one", b"two", b"three", b"four", b"five"]
LONG_VALUES = [value * 1200 for value in VALUES[2:]]


# aiocoap 0.4.17 goes on to acknowledge the notifications of an observation that it has cancelled (RFC 7641 §3.6).
CANCELS = tuple(case for case in (*ALL, *TCP) if not case.startswith("aiocoap"))
# aiocoap's server sends a notification whole whatever its size, and npm's coap cannot send one over 1152 bytes.
BLOCKS = tuple(case for case in ALL if case.startswith("libcoap"))
SENDS_BLOCKS = tuple(case for case in (*ALL, *TCP) if case.startswith("libcoap"))


@pytest.mark.spec("RFC 7641 4.2")
@pytest.mark.parametrize("case", [*ALL, *TCP])
def test_peer_observes_us(play, case):
    async def story(party, peer):
        payloads = [await peer.observe(at(party, "/store"))]
        for value in VALUES:
            party.change(value)
            payloads.append(await peer.next())
        return payloads

    assert play(story, case) == [b"empty", *VALUES]


@pytest.mark.spec("RFC 7641 3.6")
@pytest.mark.parametrize("case", CANCELS)
def test_peer_cancels_its_observation_of_us(play, case):
    async def story(party, peer):
        # libcoap 4.3.5 would deregister under the token of a request that was answered with an Echo value.
        await peer.ask("PUT", at(party, "/store"), b"empty")
        await peer.observe(at(party, "/store"))
        assert len(party.observers) == 1
        await peer.cancel()
        await party.unobserved()

    play(story, case)


@pytest.mark.spec("RFC 7641 3.3")
@pytest.mark.parametrize("case", [*ALL, *TCP])
def test_we_observe_the_peer(play, case):
    async def story(party, peer):
        port = await peer.serve()
        payloads = []
        async with aclosing(party.responses(Code.GET, "/store", port, observe=True)) as responses:
            async for response in responses:
                payloads.append(response.payload)
                if len(payloads) > len(VALUES):
                    break
                await peer.change(VALUES[len(payloads) - 1])
        return payloads

    assert play(story, case) == [b"empty", *VALUES]


@pytest.mark.spec("RFC 7641 3.6")
@pytest.mark.parametrize("case", [*ALL, *TCP])
def test_we_cancel_our_observation_of_the_peer(play, case):
    async def story(party, peer):
        port = await peer.serve()
        async with aclosing(party.responses(Code.GET, "/store", port, observe=True)) as responses:
            await anext(responses)
        # What was sent before has arrived when the question is answered. npm's coap learns from our RST only.
        for _ in range(2):
            await party.ask(Code.GET, "/hello", port)
            known = party.counters.get("unexpected-response", 0)
            await peer.change(b"for nobody")
        await party.ask(Code.GET, "/hello", port)
        return party.counters.get("unexpected-response", 0) - known

    assert play(story, case) == 0


@pytest.mark.spec("RFC 7959 2.6")
@pytest.mark.parametrize("case", [*BLOCKS, "aiocoap+oscore", *TCP])
def test_peer_observes_what_takes_blocks_at_our_server(play, case):
    async def story(party, peer):
        payloads = [await peer.observe(at(party, "/store"))]
        for value in LONG_VALUES:
            party.change(value)
            payloads.append(await peer.next())
        return payloads

    assert play(story, case) == [b"empty", *LONG_VALUES]


@pytest.mark.spec("RFC 7959 2.6")
@pytest.mark.parametrize("case", SENDS_BLOCKS)
def test_we_observe_what_takes_blocks_at_the_peers_server(play, case):
    # After one notification in blocks over TCP libcoap keeps the next one back for seconds.
    values = LONG_VALUES[:1] if "tcp" in case else LONG_VALUES

    async def story(party, peer):
        port = await peer.serve()
        payloads = []
        async with aclosing(party.responses(Code.GET, "/store", port, observe=True)) as responses:
            async for response in responses:
                payloads.append(response.payload)
                if len(payloads) > len(values):
                    break
                await peer.change(values[len(payloads) - 1])
        return payloads

    assert play(story, case) == [b"empty", *values]
