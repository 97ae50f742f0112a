"""How much one key may be used for before it gives an attacker a chance (draft-ietf-core-oscore-key-limits-06 §2)."""

from __future__ import annotations

from dataclasses import dataclass

from thingstead.crypto.algorithm import AlgorithmId, Kind, algorithm

__all__ = ["KeyLimits", "key_limits"]

_SHORT_TAG = 8


@dataclass(frozen=True, slots=True)
class KeyLimits:
    """What one key of one AEAD algorithm may do.

    Attributes:
        encryptions: messages protected with one Sender Key (q).
        failures: messages that did not verify under one Recipient Key (v).
        message_size: bytes of plaintext and tag of one message (l cipher blocks).
    """

    encryptions: int
    failures: int
    message_size: int

    @property
    def numbers(self) -> int:
        """Sequence numbers of each party.

        A key protects its party's own numbers and at most one response for each number of the other party (§A:
        SSN + SSN*), so half the encryptions each keeps both keys within their limit, and needs no counting.
        """
        return self.encryptions // 2


_BLOCK, _STREAM_BLOCK = 16, 64
_LONG_TAG_LIMITS = KeyLimits(1 << 20, 1 << 20, _BLOCK << 10)
_SHORT_TAG_LIMITS = KeyLimits(1 << 20, 1 << 14, _BLOCK << 8)
_CHACHA20_LIMITS = KeyLimits(1 << 20, 1 << 20, _STREAM_BLOCK << 10)


def key_limits(aead_id: int) -> KeyLimits:
    """The recommended limits; algorithms that the draft does not name get those of its next of kin.

    Raises:
        UnsupportedError: not an AEAD that we have.
    """
    row = algorithm(aead_id, Kind.AEAD)
    if row.id is AlgorithmId.CHACHA20_POLY1305:
        return _CHACHA20_LIMITS
    return _SHORT_TAG_LIMITS if row.output_size == _SHORT_TAG else _LONG_TAG_LIMITS
