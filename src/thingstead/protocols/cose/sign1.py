"""One signature over one payload: COSE_Sign1 (RFC 9052 §4.2)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import InitVar, dataclass
from typing import Any

from thingstead.crypto import key as crypto_key
from thingstead.crypto.key import PrivateKey, PublicKey
from thingstead.errors import DecodeError
from thingstead.protocols.cbor import codec
from thingstead.protocols.cose import header
from thingstead.protocols.cose.header import Headers, Label
from thingstead.protocols.cose.structure import CoseTag, open_array, sig_structure, wrap_array

__all__ = ["AuthenticatedSign1", "Sign1", "authenticate", "choose_payload", "decode", "parts", "sign", "verify"]

_SEAL = object()


@dataclass(slots=True)
class Sign1:
    """A COSE_Sign1 as it came: nothing in it is proved; nobody changes it (not frozen, for the price on every token).

    Attributes:
        headers: both buckets.
        payload: None when it travels detached.
        signature: raw, as its algorithm writes it.
        encoded: the whole message as received.
    """

    headers: Headers
    payload: bytes | None
    signature: bytes
    encoded: bytes


@dataclass(frozen=True, slots=True)
class AuthenticatedSign1:
    """A COSE_Sign1 whose signature verified; made by `authenticate` and by nothing else.

    Attributes:
        headers: the protected bucket is proved, the unprotected one is not.
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
            raise TypeError("an AuthenticatedSign1 is made by sign1.authenticate")


def sign(
    payload: bytes,
    key: PrivateKey,
    *,
    signature_id: int,
    kid: bytes = b"",
    protected: Mapping[Any, Any] | None = None,
    unprotected: Mapping[Any, Any] | None = None,
    external_aad: bytes = b"",
    detached: bool = False,
    tagged: bool = True,
) -> bytes:
    """Sign `payload` (RFC 9052 §4.4).

    Args:
        payload: what is signed.
        key: handle on the private key.
        signature_id: COSE algorithm, one of the key's; it goes into the protected bucket.
        kid: key identifier, into the unprotected bucket; left out when empty.
        protected: further protected parameters.
        unprotected: further unprotected parameters.
        external_aad: covered and not carried.
        detached: leave the payload out of the message.
        tagged: put tag 18 in front.

    Raises:
        UnsupportedError: the algorithm is not one of this key.
    """
    open_bucket = {**(unprotected or {}), **({Label.KID: kid} if kid else {})}
    headers = header.build({Label.ALG: signature_id, **(protected or {})}, open_bucket)
    covered = sig_structure(body_protected=headers.encoded, external_aad=external_aad, payload=payload)
    signature = key.sign(covered, signature_id)
    return wrap_array([*header.encode(headers), None if detached else payload, signature], CoseTag.SIGN1, tagged=tagged)


def decode(
    data: bytes,
    *,
    understood: frozenset[int | str] = frozenset(),
    limits: codec.Limits = codec.DEFAULT_LIMITS,
) -> Sign1:
    """Parse a COSE_Sign1 and prove nothing.

    Raises:
        DecodeError: outside the grammar of RFC 9052 §4.2.
        UnsupportedError: a critical header parameter outside `understood`.
    """
    return Sign1(*parts(data, understood=understood, limits=limits), data)


def parts(
    data: bytes,
    *,
    understood: frozenset[int | str] = frozenset(),
    limits: codec.Limits = codec.DEFAULT_LIMITS,
) -> tuple[Headers, bytes | None, bytes]:
    """Headers, payload and signature, for who makes another kind of message of them; errors as for `decode`."""
    if (plain := _plain(data, limits)) is not None:
        return plain
    encoded, unprotected, payload, signature = open_array(data, CoseTag.SIGN1, limits=limits)
    headers = header.decode(encoded, unprotected, understood=understood, limits=limits)
    if not (payload is None or isinstance(payload, bytes)) or not isinstance(signature, bytes):
        raise DecodeError("expected a payload of bstr or nil and a signature of bstr", spec="RFC 9052 §4.2")
    return headers, payload, signature


def _plain(data: bytes, limits: codec.Limits) -> tuple[Headers, bytes, bytes] | None:
    """A tagged message as tokens are, read without a decoder, which takes twice as long; None for any other.

    Nothing but the algorithm is protected and nothing else is told; the payload has 24 to 255 bytes, the signature 64.
    """
    headers = _PLAIN.get(data[:_PLAIN_SIZE])
    if headers is None or not _SHORTEST_PLAIN <= len(data) <= limits.max_bytes or data[_PLAIN_SIZE] != _ONE_BYTE_SIZE:
        return None
    size, start = data[_PLAIN_SIZE + 1], _PLAIN_SIZE + 2
    end = start + size
    if size < 24 or len(data) != end + 66 or data[end : end + 2] != _SIGNATURE_HEAD:
        return None
    return headers, data[start:end], data[end + 2 :]


# Tag 18, an array of 4, a protected bucket of 3 bytes, and nothing in the open one.
_PLAIN = {
    b"\xd2\x84\x43" + encoded + b"\xa0": headers for encoded, headers in header.USUAL.items() if len(encoded) == 3
}
_PLAIN_SIZE, _SHORTEST_PLAIN = 7, 99
_ONE_BYTE_SIZE, _SIGNATURE_HEAD = 0x58, b"\x58\x40"


def authenticate(
    message: Sign1 | bytes,
    public: PublicKey,
    *,
    accept: frozenset[int],
    external_aad: bytes = b"",
    payload: bytes | None = None,
) -> AuthenticatedSign1:
    """Verify a COSE_Sign1 under a key that the caller chose (RFC 9052 §4.4).

    Args:
        message: parsed or as received.
        public: the key; nothing in the message can change which one is used.
        accept: algorithms that the caller's policy accepts; ES256 (-7) and ESP256 (-9) are two.
        external_aad: covered and not carried.
        payload: the detached payload; None when the message must carry its own.

    Raises:
        DecodeError: outside the grammar, or payload attached where detached is expected or the reverse.
        UnsupportedError: an algorithm outside `accept`, or not one of this key.
        AuthenticationError: the signature does not verify.
    """
    if not isinstance(message, Sign1):
        message = decode(message)
    content = choose_payload(message.payload, payload)
    signature_id = verify(message, public, accept=accept, external_aad=external_aad, payload=content)
    return AuthenticatedSign1(message.headers, content, signature_id, public, message.encoded, _SEAL)


def verify(
    message: Sign1,
    public: PublicKey,
    *,
    accept: frozenset[int],
    external_aad: bytes = b"",
    payload: bytes | None = None,
) -> int:
    """The same for who makes a proof of another type from it: returns the algorithm that verified.

    Args:
        message: parsed.
        public: as for `authenticate`, and so the rest.
        accept: algorithms.
        external_aad: covered and not carried.
        payload: what is covered; None for what the message carries.

    Raises:
        UnsupportedError, AuthenticationError: as for `authenticate`.
    """
    signature_id = message.headers.algorithm(accept)
    content = (message.payload or b"") if payload is None else payload
    covered = sig_structure(body_protected=message.headers.encoded, external_aad=external_aad, payload=content)
    crypto_key.verify(public, signature=message.signature, data=covered, signature_id=signature_id)
    return signature_id


def choose_payload(attached: bytes | None, detached: bytes | None) -> bytes:
    """The one payload there is (RFC 9052 §2: nil stands for detached content).

    Raises:
        DecodeError: none, or one in the message and one beside it.
    """
    if (attached is None) == (detached is None):
        found = "none" if attached is None else "a second one in the message"
        raise DecodeError(f"expected exactly one payload, got {found}", spec="RFC 9052 §2")
    return attached if attached is not None else detached or b""
