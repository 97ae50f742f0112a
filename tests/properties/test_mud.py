"""Invariant: whatever the bytes, the MUD parser gives a file or an error of ours that names place and clause."""

import json

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.protocols.mud.fixture import FILE
from thingstead.errors import ProtocolError
from thingstead.protocols.mud.parser import parse

LEAVES = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=12))
NAMES = st.sampled_from(
    ["name", "type", "aces", "ace", "matches", "ipv4", "tcp", "udp", "icmp", "eth", "ietf-mud:mud", "protocol",
     "destination-port", "operator", "port", "actions", "forwarding", "destination-ipv4-network", "controller"]
)  # fmt: skip
VALUES = st.recursive(
    LEAVES,
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(NAMES, inner, max_size=4)),
    max_leaves=8,
)


def places(value, path=()):
    yield path
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, child in items:
        yield from places(child, (*path, key))


PLACES = [path for path in places(FILE) if path]


def replaced(value, path, new):
    if not path:
        return new
    copy = dict(value) if isinstance(value, dict) else list(value)
    copy[path[0]] = replaced(value[path[0]], path[1:], new)
    return copy


def survive(data):
    clauses = []
    try:
        clauses = [finding.place and finding.spec for finding in parse(data).findings]
    except ProtocolError as refusal:
        clauses = [refusal.spec]
    assert all(clauses)


@given(st.one_of(st.binary(max_size=200), VALUES.map(lambda value: json.dumps(value).encode())))
def test_any_bytes(data):
    survive(data)


@settings(max_examples=400)
@given(st.sampled_from(PLACES), VALUES)
def test_any_value_at_any_place(path, value):
    survive(json.dumps(replaced(FILE, path, value)).encode())


@given(st.integers(0, 1 << 16), st.integers(0, 255))
def test_any_changed_byte(position, value):
    data = bytearray(json.dumps(FILE).encode())
    data[position % len(data)] = value
    survive(bytes(data))
