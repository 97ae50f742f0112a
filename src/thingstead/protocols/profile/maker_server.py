"""The card of a maker's server: where it is and which keys it has, for things, for domains, and for who buys from them.

Nothing signs it. A thing has it from its factory; a domain takes it from its owner, with the maker's anchor.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from thingstead.crypto.key import KeyType, PublicKey
from thingstead.errors import DecodeError, UnsupportedError
from thingstead.protocols.cbor import codec
from thingstead.protocols.coap import uri
from thingstead.protocols.coap.registry import Scheme
from thingstead.protocols.coap.uri import CoapUri
from thingstead.protocols.cose import key as cose_key

__all__ = ["MAX_BYTES", "MakerServer", "decode", "encode", "from_list", "to_list"]

MAX_BYTES = 1024
"""More than this is not read."""

_FORMAT = 1
_MAX_NAME = 32
_MAX_LOCATION = 255


@dataclass(frozen=True, slots=True)
class MakerServer:
    """One server of one maker.

    Attributes:
        maker: whose it is, as identities name it.
        location: a URI of CoAP without path or query: LOC_W of draft-ietf-lake-authz-07 §4.3.1.
        session_key: authenticates it to domains.
        voucher_key: PK_W, which things know it by; it also names the first owner of a thing.
    """

    maker: str
    location: str
    session_key: PublicKey
    voucher_key: PublicKey

    @property
    def place(self) -> CoapUri:
        """Its host and port."""
        return uri.parse(self.location)


def encode(server: MakerServer) -> bytes:
    """Encode for a file; nothing in it is secret."""
    return codec.encode([_FORMAT, *to_list(server)])


def decode(data: bytes) -> MakerServer:
    """Read a file.

    Raises:
        DecodeError: not a card, or of another format.
        UnsupportedError: a key or a scheme that we do not have.
    """
    match codec.decode(data, limits=codec.Limits(max_bytes=MAX_BYTES)):
        case [int(version), *rest] if type(version) is int and version == _FORMAT:
            return from_list(rest)
        case _:
            raise DecodeError(f"expected the card of a maker's server, format {_FORMAT}")


def to_list(server: MakerServer) -> list[Any]:
    """The card within something else."""
    keys = cose_key.public_map(server.session_key), cose_key.public_map(server.voucher_key)
    return [server.maker, server.location, *keys]


def from_list(items: list[Any]) -> MakerServer:
    """Read what `to_list` wrote.

    Raises:
        DecodeError: a name or location that is none, or other items.
        UnsupportedError: keys of another curve than P-256, or a scheme other than `coap`.
    """
    match items:
        case [str(maker), str(location), dict(session), dict(voucher)] if (
            0 < len(maker) <= _MAX_NAME and maker.isprintable() and len(location) <= _MAX_LOCATION
        ):
            keys = [cose_key.from_map(one).require_public() for one in (session, voucher)]
        case _:
            raise DecodeError("expected a maker's name, where its server is, and two keys")
    if any(key.type != KeyType.P256 for key in keys):
        raise UnsupportedError("expected keys of P-256 on the card of a maker's server")
    place = uri.parse(location)
    if place.scheme != Scheme.COAP.value or place.path or place.query is not None:
        raise UnsupportedError(f"expected coap://HOST or coap://HOST:PORT, got {location[:60]!r}")
    return MakerServer(maker, location, *keys)
