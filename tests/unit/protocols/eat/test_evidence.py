import pytest

from tests.unit.protocols.eat.evidences import ACCEPT, CLAIMS, KEY, NONCE, OTHER, PROFILE, signed
from thingstead.crypto.algorithm import AlgorithmId
from thingstead.errors import (
    AuthenticationError,
    DecodeError,
    ReplayError,
    SecurityError,
    ThingsteadError,
    UnsupportedError,
    UntrustedError,
)
from thingstead.protocols.cbor import codec
from thingstead.protocols.cose import sign1
from thingstead.protocols.eat import evidence
from thingstead.protocols.eat.evidence import AuthenticEvidence


def authenticate(data, public=KEY.public, nonce=NONCE, profile=PROFILE):
    return evidence.authenticate(data, public, accept=ACCEPT, nonce=nonce, profile=profile)


@pytest.mark.spec("RFC 9711 1.4")
def test_what_a_thing_signed_for_this_nonce_is_authentic():
    found = authenticate(signed())
    assert (found.claims.nonces, found.profile, found.signer) == ((NONCE,), PROFILE, KEY.public)
    plain = sign1.sign(codec.encode(CLAIMS), KEY, signature_id=AlgorithmId.ESP256)
    assert authenticate(plain).encoded == plain


@pytest.mark.parametrize(
    ("data", "error"),
    [
        (signed(key=OTHER), AuthenticationError),
        (signed()[:-1] + bytes((signed()[-1] ^ 1,)), AuthenticationError),
        (signed({**CLAIMS, 10: bytes(16)}), ReplayError),
        (signed({**CLAIMS, 10: [NONCE, bytes(16)]}), ReplayError),
        (signed({256: bytes(33), 265: PROFILE}), ReplayError),
        (signed({**CLAIMS, 265: "tag:other.example,2026:x"}), UntrustedError),
        (signed({**CLAIMS, 265: b"\x55"}), UntrustedError),
        (signed({10: NONCE}), UntrustedError),
        (codec.encode(CLAIMS), DecodeError),
        (codec.encode(codec.Tag(601, CLAIMS)), DecodeError),
        (sign1.sign(codec.encode(CLAIMS), KEY, signature_id=AlgorithmId.ES256), UnsupportedError),
        (sign1.sign(codec.encode(CLAIMS), KEY, signature_id=AlgorithmId.ESP256, detached=True), DecodeError),
        (sign1.sign(codec.encode(CLAIMS), KEY, signature_id=AlgorithmId.ESP256, protected={16: 61}), DecodeError),
        (sign1.sign(b"", KEY, signature_id=AlgorithmId.ESP256), DecodeError),
        (b"", DecodeError),
        (signed() + bytes(1 << 15), DecodeError),
        (signed() + b"\x00", DecodeError),
    ],
)
def test_forged_replayed_foreign_unsigned_and_overlong_evidence_is_refused(data, error):
    with pytest.raises(error):
        authenticate(data)


@pytest.mark.slow
def test_each_byte_of_evidence_counts():
    data = signed()
    for place in range(len(data)):
        with pytest.raises((SecurityError, ThingsteadError)):
            authenticate(data[:place] + bytes((data[place] ^ 0x41,)) + data[place + 1 :])


def test_claims_outside_their_grammar_are_not_signed():
    with pytest.raises(DecodeError):
        signed({10: b"short"})
    with pytest.raises(TypeError):
        AuthenticEvidence(authenticate(signed()).claims, PROFILE, KEY.public, b"", object())
