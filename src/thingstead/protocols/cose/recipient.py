"""Recipients of COSE_Mac and COSE_Encrypt, and their ways to the content key (RFC 9052 §5.1, §8.5; RFC 9053 §6)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Any

from thingstead.crypto.algorithm import REGISTRY, Algorithm, AlgorithmId, Kind
from thingstead.crypto.key import KeyType, PrivateKey, PublicKey
from thingstead.crypto.key_wrap import unwrap_key
from thingstead.errors import DecodeError, UnsupportedError, UntrustedError
from thingstead.protocols.cbor import codec
from thingstead.protocols.cose import header, hpke
from thingstead.protocols.cose import key as cose_key
from thingstead.protocols.cose.header import Headers, Label
from thingstead.protocols.cose.hpke import ALONE, Agreed
from thingstead.protocols.cose.key_derivation import derive, kdf_context
from thingstead.secret import Secret

__all__ = ["Receiver", "Recipient", "content_key", "decode", "direct", "require_direct"]


@dataclass(frozen=True, slots=True)
class Recipient:
    """One COSE_recipient as it came; `ciphertext` is the wrapped key, empty where none is carried."""

    headers: Headers
    ciphertext: bytes


@dataclass(frozen=True, slots=True)
class Receiver:
    """What one recipient of a message holds, and by which ways it lets itself be reached.

    Attributes:
        key: the shared secret, or the handle on the private key of a key agreement.
        accept: recipient algorithms that the caller's policy accepts. Direct and key wrap name theirs where nobody
            protects it, so they must be the only one accepted (RFC 9053 §6.1.1, §6.2.1).
        index: which recipient of the message this is, counted from 0; its kid is a hint for choosing.
        sender: the static key that an ECDH-SS sender must have; a key in the message never replaces it.
        supp_pub_other: public data for the derivation that both sides know and the message does not carry.
        supp_priv: a further secret for the derivation that both sides hold.
        agreed: what else both sides know, where HPKE is the way.
    """

    key: Secret | PrivateKey
    accept: frozenset[int]
    index: int = 0
    sender: PublicKey | None = None
    supp_pub_other: bytes | None = None
    supp_priv: Secret | None = None
    agreed: Agreed = ALONE


class _Source(Enum):
    """Where the secret of a way comes from."""

    SHARED = "the key itself"
    EPHEMERAL = "agreement with the key that the message carries"
    STATIC = "agreement with the sender's own key"


@dataclass(frozen=True, slots=True)
class _Way:
    """One row: a source, then a derivation unless None, then a key wrap unless None (else it is the content key)."""

    source: _Source
    kdf: AlgorithmId | None = None
    wrap: AlgorithmId | None = None


_A = AlgorithmId
_WAYS: dict[int, _Way] = {
    _A.DIRECT: _Way(_Source.SHARED),
    _A.HKDF_SHA_256: _Way(_Source.SHARED, _A.SHA_256),
    _A.HKDF_SHA_512: _Way(_Source.SHARED, _A.SHA_512),
    _A.HKDF_AES_128: _Way(_Source.SHARED, _A.HKDF_AES_128),
    _A.HKDF_AES_256: _Way(_Source.SHARED, _A.HKDF_AES_256),
    _A.A128KW: _Way(_Source.SHARED, wrap=_A.A128KW),
    _A.A192KW: _Way(_Source.SHARED, wrap=_A.A192KW),
    _A.A256KW: _Way(_Source.SHARED, wrap=_A.A256KW),
    _A.ECDH_ES_HKDF_256: _Way(_Source.EPHEMERAL, _A.SHA_256),
    _A.ECDH_ES_HKDF_512: _Way(_Source.EPHEMERAL, _A.SHA_512),
    _A.ECDH_SS_HKDF_256: _Way(_Source.STATIC, _A.SHA_256),
    _A.ECDH_SS_HKDF_512: _Way(_Source.STATIC, _A.SHA_512),
    _A.ECDH_ES_A128KW: _Way(_Source.EPHEMERAL, _A.SHA_256, _A.A128KW),
    _A.ECDH_ES_A192KW: _Way(_Source.EPHEMERAL, _A.SHA_256, _A.A192KW),
    _A.ECDH_ES_A256KW: _Way(_Source.EPHEMERAL, _A.SHA_256, _A.A256KW),
    _A.ECDH_SS_A128KW: _Way(_Source.STATIC, _A.SHA_256, _A.A128KW),
    _A.ECDH_SS_A192KW: _Way(_Source.STATIC, _A.SHA_256, _A.A192KW),
    _A.ECDH_SS_A256KW: _Way(_Source.STATIC, _A.SHA_256, _A.A256KW),
}
_EPHEMERAL_KEY, _STATIC_KEY = -1, -2
_AGREEING = frozenset({KeyType.P256, KeyType.P384, KeyType.P521, KeyType.X25519})


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


def content_key(recipients: tuple[Recipient, ...], key: Secret | Receiver, *, content: Algorithm) -> Secret:
    """Come to the key of the content; whether it is the right one, the content's own tag says.

    Args:
        recipients: of the message; none for COSE_Mac0 and COSE_Encrypt0.
        key: the shared key itself, or what one recipient holds.
        content: algorithm that the key is for.

    Raises:
        DecodeError: no such recipient, or one whose headers or ciphertext do not fit its algorithm.
        UnsupportedError: an algorithm outside what the receiver accepts, or not one of its key.
        UntrustedError: ECDH-SS from another static key than the one expected.
        AuthenticationError: a wrapped key that does not unwrap.
    """
    if isinstance(key, Secret):
        if recipients:
            require_direct(recipients)
        return key
    if not 0 <= key.index < len(recipients):
        raise DecodeError(f"expected a recipient {key.index}, got {len(recipients)}", spec="RFC 9052 §5.1")
    one = recipients[key.index]
    number = one.headers.algorithm(key.accept)
    if REGISTRY[number].kind is Kind.HPKE_WRAP:
        return hpke.unwrap(one.headers, one.ciphertext, key.key, content_id=content.id, agreed=key.agreed)
    way = _WAYS.get(number)
    if way is None:
        raise UnsupportedError(f"expected a way to the content key that we have, got {number}", spec="RFC 9053 §6")
    _check_form(recipients, one, way)
    secret = _secret(one.headers, key, way.source)
    target = REGISTRY[way.wrap] if way.wrap is not None else content
    if way.kdf is not None:
        info = kdf_context(one.headers, target, supp_pub_other=key.supp_pub_other, supp_priv=key.supp_priv)
        secret = derive(way.kdf, secret, one.headers, info=info, size=target.key_size)
    return secret if way.wrap is None else _unwrap(one.ciphertext, secret, target)


def _check_form(recipients: tuple[Recipient, ...], one: Recipient, way: _Way) -> None:
    """What the modes of RFC 9052 §8.5 ask of a message: no content key but a wrapped one has two recipients."""
    numbers = [other.headers.parameter(Label.ALG) for other in recipients]
    if len(recipients) > 1 and any(number in _WAYS and _WAYS[number].wrap is None for number in numbers):
        raise DecodeError("expected one recipient where the key is not wrapped", spec="RFC 9052 §8.5")
    if way.wrap is None and one.ciphertext:
        raise DecodeError("expected no wrapped key", spec="RFC 9052 §8.5")
    if way.kdf is None and one.headers.encoded:
        raise DecodeError("expected nothing protected where nothing can protect it", spec="RFC 9053 §6.2.1")


def _secret(headers: Headers, receiver: Receiver, source: _Source) -> Secret:
    if (source is _Source.SHARED) is not isinstance(receiver.key, Secret):
        raise UnsupportedError(f"expected another kind of key for {source.value}", spec="RFC 9053 §6")
    if isinstance(receiver.key, Secret):
        return receiver.key
    if receiver.key.public.type not in _AGREEING:
        raise UnsupportedError(f"expected a key for ECDH, got {receiver.key.public.type.name}", spec="RFC 9053 §6.3.1")
    return receiver.key.agree(_peer(headers, receiver, source))


def _peer(headers: Headers, receiver: Receiver, source: _Source) -> PublicKey:
    if source is _Source.EPHEMERAL:
        return cose_key.from_map(headers.parameter(_EPHEMERAL_KEY)).require_public()
    if receiver.sender is None:
        raise UntrustedError("expected a sender whose static key we know", spec="RFC 9053 §6.3.1")
    carried = headers.parameter(_STATIC_KEY)
    if carried is not None and cose_key.from_map(carried).require_public() != receiver.sender:
        raise UntrustedError("expected the sender's own static key, got another", spec="RFC 9053 §6.3.1")
    return receiver.sender


def _unwrap(ciphertext: bytes, secret: Secret, row: Algorithm) -> Secret:
    if len(secret) != row.key_size:
        raise UnsupportedError(f"expected a key of {row.key_size} bytes for {row.name}", spec="RFC 9053 §6.2.1")
    return unwrap_key(ciphertext, secret, row.id)


def _recipient(entry: Any, limits: codec.Limits) -> Recipient:
    if not isinstance(entry, list) or len(entry) not in {3, 4}:
        raise DecodeError("expected a COSE_recipient of three or four elements", spec="RFC 9052 §5.1")
    if len(entry) == 4:
        raise UnsupportedError("expected recipients without recipients", spec="RFC 9052 §5.1")
    ciphertext = b"" if entry[2] is None else entry[2]
    if not isinstance(ciphertext, bytes):
        raise DecodeError("expected a wrapped key of bstr or nil", spec="RFC 9052 §5.1")
    return Recipient(header.decode(entry[0], entry[1], limits=limits), ciphertext)
