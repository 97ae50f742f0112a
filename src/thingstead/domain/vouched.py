"""A document and the ledger's signature on it: the entry that holds its digest, and a receipt of that (RFC 9942).

So no key signs anything new, also where the plane that wrote the document has none in its process. The file for others,
``[format, document, entry, receipt]``, proves it with the ledger's public key alone.
"""

from __future__ import annotations

from dataclasses import InitVar, dataclass

from thingstead.crypto.digest import digest
from thingstead.crypto.key import PublicKey
from thingstead.domain.ledger import entry as leaf
from thingstead.domain.ledger.entry import Entry, Kind
from thingstead.domain.ledger.head import ACCEPTED
from thingstead.errors import DecodeError, UntrustedError
from thingstead.protocols.cbor import codec
from thingstead.protocols.receipts import receipt

__all__ = ["RESULT", "Vouched", "authenticate", "enclose"]

RESULT = "result"
"""Name of the digest among the details of a ledger entry."""

_FORMAT = 1
_LIMITS = codec.Limits(max_bytes=1 << 21, max_depth=2)
_SEAL = object()


@dataclass(frozen=True, slots=True)
class Vouched:
    """A document that the ledger's key vouches for; made by `authenticate` and by nothing else.

    Attributes:
        document: as it was recorded.
        entry: where, with who did what.
    """

    document: bytes
    entry: Entry
    seal: InitVar[object]

    def __post_init__(self, seal: object) -> None:
        if seal is not _SEAL:
            raise TypeError("a Vouched document is made by vouched.authenticate")


def enclose(document: bytes, entry: bytes, inclusion: bytes) -> bytes:
    """The file for others.

    Args:
        document: as it was recorded.
        entry: the leaf of the ledger that holds its digest.
        inclusion: receipt that the leaf is in the ledger.
    """
    return codec.encode([_FORMAT, document, entry, inclusion])


def authenticate(data: bytes, public: PublicKey, *, kinds: frozenset[Kind]) -> Vouched:
    """Verify the file under the ledger's key (RFC 9942 §5.2.1).

    Args:
        data: the file.
        public: the ledger's key.
        kinds: of entry that say something about such documents.

    Raises:
        DecodeError: not such a file, or a part of it that is none.
        UnsupportedError: a receipt of another tree or algorithm.
        AuthenticationError: another ledger's, or an entry that is not in it.
        UntrustedError: an entry about something else than this document ("entry").
    """
    match codec.decode_deterministic(data, limits=_LIMITS):
        case [int(version), bytes(document), bytes(bytes_), bytes(inclusion)] if (
            type(version) is int and version == _FORMAT
        ):
            receipt.authenticate(inclusion, bytes_, public=public, accept=ACCEPTED)
        case _:
            raise DecodeError(f"expected a signed result of format {_FORMAT}", reason="result")
    entry = leaf.decode(bytes_)
    if entry.kind not in kinds or entry.details.get(RESULT) != digest(document):
        raise UntrustedError("expected the ledger entry that was made of this result", reason="entry")
    return Vouched(document, entry, _SEAL)
