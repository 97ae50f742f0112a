"""A key that two parties share, in place of two key pairs, and what both roles derive from it: method 4 of a draft.

The method is experimental: install codes use it, and nothing else in the product. message_2 proves nothing, so until
message_4 the Initiator does not know whom it talks to; an active attacker learns the identifier of the key; and whoever
holds the key can pass as either party.
"""

from __future__ import annotations

from dataclasses import dataclass

from thingstead.crypto.algorithm import AlgorithmId
from thingstead.protocols.cbor import codec
from thingstead.protocols.edhoc.credential import compact_reference
from thingstead.protocols.edhoc.schedule import Label, expand_secret, following_transcript, mix
from thingstead.protocols.edhoc.suite import CipherSuite
from thingstead.secret import Secret

__all__ = ["DRAFT", "METHOD_PSK", "SharedCredential", "bound_data", "last_transcript", "mix_in"]

DRAFT = "draft-ietf-lake-edhoc-psk-08"
"""The draft that these bytes follow; its test vectors are reproduced."""

METHOD_PSK = 4
"""Suggested there, not assigned."""

_SHORTEST = 16


@dataclass(frozen=True, slots=True)
class SharedCredential:
    """A key that two parties share, and who they are to each other (§3.1).

    Attributes:
        id_cred: ID_CRED_PSK, the full header map.
        psk: 16 bytes or more, all of them by chance: no password, no short code.
        cred_i: whoever begins, one CBOR item that names a subject.
        cred_r: the other, likewise.
        digest_id: the one hash that the key is used with (§9.5).

    Raises:
        ValueError: too short a key, or one name for both, which a reflected message would fit.
        DecodeError: an identifier or credential that is not CBOR.
    """

    id_cred: bytes
    psk: Secret
    cred_i: bytes
    cred_r: bytes
    digest_id: AlgorithmId = AlgorithmId.SHA_256

    def __post_init__(self) -> None:
        if len(self.psk) < _SHORTEST or self.cred_i == self.cred_r:
            raise ValueError(f"a shared key has {_SHORTEST} bytes at least, and its holders two names ({DRAFT} §3.1)")
        compact_reference(self.id_cred)
        for cred in (self.cred_i, self.cred_r):
            codec.decode(cred)


def mix_in(suite: CipherSuite, prk: Secret, shared: SharedCredential, th_3: bytes) -> Secret:
    """PRK_4e3m (§4)."""
    return mix(suite, expand_secret(suite, prk, Label.SALT_4E3M, context=th_3).reveal(), shared.psk)


def bound_data(shared: SharedCredential, th_3: bytes) -> bytes:
    """What CIPHERTEXT_3B is bound to beside itself (§5.3.2).

    The identifier stands here, and in TH_4, as it travels: the draft's words would let a lone kid be a map again, its
    test vectors do not.
    """
    return compact_reference(shared.id_cred) + codec.encode(th_3) + shared.cred_i + shared.cred_r


def last_transcript(suite: CipherSuite, th_3: bytes, shared: SharedCredential, plaintext: bytes) -> bytes:
    """TH_4 (§4)."""
    return following_transcript(
        suite, th_3, compact_reference(shared.id_cred) + plaintext, shared.cred_i + shared.cred_r
    )
