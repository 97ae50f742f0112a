"""What is remembered of one kind of peer has its own bounds, whatever the other kind does."""

import pytest

from thingstead.endpoint.config import EndpointConfig, Retention
from thingstead.endpoint.memory import Memory
from thingstead.protocols.coap import block
from thingstead.protocols.coap.block import Block, BodyTooLargeError
from thingstead.protocols.coap.message import Message, request
from thingstead.protocols.coap.registry import Code
from thingstead.protocols.coap.reliability import TransmissionParameters

GET = request(Code.GET, "/a")
BODIES = block.Limits(max_body=64, max_bodies=2, max_bodies_per_peer=1, max_total=100, max_age=30.0)
SMALL = Retention(
    max_duplicates=2,
    max_duplicate_bytes=100,
    uploads=BODIES,
    representations=BODIES,
    max_exchanges=3,
    max_observers=2,
    max_observers_per_peer=1,
)


def memory(**transmission):
    return Memory(SMALL, TransmissionParameters(**transmission))


@pytest.mark.requirement("R-36")
def test_every_table_takes_its_bound_from_the_configuration():
    held = memory()
    for peer in range(5):
        held.duplicates.remember((peer, b"datagram"), 0.0)
        held.uploads.receive(Block(0, True, 0), bytes(16), peer=peer, key="k", now=0.0)
        held.representations.put(peer, GET, b"", Message(Code.CONTENT, payload=bytes(10)), 0.0)
        held.observers.register(peer, b"t", peer)
    assert (len(held.duplicates), len(held.uploads), len(held.observers), held.max_open) == (2, 2, 2, 3)
    assert sum(held.representations.look(peer, GET, 0.0) is not None for peer in range(5)) == 2


@pytest.mark.requirement("R-36")
def test_bytes_are_bounded_too():
    held = memory()
    for mid in range(20):
        held.duplicates.remember(("peer", bytes((mid,)) * 90), 0.0)
    assert held.duplicates.held <= 190
    with pytest.raises(BodyTooLargeError):
        held.uploads.receive(Block(0, True, 3), bytes(128), peer="peer", key="k", now=0.0)


@pytest.mark.spec("RFC 7252 4.8.2")
def test_duplicates_are_known_for_the_lifetime_of_an_exchange():
    held = memory(max_latency=1.0)
    lifetime = TransmissionParameters(max_latency=1.0).exchange_lifetime
    held.duplicates.remember(("peer", b"one"), 0.0)
    held.duplicates.remember(("peer", b"two"), lifetime)
    assert held.duplicates.reply_to(("peer", b"one")) == b""
    held.duplicates.remember(("peer", b"three"), lifetime + 0.1)
    assert held.duplicates.reply_to(("peer", b"one")) is None


@pytest.mark.requirement("R-36")
def test_strangers_get_less_of_everything_than_peers():
    config = EndpointConfig()
    known, strangers = config.known, config.strangers
    for name in ("max_duplicates", "max_duplicate_bytes", "max_exchanges", "max_observers", "max_observers_per_peer"):
        assert getattr(strangers, name) < getattr(known, name)
    for name in ("max_body", "max_bodies", "max_bodies_per_peer", "max_total", "max_age"):
        assert getattr(strangers.uploads, name) < getattr(known.uploads, name)
