"""A device's certificate with a MUD URL in it, and its authority."""

from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

AT = datetime(2026, 11, 23, tzinfo=UTC)
URL = b"https://acme.example/lamp.json"
MUD_URL = x509.ObjectIdentifier("1.3.6.1.5.5.7.1.25")


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def device_certificate(*values: bytes, issuer: str = "Acme devices") -> tuple[bytes, bytes]:
    """DER of a device's certificate with these as MUD URL extension, and of its authority."""
    authority, own = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())

    def builder(subject: str, key: ec.EllipticCurvePrivateKey) -> x509.CertificateBuilder:
        made = x509.CertificateBuilder(_name(issuer), _name(subject), key.public_key(), x509.random_serial_number())
        return made.not_valid_before(AT - timedelta(days=9)).not_valid_after(AT + timedelta(days=9))

    root = builder(issuer, authority).add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
    leaf = builder("LX-1 4711", own)
    for value in values:
        leaf = leaf.add_extension(x509.UnrecognizedExtension(MUD_URL, value), critical=False)
    signed = [made.sign(authority, hashes.SHA256()) for made in (leaf, root)]
    leaf_der, root_der = (one.public_bytes(Encoding.DER) for one in signed)
    return leaf_der, root_der


def ia5(text: bytes) -> bytes:
    """DER of an IA5String."""
    size = bytes([len(text)]) if len(text) < 128 else bytes([0x81, len(text)])
    return b"\x16" + size + text
