"""Area suit: libcsuit's envelopes; parse, encode again, authenticate under a key published beside them.

An envelope without authentication blocks passes when it is refused as one.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from tests.conformance.outcome import ManifestEntry, Outcome, failed, not_covered, passed
from tests.conformance.published import envelopes_in, keys_beside
from thingstead.crypto.algorithm import AlgorithmId
from thingstead.crypto.key import KeyType, PublicKey
from thingstead.errors import AuthenticationError, SecurityError
from thingstead.protocols.cbor import codec
from thingstead.protocols.cose import mac0, sign1
from thingstead.protocols.cose.structure import CoseTag
from thingstead.protocols.suit import envelope
from thingstead.protocols.suit.authentication import (
    AuthenticatedEnvelope,
    AuthenticationPolicy,
    Signer,
    authenticate,
)
from thingstead.protocols.suit.envelope import Envelope
from thingstead.protocols.suit.manifest import decode_manifest, open_manifest
from thingstead.secret import Secret

__all__ = ["DRAFT_KEY", "DRAFT_MAC_KEY", "run"]

DRAFT_KEY = PublicKey(
    KeyType.P256,
    bytes.fromhex("8496811aae0baaabd26157189eecda26beaa8bf11b6f3fe6e2b5659c85dbc0ad"),
    bytes.fromhex("3b1f2a4b6c098131c0a36dacd1d78bd381dcdfb09c052db33991db7338b4a896"),
)
"""The public key printed in the draft's Appendix B, which others sign their examples with as well."""

DRAFT_MAC_KEY = Secret(b"a" * 32)
"""The shared key printed in draft-ietf-suit-firmware-encryption §10, which others use as well."""

_ALGORITHMS = {
    KeyType.P256: (AlgorithmId.ES256, AlgorithmId.ESP256),
    KeyType.P384: (AlgorithmId.ES384, AlgorithmId.ESP384),
    KeyType.P521: (AlgorithmId.ES512, AlgorithmId.ESP512),
    KeyType.ED25519: (AlgorithmId.EDDSA, AlgorithmId.ED25519),
}


def run(file: Path, entry: ManifestEntry) -> Iterator[Outcome]:
    """One outcome for the envelopes of a file."""
    dumps = envelopes_in(file.read_bytes())
    if not dumps:
        yield not_covered(file.name, "a text without an envelope in hex: diagnostic notation is not read here")
        return
    outcomes = [_outcome(dump, file) for dump in dumps]
    yield next((outcome for outcome in outcomes if outcome != passed(file.name)), passed(file.name))


def _outcome(data: bytes, file: Path) -> Outcome:
    received = envelope.decode(data)
    content = decode_manifest(received)
    if envelope.encode(received).removeprefix(b"\xd8\x6b") != data.removeprefix(b"\xd8\x6b"):
        return failed(file.name, "encodes as other bytes")
    if not received.blocks:
        return _unsigned(received, file.name)
    beside = list(keys_beside(file))
    authentic = _authentic(received, [*beside, DRAFT_KEY])
    if authentic is None:
        wrong = f"verifies under none of {len(beside)} keys beside it"
        return failed(file.name, wrong) if beside else not_covered(file.name, "parsed; no key was published beside it")
    return passed(file.name) if open_manifest(authentic).content == content else failed(file.name, "opens as another")


def _authentic(received: Envelope, keys: list[PublicKey]) -> AuthenticatedEnvelope | None:
    kids = {_kid(block) or b"anchor" for block in received.blocks}
    anchors: list[tuple[PublicKey | Secret, tuple[AlgorithmId, ...]]] = [
        (key, _ALGORITHMS[key.type]) for key in keys if key.type in _ALGORITHMS
    ]
    for key, numbers in [*anchors, (DRAFT_MAC_KEY, (AlgorithmId.HMAC_256_256,))]:
        rows = tuple(Signer(kid, number) for kid in sorted(kids) for number in numbers)
        try:
            return authenticate(received, dict.fromkeys(kids, key), AuthenticationPolicy(rows, at_least=1))
        except SecurityError:
            continue
    return None


def _kid(block: bytes) -> bytes:
    match codec.decode(block).tag:
        case CoseTag.SIGN1:
            return sign1.decode(block).headers.kid
        case CoseTag.MAC0:
            return mac0.decode(block).headers.kid
        case _:
            return b""


def _unsigned(received: Envelope, name: str) -> Outcome:
    try:
        authenticate(received, {b"draft": DRAFT_KEY}, AuthenticationPolicy((Signer(b"draft", AlgorithmId.ES256),)))
    except AuthenticationError:
        return passed(name)
    return failed(name, "an unsigned envelope is authentic")
