"""Make X.509 certificates and detached CMS signatures with EC keys: what a maker or a domain, not a thing, needs."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from ipaddress import ip_address

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import pkcs7
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from thingstead.crypto.certificate import Certificate
from thingstead.errors import AuthenticationError, DecodeError, UnsupportedError
from thingstead.secret import Secret

__all__ = ["Signer", "certify_client", "make_authority", "make_server", "make_signer"]


_SMALLEST_RSA = 2048


@dataclass(frozen=True, slots=True)
class Signer:
    """A certificate and its private key.

    Attributes:
        certificate: what it shows.
        key_pem: PKCS #8 in PEM; a key store or an `ssl.SSLContext` takes it.
        issuer: certificate of the authority above; None for an authority itself.
    """

    certificate: Certificate
    key_pem: Secret
    issuer: Certificate | None = None

    @property
    def chain_pem(self) -> bytes:
        """This certificate in PEM."""
        return self.certificate.pem

    def sign_detached(self, data: bytes) -> bytes:
        """A DER CMS SignedData over `data` without the data, as RFC 8520 §13.1 wants it."""
        builder = pkcs7.PKCS7SignatureBuilder().set_data(data)
        builder = builder.add_signer(self.certificate.x509, self._key(), hashes.SHA256())
        if self.issuer is not None:
            builder = builder.add_certificate(self.issuer.x509)
        options = [pkcs7.PKCS7Options.DetachedSignature, pkcs7.PKCS7Options.Binary]
        return builder.sign(serialization.Encoding.DER, options)

    def _key(self) -> ec.EllipticCurvePrivateKey:
        key = serialization.load_pem_private_key(self.key_pem.reveal(), password=None)
        if not isinstance(key, ec.EllipticCurvePrivateKey):
            raise TypeError("a signer holds an EC key")
        return key


def make_authority(name: str, *, not_before: datetime, not_after: datetime) -> Signer:
    """A self-signed authority with a fresh P-256 key."""
    extensions: list[tuple[x509.ExtensionType, bool]] = [
        (x509.BasicConstraints(ca=True, path_length=0), True),
        (_usage(certificates=True), True),
    ]
    return _make(name, None, extensions, not_before=not_before, not_after=not_after)


def make_signer(name: str, authority: Signer, *, not_before: datetime, not_after: datetime) -> Signer:
    """A signer of files under `authority`: key usage digitalSignature, which RFC 8520 §13.2 asks for."""
    extensions: list[tuple[x509.ExtensionType, bool]] = [
        (x509.BasicConstraints(ca=False, path_length=None), True),
        (_usage(certificates=False), True),
    ]
    return _make(name, authority, extensions, not_before=not_before, not_after=not_after)


def make_server(host: str, authority: Signer, *, not_before: datetime, not_after: datetime) -> Signer:
    """A TLS server named `host` (DNS name or IP address) under `authority`."""
    extensions: list[tuple[x509.ExtensionType, bool]] = [
        (x509.BasicConstraints(ca=False, path_length=None), True),
        (_usage(certificates=False), True),
        (x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), False),
        (x509.SubjectAlternativeName([_general_name(host)]), False),
    ]
    return _make(host, authority, extensions, not_before=not_before, not_after=not_after)


def certify_client(
    request: bytes, authority: Signer, *, name: str, not_before: datetime, not_after: datetime
) -> Certificate:
    """A TLS client named `name` under `authority`, with the key of a certification request (RFC 2986).

    Nothing else of the request counts: what it is called, and what its key is for, says whoever certifies.

    Raises:
        DecodeError: not such a request.
        AuthenticationError: its key did not sign it.
        UnsupportedError: neither an EC or Ed25519 key nor RSA of 2048 bits or more.
    """
    try:
        load = x509.load_pem_x509_csr if b"-----BEGIN" in request else x509.load_der_x509_csr
        asked = load(request)
        key, is_proven = asked.public_key(), asked.is_signature_valid
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise DecodeError(f"expected a certification request: {error}", spec="RFC 2986 §4") from None
    if not is_proven:
        raise AuthenticationError("the request is not signed by its own key", spec="RFC 2986 §4.2")
    if not isinstance(key, ec.EllipticCurvePublicKey | ed25519.Ed25519PublicKey) and not (
        isinstance(key, rsa.RSAPublicKey) and key.key_size >= _SMALLEST_RSA
    ):
        raise UnsupportedError(
            f"expected an EC or Ed25519 key, or RSA of {_SMALLEST_RSA} bits", spec="RFC 5280 §4.1.2.7"
        )
    extensions: list[tuple[x509.ExtensionType, bool]] = [
        (x509.BasicConstraints(ca=False, path_length=None), True),
        (_usage(certificates=False), True),
        (x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH]), False),
    ]
    return _certify(name, key, authority, extensions, not_before=not_before, not_after=not_after)


def _make(
    name: str,
    authority: Signer | None,
    extensions: list[tuple[x509.ExtensionType, bool]],
    *,
    not_before: datetime,
    not_after: datetime,
) -> Signer:
    key = ec.generate_private_key(ec.SECP256R1())
    made = _certify(name, key.public_key(), authority or key, extensions, not_before=not_before, not_after=not_after)
    key_pem = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return Signer(made, Secret(key_pem), None if authority is None else authority.certificate)


def _certify(
    name: str,
    public: ec.EllipticCurvePublicKey | ed25519.Ed25519PublicKey | rsa.RSAPublicKey,
    authority: Signer | ec.EllipticCurvePrivateKey,
    extensions: list[tuple[x509.ExtensionType, bool]],
    *,
    not_before: datetime,
    not_after: datetime,
) -> Certificate:
    """Signed by an authority, or by its own key."""
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    if isinstance(authority, Signer):
        issuing_key, issuer = authority._key(), authority.certificate.x509.subject
    else:
        issuing_key, issuer = authority, subject
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(public)
        .serial_number(x509.random_serial_number())
        .not_valid_before(not_before)
        .not_valid_after(not_after)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(issuing_key.public_key()), critical=False)
    )
    for extension, critical in extensions:
        builder = builder.add_extension(extension, critical=critical)
    return Certificate(builder.sign(issuing_key, hashes.SHA256()).public_bytes(serialization.Encoding.DER))


def _usage(*, certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=certificates,
        crl_sign=certificates,
        encipher_only=False,
        decipher_only=False,
    )


def _general_name(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ip_address(host))
    except ValueError:
        return x509.DNSName(host)
