"""Area lms: known answers of liboqs: `msg`, `sm` (the signature) and `pk` in hex, of HSS keys and of single trees."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from tests.conformance.outcome import ManifestEntry, Outcome, failed, passed
from thingstead.crypto.algorithm import AlgorithmId
from thingstead.crypto.key import KeyType, PublicKey, verify
from thingstead.errors import SecurityError

__all__ = ["run"]

_FIELD = re.compile(r'^(msg|sm|pk) = "?([0-9A-Fa-f]+)"?$', re.MULTILINE)
_TREE_KEY_SIZES = {56, 48}


def run(file: Path, entry: ManifestEntry) -> Iterator[Outcome]:
    """The one outcome of the file: it verifies, and no longer once any part of it differs."""
    fields = {name: bytes.fromhex(value) for name, value in _FIELD.findall(file.read_text("ascii"))}
    message, signature, encoded = (fields[name] for name in ("msg", "sm", "pk"))
    if len(encoded) in _TREE_KEY_SIZES:
        # The key of one tree is an HSS key of one level without its number of levels (RFC 8554 §6.1, §6.2).
        encoded, signature = b"\x00\x00\x00\x01" + encoded, bytes(4) + signature
    public = PublicKey(KeyType.HSS_LMS, encoded)
    if not _verifies(public, signature, message):
        yield failed(file.stem, "the signature does not verify")
        return
    middle = len(signature) // 2
    altered = signature[:middle] + bytes((signature[middle] ^ 1,)) + signature[middle + 1 :]
    for what, changed, data in (
        ("message", signature, message + b"\x00"),
        ("signature", altered, message),
        ("end", signature + b"\x00", message),
    ):
        if _verifies(public, changed, data):
            yield failed(file.stem, f"verifies with another {what}")
            return
    yield passed(file.stem)


def _verifies(public: PublicKey, signature: bytes, data: bytes) -> bool:
    try:
        verify(public, signature=signature, data=data, signature_id=AlgorithmId.HSS_LMS)
    except SecurityError:
        return False
    return True
