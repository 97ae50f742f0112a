"""Area voucher: the examples of draft-ietf-anima-constrained-voucher as hex, signed (COSE_Sign1) or bare.

A signed one passes when it verifies under ``masa_ca.der``, the one maker's key of which the private half is published
with it, and its leaves are read; a bare one when its leaves are read.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509 import load_der_x509_certificate

from tests.conformance.outcome import ManifestEntry, Outcome, failed, not_covered, passed
from thingstead.crypto.algorithm import AlgorithmId
from thingstead.crypto.key import KeyType, PublicKey
from thingstead.errors import ProtocolError, SecurityError
from thingstead.protocols.cbor import codec
from thingstead.protocols.cose import sign1
from thingstead.protocols.voucher import voucher

__all__ = ["run"]

_REQUEST = 2501


def run(file: Path, entry: ManifestEntry) -> Iterator[Outcome]:
    """The one outcome of the file."""
    data = bytes.fromhex("".join(file.read_text().split()))
    value = codec.decode(data)
    payload = data if isinstance(value, dict) else sign1.decode(data).payload or b""
    if _is_request(codec.decode(payload)):
        yield not_covered(file.stem, "voucher requests: in this life the thing is sold with its voucher")
        return
    try:
        if payload is not data:
            sign1.authenticate(data, _anchor(file.with_name("masa_ca.der")), accept=frozenset({AlgorithmId.ES256}))
        voucher.decode_leaves(payload)
    except (ProtocolError, SecurityError) as error:
        yield failed(file.stem, error)
    else:
        yield passed(file.stem)


def _is_request(value: Any) -> bool:
    return isinstance(value, dict) and _REQUEST in value


def _anchor(certificate: Path) -> PublicKey:
    public = load_der_x509_certificate(certificate.read_bytes()).public_key()
    if not isinstance(public, ec.EllipticCurvePublicKey):
        raise TypeError("the maker of the examples signs with ECDSA")
    numbers = public.public_numbers()
    return PublicKey(KeyType.P256, numbers.x.to_bytes(32, "big"), numbers.y.to_bytes(32, "big"))
