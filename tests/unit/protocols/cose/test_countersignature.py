import pytest

from thingstead.crypto.algorithm import AlgorithmId
from thingstead.crypto.key import KeyType, generate
from thingstead.errors import AuthenticationError, DecodeError, UnsupportedError
from thingstead.protocols.cbor import codec
from thingstead.protocols.cose import countersignature, sign1
from thingstead.protocols.cose.countersignature import Target

KEY = generate(KeyType.ED25519)
ED25519 = frozenset({AlgorithmId.ED25519})
ENCRYPTED = Target(b"\xa1\x01\x0a", b"ciphertext")
SIGNED = Target(b"\xa1\x01\x28", b"payload", (b"signature",))


@pytest.mark.spec("RFC 9338 3.3")
@pytest.mark.parametrize(
    ("target", "sign_protected", "expected"),
    [
        (ENCRYPTED, None, ["CounterSignature0", b"\xa1\x01\x0a", b"aad", b"ciphertext"]),
        (ENCRYPTED, b"s", ["CounterSignature", b"\xa1\x01\x0a", b"s", b"aad", b"ciphertext"]),
        (SIGNED, None, ["CounterSignature0V2", b"\xa1\x01\x28", b"aad", b"payload", [b"signature"]]),
        (SIGNED, b"s", ["CounterSignatureV2", b"\xa1\x01\x28", b"s", b"aad", b"payload", [b"signature"]]),
    ],
    ids=["encrypt0 short", "encrypt0", "sign1 short", "sign1"],
)
def test_a_countersignature_covers_every_byte_string_of_its_target(target, sign_protected, expected):
    covered = countersignature.countersign_structure(target, sign_protected=sign_protected, external_aad=b"aad")
    assert codec.decode(covered) == expected


@pytest.mark.spec("RFC 9338 3.1")
def test_a_countersignature_verifies_over_its_target_aad_and_key_only():
    value = countersignature.countersign(SIGNED, KEY, signature_id=AlgorithmId.ED25519, kid=b"k", external_aad=b"this")
    countersignature.verify_countersign(value, SIGNED, KEY.public, accept=ED25519, external_aad=b"this")
    other = Target(SIGNED.protected, SIGNED.payload, (b"another",))
    for target, public, aad in (
        (other, KEY.public, b"this"),
        (Target(SIGNED.protected, SIGNED.payload), KEY.public, b"this"),
        (SIGNED, generate(KeyType.ED25519).public, b"this"),
        (SIGNED, KEY.public, b"that"),
    ):
        with pytest.raises(AuthenticationError):
            countersignature.verify_countersign(value, target, public, accept=ED25519, external_aad=aad)


@pytest.mark.spec("RFC 9338 3.2")
def test_an_abbreviated_countersignature_verifies_over_its_target_aad_and_key_only():
    signature = countersignature.countersign0(ENCRYPTED, KEY, signature_id=AlgorithmId.ED25519, external_aad=b"this")
    arguments = {"signature_id": AlgorithmId.ED25519}
    countersignature.verify_countersign0(signature, ENCRYPTED, KEY.public, external_aad=b"this", **arguments)
    with pytest.raises(AuthenticationError):
        countersignature.verify_countersign0(signature, ENCRYPTED, KEY.public, external_aad=b"that", **arguments)
    with pytest.raises(AuthenticationError):
        countersignature.verify_countersign0(signature, SIGNED, KEY.public, external_aad=b"this", **arguments)


@pytest.mark.spec("RFC 9338 3")
def test_the_two_kinds_of_countersignature_are_not_exchangeable():
    value = countersignature.countersign(ENCRYPTED, KEY, signature_id=AlgorithmId.ED25519)
    with pytest.raises(AuthenticationError):
        countersignature.verify_countersign0(value[2], ENCRYPTED, KEY.public, signature_id=AlgorithmId.ED25519)


@pytest.mark.spec("RFC 9338 3.1")
def test_a_countersignature_stands_in_a_header():
    value = countersignature.countersign(SIGNED, KEY, signature_id=AlgorithmId.ED25519)
    data = sign1.sign(b"x", KEY, signature_id=AlgorithmId.ED25519, unprotected={11: value})
    found = sign1.decode(data).headers.unprotected[11]
    countersignature.verify_countersign(found, SIGNED, KEY.public, accept=ED25519)


def test_an_algorithm_outside_the_policy_is_refused():
    value = countersignature.countersign(SIGNED, KEY, signature_id=AlgorithmId.EDDSA)
    with pytest.raises(UnsupportedError):
        countersignature.verify_countersign(value, SIGNED, KEY.public, accept=ED25519)


@pytest.mark.spec("RFC 9338 3.1")
@pytest.mark.parametrize(
    "value", [b"", [], [b"", {}], [b"", {}, None], ["", {}, b""], [b"", [], b""], [b"\x80", {}, b""]]
)
def test_what_is_no_countersignature_is_refused(value):
    with pytest.raises(DecodeError):
        countersignature.verify_countersign(value, SIGNED, KEY.public, accept=ED25519)
