"""What lies beside a case: envelopes in whatever form they were published, and the public keys they verify under."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.x509 import load_der_x509_certificate, load_pem_x509_certificate

from thingstead.crypto.key import KeyType, PublicKey

__all__ = ["envelopes_in", "keys_beside"]

_FENCED = re.compile(r"~~~[^\n]*\n([0-9A-Fa-f\s]+)~~~")
_HEX = re.compile(r"\s*(?:[0-9A-Fa-f]{2}\s*)+")
_MAX_KEY, _MAX_FILES = 16_384, 1_000
_CURVES = {"secp256r1": KeyType.P256, "secp384r1": KeyType.P384, "secp521r1": KeyType.P521}


def envelopes_in(data: bytes) -> list[bytes]:
    """The binary itself, or every dump in hex of a text; none in a text without them."""
    try:
        text = data.decode("utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError:
        return [data]
    if any(ord(character) < 32 and character not in "\t\n\r" for character in text):
        return [data]
    dumps = [text] if _HEX.fullmatch(text) else _FENCED.findall(text)
    return [bytes.fromhex("".join(dump.split())) for dump in dumps]


def keys_beside(file: Path) -> Iterator[PublicKey]:
    """Public keys, certificates and private keys below the folder of `file`, each key once, however they are named."""
    found: set[PublicKey] = set()
    for path in sorted(file.parent.rglob("*"))[:_MAX_FILES]:
        if path.is_file() and not path.is_symlink() and path.stat().st_size <= _MAX_KEY:
            key = _key(path.read_bytes())
            if key is not None and key not in found:
                found.add(key)
                yield key


def _key(data: bytes) -> PublicKey | None:
    if not data.startswith((b"\x30", b"-----BEGIN")):
        return None
    for load in _LOADERS:
        try:
            loaded = load(data)
        except (ValueError, TypeError, UnsupportedAlgorithm):
            continue
        return _public(loaded)
    return None


def _public(public: Any) -> PublicKey | None:
    if isinstance(public, ed25519.Ed25519PublicKey):
        return PublicKey(KeyType.ED25519, public.public_bytes_raw())
    if isinstance(public, ec.EllipticCurvePublicKey) and public.curve.name in _CURVES:
        size, numbers = -(-public.curve.key_size // 8), public.public_numbers()
        return PublicKey(_CURVES[public.curve.name], numbers.x.to_bytes(size, "big"), numbers.y.to_bytes(size, "big"))
    return None


_LOADERS: tuple[Callable[[bytes], Any], ...] = (
    serialization.load_der_public_key,
    serialization.load_pem_public_key,
    lambda data: load_der_x509_certificate(data).public_key(),
    lambda data: load_pem_x509_certificate(data).public_key(),
    lambda data: serialization.load_der_private_key(data, None).public_key(),
    lambda data: serialization.load_pem_private_key(data, None).public_key(),
)
