"""What a factory puts into a thing besides its key, as one value."""

from __future__ import annotations

from dataclasses import dataclass

from thingstead.crypto.key import PublicKey
from thingstead.errors import DecodeError
from thingstead.identifier import KeyId
from thingstead.protocols.cbor import codec
from thingstead.protocols.cose import key as cose_key
from thingstead.protocols.edhoc.credential import Credential
from thingstead.protocols.profile import join, maker_server
from thingstead.protocols.profile.maker_server import MakerServer

__all__ = ["BIRTH", "IDENTITY_KEY", "Birth", "credential", "decode", "encode"]

BIRTH = "birth"
"""Name of the birth record in the thing's home."""

IDENTITY_KEY = KeyId("identity")
"""Name of the thing's identity key in its key store."""

_FORMAT = 1
_WITH_SERVER = 2
_EXPECTED = f"expected a birth record of format {_FORMAT} or {_WITH_SERVER}"


@dataclass(frozen=True, slots=True)
class Birth:
    """The maker's gifts; none of them secret (the identity key is in the key store).

    Attributes:
        serial: the maker's serial number.
        maker_identity: CWT by the maker over the thing's key, as issued.
        voucher: the maker's voucher for the domain the thing was sold to, as issued; empty where its server says that.
        maker_anchor: key that signs vouchers.
        release_anchors: keys of which every one must sign a release.
        vendor_id: RFC 9124 vendor identifier, 16 bytes.
        class_id: RFC 9124 class identifier, 16 bytes.
        server: the maker's, that is asked whose the thing is; None where the voucher says it.
    """

    serial: str
    maker_identity: bytes
    voucher: bytes
    maker_anchor: PublicKey
    release_anchors: tuple[PublicKey, ...]
    vendor_id: bytes
    class_id: bytes
    server: MakerServer | None = None


def credential(birth: Birth, public: PublicKey) -> Credential:
    """CRED_I of the thing in a join, under a name that its maker's server can tell from all others if it has one."""
    size = join.SHORT_NAME if birth.server is None else join.LONG_NAME
    return join.identity_credential(birth.maker_identity, public, name_size=size)


def encode(birth: Birth) -> bytes:
    """Encode for the thing's home."""
    return codec.encode(
        [
            _FORMAT if birth.server is None else _WITH_SERVER,
            birth.serial,
            birth.maker_identity,
            birth.voucher,
            cose_key.public_map(birth.maker_anchor),
            [cose_key.public_map(anchor) for anchor in birth.release_anchors],
            birth.vendor_id,
            birth.class_id,
            *([] if birth.server is None else [maker_server.to_list(birth.server)]),
        ]
    )


def decode(data: bytes) -> Birth:
    """Read back what `encode` wrote.

    Raises:
        DecodeError: damaged, or of another format.
    """
    match codec.decode(data):
        case [
            int(version),
            str(serial),
            bytes(identity),
            bytes(voucher),
            dict(anchor),
            list(releases),
            bytes(vendor),
            bytes(kind),
            *rest,
        ]:
            anchors = tuple([cose_key.from_map(item).require_public() for item in releases])
            by = cose_key.from_map(anchor).require_public()
            return Birth(serial, identity, voucher, by, anchors, vendor, kind, _server(version, rest))
        case _:
            raise DecodeError(_EXPECTED)


def _server(version: int, rest: list[object]) -> MakerServer | None:
    match version, rest:
        case 1, []:
            return None
        case 2, [list(items)]:
            return maker_server.from_list(items)
        case _:
            raise DecodeError(_EXPECTED)
