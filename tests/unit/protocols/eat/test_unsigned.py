import pytest

from tests.unit.protocols.eat.evidences import ACCEPT, CLAIMS, KEY, NONCE, PROFILE, signed
from thingstead.crypto.digest import digest
from thingstead.errors import AuthenticationError, DecodeError, UnsupportedError, UntrustedError
from thingstead.protocols.cbor import codec
from thingstead.protocols.cbor.codec import Tag
from thingstead.protocols.eat import evidence
from thingstead.protocols.eat.unsigned import (
    Bundle,
    ConveyedClaims,
    decode_bundle,
    decode_conveyed,
    detached_claims,
)

PART = codec.encode({270: "graphics"})


def token(submodules):
    return signed({**CLAIMS, 266: submodules})


def claims_of(bundle, submodules):
    data = token(submodules)
    found = evidence.authenticate(data, KEY.public, accept=ACCEPT, nonce=NONCE, profile=PROFILE)
    return detached_claims(Bundle(data if bundle is None else bundle, {"part": PART}), found)


@pytest.mark.spec("RFC 9781 3")
def test_unsigned_claims_are_of_whom_the_channel_proved():
    found = decode_conveyed(codec.encode(Tag(601, CLAIMS)), peer="thing-1")
    assert (found.peer, found.claims.nonces) == ("thing-1", (NONCE,))
    with pytest.raises(TypeError):
        ConveyedClaims(found.claims, "thing-2", object())


@pytest.mark.parametrize(
    ("data", "peer", "error"),
    [
        (codec.encode(Tag(601, CLAIMS)), "", UntrustedError),
        (codec.encode(CLAIMS), "thing-1", DecodeError),
        (codec.encode(Tag(602, CLAIMS)), "thing-1", DecodeError),
        (codec.encode(Tag(601, {10: b"short"})), "thing-1", DecodeError),
        (signed(), "thing-1", DecodeError),
    ],
)
def test_unsigned_claims_in_clear_or_of_another_form_are_refused(data, peer, error):
    with pytest.raises(error):
        decode_conveyed(data, peer=peer)


@pytest.mark.spec("RFC 9711 5")
def test_a_bundle_brings_what_its_token_has_the_digest_of():
    assert decode_bundle(codec.encode(Tag(602, ["jwt", {"part": PART}]))) == Bundle("jwt", {"part": PART})
    assert decode_bundle(codec.encode([b"cwt", {"part": PART}])).token == b"cwt"
    found = claims_of(None, {"part": [-16, digest(PART)]})
    assert found["part"].values == {270: "graphics"}


@pytest.mark.parametrize(
    "value",
    [[], ["jwt"], ["jwt", {}], [5, {"part": PART}], ["jwt", {1: PART}], ["jwt", {"part": {}}], Tag(601, ["jwt"])],
)
def test_a_bundle_outside_its_grammar_is_refused(value):
    with pytest.raises(DecodeError):
        decode_bundle(codec.encode(value))


@pytest.mark.parametrize(
    ("bundle", "submodules", "error"),
    [
        (None, {"part": [-16, bytes(32)]}, AuthenticationError),
        (None, {"other": [-16, digest(PART)]}, UntrustedError),
        (None, {"part": {270: "graphics"}}, UntrustedError),
        (None, {"part": ["SHA-256", digest(PART)]}, UnsupportedError),
        (None, {"part": [-18, digest(PART)]}, UnsupportedError),
        (b"another", {"part": [-16, digest(PART)]}, UntrustedError),
    ],
)
def test_claims_that_the_token_does_not_vouch_for_are_refused(bundle, submodules, error):
    with pytest.raises(error):
        claims_of(bundle, submodules)
