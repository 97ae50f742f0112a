"""State in tokens, with peers of which some know long tokens and some do not (RFC 8974)."""

from __future__ import annotations

import pytest

from thingstead.coap.client import Client

pytestmark = [pytest.mark.interop, pytest.mark.slow]

PLAIN = ("libcoap-4.3.1", "libcoap-4.3.5", "aiocoap", "npm-coap")
TCP = ("libcoap-4.3.1+tcp", "libcoap-4.3.5+tcp", "aiocoap+tcp")


@pytest.mark.spec("RFC 8974 2.2")
@pytest.mark.spec("RFC 8974 3")
# aiocoap 0.4.17 is silent to a long token over UDP: it is asked again, some seconds later, with a short one.
@pytest.mark.parametrize("case", [*PLAIN, *TCP])
def test_whoever_is_asked_the_state_comes_back_with_the_response(play, case):
    async def story(party, peer):
        port = await peer.serve()
        host = f"[{party.host}]" if ":" in party.host else party.host
        asked = [b"first", b"second", b"third"]
        found = []
        async with Client() as client:
            for state in asked:
                await client.ask(f"{party.scheme}://{host}:{port}/hello", state)
                async for told, response in client.answers(patience=15):
                    found.append((told, response.payload))
                    break
        return found == [(state, b"hello") for state in asked]

    assert play(story, case)
