from typing import Any

import pytest

from thingstead.crypto.algorithm import AlgorithmId
from thingstead.crypto.key import KeyType, private_key
from thingstead.errors import (
    AuthenticationError,
    DecodeError,
    ProtocolError,
    ReplayError,
    SecurityError,
    UnsupportedError,
    UntrustedError,
)
from thingstead.protocols.cbor import codec
from thingstead.protocols.cose import key as cose_key
from thingstead.protocols.eat import evidence, measured_component
from thingstead.protocols.eat.measured_component import MeasuredComponent
from thingstead.protocols.profile import attestation
from thingstead.protocols.profile.attestation import FIRMWARE, MANIFEST, PROFILE, State
from thingstead.secret import Secret

KEY, OTHER = (private_key(KeyType.P256, Secret(bytes(31) + bytes((number,)))) for number in (1, 2))
NONCE = bytes(range(16))
VENDOR, CLASS = bytes(16), bytes([1]) * 16
STATE = State(VENDOR, CLASS, {FIRMWARE: bytes(32)}, bytes([2]) * 32, {FIRMWARE: "1.0.0"})
BODY = measured_component.encode(MeasuredComponent(FIRMWARE, "1.0.0", (1, bytes(32))))
CLAIMS: dict[int, Any] = {
    10: NONCE,
    256: b"\x01" + cose_key.thumbprint(KEY.public),
    258: VENDOR,
    259: CLASS,
    262: False,
    263: 0,
    265: PROFILE,
    273: [[295, BODY]],
}


def read(data, public=KEY.public, nonce=NONCE):
    authentic = evidence.authenticate(data, public, accept=attestation.ACCEPT, nonce=nonce, profile=PROFILE)
    return attestation.read_state(authentic)


def of(changes: dict[int, Any]) -> bytes:
    values = {key: value for key, value in (CLAIMS | changes).items() if value is not None}
    return evidence.sign(values, KEY, signature_id=AlgorithmId.ESP256)


def component(*args, **others):
    return {273: [[295, measured_component.encode(MeasuredComponent(*args, **others))]]}


@pytest.mark.requirement("R-22")
def test_a_thing_says_what_it_runs_for_the_nonce_that_it_was_asked_with():
    assert read(attestation.sign_state(STATE, KEY, nonce=NONCE)) == STATE
    assert read(of({})).manifest_digest == b""
    shown = read(of({}))
    assert (shown.environment.vendor, [one.element for one in shown.measurements]) == (
        "00000000-0000-0000-0000-000000000000", [FIRMWARE]
    )  # fmt: skip


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({1: "issuer"}, DecodeError),
        ({256: None}, DecodeError),
        ({256: b"\x01" + bytes(32)}, UntrustedError),
        ({258: 64242}, DecodeError),
        ({258: bytes(3)}, DecodeError),
        ({259: bytes(15)}, DecodeError),
        ({262: True}, DecodeError),
        ({263: 1}, DecodeError),
        ({262: None}, DecodeError),
        ({265: "tag:other.example,2026:x"}, UntrustedError),
        ({273: [[258, b"swid"]]}, UnsupportedError),
        ({273: [[295, BODY], [295, BODY]]}, DecodeError),
        ({273: [[295, codec.encode({1: [FIRMWARE], 2: [1, bytes(32)], 3: [b"key"]})]]}, DecodeError),
        (component(FIRMWARE, raw=b"image"), DecodeError),
        (component(FIRMWARE, digest=(8, bytes(64))), DecodeError),
    ],
)
def test_evidence_that_says_more_less_or_otherwise_than_the_profile_is_refused(changes, error):
    with pytest.raises(error):
        read(of(changes))


@pytest.mark.requirement("R-22")
def test_evidence_of_another_thing_or_another_time_is_refused():
    data = attestation.sign_state(STATE, KEY, nonce=NONCE)
    with pytest.raises(AuthenticationError):
        read(data, OTHER.public)
    with pytest.raises(ReplayError):
        read(data, nonce=bytes(16))
    with pytest.raises((ProtocolError, SecurityError)):
        read(data[:-1])


@pytest.mark.parametrize(
    "payload", [b"", codec.encode(bytes(7)), codec.encode(bytes(65)), codec.encode("text" * 3), b"\x80"]
)
def test_a_request_is_a_nonce_of_8_to_64_bytes(payload):
    with pytest.raises(DecodeError):
        attestation.decode_request(payload)
    assert attestation.decode_request(attestation.encode_request(NONCE)) == NONCE


def test_the_name_of_the_manifest_is_taken():
    assert MANIFEST not in read(attestation.sign_state(STATE, KEY, nonce=NONCE)).digests
    with pytest.raises(DecodeError):
        attestation.sign_state(STATE, KEY, nonce=b"short")
