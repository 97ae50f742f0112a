"""What a factory puts into a thing besides its key, as one value."""

from __future__ import annotations

from dataclasses import dataclass

from thingstead.crypto.key import PublicKey
from thingstead.errors import DecodeError
from thingstead.identifier import KeyId
from thingstead.protocols.cbor import codec
from thingstead.protocols.cose import key as cose_key

__all__ = ["BIRTH", "IDENTITY_KEY", "Birth", "decode", "encode"]

BIRTH = "birth"
"""Name of the birth record in the thing's home."""

IDENTITY_KEY = KeyId("identity")
"""Name of the thing's identity key in its key store."""

_FORMAT = 1


@dataclass(frozen=True, slots=True)
class Birth:
    """The maker's gifts; none of them secret (the identity key is in the key store).

    Attributes:
        serial: the maker's serial number.
        maker_identity: CWT by the maker over the thing's key, as issued.
        voucher: the maker's voucher for the domain the thing was sold to, as issued.
        maker_anchor: key that signs vouchers.
        release_anchors: keys of which every one must sign a release.
        vendor_id: RFC 9124 vendor identifier, 16 bytes.
        class_id: RFC 9124 class identifier, 16 bytes.
    """

    serial: str
    maker_identity: bytes
    voucher: bytes
    maker_anchor: PublicKey
    release_anchors: tuple[PublicKey, ...]
    vendor_id: bytes
    class_id: bytes


def encode(birth: Birth) -> bytes:
    """Encode for the thing's home."""
    return codec.encode(
        [
            _FORMAT,
            birth.serial,
            birth.maker_identity,
            birth.voucher,
            cose_key.public_map(birth.maker_anchor),
            [cose_key.public_map(anchor) for anchor in birth.release_anchors],
            birth.vendor_id,
            birth.class_id,
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
        ] if version == _FORMAT:
            anchors = tuple([cose_key.from_map(item).require_public() for item in releases])
            return Birth(serial, identity, voucher, cose_key.from_map(anchor).require_public(), anchors, vendor, kind)
        case _:
            raise DecodeError(f"expected a birth record of format {_FORMAT}")
