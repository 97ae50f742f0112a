"""Images as swupdate takes them: a cpio archive whose first file says what the others are, signed by their maker."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import pkcs7
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

__all__ = ["ImageMaker", "archive"]

_MAGIC = b"070702"
_TRAILER = "TRAILER!!!"


def archive(files: dict[str, bytes]) -> bytes:
    """A cpio archive in "new ASCII" form with checksums, in the order given."""
    out = bytearray()
    for number, (name, data) in enumerate([*files.items(), (_TRAILER, b"")], start=1):
        encoded = name.encode() + b"\0"
        fields = (number, 0o100644, 0, 0, 1, 0, len(data), 0, 0, 0, 0, len(encoded), sum(data) & 0xFFFFFFFF)
        out += _MAGIC + b"".join(b"%08X" % field for field in fields) + encoded
        out += b"\0" * (-len(out) % 4)
        out += data
        out += b"\0" * (-len(out) % 4)
    return bytes(out)


class ImageMaker:
    """Signs images with a certificate of its own, as Debian's swupdate wants it: CMS over ``sw-description``."""

    def __init__(self) -> None:
        self._key = rsa.generate_private_key(65537, 2048)
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "images")])
        now = datetime.now(UTC)  # noqa: TID251 - the certificate is for a real program with a real clock
        self._certificate = (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(name)
            .public_key(self._key.public_key())
            .serial_number(1)
            .not_valid_before(now - timedelta(days=1))
            .not_valid_after(now + timedelta(days=30))
            .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
            .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.EMAIL_PROTECTION]), critical=False)
            .sign(self._key, hashes.SHA256())
        )

    @property
    def certificate_pem(self) -> bytes:
        """What the device trusts."""
        return self._certificate.public_bytes(serialization.Encoding.PEM)

    def image(self, payload: bytes, *, version: str, path: str) -> bytes:
        """An image that writes `payload` to a file at `path`."""
        digest = hashlib.sha256(payload).hexdigest()
        description = (
            f'software =\n{{\n  version = "{version}";\n'
            f'  hardware-compatibility: [ "1.0" ];\n'
            f'  files: ( {{ filename = "payload"; path = "{path}"; sha256 = "{digest}"; }} );\n}}\n'
        ).encode()
        return archive(
            {"sw-description": description, "sw-description.sig": self._sign(description), "payload": payload}
        )

    def _sign(self, data: bytes) -> bytes:
        builder = pkcs7.PKCS7SignatureBuilder().set_data(data)
        builder = builder.add_signer(self._certificate, self._key, hashes.SHA256())
        options = [pkcs7.PKCS7Options.DetachedSignature, pkcs7.PKCS7Options.Binary]
        return builder.sign(serialization.Encoding.DER, options)
