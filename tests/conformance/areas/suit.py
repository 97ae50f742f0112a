"""Area suit: libcsuit's signed envelopes; parse, encode again, authenticate under the key beside them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from tests.conformance.outcome import ManifestEntry, Outcome, failed, not_covered, passed
from thingstead.crypto.algorithm import AlgorithmId
from thingstead.crypto.key import KeyType, PublicKey
from thingstead.protocols.cbor import codec
from thingstead.protocols.cose.structure import CoseTag
from thingstead.protocols.suit import envelope
from thingstead.protocols.suit.authentication import AuthenticationPolicy, Signer, authenticate
from thingstead.protocols.suit.manifest import decode_manifest, open_manifest

__all__ = ["run"]

_POLICY = AuthenticationPolicy((Signer(b"anchor", AlgorithmId.ESP256),))


def run(file: Path, entry: ManifestEntry) -> Iterator[Outcome]:
    """One outcome for each envelope."""
    data = file.read_bytes()
    received = envelope.decode(data)
    content = decode_manifest(received)
    if envelope.encode(received).removeprefix(b"\xd8\x6b") != data.removeprefix(b"\xd8\x6b"):
        yield failed(file.name, "encodes as other bytes")
        return
    if all(codec.decode(block).tag == CoseTag.MAC0 for block in received.blocks):
        yield not_covered(file.name, "parsed; COSE_Mac0 blocks: a manifest is proved by public keys only (R-70)")
        return
    encoded = (file.parent / "key" / "trust_anchor_secp256r1_pub.der").read_bytes()
    anchor = PublicKey(KeyType.P256, encoded[-64:-32], encoded[-32:])
    opened = open_manifest(authenticate(received, {b"anchor": anchor}, _POLICY))
    yield passed(file.name) if opened.content == content else failed(file.name, "opens as another manifest")
