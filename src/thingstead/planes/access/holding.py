"""The access plane's document of one thing: keys of its association and both tokens; no request needs it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from thingstead.crypto.algorithm import AlgorithmId
from thingstead.crypto.key import PublicKey
from thingstead.errors import DecodeError
from thingstead.protocols.cbor import codec
from thingstead.protocols.cose import key as cose_key
from thingstead.protocols.edhoc.session import OscoreParameters
from thingstead.secret import Secret

__all__ = ["Holding", "decode_holding", "encode_holding"]


@dataclass(frozen=True, slots=True)
class Holding:
    """What a thing holds.

    Attributes:
        oscore: keys and identifiers of its association.
        public: the key that it proved.
        access_token: the thing's at the domain, as issued.
        granted_token: the domain's at the thing, as issued.
        reserved: sender sequence numbers below it may be spent.
        suspended: it may do nothing until that is lifted.
    """

    oscore: OscoreParameters
    public: PublicKey
    access_token: bytes
    granted_token: bytes
    reserved: int
    suspended: bool


def encode_holding(holding: Holding) -> bytes:
    """Encode as one document; it holds the master secret."""
    oscore = holding.oscore
    return codec.encode(
        [
            [
                oscore.master_secret.reveal(),
                oscore.master_salt,
                oscore.sender_id,
                oscore.recipient_id,
                int(oscore.aead_id),
                int(oscore.digest_id),
            ],
            cose_key.public_map(holding.public),
            holding.access_token,
            holding.granted_token,
            holding.reserved,
            holding.suspended,
        ]
    )


def decode_holding(document: bytes) -> Holding:
    """Read back what `encode_holding` wrote; whether the tokens hold is not looked at.

    Raises:
        DecodeError: not one of ours.
    """
    match codec.decode(document):
        case [list(oscore), dict(holder), bytes(access), bytes(granted), int(reserved), bool(suspended)]:
            public = cose_key.from_map(holder).require_public()
            return Holding(_oscore(oscore), public, access, granted, reserved, suspended)
        case _:
            raise DecodeError("expected a record of the access plane")


def _oscore(fields: list[Any]) -> OscoreParameters:
    match fields:
        case [bytes(secret), bytes(salt), bytes(sender_id), bytes(recipient_id), int(aead_id), int(digest_id)]:
            return OscoreParameters(
                Secret(secret), salt, sender_id, recipient_id, AlgorithmId(aead_id), AlgorithmId(digest_id)
            )
        case _:
            raise DecodeError("expected OSCORE parameters in a record of the access plane")
