"""Make X.509 certificates and detached CMS signatures with EC keys: what a maker, not a thing, needs."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from ipaddress import ip_address

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import pkcs7
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from thingstead.crypto.certificate import Certificate
from thingstead.secret import Secret

__all__ = ["Signer", "make_authority", "make_server", "make_signer"]


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
        return self.certificate.x509.public_bytes(serialization.Encoding.PEM)

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


def _make(
    name: str,
    authority: Signer | None,
    extensions: list[tuple[x509.ExtensionType, bool]],
    *,
    not_before: datetime,
    not_after: datetime,
) -> Signer:
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    issuing_key = key if authority is None else authority._key()
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject if authority is None else authority.certificate.x509.subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(not_before)
        .not_valid_after(not_after)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(issuing_key.public_key()), critical=False)
    )
    for extension, critical in extensions:
        builder = builder.add_extension(extension, critical=critical)
    certificate = builder.sign(issuing_key, hashes.SHA256())
    key_pem = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return Signer(
        Certificate(certificate.public_bytes(serialization.Encoding.DER)),
        Secret(key_pem),
        None if authority is None else authority.certificate,
    )


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
