"""How two things of one domain meet: EDHOC, with the access token in EAD_3 (draft-ietf-ace-edhoc-oscore-profile-11 §5).

Each knows the other's key from the authorization server: the resource server by `cnf` of the token, the client by
`rs_cnf`. The credentials are claims sets that both can make of that key and the thing's name, so that neither travels.
"""

from __future__ import annotations

from collections.abc import Sequence

from thingstead.crypto.key import PublicKey
from thingstead.errors import DecodeError
from thingstead.protocols.cose import key as cose_key
from thingstead.protocols.cwt import ccs
from thingstead.protocols.edhoc.credential import Credential, kid_reference
from thingstead.protocols.edhoc.ead import EadItem, EadLabels
from thingstead.protocols.profile.join import ACCESS_TOKEN

__all__ = ["EAD_LABELS", "credential", "decode_token", "token_item"]

EAD_LABELS: EadLabels = {3: frozenset({ACCESS_TOKEN})}

_KID_SIZE = 4


def credential(public: PublicKey, name: str) -> Credential:
    """The credential of a thing towards others: a CCS of its key and name, by a kid of 4 bytes (RFC 9528 §3.5.3)."""
    kid = cose_key.thumbprint(public)[:_KID_SIZE]
    return Credential(id_cred=kid_reference(kid), cred=ccs.encode(public, kid=kid, subject=name), public=public)


def token_item(access_token: bytes) -> tuple[EadItem, ...]:
    """EAD_3 of the client: its token, critical."""
    return (EadItem(-ACCESS_TOKEN, access_token),)


def decode_token(ead_3: Sequence[EadItem]) -> bytes:
    """The token of EAD_3; nothing in it is verified yet.

    Raises:
        DecodeError: none, or several.
    """
    match [item.value for item in ead_3 if item.number == ACCESS_TOKEN]:
        case [bytes(access_token)]:
            return access_token
        case others:
            raise DecodeError(f"expected one access token in EAD_3, got {len(others)}", spec="RFC 9528 §3.8")
