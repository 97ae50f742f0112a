"""What a domain hands over at the end of a join: in EAD_4 of message_4, or as the answer to the first request."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from thingstead.errors import DecodeError
from thingstead.protocols.cbor import codec
from thingstead.protocols.edhoc.ead import EadItem
from thingstead.protocols.lake_authz.message import VOUCHER
from thingstead.protocols.profile.join import ACCESS_TOKEN, CREDENTIAL_BY_VALUE, values_of

__all__ = ["Grant", "decode_grant", "decode_granted", "encode_grant", "encode_granted"]


@dataclass(frozen=True, slots=True)
class Grant:
    """Two tokens and two credentials, and what the thing's maker says of the domain.

    Attributes:
        access_token: CWT with the thing's scope at the domain.
        granted_token: CWT with the domain's scope at the thing.
        thing_credential: CWT that says who the thing is within the domain.
        issuer_credential: CCS with the key that tokens are signed with; authentic because the handshake is.
        voucher: for this session alone, where the thing asked for one; else empty.
    """

    access_token: bytes
    granted_token: bytes
    thing_credential: bytes
    issuer_credential: bytes
    voucher: bytes = b""


def encode_grant(grant: Grant) -> tuple[EadItem, ...]:
    """EAD_4 of a join; the voucher is read by `thingstead.agent.vouching`."""
    return (
        *((EadItem(-VOUCHER, grant.voucher),) if grant.voucher else ()),
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
    return Grant(*_two(values_of(ead_4, ACCESS_TOKEN)), *_two(values_of(ead_4, CREDENTIAL_BY_VALUE)))


def encode_granted(grant: Grant) -> bytes:
    """A grant as the resource `path.GRANT` gives it: its four parts as a CBOR sequence."""
    return codec.encode_sequence(
        grant.access_token, grant.granted_token, grant.thing_credential, grant.issuer_credential
    )


def decode_granted(payload: bytes) -> Grant:
    """Read what `encode_granted` wrote; the tokens are not verified yet.

    Raises:
        DecodeError: not four byte strings.
    """
    match codec.decode_sequence(payload):
        case [bytes(access), bytes(granted), bytes(credential), bytes(issuer)]:
            return Grant(access, granted, credential, issuer)
        case others:
            raise DecodeError(f"expected a grant of four byte strings, got {len(others)} items")


def _two(values: list[bytes]) -> tuple[bytes, bytes]:
    match values:
        case [first, second]:
            return first, second
        case _:
            raise DecodeError(f"expected two items of one EAD label, got {len(values)}", spec="RFC 9528 §3.8")
