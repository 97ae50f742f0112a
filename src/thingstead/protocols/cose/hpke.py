"""HPKE in COSE: content for one recipient, or its key for each of several (draft-ietf-cose-hpke-27 §3).

The draft's numbers are assumed ones, and nothing in the product chooses them; what comes under them is read.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import IntEnum
from typing import Any

from thingstead.crypto import hpke
from thingstead.crypto.algorithm import AlgorithmId, Kind, algorithm
from thingstead.crypto.hpke import NO_PSK, Psk, Suite
from thingstead.crypto.key import KeyType, PrivateKey, PublicKey, generate
from thingstead.errors import DecodeError, UnsupportedError, UntrustedError
from thingstead.protocols.cbor import codec
from thingstead.protocols.cose import header
from thingstead.protocols.cose.header import Headers, Label
from thingstead.protocols.cose.structure import CoseTag, enc_structure, wrap_array
from thingstead.secret import Secret

__all__ = ["ALONE", "Agreed", "open_content", "seal", "unwrap", "wrap"]

_SPEC = "draft-ietf-cose-hpke-27 §3"
_A = AlgorithmId
_SUITES: dict[int, Suite] = {
    number: suite
    for numbers, suite in (
        ((_A.HPKE_0, _A.HPKE_0_KE), Suite(0x10, 1, 1)),
        ((_A.HPKE_1, _A.HPKE_1_KE), Suite(0x11, 2, 2)),
        ((_A.HPKE_2, _A.HPKE_2_KE), Suite(0x12, 3, 2)),
        ((_A.HPKE_3, _A.HPKE_3_KE), Suite(0x20, 1, 1)),
        ((_A.HPKE_4, _A.HPKE_4_KE), Suite(0x20, 1, 3)),
        ((_A.HPKE_5, _A.HPKE_5_KE), Suite(0x21, 3, 2)),
        ((_A.HPKE_6, _A.HPKE_6_KE), Suite(0x21, 3, 3)),
        ((_A.HPKE_7, _A.HPKE_7_KE), Suite(0x10, 1, 2)),
    )
    for number in numbers
}


class _Name(IntEnum):
    """Header parameters (§6), by the numbers that the draft assumes."""

    EK = -4
    PSK_ID = -5


@dataclass(frozen=True, slots=True)
class Agreed:
    """What both sides know and no message carries.

    Attributes:
        info: what the key depends on; of a recipient, `recipient_extra_info` (§3.3.1).
        aad: covered together with a wrapped key; content has its external_aad for that.
        psk: a secret of both. Without it, nothing says who encrypted.
    """

    info: bytes = b""
    aad: bytes = b""
    psk: Psk = NO_PSK


ALONE = Agreed()


def seal(
    plaintext: bytes,
    recipient: PublicKey,
    *,
    hpke_id: int,
    kid: bytes = b"",
    external_aad: bytes = b"",
    agreed: Agreed = ALONE,
    ephemeral: Callable[[KeyType], PrivateKey] = generate,
) -> bytes:
    """Make a tagged COSE_Encrypt0 for one recipient (§3.2).

    Args:
        plaintext: what is encrypted.
        recipient: whom for.
        hpke_id: COSE algorithm, one of the integrated ones.
        kid: names the recipient's key; left out when empty.
        external_aad: covered and not carried.
        agreed: what both sides know.
        ephemeral: makes the key of this one message.

    Raises:
        UnsupportedError: an algorithm of another kind, or not one of the recipient's key.
    """
    suite = _SUITES[algorithm(hpke_id, Kind.HPKE).id]
    covered = header.build(_protected(hpke_id, agreed), {}).encoded
    aad = enc_structure("Encrypt0", protected=covered, external_aad=external_aad)
    encapsulated, ciphertext = hpke.seal(
        plaintext, recipient, suite, info=agreed.info, aad=aad, psk=agreed.psk, ephemeral=ephemeral
    )
    return wrap_array([covered, _open_bucket(kid, encapsulated), ciphertext], CoseTag.ENCRYPT0, tagged=True)


def open_content(headers: Headers, ciphertext: bytes, key: PrivateKey, *, aad: bytes, agreed: Agreed) -> bytes:
    """Decrypt the content of a COSE_Encrypt0 whose algorithm the caller accepts.

    Args:
        headers: of the message.
        ciphertext: of the message.
        key: the recipient's own.
        aad: the Enc_structure (RFC 9052 §5.3).
        agreed: what both sides know.

    Raises:
        DecodeError: no encapsulated key, or one that is none.
        UnsupportedError: an algorithm of another kind, or not one of this key.
        UntrustedError: under another pre-shared key than the one expected, or under none.
        AuthenticationError: for another, or altered.
    """
    suite = _SUITES[algorithm(headers.protected.get(Label.ALG, 0), Kind.HPKE).id]
    encapsulated = _encapsulated(headers, agreed)
    return hpke.open_sealed(encapsulated, ciphertext, key, suite, info=agreed.info, aad=aad, psk=agreed.psk)


def wrap(
    key: Secret,
    recipient: PublicKey,
    *,
    hpke_id: int,
    content_id: int,
    kid: bytes = b"",
    agreed: Agreed = ALONE,
    ephemeral: Callable[[KeyType], PrivateKey] = generate,
) -> list[Any]:
    """The COSE_recipient that carries a content key (§3.3); arguments as for `seal`.

    Args:
        content_id: algorithm that the key is for; it cannot be used under another.

    Raises:
        UnsupportedError: as for `seal`.
    """
    suite = _SUITES[algorithm(hpke_id, Kind.HPKE_WRAP).id]
    covered = header.build(_protected(hpke_id, agreed), {}).encoded
    info = _recipient_structure(content_id, covered, agreed)
    encapsulated, wrapped = hpke.seal(
        key.reveal(), recipient, suite, info=info, aad=agreed.aad, psk=agreed.psk, ephemeral=ephemeral
    )
    return [covered, _open_bucket(kid, encapsulated), wrapped]


def unwrap(headers: Headers, wrapped: bytes, key: Secret | PrivateKey, *, content_id: int, agreed: Agreed) -> Secret:
    """The content key that a recipient's layer carries; errors as for `open_content`."""
    if isinstance(key, Secret):
        raise UnsupportedError("expected a private key to open what was sealed for its public one", spec=_SPEC)
    suite = _SUITES[algorithm(headers.protected.get(Label.ALG, 0), Kind.HPKE_WRAP).id]
    encapsulated = _encapsulated(headers, agreed)
    info = _recipient_structure(content_id, headers.encoded, agreed)
    return Secret(hpke.open_sealed(encapsulated, wrapped, key, suite, info=info, aad=agreed.aad, psk=agreed.psk))


def _protected(hpke_id: int, agreed: Agreed) -> dict[Any, Any]:
    identifier = agreed.psk.identifier
    return {Label.ALG: hpke_id, **({_Name.PSK_ID: identifier} if identifier else {})}


def _open_bucket(kid: bytes, encapsulated: bytes) -> dict[int, bytes]:
    return {**({Label.KID.value: kid} if kid else {}), _Name.EK.value: encapsulated}


def _encapsulated(headers: Headers, agreed: Agreed) -> bytes:
    if _Name.PSK_ID in headers.unprotected:
        raise DecodeError("expected psk_id in the protected bucket", spec=_SPEC)
    if headers.protected.get(_Name.PSK_ID, b"") != agreed.psk.identifier:
        raise UntrustedError("expected the pre-shared key that both sides have, and no other", spec=_SPEC)
    encapsulated = headers.unprotected.get(_Name.EK)
    if not isinstance(encapsulated, bytes):
        raise DecodeError("expected an encapsulated key of bstr in the unprotected bucket", spec=_SPEC)
    return encapsulated


def _recipient_structure(content_id: int, covered: bytes, agreed: Agreed) -> bytes:
    return codec.encode(["HPKE Recipient", int(content_id), covered, agreed.info])
