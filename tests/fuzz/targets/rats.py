"""Evidence and reference values: what anybody signs or publishes says no more than its form has room for."""

from __future__ import annotations

from tests.fuzz.target import Target, attempt, ensure, refuses
from thingstead.crypto.algorithm import AlgorithmId
from thingstead.crypto.key import KeyType, generate, private_key
from thingstead.protocols.cbor import codec
from thingstead.protocols.corim import rim
from thingstead.protocols.cose import sign1
from thingstead.protocols.eat import claims, evidence
from thingstead.protocols.profile import attestation, reference_values
from thingstead.protocols.profile.attestation import FIRMWARE, State
from thingstead.secret import Secret

_THING = private_key(KeyType.P256, Secret(bytes(31) + b"\x07"))
_STRANGER = generate(KeyType.P256)
_NONCE = bytes(16)
_STATE = State(bytes(16), bytes(16), {FIRMWARE: bytes(32)}, bytes(32), {FIRMWARE: "1.0.0"})
_SAID = sign1.decode(attestation.sign_state(_STATE, _THING, nonce=_NONCE).removeprefix(b"\xd8\x3d")).payload or b""
_VALUES = reference_values.encode(
    vendor_id=bytes(16), class_id=bytes(16), version="1", sequence_number=1, image_digest=bytes(32)
)


def _evidence(data: bytes) -> None:
    """Whatever a thing signs counts for the nonce that it was asked with, and for itself."""
    signed = sign1.sign(data, _THING, signature_id=AlgorithmId.ESP256)

    def read(encoded: bytes, nonce: bytes = _NONCE) -> State:
        authentic = evidence.authenticate(
            encoded, _THING.public, accept=attestation.ACCEPT, nonce=nonce, profile=attestation.PROFILE
        )
        return attestation.read_state(authentic)

    found = attempt(lambda: read(signed))
    if found is not None:
        ensure(all(len(digest) == 32 for digest in found.digests.values()), "a digest of another length was taken")
        refuses(lambda: read(signed, b"\x01" * 16), "one answer counts for two nonces")
    refuses(lambda: read(sign1.sign(data, _STRANGER, signature_id=AlgorithmId.ESP256)), "evidence of nobody")
    refuses(lambda: read(data), "evidence without a signature")


def _claims(data: bytes) -> None:
    """A Claims-Set that is read has nonces of 8 to 64 bytes, whatever else is in it."""
    found = attempt(lambda: claims.decode(data))
    if found is not None:
        ensure(all(8 <= len(nonce) <= 64 for nonce in found.nonces), "a nonce of another length was taken")


def _references(data: bytes) -> None:
    """Reference values that are read can be written, and are the same then; a CoRIM is read or refused."""
    attempt(lambda: rim.decode(data))
    found = attempt(lambda: reference_values.decode(data))
    if found is not None:
        environment = found.claims.environment
        ensure(environment.class_id is not None and len(environment.class_id.value) == 16, "values for no class")
        ensure(bool(found.digests), "reference values of nothing")


TARGETS = (
    Target("evidence", _evidence, (_SAID,)),
    Target("claims", _claims, (_SAID, codec.encode({266: {"a": {10: _NONCE}}}))),
    Target("reference values", _references, (_VALUES,)),
)
