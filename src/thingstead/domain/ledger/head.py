"""Signed tree heads: size and root of the ledger at an instant, as a COSE_Sign1 (RFC 9162 §4.10, RFC 9052 §4.2)."""

from __future__ import annotations

from dataclasses import InitVar, dataclass
from datetime import datetime

from thingstead.crypto.algorithm import AlgorithmId
from thingstead.crypto.key import PrivateKey, PublicKey
from thingstead.domain.instant import instant, microseconds
from thingstead.errors import DecodeError
from thingstead.protocols.cbor import codec
from thingstead.protocols.cose import sign1
from thingstead.protocols.cose.header import Label
from thingstead.protocols.receipts.merkle import HASH_SIZE

__all__ = ["ACCEPTED", "HEAD_TYPE", "SignedHead", "TreeHead", "authenticate", "sign"]

ACCEPTED = frozenset({AlgorithmId.ESP256, AlgorithmId.ML_DSA_44})
HEAD_TYPE = "application/vnd.thingstead.tree-head+cbor"
_SEAL = object()


@dataclass(frozen=True, slots=True)
class TreeHead:
    """What a head says.

    Attributes:
        size: leaves in the tree.
        root: over all of them, 32 bytes.
        at: when it was signed.
        domain: name of the security domain, so that no head stands for another's ledger.
    """

    size: int
    root: bytes
    at: datetime
    domain: str


@dataclass(frozen=True, slots=True)
class SignedHead:
    """A head whose signature verified; made by `authenticate` and by nothing else."""

    head: TreeHead
    encoded: bytes
    seal: InitVar[object]

    def __post_init__(self, seal: object) -> None:
        if seal is not _SEAL:
            raise TypeError("a SignedHead is made by head.authenticate")


def sign(head: TreeHead, key: PrivateKey, *, signature_id: int = AlgorithmId.ESP256, kid: bytes = b"") -> bytes:
    """Sign `head` with the ledger's key; `typ` keeps it apart from whatever else that key signs (RFC 9596).

    Raises:
        UnsupportedError: the algorithm is not one of this key.
    """
    payload = codec.encode({0: head.size, 1: head.root, 2: microseconds(head.at), 3: head.domain})
    return sign1.sign(payload, key, signature_id=signature_id, kid=kid, protected={Label.TYP: HEAD_TYPE})


def authenticate(data: bytes, public: PublicKey, *, domain: str) -> SignedHead:
    """Verify a head of `domain` under the ledger's key.

    Raises:
        DecodeError: not a head, or one of another domain.
        UnsupportedError: an algorithm that we do not accept for heads.
        AuthenticationError: the signature does not verify.
    """
    message = sign1.authenticate(data, public, accept=ACCEPTED)
    if message.headers.protected.get(Label.TYP) != HEAD_TYPE:
        raise DecodeError(f"expected a message of type {HEAD_TYPE}", spec="RFC 9596 §2")
    head = _decode(message.payload)
    if head.domain != domain:
        raise DecodeError(f"expected a tree head of the domain {domain!r}, got one of {head.domain!r}")
    return SignedHead(head, data, _SEAL)


def _decode(payload: bytes) -> TreeHead:
    value = codec.decode(payload)
    if not isinstance(value, dict) or set(value) != {0, 1, 2, 3}:
        raise DecodeError("expected a tree head: a map with the keys 0 to 3")
    size, root, domain = value[0], value[1], value[3]
    if type(size) is not int or size < 0 or not isinstance(root, bytes) or len(root) != HASH_SIZE:
        raise DecodeError("expected a tree head with a size and a root of 32 bytes")
    if not isinstance(domain, str):
        raise DecodeError("expected the name of a domain in a tree head")
    return TreeHead(size, root, instant(value[2]), domain)
