"""Payloads that only their recipients read: a table ``[encryption.NAME]`` each (FIRMWARE_ENCRYPTION).

The same file gives the same bytes, so nothing here is drawn at random. The content key, the IV and the ephemeral keys
come from a secret file and from what they are for: the digest of the payload is part of that, and no key ever meets
a second payload.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from thingstead.crypto.algorithm import REGISTRY, Algorithm, AlgorithmId, Kind
from thingstead.crypto.digest import digest, hmac_tag
from thingstead.crypto.key import KeyType, PrivateKey, PublicKey, private_key
from thingstead.errors import DecodeError, UnsupportedError
from thingstead.phases.authoring.place import Files, Place
from thingstead.protocols.cbor import codec
from thingstead.protocols.cose import key as cose_key
from thingstead.protocols.suit import encryption
from thingstead.protocols.suit.encryption import EncryptedPayload, Shared, Static
from thingstead.secret import Secret

__all__ = ["MAX_RECIPIENTS", "read_encryption"]

MAX_RECIPIENTS = 16
_KEYS = ("payload", "algorithm", "recipients", "secret", "content_key", "iv")
_ALGORITHMS = {
    row.name: row
    for row in REGISTRY.values()
    if row.id
    in {
        AlgorithmId.A128GCM,
        AlgorithmId.A192GCM,
        AlgorithmId.A256GCM,
        AlgorithmId.CHACHA20_POLY1305,
        AlgorithmId.A128CTR,
        AlgorithmId.A256CTR,
    }
}
_WRAPPING_SIZES = (16, 24, 32)
_SECRET_SIZE = 32
_BLOCK = 16
_PURPOSE = "SUIT payload"
# Order of P-256 (SP 800-186 §3.2.1.3); 48 bytes taken modulo it are as good as uniform (FIPS 186-5 A.2.1).
_P256_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551

_Derive = Callable[[str, int], bytes]


def read_encryption(place: Place, files: Files) -> EncryptedPayload:
    """Encrypt a payload for its recipients.

    Raises:
        ConfigError: a key or an algorithm that does not fit; names the place.
    """
    table = place.table(_KEYS, required=("payload", "algorithm", "recipients"))
    name = table["algorithm"].text()
    if name not in _ALGORITHMS:
        raise table["algorithm"].refuse(f"expected one of {', '.join(_ALGORITHMS)}, got {name[:40]!r}")
    row = _ALGORITHMS[name]
    payload = table["payload"].octets(files)
    if "secret" in table:
        if "content_key" in table or "iv" in table:
            raise table["secret"].refuse("expected either a secret, or a content key and an IV")
        derive = _derivation(table["secret"], row, payload, files)
        content_key, iv = derive("content key", row.key_size), derive("IV", _iv_size(row))
    else:
        place.table(_KEYS, required=("content_key", "iv"))
        derive = None
        content_key = _sized(table["content_key"], files, row.key_size)
        iv = _sized(table["iv"], files, _iv_size(row))
    recipients = _recipients(table["recipients"], files, derive)
    return encryption.encrypt(payload, recipients, content_id=row.id, content_key=Secret(content_key), iv=iv)


def _derivation(place: Place, row: Algorithm, payload: bytes, files: Files) -> _Derive:
    secret = Secret(place.octets(files))
    if len(secret) != _SECRET_SIZE:
        raise place.refuse(f"expected a secret of {_SECRET_SIZE} random bytes, got {len(secret)}")
    bound = digest(payload, AlgorithmId.SHA_256)

    def derive(purpose: str, size: int) -> bytes:
        halves = [hmac_tag(secret, codec.encode([_PURPOSE, purpose, row.id.value, bound, half])) for half in (1, 2)]
        return b"".join(halves)[:size]

    return derive


def _recipients(place: Place, files: Files, derive: _Derive | None) -> Sequence[Shared | Static]:
    items = place.items()
    if not 0 < len(items) <= MAX_RECIPIENTS:
        raise place.refuse(f"expected 1 to {MAX_RECIPIENTS} recipients, got {len(items)}")
    return [_recipient(item, files, derive, number) for number, item in enumerate(items)]


def _recipient(place: Place, files: Files, derive: _Derive | None, number: int) -> Shared | Static:
    table = place.table(("kid", "key", "public_key"), required=("kid",))
    kid = table["kid"].octets(files)
    if ("key" in table) == ("public_key" in table):
        raise place.refuse("expected a key that is shared, or a public_key")
    if "key" in table:
        key = table["key"].octets(files)
        if len(key) not in _WRAPPING_SIZES:
            raise table["key"].refuse(f"expected a wrapping key of 16, 24 or 32 bytes, got {len(key)}")
        return Shared(kid, Secret(key))
    public = _public(table["public_key"], files)
    if derive is None:
        raise place.refuse("expected a secret in the table: the ephemeral key of ECDH-ES is made from it")
    return Static(kid, public, _ephemeral(derive(f"ephemeral key {number} {public.raw.hex()}", 48)))


def _public(place: Place, files: Files) -> PublicKey:
    try:
        public = cose_key.decode(place.octets(files)).require_public()
    except (DecodeError, UnsupportedError) as error:
        raise place.refuse(f"expected a COSE_Key: {error}") from None
    if public.type is not KeyType.P256:
        raise place.refuse(f"expected a key on P-256, got {public.type.name}")
    return public


def _ephemeral(derived: bytes) -> PrivateKey:
    scalar = int.from_bytes(derived, "big") % (_P256_ORDER - 1) + 1
    return private_key(KeyType.P256, Secret(scalar.to_bytes(32, "big")))


def _sized(place: Place, files: Files, size: int) -> bytes:
    value = place.octets(files)
    if len(value) != size:
        raise place.refuse(f"expected {size} bytes, got {len(value)}")
    return value


def _iv_size(row: Algorithm) -> int:
    """AES-CTR takes its whole first counter block (RFC 9459 §4)."""
    return _BLOCK if row.kind is Kind.STREAM else row.nonce_size
