"""What the owner trusts of a maker: one file per maker, added by hand, taken away by hand."""

from __future__ import annotations

from dataclasses import dataclass

from thingstead.crypto.key import PublicKey
from thingstead.errors import DecodeError
from thingstead.protocols.cbor import codec
from thingstead.protocols.cose import key as cose_key
from thingstead.protocols.profile import maker_server
from thingstead.protocols.profile.maker_server import MakerServer

__all__ = ["TrustAnchor", "decode", "encode"]

_FORMAT = 1
_WITH_SERVER = 2
_EXPECTED = f"expected a trust anchor file of format {_FORMAT} or {_WITH_SERVER}"


@dataclass(frozen=True, slots=True)
class TrustAnchor:
    """Keys of one maker, each for its own use.

    Attributes:
        maker: the name its identities are issued under.
        identity_key: signs maker identities and vouchers.
        release_keys: every one must sign a release.
        vendor_id: RFC 9124 vendor identifier, 16 bytes.
        mud_authorities: DER certificates that MUD file signers chain to.
        dns_name: the maker's own DNS name: its MUD files come from there or below, and nobody else's do.
        server: the maker's, which says whose its things are; None where the owner gave none, and nobody is asked.
    """

    maker: str
    identity_key: PublicKey
    release_keys: tuple[PublicKey, ...]
    vendor_id: bytes
    mud_authorities: tuple[bytes, ...] = ()
    dns_name: str = ""
    server: MakerServer | None = None

    def speaks_for(self, host: str) -> bool:
        """Whether `host` is the maker's: its name, or below it."""
        name = self.dns_name.lower()
        return bool(name) and (host.lower() == name or host.lower().endswith(f".{name}"))


def encode(anchor: TrustAnchor) -> bytes:
    """Encode for a file; nothing in it is secret."""
    return codec.encode(
        [
            _FORMAT if anchor.server is None else _WITH_SERVER,
            anchor.maker,
            cose_key.public_map(anchor.identity_key),
            [cose_key.public_map(key) for key in anchor.release_keys],
            anchor.vendor_id,
            list(anchor.mud_authorities),
            anchor.dns_name,
            *([] if anchor.server is None else [maker_server.to_list(anchor.server)]),
        ]
    )


def decode(data: bytes) -> TrustAnchor:
    """Read a maker's file.

    Raises:
        DecodeError: not one, or of another format.
        UnsupportedError: a key that we do not have an algorithm for.
    """
    match codec.decode(data):
        case [
            int(version),
            str(maker),
            dict(identity),
            list(releases),
            bytes(vendor_id),
            list(authorities),
            str(dns_name),
            *rest,
        ] if len(vendor_id) == 16 and all(isinstance(item, bytes) for item in authorities):
            release_keys = tuple([cose_key.from_map(item).require_public() for item in releases])
            identity_key = cose_key.from_map(identity).require_public()
            server = _server(version, rest, maker=maker)
            return TrustAnchor(maker, identity_key, release_keys, vendor_id, tuple(authorities), dns_name, server)
        case _:
            raise DecodeError(_EXPECTED)


def _server(version: int, rest: list[object], *, maker: str) -> MakerServer | None:
    match version, rest:
        case 1, []:
            return None
        case 2, [list(items)]:
            server = maker_server.from_list(items)
            if server.maker == maker:
                return server
            raise DecodeError(f"expected a server of {maker[:40]!r}, got one of {server.maker!r}")
        case _:
            raise DecodeError(_EXPECTED)
