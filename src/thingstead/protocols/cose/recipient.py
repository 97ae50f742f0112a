"""Recipients of COSE_Mac and COSE_Encrypt: one that already shares the key (RFC 9052 §5.1, §8.5.1)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from thingstead.crypto.algorithm import AlgorithmId
from thingstead.errors import DecodeError, UnsupportedError
from thingstead.protocols.cbor import codec
from thingstead.protocols.cose import header
from thingstead.protocols.cose.header import Headers, Label

__all__ = ["Recipient", "decode", "direct", "require_direct"]


@dataclass(frozen=True, slots=True)
class Recipient:
    """One COSE_recipient as it came; `ciphertext` is the wrapped key, empty where none is carried."""

    headers: Headers
    ciphertext: bytes


def direct(kid: bytes) -> list[Any]:
    """The one recipient of a message under a key that both sides hold (RFC 9053 §6.1.1)."""
    return [b"", {Label.ALG.value: AlgorithmId.DIRECT.value, Label.KID.value: kid}, b""]


def decode(value: Any, *, limits: codec.Limits) -> tuple[Recipient, ...]:
    """Read the recipients of a message (RFC 9052 §5.1).

    Raises:
        DecodeError: none, too many, or one outside the grammar.
        UnsupportedError: recipients of recipients, or a critical header parameter.
    """
    if not isinstance(value, list) or not 0 < len(value) <= limits.max_items:
        raise DecodeError(f"expected 1 to {limits.max_items} recipients", spec="RFC 9052 §5.1")
    return tuple(_recipient(entry, limits) for entry in value)


def require_direct(recipients: tuple[Recipient, ...]) -> None:
    """Pass where the only recipient uses the shared key as it is (RFC 9052 §8.5.1).

    Raises:
        UnsupportedError: another way to the key.
        DecodeError: a direct recipient that is not alone, or that carries or protects something.
    """
    for one in recipients:
        if one.headers.parameter(Label.ALG) != AlgorithmId.DIRECT:
            raise UnsupportedError(f"expected the direct key, got {one.headers.parameter(Label.ALG)!r}")
    if len(recipients) != 1 or recipients[0].ciphertext or recipients[0].headers.encoded:
        raise DecodeError("expected one direct recipient with nothing protected or wrapped", spec="RFC 9053 §6.1.1")


def _recipient(entry: Any, limits: codec.Limits) -> Recipient:
    if not isinstance(entry, list) or len(entry) not in {3, 4}:
        raise DecodeError("expected a COSE_recipient of three or four elements", spec="RFC 9052 §5.1")
    if len(entry) == 4:
        raise UnsupportedError("expected recipients without recipients", spec="RFC 9052 §5.1")
    ciphertext = b"" if entry[2] is None else entry[2]
    if not isinstance(ciphertext, bytes):
        raise DecodeError("expected a wrapped key of bstr or nil", spec="RFC 9052 §5.1")
    return Recipient(header.decode(entry[0], entry[1], limits=limits), ciphertext)
