"""What a factory puts into a thing besides its key, as one value."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from thingstead.crypto.key import PublicKey
from thingstead.errors import DecodeError
from thingstead.identifier import KeyId
from thingstead.protocols.cbor import codec
from thingstead.protocols.cose import key as cose_key
from thingstead.protocols.edhoc.credential import Credential
from thingstead.protocols.profile import join, key_set, maker_server
from thingstead.protocols.profile.key_set import EVERY_KEY, SigningPolicy
from thingstead.protocols.profile.maker_server import MakerServer

__all__ = ["BIRTH", "DECRYPTION_KEY", "IDENTITY_KEY", "Birth", "credential", "decode", "encode"]

BIRTH = "birth"
"""Name of the birth record in the thing's home."""

IDENTITY_KEY = KeyId("identity")
"""Name of the thing's identity key in its key store."""

DECRYPTION_KEY = KeyId("decryption")
"""Name of its key for encrypted images there, which signs nothing; things of before there was one lack it."""

_FORMAT = 1
_WITH_SERVER = 2
_WITH_SIGNING = 3
_EXPECTED = f"expected a birth record of format {_FORMAT}, {_WITH_SERVER} or {_WITH_SIGNING}"
_MAX_ALGORITHMS = 16
_LIMITS = codec.Limits(max_bytes=1 << 17, max_depth=8)


@dataclass(frozen=True, slots=True)
class Birth:
    """The maker's gifts; none of them secret (the identity key is in the key store).

    Attributes:
        serial: the maker's serial number.
        maker_identity: CWT by the maker over the thing's key, as issued.
        voucher: the maker's voucher for the domain the thing was sold to, as issued; empty where its server says that.
        maker_anchor: key that signs vouchers.
        release_anchors: keys that sign releases, as many as `signing` says.
        vendor_id: RFC 9124 vendor identifier, 16 bytes.
        class_id: RFC 9124 class identifier, 16 bytes.
        server: the maker's, that is asked whose the thing is; None where the voucher says it.
        signing: how many of the release keys are enough; every one where a record of yesterday says nothing.
        release_step: how many steps the maker's release keys had come when the thing was born
            (`thingstead.protocols.profile.succession`).
        verifies: COSE algorithms of release signatures that the thing can verify; none where the maker did not say.
    """

    serial: str
    maker_identity: bytes
    voucher: bytes
    maker_anchor: PublicKey
    release_anchors: tuple[PublicKey, ...]
    vendor_id: bytes
    class_id: bytes
    server: MakerServer | None = None
    signing: SigningPolicy = EVERY_KEY
    release_step: int = 0
    verifies: frozenset[int] = frozenset()


def credential(birth: Birth, public: PublicKey) -> Credential:
    """CRED_I of the thing in a join, under a name that its maker's server can tell from all others if it has one."""
    size = join.SHORT_NAME if birth.server is None else join.LONG_NAME
    return join.identity_credential(birth.maker_identity, public, name_size=size)


def encode(birth: Birth) -> bytes:
    """Encode for the thing's home, in the oldest format that holds it."""
    fields = [
        birth.serial,
        birth.maker_identity,
        birth.voucher,
        cose_key.public_map(birth.maker_anchor),
        [cose_key.public_map(anchor) for anchor in birth.release_anchors],
        birth.vendor_id,
        birth.class_id,
    ]
    server = None if birth.server is None else maker_server.to_list(birth.server)
    if birth.signing != EVERY_KEY or birth.release_step or birth.verifies:
        signing = key_set.to_list(birth.signing)
        return codec.encode([_WITH_SIGNING, *fields, server, signing, birth.release_step, sorted(birth.verifies)])
    return codec.encode([_FORMAT, *fields] if server is None else [_WITH_SERVER, *fields, server])


def decode(data: bytes) -> Birth:
    """Read back what `encode` wrote.

    Raises:
        DecodeError: damaged, or of another format.
    """
    match codec.decode(data, limits=_LIMITS):
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
            anchors = [cose_key.from_map(item).require_public() for item in releases]
            by = cose_key.from_map(anchor).require_public()
            server, signing, step, verifies = _rest(version, rest)
            keys = key_set.from_list(signing, anchors)
            return Birth(
                serial,
                identity,
                voucher,
                by,
                keys.keys,
                vendor,
                kind,
                server,
                signing=keys.signing,
                release_step=step,
                verifies=frozenset(verifies),
            )
        case _:
            raise DecodeError(_EXPECTED)


def _rest(version: int, rest: list[Any]) -> tuple[MakerServer | None, list[Any], int, list[int]]:
    """What the formats differ in."""
    match version, rest:
        case 1, []:
            return None, [], 0, []
        case 2, [list(items)]:
            return maker_server.from_list(items), [], 0, []
        case 3, [list() | None as items, list(signing), int(step), list(verifies)] if (
            step >= 0 and len(verifies) <= _MAX_ALGORITHMS and all(isinstance(one, int) for one in verifies)
        ):
            return None if items is None else maker_server.from_list(items), signing, step, verifies
        case _:
            raise DecodeError(_EXPECTED)
