"""Invariant: records survive both forms exactly, and no bytes bring out anything but the error tree."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from thingstead.errors import ProtocolError
from thingstead.protocols.cbor import codec
from thingstead.protocols.senml.pack import parse_cbor, parse_json, render_cbor, render_json
from thingstead.protocols.senml.record import ABSOLUTE_TIME, Record

AT = datetime(2026, 11, 23, tzinfo=UTC)
NUMBERS = st.one_of(
    st.integers(-(2**64) + 1, 2**64 - 1), st.floats(allow_nan=False, allow_infinity=False, allow_subnormal=True)
)
TEXTS = st.text(max_size=20).filter(lambda text: text.isprintable())
RECORDS = st.builds(
    Record,
    name=st.from_regex(r"[A-Za-z0-9][A-Za-z0-9:./_-]{0,12}", fullmatch=True),
    time=st.floats(min_value=ABSOLUTE_TIME, max_value=1e11),
    value=st.one_of(NUMBERS, TEXTS, st.booleans(), st.binary(max_size=20)),
    unit=st.one_of(st.none(), TEXTS),
    sum=st.one_of(st.none(), NUMBERS),
    update_time=st.one_of(st.none(), st.integers(0, 10**6)),
    extensions=st.just(()),
)
LEAVES = st.one_of(st.none(), st.booleans(), NUMBERS, st.floats(), TEXTS, st.binary(max_size=8))
PACKS = st.lists(
    st.dictionaries(st.one_of(st.integers(-7, 9), st.text("bnvts_", max_size=3)), LEAVES, max_size=6), max_size=4
)


@given(st.lists(RECORDS, min_size=1, max_size=6))
def test_records_survive_both_forms(records):
    assert parse_cbor(render_cbor(records), at=AT) == records
    assert parse_json(render_json(records), at=AT) == records


@given(st.one_of(st.binary(max_size=64), PACKS.map(codec.encode)))
def test_any_cbor_is_a_pack_or_a_protocol_error(data):
    try:
        records = parse_cbor(data, at=AT)
    except ProtocolError:
        return
    assert records


@given(st.one_of(st.text(max_size=64), st.binary(max_size=64)))
def test_any_text_is_a_pack_or_a_protocol_error(text):
    try:
        records = parse_json(text, at=AT)
    except ProtocolError:
        return
    assert records


@pytest.mark.parametrize("position", range(40))
def test_a_changed_byte_brings_out_no_other_error(position):
    pack = bytearray(render_cbor([Record("urn:dev:a", 1.5e9, 23.1, "Cel"), Record("urn:dev:b", 1.5e9, b"x")]))
    for value in range(256):
        pack[position % len(pack)] = value
        try:
            parse_cbor(bytes(pack), at=AT)
        except ProtocolError:
            continue
