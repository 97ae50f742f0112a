from dataclasses import replace

import pytest

from tests.unit.protocols.suit.releases import RELEASE, signed
from thingstead.errors import DecodeError, UnsupportedError
from thingstead.protocols.cbor import codec
from thingstead.protocols.suit import envelope
from thingstead.protocols.suit.builder import build
from thingstead.protocols.suit.envelope import Limits

BUILT = build(RELEASE)
WRAPPER = codec.encode([BUILT.signed])


def encoded(members):
    return codec.encode(codec.Tag(107, members))


@pytest.mark.spec("draft-ietf-suit-manifest 8.2")
def test_an_envelope_survives_encoding_tagged_or_not():
    full = replace(signed(), severed={23: b"\xa0"}, payloads={"#image": b"bytes"})
    data = envelope.encode(full)
    assert data[:2].hex() == "d86b"
    assert envelope.decode(data) == full == envelope.decode(data[2:])


@pytest.mark.spec("draft-ietf-suit-manifest 8.3")
def test_the_wrapper_comes_before_the_manifest_or_nothing_is_read():
    backwards = bytes.fromhex("d86ba2") + b"\x03" + codec.encode(BUILT.manifest) + b"\x02" + codec.encode(WRAPPER)
    with pytest.raises(DecodeError):
        envelope.decode(backwards)


@pytest.mark.parametrize(
    "members",
    [
        [],
        {},
        {3: BUILT.manifest},
        {2: WRAPPER},
        {2: WRAPPER, 3: 1},
        {2: WRAPPER, 3: BUILT.manifest, "#a": "text"},
        {2: WRAPPER, 3: BUILT.manifest, b"a": b"bytes"},
        {2: codec.encode([]), 3: BUILT.manifest},
        {2: codec.encode({}), 3: BUILT.manifest},
        {2: codec.encode(["text"]), 3: BUILT.manifest},
        {2: codec.encode([codec.encode([-16, b"short"])]), 3: BUILT.manifest},
        {2: codec.encode([codec.encode([True, bytes(32)])]), 3: BUILT.manifest},
        {2: codec.encode([codec.encode(-16)]), 3: BUILT.manifest},
    ],
)
def test_what_is_not_an_envelope_is_refused(members):
    with pytest.raises(DecodeError):
        envelope.decode(encoded(members))


def test_another_tag_and_trailing_bytes_are_refused():
    data = envelope.encode(BUILT)
    for changed in (data + b"\0", codec.encode(codec.Tag(1070, {})), b"", data[:-1]):
        with pytest.raises(DecodeError):
            envelope.decode(changed)


@pytest.mark.parametrize("members", [{1: b"delegation"}, {4: b""}, {-1: b""}, {99: b""}])
def test_a_member_that_nobody_knows_is_refused(members):
    with pytest.raises((UnsupportedError, DecodeError)):
        envelope.decode(encoded({2: WRAPPER, 3: BUILT.manifest, **members}))


@pytest.mark.spec("RFC 9054 3")
def test_a_hash_that_we_do_not_have_is_refused():
    with pytest.raises(UnsupportedError):
        envelope.decode(encoded({2: codec.encode([codec.encode([-14, bytes(20)])]), 3: BUILT.manifest}))


@pytest.mark.parametrize(
    "limits", [Limits(max_bytes=100), Limits(max_manifest_bytes=100), Limits(max_blocks=1)], ids=str
)
def test_an_envelope_over_its_limits_is_refused(limits):
    with pytest.raises(DecodeError, match="at most"):
        envelope.decode(envelope.encode(signed()), limits=limits)
