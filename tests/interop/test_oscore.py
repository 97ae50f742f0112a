"""What OSCORE refuses and what it survives, with peers that are not ours, in both roles (RFC 8613)."""

from __future__ import annotations

import asyncio
import socket

import pytest

from tests.interop.endpoint_party import on_loopback
from tests.interop.keys import Keys
from tests.interop.peer import RefusedError
from tests.interop.test_requests import ALL, TCP, at
from thingstead.errors import ThingsteadError
from thingstead.protocols.coap import tcp
from thingstead.protocols.coap.message import Message, encode, request
from thingstead.protocols.coap.registry import Code
from thingstead.protocols.oscore.context import SequenceNumbers
from thingstead.protocols.oscore.protection import protect_request
from thingstead.protocols.oscore.replay import ReplayWindow

pytestmark = [pytest.mark.interop, pytest.mark.slow]

OSCORE = tuple(case for case in (*ALL, *TCP) if "oscore" in case)
# aiocoap 0.4.17 answers what it refuses if that is confirmable, which nothing over TCP is.
SILENT = "aiocoap+oscore+tcp"
OUTSPOKEN = tuple(case for case in OSCORE if case != SILENT)
WITH_ID_CONTEXT = Keys(id_context=bytes.fromhex("37cbf3210017a2d3"))


async def send(party, message, port):
    """Send a message from a socket of its own, as the party would; the code that comes back."""
    stranger = over_tcp if party.scheme == "coap+tcp" else over_udp
    return await asyncio.to_thread(stranger, message, (party.host, port))


def over_udp(message, address):
    with socket.socket(socket.AF_INET6 if ":" in address[0] else socket.AF_INET, socket.SOCK_DGRAM) as stranger:
        stranger.settimeout(10)
        stranger.sendto(encode(message), address)
        while not (answer := stranger.recv(2048))[1]:
            pass  # an empty acknowledgement
        return answer[1]


def over_tcp(message, address):
    with socket.create_connection(address, timeout=2) as stranger:
        stranger.sendall(tcp.encode(Message(Code.CSM)) + tcp.encode(message))
        reader = tcp.FrameReader(tcp.Limits())
        while True:
            data = stranger.recv(2048)
            assert data, "the peer hung up"
            reader.receive(data)
            while (answer := reader.next_message()) is not None:
                if answer.token == message.token and answer.code != Code.CSM:
                    return answer.code


@pytest.mark.requirement("R-15")
@pytest.mark.spec("RFC 8613 7.4")
@pytest.mark.parametrize("case", OSCORE)
def test_a_captured_request_of_the_peer_is_refused_by_us(play, case):
    async def story(party, peer):
        assert (await peer.ask("PUT", at(party, "/store"), b"1"))[0] == "2.04"
        again = party.messages()[-1]
        again.mid ^= 0x100
        return await send(party, again, party.port), party.counters

    answer, counters = play(story, case)
    assert answer == Code.UNAUTHORIZED
    assert counters["replay"] == 1


@pytest.mark.requirement("R-15")
@pytest.mark.spec("RFC 8613 7.4")
@pytest.mark.parametrize("case", OUTSPOKEN)
def test_a_captured_request_of_ours_is_refused_by_the_peer(play, case):
    async def story(party, peer):
        port = await peer.serve()
        # The peer has lost its window with its last life, or had none: the first request makes it valid.
        assert (await party.ask(Code.GET, "/hello", port)).code == Code.CONTENT
        context = peer.keys.ours(sequence=SequenceNumbers(1000))
        outer, _ = protect_request(request(Code.PUT, "/store", payload=b"1"), context=context)
        outer.mid, outer.token = 1, b"\x01"
        first = await send(party, outer, port)
        outer.mid = 2
        return first, await send(party, outer, port)

    assert play(story, case) == (Code.CHANGED, Code.UNAUTHORIZED)


@pytest.mark.requirement("R-15")
@pytest.mark.spec("RFC 8613 8.2")
@pytest.mark.parametrize("case", OSCORE)
def test_peer_with_another_key_is_refused_by_us(play, case):
    async def story(party, peer):
        try:
            code, _ = await peer.ask("PUT", at(party, "/store"), b"1")
        except RefusedError:
            code = "none"
        return code, party.stored, party.counters

    code, stored, counters = play(story, case, ours=Keys().wrong().ours())
    assert code in {"4.00", "none"}
    assert (stored, counters["unauthenticated"]) == (b"empty", 1)


@pytest.mark.requirement("R-15")
@pytest.mark.spec("RFC 8613 8.2")
@pytest.mark.parametrize("case", OUTSPOKEN)
def test_we_with_another_key_are_refused_by_the_peer(play, case):
    async def story(party, peer):
        port = await peer.serve()
        with pytest.raises(ThingsteadError) as refused:
            await party.ask(Code.PUT, "/store", port, payload=b"1")
        return refused.value, await party.ask(Code.GET, "/store", port, protected=False)

    refusal, stored = play(story, case, ours=Keys().wrong().ours())
    assert refusal.reason == "refused"
    assert stored.payload == b"empty"


@pytest.mark.requirement("R-15")
@pytest.mark.spec("RFC 8613 8.2")
@pytest.mark.parametrize("wrong", [False, True], ids=["captured", "another_key"])
def test_what_a_peer_refuses_in_silence_changes_nothing(play, wrong):
    async def story(party, peer):
        port = await peer.serve()
        assert (await party.ask(Code.GET, "/hello", port)).code == Code.CONTENT
        keys = peer.keys.wrong() if wrong else peer.keys
        refused, _ = protect_request(
            request(Code.PUT, "/store", payload=b"1"), context=keys.ours(sequence=SequenceNumbers(1000))
        )
        refused.token = b"\x01"
        if not wrong:
            assert await send(party, refused, port) == Code.CHANGED
        await party.ask(Code.PUT, "/store", port, payload=b"2", protected=False)
        with pytest.raises(TimeoutError):
            await send(party, refused, port)
        return (await party.ask(Code.GET, "/store", port, protected=False)).payload

    assert play(story, SILENT) == b"2"


@pytest.mark.spec("RFC 8613 8.2")
@pytest.mark.parametrize("case", OSCORE)
def test_peer_that_we_do_not_know_is_refused(play, case):
    async def story(party, peer):
        async with on_loopback(None, host=party.host, over_tcp=party.scheme == "coap+tcp") as stranger:
            try:
                code, _ = await peer.ask("GET", at(stranger, "/hello"))
            except RefusedError:
                code = "none"
            return code, stranger.counters

    code, counters = play(story, case)
    assert code in {"4.01", "none"}
    assert counters["context"] == 1


@pytest.mark.spec("RFC 8613 5.1")
@pytest.mark.parametrize("case", OSCORE)
def test_peer_tells_us_its_id_context(play, case):
    async def story(party, peer):
        return await peer.ask("GET", at(party, "/hello"))

    assert play(story, case, keys=WITH_ID_CONTEXT) == ("2.05", b"hello")


@pytest.mark.spec("RFC 8613 5.1")
@pytest.mark.parametrize("case", OSCORE)
def test_we_tell_the_peer_our_id_context(play, case):
    async def story(party, peer):
        return await party.ask(Code.GET, "/hello", await peer.serve())

    assert play(story, case, keys=WITH_ID_CONTEXT).payload == b"hello"


@pytest.mark.spec("RFC 8613 B.1.2")
@pytest.mark.parametrize("case", OSCORE)
def test_peer_proves_itself_fresh_after_we_lost_our_window(play, case):
    async def story(party, peer):
        return await peer.ask("GET", at(party, "/hello")), party.counters

    answer, counters = play(story, case, ours=Keys().ours(window=ReplayWindow(valid=False)))
    assert answer == ("2.05", b"hello")
    assert counters["freshness"] == 1


@pytest.mark.spec("RFC 8613 B.1.2")
@pytest.mark.parametrize("case", OSCORE)
def test_we_prove_ourselves_fresh_after_the_peer_lost_its_window(play, case):
    async def story(party, peer):
        port = await peer.serve()
        assert (await party.ask(Code.GET, "/hello", port)).payload == b"hello"
        before = len(party.messages())
        await peer.crash()
        assert await peer.serve() == port
        answer = await party.ask(Code.GET, "/hello", port)
        return answer, party.messages()[before:]

    answer, messages = play(story, case)
    assert answer.payload == b"hello"
    assert len(messages) == 2


@pytest.mark.spec("RFC 8613 B.1.1")
@pytest.mark.parametrize("case", OSCORE)
def test_peer_goes_on_after_a_crash(play, case):
    async def story(party, peer):
        assert await peer.ask("PUT", at(party, "/store"), b"before") == ("2.04", b"")
        await peer.crash()
        return await peer.ask("PUT", at(party, "/store"), b"after"), party.stored, party.counters

    answer, stored, counters = play(story, case)
    assert (answer, stored) == (("2.04", b""), b"after")
    assert "replay" not in counters


@pytest.mark.spec("RFC 8613 B.1.1")
@pytest.mark.parametrize("case", OSCORE)
def test_we_go_on_after_a_crash(play, case):
    async def story(party, peer):
        port = await peer.serve()
        assert (await party.ask(Code.PUT, "/store", port, payload=b"before")).code == Code.CHANGED
        again = peer.keys.ours(sequence=SequenceNumbers(party.reserved, reserved=party.reserved))
        async with on_loopback(again, host=party.host, over_tcp=party.scheme == "coap+tcp") as reborn:
            return party.reserved, await reborn.ask(Code.PUT, "/store", port, payload=b"after")

    reserved, answer = play(story, case)
    assert reserved > 0
    assert answer.code == Code.CHANGED


RENEWED = Keys(is_renewed=True)
LIBCOAP = "libcoap-4.3.5+oscore"
"""aiocoap does not derive contexts this way."""


@pytest.mark.spec("RFC 8613 B.2")
def test_a_peer_derives_a_context_with_our_help_each_time_that_either_starts_anew(play):
    async def story(party, peer):
        codes = []
        for _ in range(2):
            party.begin_anew(RENEWED.parameters())
            # Each of its requests is a process of its own, which knows no context.
            codes += [(await peer.ask("PUT", at(party, "/store"), b"1"))[0] for _ in range(2)]
        return codes

    assert play(story, LIBCOAP, keys=RENEWED) == ["2.04"] * 4


@pytest.mark.spec("RFC 8613 B.2")
def test_we_derive_a_context_with_the_peer_s_help_and_another_when_it_starts_anew(play):
    async def story(party, peer):
        # libcoap takes a second start of ours for a replay as long as it lives: its window outlives the context.
        party.begin_anew(RENEWED.parameters())
        port = await peer.serve()
        codes = [(await party.ask(Code.GET, "/hello", port)).code for _ in range(2)]
        await peer.crash()
        await peer.serve()
        return [*codes, *[(await party.ask(Code.GET, "/hello", port)).code for _ in range(2)]]

    assert play(story, LIBCOAP, keys=RENEWED) == [Code.CONTENT] * 4


@pytest.mark.spec("RFC 8613 B.2")
def test_no_context_is_derived_with_a_peer_of_another_secret(play):
    async def story(party, peer):
        port = await peer.serve()
        party.begin_anew(RENEWED.wrong().parameters())
        with pytest.raises(ThingsteadError):
            await party.ask(Code.GET, "/hello", port)
        return await peer.ask("PUT", at(party, "/store"), b"1"), party.stored

    (code, _), stored = play(story, LIBCOAP, keys=RENEWED)
    assert (code, stored) == ("4.01", b"empty")
