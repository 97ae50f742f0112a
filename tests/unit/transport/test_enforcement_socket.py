"""Changes of rules as plain values: they come back whole, and nothing else does; over a socket: unit/keeper."""

from contextlib import suppress
from dataclasses import replace
from ipaddress import ip_address, ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from thingstead.domain.network import FlowRule, NetworkChange, RateLimit, ThingAddress
from thingstead.errors import DecodeError
from thingstead.identifier import ThingId
from thingstead.protocols.cbor import codec
from thingstead.transport.enforcement_socket import decode_change, encode_change

ONE = ThingId("thing-aaaaaaaaaaaaaaaa")
ADDRESS = ThingAddress(bytes(6), ip_address("2001:db8::7"))
RULES = frozenset(
    {
        FlowRule(True, ip_network("192.0.2.0/24"), 17, (1, 2), (3, 4), None, 60),
        FlowRule(False, ip_network("2001:db8::/32"), 58, icmp=(128, None)),
    }
)


@pytest.mark.parametrize("rules", [None, frozenset(), RULES], ids=["none", "empty", "two"])
@pytest.mark.parametrize("barred", [False, True])
def test_a_change_comes_back_whole(rules, barred):
    change = NetworkChange(ONE, (ADDRESS,), rules, barred)
    assert decode_change(codec.decode(codec.encode(encode_change(change)))) == change


@pytest.mark.parametrize(
    "more",
    [
        {"denied": RULES},
        {"rate": RateLimit(20, 40, 1000)},
        {"learning": True},
        {"named": frozenset({"cloud", "other"})},
        {"repair": RULES, "barred": True},
        {"addresses": (ThingAddress(bytes(6), ip_address("192.0.2.7"), "t1"),)},
    ],
    ids="-".join,
)
def test_what_stands_beside_the_rules_comes_back_whole(more):
    change = replace(NetworkChange(ONE, (ADDRESS,), RULES), **more)
    assert decode_change(codec.decode(codec.encode(encode_change(change)))) == change


@pytest.mark.parametrize("place", range(1, 9))
@pytest.mark.parametrize("other", [0, "x", b"x", {}], ids=["number", "text", "bytes", "map"])
def test_a_change_with_anything_else_in_one_place_is_refused(place, other):
    value = encode_change(NetworkChange(ONE, (ADDRESS,), RULES))
    value[place] = other
    with pytest.raises(DecodeError):
        decode_change(value)


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.binary(max_size=8) | st.text(max_size=8) | st.just(str(ONE)),
    lambda inner: st.lists(inner, max_size=6),
    max_leaves=20,
)


@given(VALUES)
def test_anything_else_is_refused_as_malformed(value):
    """Whatever is decoded is a change, or a DecodeError."""
    with suppress(DecodeError):
        assert isinstance(decode_change(value), NetworkChange)
