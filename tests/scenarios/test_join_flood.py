"""Who floods a domain with first messages in others' names keeps nobody from joining, and has it hold little."""

from time import process_time

import pytest

from tests.scenarios.world import play
from thingstead.crypto.key import KeyType, generate
from thingstead.protocols.coap.message import MessageType, encode_as, request
from thingstead.protocols.coap.registry import Code, ContentFormat
from thingstead.protocols.edhoc import coap_carriage
from thingstead.protocols.edhoc.message import encode_message_1
from thingstead.protocols.profile import join, path
from thingstead.simulator.virtual.network import Datagram

pytestmark = [pytest.mark.requirement("R-36"), pytest.mark.spec("RFC 9528 9.7")]
RATE = 10_000
_STEP = 0.01
_UNDER_WAY = 256
"""Handshakes that were let in before those under way were counted."""


def first_message():
    message_1 = encode_message_1(join.METHOD, (2,), generate(KeyType.P256).public.x, c_i=b"\x37", ead_1=b"")
    payload = coap_carriage.frame_message_1(message_1)
    return request(Code.POST, path.EDHOC, payload=payload, content_format=ContentFormat.CID_EDHOC_CBOR_SEQ)


@pytest.mark.slow
@pytest.mark.parametrize("forged", ["of everybody", "of the thing"])
@pytest.mark.parametrize("size", [20_000, pytest.param(1_000_000, marks=pytest.mark.full)])
def test_a_flood_of_forged_message_1_leaves_a_joining_thing_unharmed(forged, size, capsys):
    async def story(world):
        thing, message = world.thing("A0001"), first_message()
        bootstrap = world.domain.controller.bootstrap
        largest, joined_at, began = 0, None, process_time()
        for number in range(size):
            source = thing.address if forged == "of the thing" else (f"2001:db8:f::{number:x}", 5683)
            data = encode_as(message, MessageType.NON, number & 0xFFFF, number.to_bytes(4, "big"))
            world.network.inject(Datagram(world.clock.now(), source, world.domain.address, data))
            if number % int(RATE * _STEP) == 0:
                await world.sleep(_STEP)
                world.network.sent.clear()
                largest = max(largest, bootstrap.half_open)
                if number == size // 4:
                    thing.start()
                if joined_at is None and thing.is_up and thing.is_joined:
                    joined_at = number
        assert joined_at is not None
        assert world.domain.record("A0001").state == "operational"
        room = world.domain.controller.foundation.config.join.max_half_open
        assert largest <= room // 4 + _UNDER_WAY < room
        return largest, (joined_at - size // 4) / RATE, (process_time() - began) / size * 1e6

    largest, seconds, cost = play(story)
    with capsys.disabled():
        print(
            f"\n{size:,} first messages in the name {forged}, {RATE:,} a second: the thing joined in {seconds:.2f} s,"
            f" at most {largest} handshakes half open, {cost:.0f} us of CPU for each"
        )
