"""Several signatures over one payload: COSE_Sign (RFC 9052 §4.1)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import InitVar, dataclass
from typing import Any

from thingstead.crypto.key import PrivateKey, PublicKey, verify
from thingstead.errors import AuthenticationError, DecodeError
from thingstead.protocols.cbor import codec
from thingstead.protocols.cose import header
from thingstead.protocols.cose.header import Headers, Label
from thingstead.protocols.cose.sign1 import choose_payload
from thingstead.protocols.cose.structure import CoseTag, open_array, sig_structure, wrap_array

__all__ = ["AuthenticatedSign", "Sign", "Signature", "Signer", "add", "authenticate", "decode", "join", "sign"]

_SEAL = object()


@dataclass(frozen=True, slots=True)
class Signer:
    """Who signs: a handle, its algorithm and its identifier (left out when empty)."""

    key: PrivateKey
    signature_id: int
    kid: bytes = b""


@dataclass(frozen=True, slots=True)
class Signature:
    """One COSE_Signature as it came."""

    headers: Headers
    signature: bytes


@dataclass(frozen=True, slots=True)
class Sign:
    """A COSE_Sign as it came: nothing in it is proved.

    Attributes:
        headers: both buckets of the body.
        payload: None when it travels detached.
        signatures: at least one, in their order.
        encoded: the whole message as received.
    """

    headers: Headers
    payload: bytes | None
    signatures: tuple[Signature, ...]
    encoded: bytes


@dataclass(frozen=True, slots=True)
class AuthenticatedSign:
    """A COSE_Sign of which one signature verified; made by `authenticate` and by nothing else.

    Attributes:
        headers: the protected bucket of the body is proved, the unprotected one is not.
        payload: attached or detached.
        signature_id: algorithm that verified, one of those accepted.
        signer: the key that verified it, chosen by the caller.
        encoded: the whole message as received.
    """

    headers: Headers
    payload: bytes
    signature_id: int
    signer: PublicKey
    encoded: bytes
    seal: InitVar[object]

    def __post_init__(self, seal: object) -> None:
        if seal is not _SEAL:
            raise TypeError("an AuthenticatedSign is made by sign.authenticate")


def sign(payload: bytes, signers: Sequence[Signer], *, external_aad: bytes = b"", detached: bool = False) -> bytes:
    """Sign `payload` once for each signer; the message is tagged (RFC 9052 §4.4).

    Raises:
        UnsupportedError: an algorithm is not one of its key.
        ValueError: nobody signs.
    """
    if not signers:
        raise ValueError("a COSE_Sign takes at least one signer")
    signatures = _sign(payload, signers, body_protected=b"", external_aad=external_aad)
    return wrap_array([b"", {}, None if detached else payload, signatures], CoseTag.SIGN, tagged=True)


def add(
    message: Sign | bytes,
    signers: Sequence[Signer],
    *,
    external_aad: bytes = b"",
    payload: bytes | None = None,
    limits: codec.Limits = codec.DEFAULT_LIMITS,
) -> bytes:
    """Sign what others signed before; their signatures stay as they came, and prove nothing here.

    Args:
        message: parsed or as received.
        signers: who signs now.
        external_aad: covered and not carried.
        payload: the detached payload; None when the message must carry its own.
        limits: bounds on the message.

    Raises:
        DecodeError: not a COSE_Sign, or the payload in the wrong place.
        UnsupportedError: an algorithm is not one of its key.
    """
    if not isinstance(message, Sign):
        message = decode(message, limits=limits)
    body = message.headers
    content = choose_payload(message.payload, payload)
    signatures = [[*header.encode(one.headers), one.signature] for one in message.signatures]
    signatures += _sign(content, signers, body_protected=body.encoded, external_aad=external_aad)
    return wrap_array([*header.encode(body), message.payload, signatures], CoseTag.SIGN, tagged=True)


def join(message: bytes, other: bytes, *, limits: codec.Limits = codec.DEFAULT_LIMITS) -> bytes:
    """The signatures of two messages over the same content as one message; of a signer who is in both, the first.

    Nothing is proved by that.

    Raises:
        DecodeError: not COSE_Sign messages.
        AuthenticationError: over different contents.
    """
    first, second = decode(message, limits=limits), decode(other, limits=limits)
    if (first.headers.encoded, first.payload) != (second.headers.encoded, second.payload):
        raise AuthenticationError("what others signed is something else", spec="RFC 9052 §4.1", reason="statement")
    there = {_name(one) for one in first.signatures}
    joined = [*first.signatures, *[one for one in second.signatures if _name(one) not in there]]
    signatures = [[*header.encode(one.headers), one.signature] for one in joined]
    return wrap_array([*header.encode(first.headers), first.payload, signatures], CoseTag.SIGN, tagged=True)


def _name(signature: Signature) -> tuple[bytes, object]:
    return signature.headers.kid, signature.headers.protected.get(Label.ALG)


def _sign(payload: bytes, signers: Sequence[Signer], *, body_protected: bytes, external_aad: bytes) -> list[list[Any]]:
    signatures = []
    for signer in signers:
        headers = header.build({Label.ALG: signer.signature_id}, {Label.KID: signer.kid} if signer.kid else {})
        covered = sig_structure(
            body_protected=body_protected, sign_protected=headers.encoded, external_aad=external_aad, payload=payload
        )
        signatures.append([*header.encode(headers), signer.key.sign(covered, signer.signature_id)])
    return signatures


def decode(
    data: bytes,
    *,
    understood: frozenset[int | str] = frozenset(),
    limits: codec.Limits = codec.DEFAULT_LIMITS,
) -> Sign:
    """Parse a COSE_Sign and prove nothing.

    Raises:
        DecodeError: outside the grammar of RFC 9052 §4.1, or more than ``limits.max_items`` signatures.
        UnsupportedError: a critical header parameter outside `understood`.
    """
    encoded, unprotected, payload, signatures = open_array(data, CoseTag.SIGN, limits=limits)
    headers = header.decode(encoded, unprotected, understood=understood, limits=limits)
    if not isinstance(payload, bytes | None):
        raise DecodeError("expected a payload of bstr or nil", spec="RFC 9052 §4.1")
    if not isinstance(signatures, list) or not 0 < len(signatures) <= limits.max_items:
        raise DecodeError(f"expected 1 to {limits.max_items} signatures", spec="RFC 9052 §4.1")
    return Sign(headers, payload, tuple(_signature(entry, understood, limits) for entry in signatures), data)


def authenticate(
    message: Sign | bytes,
    public: PublicKey,
    *,
    accept: frozenset[int],
    index: int = 0,
    external_aad: bytes = b"",
    payload: bytes | None = None,
) -> AuthenticatedSign:
    """Verify one signature under a key that the caller chose for it (RFC 9052 §4.4).

    A policy that wants several signers asks once for each, with another key each time.

    Args:
        message: parsed or as received.
        public: the key; nothing in the message can change which one is used.
        accept: algorithms that the caller's policy accepts.
        index: which signature, counted from 0.
        external_aad: covered and not carried.
        payload: the detached payload; None when the message must carry its own.

    Raises:
        DecodeError: outside the grammar, no such signature, or the payload in the wrong place.
        UnsupportedError: an algorithm outside `accept`, or not one of this key.
        AuthenticationError: the signature does not verify.
    """
    if not isinstance(message, Sign):
        message = decode(message)
    if not 0 <= index < len(message.signatures):
        raise DecodeError(f"expected a signature {index}, got {len(message.signatures)}", spec="RFC 9052 §4.1")
    signature = message.signatures[index]
    signature_id = signature.headers.algorithm(accept)
    content = choose_payload(message.payload, payload)
    covered = sig_structure(
        body_protected=message.headers.encoded,
        sign_protected=signature.headers.encoded,
        external_aad=external_aad,
        payload=content,
    )
    verify(public, signature=signature.signature, data=covered, signature_id=signature_id)
    return AuthenticatedSign(message.headers, content, signature_id, public, message.encoded, _SEAL)


def _signature(entry: object, understood: frozenset[int | str], limits: codec.Limits) -> Signature:
    if not isinstance(entry, list) or len(entry) != 3 or not isinstance(entry[2], bytes):
        raise DecodeError("expected a COSE_Signature of three elements", spec="RFC 9052 §4.1")
    return Signature(header.decode(entry[0], entry[1], understood=understood, limits=limits), entry[2])
