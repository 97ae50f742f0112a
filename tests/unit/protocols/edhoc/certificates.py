"""X.509 certificates for any key type, right and wrong ones."""

from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID, ObjectIdentifier

from thingstead.crypto.certificate import Certificate
from thingstead.crypto.key import PublicKey

AT = datetime(2026, 11, 23, tzinfo=UTC)
YEAR = timedelta(days=365)
ODD = x509.UnrecognizedExtension(ObjectIdentifier("1.3.6.1.4.1.99999.1"), b"\x05\x00")


class Authority:
    """Issues what it is asked for, sensible or not."""

    def __init__(
        self, name="Maker", *, issuer=None, path_length=None, ca=True, extensions=(), key=None, digest=hashes.SHA256
    ):
        self.key = key or ec.generate_private_key(ec.SECP256R1())
        self.digest = digest
        self.name = _name(name)
        self.issuer = issuer or self
        constraints = x509.BasicConstraints(ca=ca, path_length=path_length if ca else None)
        self.certificate = self.issuer.sign(
            name, self.key.public_key(), extensions=((constraints, True), *extensions), span=(AT - YEAR, AT + YEAR)
        )

    def sign(self, name, key, *, extensions=(), span=(AT - YEAR, AT + YEAR)):
        builder = x509.CertificateBuilder(
            issuer_name=self.name,
            subject_name=_name(name),
            public_key=key,
            serial_number=x509.random_serial_number(),
            not_valid_before=span[0],
            not_valid_after=span[1],
        )
        for extension, critical in extensions:
            builder = builder.add_extension(extension, critical=critical)
        signed = builder.sign(self.key, self.digest())
        return Certificate(signed.public_bytes(serialization.Encoding.DER))

    def certify(self, public: PublicKey, name="Thing", **changes):
        """A certificate of an end entity; without extensions unless they are named."""
        return self.sign(name, serialization.load_der_public_key(public.subject_public_key_info()), **changes)


def usage(*names):
    known = (
        "digital_signature content_commitment key_encipherment data_encipherment key_agreement key_cert_sign crl_sign "
        "encipher_only decipher_only"
    )
    return x509.KeyUsage(**{name: name in names for name in known.split()}), True


def _name(text):
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])
