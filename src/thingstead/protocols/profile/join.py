"""How EDHOC carries a join: who shows what in which External Authorization Data (RFC 9528 §3.8).

EAD labels 15 and 26 are suggested by LAKE profile drafts and not yet assigned (docs/standards.md).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from thingstead.crypto.digest import digest
from thingstead.crypto.key import PublicKey
from thingstead.errors import DecodeError
from thingstead.protocols.cwt import ccs, token
from thingstead.protocols.edhoc.credential import Credential, CredentialReference, kid_reference
from thingstead.protocols.edhoc.ead import EadItem

__all__ = [
    "ACCESS_TOKEN",
    "CREDENTIAL_BY_VALUE",
    "EAD_LABELS",
    "METHOD",
    "SUITES",
    "Grant",
    "decode_grant",
    "decode_identity",
    "domain_credential",
    "encode_grant",
    "identity_credential",
    "identity_item",
]

METHOD = 3
"""Both sides authenticate with static Diffie-Hellman keys (RFC 9528 §3.2)."""

SUITES = (2, 3)
"""Cipher suites in order of preference: CCM-8 on constrained links, CCM-16 where the domain asks for it."""

CREDENTIAL_BY_VALUE = 15
ACCESS_TOKEN = 26
EAD_LABELS = frozenset({CREDENTIAL_BY_VALUE, ACCESS_TOKEN})

_KID_SIZE = 4


@dataclass(frozen=True, slots=True)
class Grant:
    """What the domain hands over in EAD_4.

    Attributes:
        access_token: CWT with the thing's scope at the domain.
        granted_token: CWT with the domain's scope at the thing.
        thing_credential: CWT that says who the thing is within the domain.
        issuer_credential: CCS with the key that tokens are signed with; authentic because the handshake is.
    """

    access_token: bytes
    granted_token: bytes
    thing_credential: bytes
    issuer_credential: bytes


def identity_credential(maker_identity: bytes, public: PublicKey) -> Credential:
    """CRED_I is the maker identity CWT, its bytes but for the tag (RFC 9528 §3.5.2); a kid of 4 bytes names it."""
    kid = digest(maker_identity)[:_KID_SIZE]
    return Credential(id_cred=kid_reference(kid), cred=maker_identity.removeprefix(token.CWT_HEAD), public=public)


def identity_item(maker_identity: bytes) -> tuple[EadItem, ...]:
    """EAD_3 of a join: the maker identity by value, critical (negative label)."""
    return (EadItem(-CREDENTIAL_BY_VALUE, maker_identity),)


def decode_identity(ead_3: Sequence[EadItem]) -> bytes:
    """The maker identity CWT of EAD_3; nothing in it is verified yet.

    Raises:
        DecodeError: none, or several.
    """
    match _values(ead_3, CREDENTIAL_BY_VALUE):
        case [maker_identity]:
            return maker_identity
        case others:
            raise DecodeError(f"expected one credential by value in EAD_3, got {len(others)}", spec="RFC 9528 §3.8")


def encode_grant(grant: Grant) -> tuple[EadItem, ...]:
    """EAD_4 of a join."""
    return (
        EadItem(-ACCESS_TOKEN, grant.access_token),
        EadItem(-ACCESS_TOKEN, grant.granted_token),
        EadItem(-CREDENTIAL_BY_VALUE, grant.thing_credential),
        EadItem(-CREDENTIAL_BY_VALUE, grant.issuer_credential),
    )


def decode_grant(ead_4: Sequence[EadItem]) -> Grant:
    """Split EAD_4 of a join; the tokens are not verified yet.

    Raises:
        DecodeError: not two tokens and two credentials.
    """
    return Grant(*_two(_values(ead_4, ACCESS_TOKEN)), *_two(_values(ead_4, CREDENTIAL_BY_VALUE)))


def domain_credential(reference: CredentialReference) -> Credential:
    """CRED_R of a domain, which shows it by value: ID_CRED_R is a `kccs` (RFC 9528 §3.5.3.1).

    Raises:
        DecodeError: not a claims set by value with a public key.
    """
    if reference.kccs is None:
        raise DecodeError("expected the domain's credential by value in ID_CRED_R", spec="RFC 9528 §3.5.3")
    return Credential(id_cred=reference.id_cred, cred=reference.kccs, public=ccs.decode(reference.kccs).public)


def _values(items: Sequence[EadItem], label: int) -> list[bytes]:
    return [item.value for item in items if abs(item.label) == label and item.value is not None]


def _two(values: list[bytes]) -> tuple[bytes, bytes]:
    match values:
        case [first, second]:
            return first, second
        case _:
            raise DecodeError(f"expected two items of one EAD label, got {len(values)}", spec="RFC 9528 §3.8")
