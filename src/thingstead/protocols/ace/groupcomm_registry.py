"""Every number of group key provisioning that we use, in one place, with the document that it comes from.

The numbers of the draft are suggestions until IANA assigns them; what is private use is ours alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum, IntFlag

__all__ = ["DRAFT", "KEY_TYPE", "NUMBERS", "PROFILE", "KeyLabel", "Number", "Parameter", "Role"]

DRAFT = "draft-ietf-ace-key-groupcomm-oscore-21"
_RFC9594 = "RFC 9594 §8"
_RFC9203 = "RFC 9203 §9.4"
_OURS = "private use (RFC 9594 §11.6)"


class Parameter(IntEnum):
    """Members of the CBOR maps between a thing and the Group Manager."""

    GNAME = 1
    SCOPE = 3
    GET_CREDS = 4
    CLIENT_CRED = 5
    CNONCE = 6
    GKTY = 7
    KEY = 8
    NUM = 9
    ACE_GROUPCOMM_PROFILE = 10
    EXI = 12
    CREDS = 13
    PEER_ROLES = 14
    PEER_IDENTIFIERS = 15
    KDC_CRED = 17
    KDC_NONCE = 18
    KDC_CRED_VERIFY = 19
    CLIENT_CRED_VERIFY = 24
    SIGN_INFO = 29
    KDCCHALLENGE = 30
    PEER_SCOPES = -65537
    STALE_NODE_IDS = -65538
    BASE_NUM = -65539


class KeyLabel(IntEnum):
    """Members of a Group_OSCORE_Input_Material object."""

    MS = 2
    HKDF = 3
    SALT = 5
    CONTEXT_ID = 6
    GROUP_SENDER_ID = 7
    CRED_FMT = 8
    GP_ENC_ALG = 9
    SIGN_ALG = 10
    SIGN_PARAMS = 11


class Role(IntFlag):
    """Group OSCORE roles as bits of a Tperm: bit = the role's number (DRAFT §3)."""

    REQUESTER = 1 << 1
    RESPONDER = 1 << 2


KEY_TYPE = 1
"""`gkty` of a Group_OSCORE_Input_Material object (DRAFT §16.3, suggested)."""

PROFILE = 1
"""`ace_groupcomm_profile` of coap_group_oscore_app (DRAFT §16.4, suggested)."""


@dataclass(frozen=True, slots=True)
class Number:
    """One row: a number, what it is called there, and the document that says so."""

    value: int
    name: str
    source: str


def _source(parameter: Parameter) -> str:
    return _OURS if parameter < 0 else _RFC9594


NUMBERS: tuple[Number, ...] = (
    *(Number(item.value, item.name.lower(), _source(item)) for item in Parameter),
    *(
        Number(item.value, item.name.lower(), _RFC9203 if item < KeyLabel.GROUP_SENDER_ID else DRAFT)
        for item in KeyLabel
    ),
    *(Number(item.bit_length() - 1, item.name or "", DRAFT) for item in Role),
    Number(KEY_TYPE, "Group_OSCORE_Input_Material object", DRAFT),
    Number(PROFILE, "coap_group_oscore_app", DRAFT),
)
"""All of them, for docs/standards.md."""
