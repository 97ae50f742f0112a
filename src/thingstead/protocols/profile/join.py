"""How EDHOC carries a join: who shows what in which External Authorization Data (RFC 9528 §3.8).

EAD labels 15 and 26 are suggested by LAKE profile drafts and not yet assigned (docs/standards.md).
"""

from __future__ import annotations

from collections.abc import Sequence

from thingstead.crypto.digest import digest
from thingstead.crypto.key import PublicKey
from thingstead.errors import DecodeError, UntrustedError
from thingstead.protocols.cwt import ccs, token
from thingstead.protocols.edhoc import coap_carriage
from thingstead.protocols.edhoc.credential import Credential, CredentialReference, kid_reference
from thingstead.protocols.edhoc.ead import EadItem, EadLabel, EadLabels
from thingstead.protocols.edhoc.suite import CipherSuite
from thingstead.protocols.lake_authz.message import DRAFT, VOUCHER, VOUCHER_INFO, VoucherInfo, decode_voucher_info

__all__ = [
    "ACCESS_TOKEN",
    "ATTESTATION",
    "CREDENTIAL_BY_VALUE",
    "CUSTODY_HEAD",
    "EAD_LABELS",
    "LINK_ATTRIBUTES",
    "LONG_NAME",
    "METHOD",
    "SHORT_NAME",
    "SUITES",
    "decode_attestation",
    "decode_custody",
    "decode_identity",
    "decode_question",
    "domain_credential",
    "identity_credential",
    "identity_item",
    "require_name",
    "values_of",
]

METHOD = 3
"""Both sides authenticate with static Diffie-Hellman keys (RFC 9528 §3.2)."""

SUITES = (2, 3, 5)
"""Cipher suites in order of preference: CCM-8 on constrained links, CCM-16 where the domain asks for it, and one that
rests on no AES at all, for the day on which an owner ends that.
"""

CREDENTIAL_BY_VALUE = int(EadLabel.CREDENTIAL_BY_VALUE)
ACCESS_TOKEN = 26
CUSTODY_HEAD = 65_540
"""Ours: SHA-256 of the last link of a thing's chain of custody, empty where it was reset by hand; critical."""

ATTESTATION = 65_543
"""Ours: in EAD_2 a nonce by which the domain asks what the thing runs, in EAD_3 the evidence that answers it. Not
critical: a thing that does not attest goes on, and the domain's policy says what that costs it."""

EAD_LABELS: EadLabels = {
    2: frozenset({ATTESTATION}),
    3: frozenset({CREDENTIAL_BY_VALUE, CUSTODY_HEAD, VOUCHER_INFO, ATTESTATION}),
    4: frozenset({CREDENTIAL_BY_VALUE, ACCESS_TOKEN, VOUCHER}),
}

LINK_ATTRIBUTES = coap_carriage.link_attributes(
    methods=(METHOD,),
    suites=SUITES,
    credential_types=(coap_carriage.CredentialType.CWT, coap_carriage.CredentialType.CCS),
    references=("kid", "kccs"),
    ead_labels=sorted(frozenset().union(*EAD_LABELS.values())),
    combines=True,
)
"""What discovery says of a domain's EDHOC resource: things show a CWT by its `kid`, the domain its CCS by value."""

SHORT_NAME, LONG_NAME = 4, 8
"""Bytes of the hash by which a thing calls itself: to its domain alone, or to its maker's server, which knows all that
were made: of 100,000 things two share 8 bytes once in 3,000,000,000 makers."""

_HASH_SIZE = 32


def identity_credential(maker_identity: bytes, public: PublicKey, *, name_size: int = SHORT_NAME) -> Credential:
    """CRED_I is the maker identity CWT, its bytes but for the tag (RFC 9528 §3.5.2); a kid names it by its hash."""
    kid = digest(maker_identity)[:name_size]
    return Credential(id_cred=kid_reference(kid), cred=maker_identity.removeprefix(token.CWT_HEAD), public=public)


def identity_item(maker_identity: bytes, custody: bytes | None = None) -> tuple[EadItem, ...]:
    """EAD_3 of a join: the maker identity by value, and whose the thing was; critical (negative labels)."""
    items = (EadItem(-CREDENTIAL_BY_VALUE, maker_identity),)
    return items if custody is None else (*items, EadItem(-CUSTODY_HEAD, custody))


def decode_identity(ead_3: Sequence[EadItem]) -> bytes:
    """The maker identity CWT of EAD_3; nothing in it is verified yet.

    Raises:
        DecodeError: none, or several.
    """
    match values_of(ead_3, CREDENTIAL_BY_VALUE):
        case [maker_identity]:
            return maker_identity
        case others:
            raise DecodeError(f"expected one credential by value in EAD_3, got {len(others)}", spec="RFC 9528 §3.8")


def decode_custody(ead_3: Sequence[EadItem]) -> bytes | None:
    """What a thing says of whose it was; None where it came from its maker.

    Raises:
        DecodeError: several, or neither empty nor a hash.
    """
    match values_of(ead_3, CUSTODY_HEAD):
        case []:
            return None
        case [said] if len(said) in {0, _HASH_SIZE}:
            return said
        case _:
            raise DecodeError("expected at most one end of a chain of custody in EAD_3", spec="RFC 9528 §3.8")


def decode_attestation(items: Sequence[EadItem]) -> bytes:
    """The nonce of EAD_2, or the evidence of EAD_3, which nobody has read yet; empty where there is none.

    Raises:
        DecodeError: several, or one without a value.
    """
    match values_of(items, ATTESTATION):
        case []:
            return b""
        case [value]:
            return value
        case _:
            raise DecodeError("expected at most one item of attestation", spec="RFC 9528 §3.8")


def decode_question(ead_3: Sequence[EadItem], suite: CipherSuite) -> VoucherInfo | None:
    """What a thing wants its maker's server asked (draft-ietf-lake-authz-07 §4.3.1); None where it does not.

    Args:
        ead_3: of message_3.
        suite: selected, whose curve the thing's key for the server is of.

    Raises:
        DecodeError: several, or outside the grammar.
    """
    match [item.value for item in ead_3 if abs(item.label) == VOUCHER_INFO]:
        case []:
            return None
        case [bytes(value)]:
            info = decode_voucher_info(value)
            if len(info.ek_ct) == suite.coordinate_size:
                return info
    raise DecodeError(f"expected at most one Voucher_Info, of suite {suite.number}", spec=f"{DRAFT} §4.3.1")


def require_name(reference: CredentialReference, maker_identity: bytes) -> None:
    """Have a thing call itself by its own hash: its maker's server will be asked about whoever is called so.

    Raises:
        UntrustedError: by another, or by so little of it that it may be another's.
    """
    kid = reference.kid or b""
    if len(kid) < SHORT_NAME or not digest(maker_identity).startswith(kid):
        raise UntrustedError("a thing calls itself otherwise than its identity", spec="RFC 9528 §3.5.3", reason="name")


def domain_credential(reference: CredentialReference) -> Credential:
    """CRED_R of a domain, which shows it by value: ID_CRED_R is a `kccs` (RFC 9528 §3.5.3.1).

    Raises:
        DecodeError: not a claims set by value with a public key.
    """
    if reference.kccs is None:
        raise DecodeError("expected the domain's credential by value in ID_CRED_R", spec="RFC 9528 §3.5.3")
    return Credential(id_cred=reference.id_cred, cred=reference.kccs, public=ccs.decode(reference.kccs).public)


def values_of(items: Sequence[EadItem], label: int) -> list[bytes]:
    """The values of all items of one label, in order.

    Raises:
        DecodeError: one of them has none.
    """
    values = [item.value for item in items if item.number == label]
    if None in values:
        raise DecodeError(f"expected a value behind EAD label {label}", spec="RFC 9528 §3.8")
    return [value for value in values if value is not None]
