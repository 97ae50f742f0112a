"""Receipts of inclusion: a signed root and the path to it, for one entry (RFC 9942, RFC9162_SHA256)."""

from __future__ import annotations

from dataclasses import InitVar, dataclass
from typing import Any

from thingstead.crypto.key import PrivateKey, PublicKey
from thingstead.errors import DecodeError, UnsupportedError
from thingstead.protocols.cbor import codec
from thingstead.protocols.cose import sign1
from thingstead.protocols.cose.header import Label
from thingstead.protocols.cose.sign1 import Sign1
from thingstead.protocols.receipts.merkle import leaf_hash, root_of_inclusion

__all__ = ["RFC9162_SHA256", "InclusionProof", "InclusionReceipt", "ProvenEntry", "authenticate", "decode", "issue"]

RFC9162_SHA256 = 1
_INCLUSION = -1
_SPEC = "RFC 9942 §5.2"
_SEAL = object()


@dataclass(frozen=True, slots=True)
class InclusionProof:
    """Where an entry stands, and what leads from it to the root (RFC 9162 §2.1.3).

    Attributes:
        size: entries in the tree.
        index: place of the entry, from 0.
        path: 32-byte hashes, the leaf's neighbour first.
    """

    size: int
    index: int
    path: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class InclusionReceipt:
    """A receipt as it came: nothing in it is proved."""

    message: Sign1
    proof: InclusionProof


@dataclass(frozen=True, slots=True)
class ProvenEntry:
    """An entry that the signer's tree holds; made by `authenticate` and by nothing else.

    It says that the entry was recorded, not that what it records is true.

    Attributes:
        entry: the bytes that were asked about.
        proof: where it stands.
        root: of the tree, covered by the signature.
        signer: the key that verified it, chosen by the caller.
    """

    entry: bytes
    proof: InclusionProof
    root: bytes
    signer: PublicKey
    seal: InitVar[object]

    def __post_init__(self, seal: object) -> None:
        if seal is not _SEAL:
            raise TypeError("a ProvenEntry is made by receipt.authenticate")


def issue(root: bytes, proof: InclusionProof, key: PrivateKey, *, signature_id: int, kid: bytes = b"") -> bytes:
    """Sign `root`, detached, with the proof beside it (RFC 9942 §5.2.1).

    Raises:
        UnsupportedError: the algorithm is not one of this key.
    """
    encoded = codec.encode([proof.size, proof.index, list(proof.path)])
    return sign1.sign(
        root,
        key,
        signature_id=signature_id,
        kid=kid,
        protected={Label.VDS: RFC9162_SHA256},
        unprotected={Label.VDP: {_INCLUSION: [encoded]}},
        detached=True,
    )


def decode(data: bytes) -> InclusionReceipt:
    """Parse a receipt that proves one entry, and prove nothing.

    Raises:
        DecodeError: outside the grammar, untagged, or with the root attached: that it must be computed
            from the proof is what ties the signature to the proof (RFC 9942 §5.2.1).
        UnsupportedError: another verifiable data structure, or several proofs in one receipt.
    """
    message = sign1.decode(data, understood=frozenset({Label.VDS}))
    if data[0] != _TAG_18:
        raise DecodeError("expected a receipt with the tag of COSE_Sign1", spec="RFC 9942 §4.2")
    if message.payload is not None:
        raise DecodeError("expected a detached root", spec=_SPEC)
    structure = message.headers.protected.get(Label.VDS)
    if structure != RFC9162_SHA256:
        raise UnsupportedError(f"expected the data structure RFC9162_SHA256 (1), got {structure!r}", spec=_SPEC)
    proofs = message.headers.unprotected.get(Label.VDP)
    encoded = proofs.get(_INCLUSION) if isinstance(proofs, dict) else None
    if not isinstance(encoded, list) or not encoded:
        raise DecodeError("expected an inclusion proof under vdp", spec=_SPEC)
    if len(encoded) > 1:
        raise UnsupportedError(f"expected one inclusion proof, got {len(encoded)}", spec=_SPEC)
    return InclusionReceipt(message, _decode_proof(encoded[0]))


def authenticate(
    receipt: InclusionReceipt | bytes, entry: bytes, *, public: PublicKey, accept: frozenset[int]
) -> ProvenEntry:
    """Compute the root from `entry` and the proof, then verify the signature over it (RFC 9942 §5.2.1).

    Raises:
        DecodeError: outside the grammar, or a path that is not of its length.
        UnsupportedError: a data structure or algorithm that is not accepted.
        AuthenticationError: another entry, place or tree than the signer's, or another signer.
    """
    if isinstance(receipt, bytes):
        receipt = decode(receipt)
    proof = receipt.proof
    root = root_of_inclusion(leaf_hash(entry), index=proof.index, size=proof.size, path=proof.path)
    sign1.authenticate(receipt.message, public, accept=accept, payload=root)
    return ProvenEntry(entry, proof, root, public, _SEAL)


_TAG_18 = 0xD2


def _decode_proof(encoded: Any) -> InclusionProof:
    value = codec.decode(encoded) if isinstance(encoded, bytes) else None
    if not isinstance(value, list) or len(value) != 3:
        raise DecodeError("expected an inclusion proof of size, index and path", spec=_SPEC)
    size, index, path = value
    if type(size) is not int or type(index) is not int or not isinstance(path, list):
        raise DecodeError("expected an inclusion proof of uint, uint and array", spec=_SPEC)
    if not all(isinstance(item, bytes) for item in path):
        raise DecodeError("expected byte strings in an inclusion path", spec=_SPEC)
    return InclusionProof(size, index, tuple(path))
