"""What a thing shows of where it comes from, to its owner who hands it on: as one CBOR array."""

from __future__ import annotations

from dataclasses import dataclass

from thingstead.errors import DecodeError
from thingstead.protocols.cbor import codec
from thingstead.protocols.profile import custody

__all__ = ["Papers", "decode", "encode"]

_LIMITS = codec.Limits(max_bytes=1 << 16, max_depth=4)


@dataclass(frozen=True, slots=True)
class Papers:
    """Nothing in it is verified.

    Attributes:
        maker_identity: CWT by the maker over the thing's key.
        voucher: the maker's, for the first owner.
        links: of custody, oldest first.
    """

    maker_identity: bytes
    voucher: bytes
    links: tuple[bytes, ...]

    @property
    def head(self) -> bytes:
        """What the next link follows."""
        return custody.head(self.voucher, self.links)


def encode(papers: Papers) -> bytes:
    """For an answer."""
    return codec.encode([papers.maker_identity, papers.voucher, list(papers.links)])


def decode(data: bytes) -> Papers:
    """Read an answer.

    Raises:
        DecodeError: not papers.
    """
    match codec.decode(data, limits=_LIMITS):
        case [bytes(identity), bytes(voucher), list(links)] if (
            all(isinstance(one, bytes) for one in links) and len(links) <= custody.MAX_LINKS
        ):
            return Papers(identity, voucher, tuple(links))
        case _:
            raise DecodeError("expected the papers of a thing")
