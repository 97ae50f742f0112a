"""X.509 as others sign with it: load, follow a chain to an anchor, verify and make detached signatures (RFC 5280).

Makers' web servers and MUD files have them, and things whose maker gave them one to join with.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import TypeVar

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa, x25519
from cryptography.utils import CryptographyDeprecationWarning

from thingstead.crypto.key import KeyType, PublicKey
from thingstead.crypto.lifetime import JUDGEMENTS, NOT_JUDGED
from thingstead.errors import AuthenticationError, DecodeError, ExpiredError, UnsupportedError, UntrustedError

__all__ = ["Certificate", "load_certificate", "load_certificates", "verify_chain"]

_HASHES: dict[str, hashes.HashAlgorithm] = {
    "sha256": hashes.SHA256(),
    "sha384": hashes.SHA384(),
    "sha512": hashes.SHA512(),
}
_CURVES = {"secp256r1": KeyType.P256, "secp384r1": KeyType.P384, "secp521r1": KeyType.P521}
_USAGES = ("digital_signature", "key_agreement", "key_cert_sign")
# What is looked at here, and the names: whoever trusts the certificate reads these, and no other critical extension.
_PROCESSED = (x509.BasicConstraints, x509.KeyUsage, x509.SubjectAlternativeName)
_LONGEST_CHAIN = 6
_MUD_URL = x509.ObjectIdentifier("1.3.6.1.5.5.7.1.25")
_IA5_STRING = b"\x16"
_SMALLEST_RSA = 2048
_E = TypeVar("_E", bound=x509.ExtensionType)
# What the library raises for bytes that are no certificate; names and extensions it reads when they are asked for.
_MALFORMED = (
    ValueError,
    TypeError,
    x509.DuplicateExtension,
    x509.InvalidVersion,
    x509.UnsupportedGeneralNameType,
    UnsupportedAlgorithm,
    # A release of the library that only warns of what a later one refuses, where warnings are errors.
    CryptographyDeprecationWarning,
)


@dataclass(frozen=True)
class Certificate:
    """A well-formed certificate; whose it is, only `verify_chain` says.

    Attributes:
        der: its bytes.
    """

    der: bytes

    @cached_property
    def x509(self) -> x509.Certificate:
        """The library's view; only `thingstead.crypto` looks at it."""
        try:
            loaded = x509.load_der_x509_certificate(self.der)
            # Names are parsed late; a bad one must be refused here, not where it is first shown.
            _ = loaded.subject, loaded.issuer
            if loaded.serial_number <= 0:
                raise ValueError("a serial number that is not positive")
        except _MALFORMED as error:
            raise DecodeError(f"expected an X.509 certificate: {error}", spec="RFC 5280 §4.1") from None
        return loaded

    @property
    def pem(self) -> bytes:
        """The same in PEM (RFC 7468 §5.1)."""
        return self.x509.public_bytes(serialization.Encoding.PEM)

    @property
    def subject(self) -> str:
        """Subject name for people (RFC 4514)."""
        return self.x509.subject.rfc4514_string()

    @property
    def signature_algorithm(self) -> str:
        """By which it is signed, as `lifetime` calls it; `NOT_JUDGED` where that has no name for it."""
        name = self.x509.signature_algorithm_oid._name
        return name if name in JUDGEMENTS else NOT_JUDGED

    @property
    def serial_number(self) -> int:
        """Serial number."""
        return self.x509.serial_number

    @property
    def issuer_der(self) -> bytes:
        """Issuer name, encoded."""
        return self.x509.issuer.public_bytes()

    @property
    def key_identifier(self) -> bytes | None:
        """Subject key identifier, where the certificate has one."""
        found = _extension(self.x509, x509.SubjectKeyIdentifier)
        return None if found is None else found.digest

    @property
    def expires(self) -> datetime:
        """The last second of its validity, in UTC."""
        return self.x509.not_valid_after_utc

    @property
    def key_usage(self) -> frozenset[str] | None:
        """Which of digital_signature, key_agreement and key_cert_sign it allows; None where it does not say (§4.2.1.3).

        Raises:
            DecodeError: an extension that cannot be read, or stands there twice.
        """
        usage = _extension(self.x509, x509.KeyUsage)
        return None if usage is None else frozenset([name for name in _USAGES if getattr(usage, name)])

    @property
    def mud_url(self) -> bytes | None:
        """The string of its MUD URL extension (RFC 8520 §11), unread; None where it has none.

        Raises:
            DecodeError: an extension that is no IA5String, or stands there twice.
        """
        try:
            found = _extensions(self.x509).get_extension_for_oid(_MUD_URL).value
        except x509.ExtensionNotFound:
            return None
        value = found.value if isinstance(found, x509.UnrecognizedExtension) else b""
        # Lengths in the short form, or in the long one of one octet: a MUD URL is no longer (X.690 §8.1.3).
        start = 3 if value[1:2] == b"\x81" else 2
        if value[:1] != _IA5_STRING or len(value) < start or value[start - 1] != len(value) - start:
            raise DecodeError("expected an IA5String in the MUD URL extension", spec="RFC 8520 §11")
        return value[start:]

    @property
    def may_sign(self) -> bool:
        """Whether its key usage has digitalSignature(0), which RFC 8520 §13.2 asks for."""
        return "digital_signature" in (self.key_usage or ())

    @cached_property
    def public(self) -> PublicKey:
        """The key that it certifies.

        Raises:
            DecodeError: no point of its curve.
            UnsupportedError: neither P-256, P-384, P-521, Ed25519 nor X25519.
        """
        try:
            key = self.x509.public_key()
        except _MALFORMED as error:
            raise UnsupportedError(f"expected an EC or OKP public key: {error}", spec="RFC 5480 §2") from None
        if isinstance(key, ec.EllipticCurvePublicKey) and key.curve.name in _CURVES:
            numbers, size = key.public_numbers(), (key.key_size + 7) // 8
            return PublicKey(_CURVES[key.curve.name], numbers.x.to_bytes(size, "big"), numbers.y.to_bytes(size, "big"))
        if isinstance(key, ed25519.Ed25519PublicKey):
            return PublicKey(KeyType.ED25519, key.public_bytes_raw())
        if isinstance(key, x25519.X25519PublicKey):
            return PublicKey(KeyType.X25519, key.public_bytes_raw())
        raise UnsupportedError(f"expected an EC or OKP public key, got {type(key).__name__}", spec="RFC 5480 §2")

    def verify(self, signature: bytes, data: bytes, *, digest_name: str) -> None:
        """Verify a DER ECDSA or RSA PKCS #1 v1.5 signature with this certificate's key.

        Raises:
            AuthenticationError: it does not verify.
            UnsupportedError: another kind of key or hash, or RSA under 2048 bits.
        """
        algorithm = _HASHES.get(digest_name)
        if algorithm is None:
            raise UnsupportedError(f"expected SHA-256, SHA-384 or SHA-512, got {digest_name}", spec="RFC 5754 §2")
        try:
            key = self.x509.public_key()
            if isinstance(key, ec.EllipticCurvePublicKey):
                key.verify(signature, data, ec.ECDSA(algorithm))
            elif isinstance(key, rsa.RSAPublicKey) and key.key_size >= _SMALLEST_RSA:
                key.verify(signature, data, padding.PKCS1v15(), algorithm)
            else:
                raise UnsupportedError(f"expected an EC key or RSA of {_SMALLEST_RSA} bits or more", spec="RFC 5754 §3")
        except InvalidSignature:
            raise AuthenticationError(
                f"the signature by {self.subject} does not verify", spec="RFC 5652 §5.6"
            ) from None
        except _MALFORMED as error:
            raise UnsupportedError(f"expected an EC or RSA public key: {error}", spec="RFC 5754 §3") from None


def load_certificate(data: bytes) -> Certificate:
    """Read one certificate, PEM or DER.

    Raises:
        DecodeError: neither.
    """
    certificates = load_certificates(data)
    if len(certificates) != 1:
        raise DecodeError(f"expected one certificate, got {len(certificates)}", spec="RFC 7468 §5.1")
    return certificates[0]


def load_certificates(data: bytes) -> tuple[Certificate, ...]:
    """Read every certificate of a PEM text, or the one of a DER value.

    Raises:
        DecodeError: neither.
    """
    try:
        if b"-----BEGIN" in data:
            loaded = x509.load_pem_x509_certificates(data)
        else:
            loaded = [x509.load_der_x509_certificate(data)]
    except _MALFORMED as error:
        raise DecodeError(f"expected an X.509 certificate: {error}", spec="RFC 5280 §4.1") from None
    certificates = tuple([Certificate(one.public_bytes(serialization.Encoding.DER)) for one in loaded])
    for one in certificates:
        _ = one.x509  # whoever loads a file hears then that nobody can read the name in it
    return certificates


def verify_chain(
    leaf: Certificate,
    others: Sequence[Certificate],
    *,
    anchors: Sequence[Certificate],
    at: datetime,
    allow_expired_leaf: bool = False,
) -> tuple[Certificate, ...]:
    """Follow issuers from `leaf` to an anchor (RFC 5280 §6); an anchor may be the leaf itself, which pins it.

    Args:
        leaf: the signer.
        others: certificates that came along, in any order.
        anchors: what the owner trusts.
        at: aware time at which each link must be valid.
        allow_expired_leaf: let the validity of all but the anchor lie in the past.

    Returns:
        Leaf first, anchor last.

    Raises:
        UntrustedError: no chain to an anchor, an authority with more below it than its path length allows, a link
            whose signature somebody else might have made, or one with a critical extension that nobody looks at; the
            anchor's own are the owner's choice.
        ExpiredError: a link is not valid at `at`.
        DecodeError: an extension that cannot be read.
    """
    chain = [leaf]
    while chain[-1] not in anchors:
        issuer = _issuer(chain[-1], [*anchors, *others])
        if issuer is None or len(chain) == _LONGEST_CHAIN or issuer in chain:
            raise UntrustedError(
                f"expected a chain from {leaf.subject} to an anchor; it ends at {chain[-1].subject}", spec="RFC 5280 §6"
            )
        chain.append(issuer)
    for depth, link in enumerate(chain[:-1]):
        _require_processed(link)
        _require_strong(link, chain[depth + 1])
        _require_room(chain[depth + 1], below=depth)
    for link in chain:
        early, late = at < link.x509.not_valid_before_utc, at > link.x509.not_valid_after_utc
        if early or (late and not allow_expired_leaf):
            when = "is not valid before" if early else "expired on"
            limit = link.x509.not_valid_before_utc if early else link.x509.not_valid_after_utc
            raise ExpiredError(f"the certificate of {link.subject} {when} {limit:%Y-%m-%d}", spec="RFC 5280 §4.1.2.5")
    return tuple(chain)


def _issuer(certificate: Certificate, candidates: Sequence[Certificate]) -> Certificate | None:
    for candidate in candidates:
        if candidate.x509.subject != certificate.x509.issuer or not _is_authority(candidate):
            continue
        try:
            certificate.x509.verify_directly_issued_by(candidate.x509)
        except (InvalidSignature, *_MALFORMED):
            continue
        return candidate
    return None


def _require_processed(link: Certificate) -> None:
    for extension in _extensions(link.x509):
        if extension.critical and not isinstance(extension.value, _PROCESSED):
            raise UntrustedError(
                f"critical extension {extension.oid.dotted_string} in the certificate of {link.subject}",
                spec="RFC 5280 §4.2",
                reason="critical extension",
            )


def _require_strong(link: Certificate, authority: Certificate) -> None:
    key, digest = authority.x509.public_key(), link.x509.signature_hash_algorithm
    short = isinstance(key, rsa.RSAPublicKey) and key.key_size < _SMALLEST_RSA
    if short or (digest is not None and digest.name not in _HASHES):
        raise UntrustedError(
            f"expected {link.subject} signed with RSA of {_SMALLEST_RSA} bits or more, or EC, and SHA-256 or longer",
            spec="RFC 9325 §4.5",
            reason="weak signature",
        )


def _require_room(authority: Certificate, *, below: int) -> None:
    constraints = _extension(authority.x509, x509.BasicConstraints)
    if constraints is not None and constraints.path_length is not None and below > constraints.path_length:
        raise UntrustedError(
            f"expected at most {constraints.path_length} authorities below {authority.subject}, got {below}",
            spec="RFC 5280 §4.2.1.9",
            reason="path length",
        )


def _is_authority(certificate: Certificate) -> bool:
    constraints = _extension(certificate.x509, x509.BasicConstraints)
    usage = certificate.key_usage
    return constraints is not None and constraints.ca and (usage is None or "key_cert_sign" in usage)


def _extensions(certificate: x509.Certificate) -> x509.Extensions:
    try:
        return certificate.extensions
    except _MALFORMED as error:
        raise DecodeError(f"expected X.509 extensions: {error}", spec="RFC 5280 §4.2") from None


def _extension(certificate: x509.Certificate, kind: type[_E]) -> _E | None:
    try:
        return _extensions(certificate).get_extension_for_class(kind).value
    except x509.ExtensionNotFound:
        return None
