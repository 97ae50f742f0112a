"""X.509 certificates as credentials: how ID_CRED_x names them, what makes one credible (RFC 9360, RFC 9528 §3.5)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import InitVar, dataclass
from datetime import datetime

from thingstead.crypto.algorithm import AlgorithmId
from thingstead.crypto.certificate import Certificate, verify_chain
from thingstead.crypto.digest import digest
from thingstead.errors import UnsupportedError, UntrustedError
from thingstead.protocols.cbor import codec
from thingstead.protocols.edhoc.authentication import Authentication
from thingstead.protocols.edhoc.credential import Credential, CredentialReference

__all__ = [
    "CertifiedPeer",
    "authenticate_certificate",
    "certificate_credential",
    "x5chain_reference",
    "x5t_reference",
    "x5u_reference",
]

_X5CHAIN, _X5T, _X5U = 33, 34, 35
_URI_TAG = 32
# COSE number of a certificate hash to the hash and its bytes (RFC 9054 §3.1, §3.2); 64 bits find a certificate, and
# prove nothing: the certificate itself is in the transcript.
_THUMBPRINTS = {
    -15: (AlgorithmId.SHA_256, 8),
    -16: (AlgorithmId.SHA_256, 32),
    -43: (AlgorithmId.SHA_384, 48),
    -44: (AlgorithmId.SHA_512, 64),
}
_SHORTEST = -15
_USAGE = {Authentication.SIGNATURE: "digital_signature", Authentication.STATIC_DH: "key_agreement"}
_SEAL = object()


@dataclass(frozen=True, slots=True)
class CertifiedPeer:
    """A certificate under one of our anchors, valid now and made for this use; `authenticate_certificate` makes it.

    That the peer holds the key, EDHOC has yet to show.

    Attributes:
        credential: what `authenticate` of a state takes.
        chain: the end entity's certificate first, the anchor last.
    """

    credential: Credential
    chain: tuple[Certificate, ...]
    seal: InitVar[object]

    def __post_init__(self, seal: object) -> None:
        if seal is not _SEAL:
            raise TypeError("a CertifiedPeer is made by authenticate_certificate")

    @property
    def subject(self) -> str:
        """Whom the anchor says that the key belongs to (RFC 4514)."""
        return self.chain[0].subject


def x5t_reference(certificate: Certificate, hash_id: int = _SHORTEST) -> bytes:
    """ID_CRED_x that names a certificate by its hash, which the peer must have already.

    Raises:
        UnsupportedError: not a hash that we have.
    """
    return codec.encode({_X5T: [hash_id, _thumbprint(certificate.der, hash_id)]})


def x5chain_reference(chain: Sequence[Certificate]) -> bytes:
    """ID_CRED_x that carries certificates by value, the end entity's first, the anchor left out.

    Raises:
        ValueError: no certificate.
    """
    if not chain:
        raise ValueError("a chain begins with the end entity's certificate (RFC 9360 §2)")
    encoded = [certificate.der for certificate in chain]
    return codec.encode({_X5CHAIN: encoded if len(encoded) > 1 else encoded[0]})


def x5u_reference(uri: str) -> bytes:
    """ID_CRED_x that says where the certificate can be fetched."""
    return codec.encode({_X5U: codec.Tag(_URI_TAG, uri)})


def certificate_credential(certificate: Certificate, id_cred: bytes) -> Credential:
    """CRED_x: the certificate's DER as a byte string, and the key in it (RFC 9528 §3.5.2). Nothing is verified.

    Raises:
        DecodeError: not a certificate.
        UnsupportedError: a key of a type that we do not have.
    """
    return Credential(id_cred, codec.encode(certificate.der), certificate.public)


def authenticate_certificate(
    reference: CredentialReference,
    chain: Sequence[Certificate],
    *,
    anchors: Sequence[Certificate],
    kind: Authentication,
    at: datetime,
) -> CertifiedPeer:
    """Follow a peer's certificate to an anchor (RFC 9528 Appendix D.1, RFC 5280 §6).

    Args:
        reference: ID_CRED_x as received.
        chain: the certificates that it carries, or those that the application holds or fetched for what it names.
        anchors: whom the owner believes about identities of things.
        kind: what the key is to do in this session.
        at: aware.

    Raises:
        UntrustedError: no certificate, another than the one named, no chain to an anchor, or a key for another use.
        ExpiredError: a link is not valid at `at`.
        DecodeError, UnsupportedError: a certificate that cannot be read, or a key or hash that we do not have.
    """
    if not chain:
        raise UntrustedError("expected a certificate for ID_CRED", spec="RFC 9528 §3.5.3", reason="unknown credential")
    leaf = chain[0]
    if reference.x5chain and tuple([one.der for one in chain]) != reference.x5chain:
        raise UntrustedError("expected the certificates that ID_CRED carries", spec="RFC 9360 §2")
    if reference.x5t is not None and _thumbprint(leaf.der, reference.x5t[0]) != reference.x5t[1]:
        raise UntrustedError("expected the certificate that ID_CRED names by its hash", spec="RFC 9360 §2")
    usage = leaf.key_usage
    if usage is not None and _USAGE[kind] not in usage:
        raise UntrustedError(
            f"expected key usage {_USAGE[kind]} in the certificate of {leaf.subject}",
            spec="RFC 9528 Appendix D.1",
            reason="key usage",
        )
    verified = verify_chain(leaf, chain[1:], anchors=anchors, at=at)
    return CertifiedPeer(certificate_credential(leaf, reference.id_cred), verified, _SEAL)


def _thumbprint(der: bytes, hash_id: int | str) -> bytes:
    found = _THUMBPRINTS.get(hash_id) if isinstance(hash_id, int) else None
    if found is None:
        raise UnsupportedError(f"expected one of certificate hashes {sorted(_THUMBPRINTS)}", spec="RFC 9360 §2")
    digest_id, size = found
    return digest(der, digest_id)[:size]
