"""What a thing keeps of its join: one value in its home, written before the first protected request."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from thingstead.errors import DecodeError
from thingstead.protocols.cbor import codec
from thingstead.secret import Secret

__all__ = ["DomainAssociation", "decode", "encode"]

_FORMAT = 1


@dataclass(frozen=True, slots=True)
class DomainAssociation:
    """An OSCORE association with the domain and what was granted with it.

    Attributes:
        master_secret: OSCORE Master Secret, from the EDHOC exporter.
        master_salt: OSCORE Master Salt, 8 bytes.
        sender_id: the thing's OSCORE Sender ID (the domain's C_R).
        recipient_id: the thing's OSCORE Recipient ID (its own C_I).
        aead_id: COSE number of the OSCORE AEAD.
        digest_id: COSE number of the hash of its key derivation.
        domain_credential: the domain's CCS, original bytes.
        access_token: the CWT with the thing's scope at the domain, as issued.
        granted_token: the CWT with the domain's scope at the thing, as issued.
        thing_credential: the credential the domain issued to the thing, as issued.
        issuer_credential: CCS with the key that the domain's tokens are signed with.
    """

    master_secret: Secret
    master_salt: bytes
    sender_id: bytes
    recipient_id: bytes
    aead_id: int
    digest_id: int
    domain_credential: bytes
    access_token: bytes
    granted_token: bytes
    thing_credential: bytes
    issuer_credential: bytes


def encode(association: DomainAssociation) -> bytes:
    """Encode for the home; holds the master secret in clear, as the file's mode 0600 expects."""
    return codec.encode(
        [
            _FORMAT,
            association.master_secret.reveal(),
            association.master_salt,
            association.sender_id,
            association.recipient_id,
            association.aead_id,
            association.digest_id,
            association.domain_credential,
            association.access_token,
            association.granted_token,
            association.thing_credential,
            association.issuer_credential,
        ]
    )


def decode(data: bytes) -> DomainAssociation:
    """Decode what `encode` wrote.

    Raises:
        DecodeError: another format, or damaged.
    """
    match codec.decode(data):
        case [
            int(version),
            bytes(secret),
            bytes(salt),
            bytes(sender_id),
            bytes(recipient_id),
            int(aead_id),
            int(digest_id),
            bytes(domain),
            bytes(token),
            bytes(granted),
            bytes(credential),
            bytes(issuer),
        ] if version == _FORMAT:
            return DomainAssociation(
                Secret(secret),
                salt,
                sender_id,
                recipient_id,
                aead_id,
                digest_id,
                domain,
                token,
                granted,
                credential,
                issuer,
            )
        case other:
            raise DecodeError(f"expected an association of format {_FORMAT}, got {_shape(other)}")


def _shape(value: Any) -> str:
    return f"a list of {len(value)}" if isinstance(value, list) else type(value).__name__
