"""Invariant: no bytes and no manifest bring out anything but the error tree; and whatever an authentic
manifest says, an active image changes only to one that matched its signed digest."""

from itertools import chain

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.protocols.suit.releases import (
    BOTH,
    FIRMWARE,
    NEW,
    OLD,
    RELEASE,
    SCRATCH,
    URI,
    Machine,
    custom,
    processor,
)
from thingstead.errors import ProtocolError, SecurityError, TransportError
from thingstead.protocols.cbor import codec
from thingstead.protocols.suit import envelope
from thingstead.protocols.suit.builder import build, sign
from thingstead.protocols.suit.digest import digest_of
from thingstead.protocols.suit.envelope import Envelope
from thingstead.protocols.suit.manifest import decode_manifest
from thingstead.protocols.suit.report import Report, decode_report, encode_report, reason_of

REFUSALS = (ProtocolError, SecurityError)
SIGNED = envelope.encode(sign(build(RELEASE), BOTH[:1]))
LEAVES = st.one_of(
    st.none(), st.booleans(), st.integers(-300, 1 << 65), st.binary(max_size=20), st.text(max_size=8), st.floats()
)
VALUES = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        st.lists(inner, max_size=4),
        st.dictionaries(st.one_of(st.integers(-2, 36), st.text(max_size=2)), inner, max_size=4),
        inner.map(codec.encode),
    ),
    max_leaves=12,
)
PARAMETERS = st.sampled_from(
    [
        {21: URI},
        {3: digest_of(NEW).encode(), 14: len(NEW)},
        {3: digest_of(b"evil").encode()},
        {14: len(NEW)},
        {18: b"evil"},
        {22: 0},
        {22: 1},
        {5: 1},
        {13: True},
        {13: False},
    ]
)
COMMANDS = st.recursive(
    st.one_of(
        st.sampled_from([21, 3, 18, 22, 31, 5, 14, 25, 6, 23, 1, 2, 4, 24]).map(lambda number: [number, 15]),
        st.sampled_from([0, 1, True, [0, 1]]).map(lambda index: [12, index]),
        PARAMETERS.map(lambda parameters: [20, parameters]),
    ),
    lambda inner: st.one_of(
        st.lists(inner, min_size=1, max_size=4).map(lambda parts: [32, codec.encode(list(chain(*parts)))]),
        st.lists(inner, min_size=2, max_size=3).map(lambda parts: [15, [codec.encode(part) for part in parts]]),
        st.lists(inner, min_size=1, max_size=4).map(lambda parts: list(chain(*parts))),
    ),
    max_leaves=12,
)


@given(st.one_of(st.binary(max_size=64), VALUES.map(codec.encode)))
def test_any_bytes_are_an_envelope_a_report_or_a_refusal(data):
    for decode in (envelope.decode, decode_report):
        try:
            decode(data)
        except REFUSALS:
            continue


@given(VALUES, st.dictionaries(st.sampled_from([4, 5, 7, 15, 20, 23, 24]), VALUES, max_size=3))
def test_any_manifest_is_read_or_refused(common, members):
    manifest = codec.encode({1: 1, 2: 1, 3: codec.encode(common), **members})
    try:
        decode_manifest(Envelope(build(RELEASE).digest, b"", (), manifest))
    except REFUSALS:
        return


@pytest.mark.slow
def test_a_changed_byte_is_read_or_refused_in_envelope_and_report():
    report = encode_report(
        Report(digest_of(b""), reason_of(TransportError("x")), nonce=b"n", images={FIRMWARE: digest_of(NEW)})
    )
    for original, decode in ((SIGNED, envelope.decode), (report, decode_report)):
        for position in range(len(original)):
            for value in range(0, 256, 3):
                changed = bytearray(original)
                changed[position] = value
                try:
                    read = decode(bytes(changed))
                    if isinstance(read, Envelope):
                        decode_manifest(read)
                except REFUSALS:
                    continue


@settings(deadline=None)
@given(COMMANDS, COMMANDS, st.sampled_from([NEW, b"evil", b""]))
def test_only_a_matching_image_becomes_active_whatever_the_manifest_says(install, validate, served):
    machine = Machine(served={URI: served})
    try:
        subject = custom(components=(FIRMWARE, SCRATCH), install=[12, 0, *install], validate=validate)
        machine.run(processor(subject).update())
    except (*REFUSALS, TransportError):
        assert machine.active == {FIRMWARE: OLD, SCRATCH: b""}
        assert machine.sequence == 6
    assert set(machine.active.values()) <= {OLD, b"", NEW, b"evil"}
    for image in machine.active.values():
        assert image in {OLD, b"", NEW} or digest_of(b"evil") in [
            getattr(seen, "digest", None) for seen in machine.effects
        ]


def test_steps_end_a_manifest_that_repeats_itself():
    inner = codec.encode([12, True, *[32, codec.encode([12, True, *[5, 0] * 20])] * 4])
    subject = custom(
        components=(FIRMWARE, SCRATCH), install=[12, 0, 20, {5: 1}, 12, 1, 20, {5: 1}, 12, True, 32, inner]
    )
    with pytest.raises(REFUSALS) as caught:
        Machine().run(processor(subject).update())
    assert caught.value.reason == "steps"
