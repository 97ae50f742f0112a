"""Requests and responses with peers that are not ours, in both roles, in clear and under OSCORE."""

from __future__ import annotations

import pytest

from tests.interop.endpoint_party import LARGE
from thingstead.protocols.coap.code import code_name
from thingstead.protocols.coap.registry import Code

pytestmark = [pytest.mark.interop, pytest.mark.slow]

ALL = ("libcoap-4.3.1", "libcoap-4.3.5", "libcoap-4.3.5+oscore", "aiocoap", "aiocoap+oscore", "npm-coap")
TCP = ("libcoap-4.3.1+tcp", "libcoap-4.3.5+tcp", "libcoap-4.3.5+oscore+tcp", "aiocoap+tcp", "aiocoap+oscore+tcp")
# aiocoap 0.4.17 brings an Echo value back under OSCORE only, and npm's coap 1.5.0 never.
ECHOES = tuple(case for case in ALL if case not in {"aiocoap", "npm-coap"})
# npm's coap 1.5.0 knows the blocks of one body by their token, of which ours have one each (RFC 7252 §5.3.1).
ONE_BODY = tuple(case for case in ALL if case != "npm-coap")


def at(party, path):
    host = f"[{party.host}]" if ":" in party.host else party.host
    return f"{party.scheme}://{host}:{party.port}{path}"


@pytest.mark.spec("RFC 7252 5.8")
@pytest.mark.parametrize("case", [*ALL, *TCP])
def test_peer_gets_puts_and_posts_at_our_server(play, case):
    async def story(party, peer):
        assert await peer.ask("GET", at(party, "/hello")) == ("2.05", b"hello")
        assert await peer.ask("PUT", at(party, "/store"), b"put") == ("2.04", b"")
        assert await peer.ask("GET", at(party, "/store")) == ("2.05", b"put")
        assert await peer.ask("POST", at(party, "/store"), b"posted") == ("2.04", b"")
        assert await peer.ask("GET", at(party, "/store")) == ("2.05", b"posted")
        assert (await peer.ask("GET", at(party, "/nothing")))[0] == "4.04"

    play(story, case)


@pytest.mark.spec("RFC 7252 5.8")
@pytest.mark.parametrize("case", [*ALL, *TCP])
def test_we_get_put_and_post_at_the_peers_server(play, case):
    async def story(party, peer):
        port = await peer.serve()
        answers = [
            await party.ask(Code.GET, "/hello", port),
            await party.ask(Code.PUT, "/store", port, payload=b"put"),
            await party.ask(Code.GET, "/store", port),
            await party.ask(Code.POST, "/store", port, payload=b"posted"),
            await party.ask(Code.GET, "/store", port),
            await party.ask(Code.GET, "/nothing", port),
        ]
        assert [code_name(answer.code) for answer in answers] == ["2.05", "2.04", "2.05", "2.04", "2.05", "4.04"]
        assert [answer.payload for answer in answers[:5]] == [b"hello", b"", b"put", b"", b"posted"]

    play(story, case)


@pytest.mark.spec("RFC 6690 4")
@pytest.mark.parametrize("case", [*ALL, *TCP])
def test_peer_discovers_our_resources(play, case):
    async def story(party, peer):
        return await peer.ask("GET", at(party, "/.well-known/core"))

    code, links = play(story, case)
    assert code == "2.05"
    assert b"</hello>" in links


@pytest.mark.spec("RFC 7252 4.3")
@pytest.mark.parametrize("case", ALL)
def test_peer_asks_us_non_confirmably(play, case):
    async def story(party, peer):
        return await peer.ask("GET", at(party, "/hello"), confirmable=False)

    assert play(story, case) == ("2.05", b"hello")


@pytest.mark.spec("RFC 7252 4.3")
@pytest.mark.parametrize("case", ALL)
def test_we_ask_the_peer_non_confirmably(play, case):
    async def story(party, peer):
        return await party.ask(Code.GET, "/hello", await peer.serve(), confirmable=False)

    assert play(story, case).payload == b"hello"


@pytest.mark.spec("RFC 7252 5.2.2")
@pytest.mark.parametrize("case", ALL)
def test_peer_waits_for_our_separate_response(play, case):
    async def story(party, peer):
        return await peer.ask("GET", at(party, "/slow"))

    assert play(story, case) == ("2.05", b"slow")


@pytest.mark.spec("RFC 7252 5.2.2")
@pytest.mark.parametrize("case", ALL)
def test_we_wait_for_the_peers_separate_response(play, case):
    async def story(party, peer):
        answer = await party.ask(Code.GET, peer.slow, await peer.serve())
        return answer, [data for data in party.received if data[1] == 0]

    answer, empty = play(story, case)
    assert answer.code == Code.CONTENT
    assert len(empty) == 1


@pytest.mark.spec("RFC 7959 2.4")
@pytest.mark.parametrize("size", [None, 64])
@pytest.mark.parametrize("case", [*ECHOES, *TCP])
def test_peer_gets_a_large_body_from_us(play, case, size):
    async def story(party, peer):
        return await peer.ask("GET", at(party, "/large"), size=size)

    assert play(story, case) == ("2.05", LARGE)


@pytest.mark.spec("RFC 9175 2.4")
@pytest.mark.parametrize("case", ECHOES)
def test_peer_proves_its_address_once_for_all_blocks(play, case):
    async def story(party, peer):
        answer = await peer.ask("GET", at(party, "/large"))
        return answer, party.counters

    answer, counters = play(story, case)
    assert (answer, counters["amplification"]) == (("2.05", LARGE), 1)


@pytest.mark.spec("RFC 9175 2.6")
@pytest.mark.parametrize("case", ["aiocoap", "npm-coap"])
def test_peer_without_echo_gets_no_more_than_an_unproven_source_may(play, case):
    async def story(party, peer):
        return (await peer.ask("GET", at(party, "/large")))[0], party.counters

    code, counters = play(story, case)
    assert (code, counters["amplification"]) == ("4.01", 1)


@pytest.mark.spec("RFC 7959 2.5")
@pytest.mark.parametrize("case", [*ALL, *TCP])
def test_peer_puts_a_large_body_to_us(play, case):
    async def story(party, peer):
        code, _ = await peer.ask("PUT", at(party, "/store"), LARGE)
        return code, party.stored

    assert play(story, case) == ("2.04", LARGE)


@pytest.mark.spec("RFC 7959 2.4")
@pytest.mark.parametrize("case", [*ALL, *TCP])
def test_we_get_a_large_body_from_the_peer(play, case):
    async def story(party, peer):
        return await party.ask(Code.GET, "/large", await peer.serve())

    assert play(story, case).payload == LARGE


@pytest.mark.spec("RFC 7959 2.5")
@pytest.mark.parametrize("case", [*ONE_BODY, *TCP])
def test_we_put_a_large_body_to_the_peer(play, case):
    async def story(party, peer):
        port = await peer.serve()
        assert (await party.ask(Code.PUT, "/store", port, payload=LARGE)).code == Code.CHANGED
        return await party.ask(Code.GET, "/store", port)

    assert play(story, case).payload == LARGE
