"""A private key that never leaves its token: a smart card, a module in a rack, or SoftHSM (PKCS #11).

The one importer of python-pkcs11 (MIT), which the core does without: extra ``pkcs11``.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any, NoReturn

import pkcs11
from pkcs11 import Attribute, KeyType, Mechanism, ObjectClass
from pkcs11.exceptions import NoSuchKey, NoSuchToken, PinIncorrect, PinInvalid, PinLenRange, PinLocked, PKCS11Error
from pkcs11.util.ec import encode_named_curve_parameters

from thingstead.crypto.algorithm import AlgorithmId
from thingstead.crypto.digest import digest
from thingstead.crypto.key import KeyType as OurKeyType
from thingstead.crypto.key import PublicKey, verify
from thingstead.crypto.token_uri import TokenUri
from thingstead.errors import ConfigError, StorageError, UnsupportedError
from thingstead.secret import Secret

__all__ = ["TokenKey"]

_CURVES = {
    encode_named_curve_parameters("1.2.840.10045.3.1.7"): OurKeyType.P256,
    encode_named_curve_parameters("1.3.132.0.34"): OurKeyType.P384,
    encode_named_curve_parameters("1.3.132.0.35"): OurKeyType.P521,
    # Ed25519 as PKCS #11 v3 has it, an object identifier, and as a PrintableString of older modules.
    encode_named_curve_parameters("1.3.101.112"): OurKeyType.ED25519,
    b"\x13\x0cedwards25519": OurKeyType.ED25519,
}
_HASHES = {
    AlgorithmId.ESP256: AlgorithmId.SHA_256,
    AlgorithmId.ESP384: AlgorithmId.SHA_384,
    AlgorithmId.ESP512: AlgorithmId.SHA_512,
}
_PINS = (PinIncorrect, PinInvalid, PinLenRange, PinLocked)
_POINT_SIZES = {OurKeyType.P256: 65, OurKeyType.P384: 97, OurKeyType.P521: 133, OurKeyType.ED25519: 32}


class TokenKey:
    """A handle on the key, as `PrivateKey` describes them; each signature is a session of its own.

    Args:
        uri: which token, which key.
        pin: of its user.

    Raises:
        ConfigError: the module cannot be loaded, the PIN is not the token's, or several keys fit the URI.
        StorageError: no such token or key, or the token fails.
        UnsupportedError: a key of a type that releases are not signed with.
    """

    def __init__(self, uri: TokenUri, pin: Secret) -> None:
        self._uri = uri
        self._pin = pin
        with self._session() as session:
            self._public = _public(self._key(session, ObjectClass.PUBLIC_KEY))

    @property
    def public(self) -> PublicKey:
        """The public half, which the token gives out."""
        return self._public

    def sign(self, data: bytes, signature_id: int) -> bytes:
        """Sign `data`; ECDSA comes out as r ‖ s, which is how PKCS #11 has it too.

        What the token made is verified: a module that signs with another key, or wrongly, has signed nothing.

        Raises:
            UnsupportedError: the algorithm is not one that tokens sign releases with, or not one of the key.
            ConfigError, StorageError: as above.
            AuthenticationError: what came back does not verify.
        """
        is_edwards = self._public.type is OurKeyType.ED25519 and signature_id == AlgorithmId.ED25519
        if not is_edwards and signature_id not in _HASHES:
            raise UnsupportedError(f"expected an algorithm of a key on a token, got {signature_id}", spec="RFC 9864")
        with self._session() as session:
            key = self._key(session, ObjectClass.PRIVATE_KEY)
            if is_edwards:
                signature = key.sign(data, mechanism=Mechanism.EDDSA)
            else:
                hashed = digest(data, _HASHES[AlgorithmId(signature_id)])
                signature = key.sign(hashed, mechanism=Mechanism.ECDSA)
        verify(self._public, signature=bytes(signature), data=data, signature_id=signature_id)
        return bytes(signature)

    def agree(self, peer: PublicKey) -> NoReturn:
        """Keys of releases agree with nobody.

        Raises:
            UnsupportedError: always.
        """
        raise UnsupportedError(f"a key on a token does not agree with one of {peer.type.name} here")

    def __repr__(self) -> str:
        return f"<TokenKey {self._public.type.name} on {self._uri.token or self._uri.serial}>"

    @contextlib.contextmanager
    def _session(self) -> Iterator[Any]:
        try:
            library = pkcs11.lib(self._uri.module)
        except RuntimeError as error:
            raise ConfigError(f"cannot use the module {self._uri.module}: {error or type(error).__name__}") from error
        try:
            with _token(library, self._uri).open(user_pin=self._pin.reveal().decode()) as session:
                yield session
        except UnicodeDecodeError:
            raise ConfigError("expected a PIN in UTF-8") from None
        except _PINS as error:
            raise ConfigError(f"the token does not take the PIN ({type(error).__name__})", reason="pin") from None
        except NoSuchKey:
            raise StorageError(
                f"no key on the token is {self._uri.label!r} {self._uri.key_id.hex()}".rstrip()
            ) from None
        except NoSuchToken:
            raise StorageError(f"no token is {self._uri.token or self._uri.serial or 'there'}") from None
        except PKCS11Error as error:
            raise StorageError(f"the token refuses: {type(error).__name__} {error}".rstrip()) from error

    def _key(self, session: Any, object_class: ObjectClass) -> Any:
        wanted: dict[Attribute, Any] = {Attribute.CLASS: object_class}
        if self._uri.label:
            wanted[Attribute.LABEL] = self._uri.label
        if self._uri.key_id:
            wanted[Attribute.ID] = self._uri.key_id
        found = list(session.get_objects(wanted))
        if not found:
            raise NoSuchKey
        if len(found) > 1:
            raise ConfigError(f"expected one key under this URI, the token has {len(found)}")
        return found[0]


def _token(library: Any, uri: TokenUri) -> Any:
    found = [
        token
        for token in library.get_tokens()
        if uri.token in {"", token.label} and uri.serial in {"", token.serial.decode("ascii", "replace").strip()}
    ]
    if not found:
        raise NoSuchToken
    if len(found) > 1:
        raise ConfigError(f"expected one token under this URI, there are {len(found)}")
    return found[0]


def _public(key: Any) -> PublicKey:
    if key.key_type not in {KeyType.EC, KeyType.EC_EDWARDS}:
        raise UnsupportedError(f"expected a key on an elliptic curve, the token has {key.key_type!s:.40}")
    curve = _CURVES.get(bytes(key[Attribute.EC_PARAMS]))
    if curve is None:
        raise UnsupportedError("expected a key on P-256, P-384, P-521 or Ed25519")
    point = bytes(key[Attribute.EC_POINT])
    # In a DER OCTET STRING, says PKCS #11 v3; older modules leave that away.
    point = point[-_POINT_SIZES[curve] :]
    if curve is OurKeyType.ED25519:
        return PublicKey(curve, point)
    half = (len(point) - 1) // 2
    return PublicKey(curve, point[1 : 1 + half], point[1 + half :])
