"""What a relying party says of another thing: the questions and the answer of `/standing`."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from thingstead.crypto.digest import digest
from thingstead.errors import DecodeError
from thingstead.protocols.ace.groupcomm import group_name
from thingstead.protocols.cbor import codec

__all__ = ["HolderQuestion", "MemberStanding", "StandingQuestion", "decode_question", "thumbprint"]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_DIGEST_SIZE = 32
_TOKEN_HASH_SIZE = 33
_MAX_HASHES = 64
_LIMITS = codec.Limits(max_bytes=2560, max_depth=3)


def thumbprint(credential: bytes) -> bytes:
    """SHA-256 over the original bytes of a credential."""
    return digest(credential)


@dataclass(frozen=True, slots=True)
class StandingQuestion:
    """Would you accept this member in this group?

    Attributes:
        group: its name.
        thumbprint: of the member's credential; a kid would name somebody else in another epoch.
    """

    group: str
    thumbprint: bytes

    def encode(self) -> bytes:
        """As the payload of a FETCH."""
        return codec.encode([self.group, self.thumbprint])

    @classmethod
    def decode(cls, data: bytes) -> StandingQuestion:
        """Read a payload.

        Raises:
            DecodeError: not a group name and a SHA-256.
        """
        match codec.decode(data, limits=_LIMITS):
            case [str(group), bytes(thumb)] if len(thumb) == _DIGEST_SIZE:
                return cls(group_name(group), thumb)
            case _:
                raise DecodeError("expected the name of a group and the thumbprint of a credential")


@dataclass(frozen=True, slots=True)
class HolderQuestion:
    """Would you accept who holds one of these tokens?

    Attributes:
        hashes: of the tokens (RFC 9770 §4); one holder's, 1 to 64 of them.
    """

    hashes: tuple[bytes, ...]

    def encode(self) -> bytes:
        """As the payload of a FETCH."""
        return codec.encode([list(self.hashes)])

    @classmethod
    def decode(cls, data: bytes) -> HolderQuestion:
        """Read a payload.

        Raises:
            DecodeError: not a list of token hashes.
        """
        match codec.decode(data, limits=_LIMITS):
            case [[_, *_] as hashes] if len(hashes) <= _MAX_HASHES and all(_is_token_hash(one) for one in hashes):
                return cls(tuple(hashes))
            case _:
                raise DecodeError("expected hashes of tokens")


def decode_question(data: bytes) -> StandingQuestion | HolderQuestion:
    """Read either question.

    Raises:
        DecodeError: it is neither.
    """
    match codec.decode(data, limits=_LIMITS):
        case [_]:
            return HolderQuestion.decode(data)
        case _:
            return StandingQuestion.decode(data)


@dataclass(frozen=True, slots=True)
class MemberStanding:
    """The answer, out of live keys and sessions.

    Attributes:
        accepts: a message of that credential, or under such a token, would be taken now.
        num: version of the group's keys that this was decided by; 0 if it is in no such group, and for tokens.
        last_acceptance: when one last was, by the answerer's own clock; None if none was since it started.
    """

    accepts: bool
    num: int
    last_acceptance: datetime | None

    def encode(self) -> bytes:
        """As a payload; the instant in microseconds since 1970."""
        last = self.last_acceptance
        return codec.encode([self.accepts, self.num, None if last is None else (last - _EPOCH) // _MICROSECOND])

    @classmethod
    def decode(cls, data: bytes) -> MemberStanding:
        """Read a payload.

        Raises:
            DecodeError: not such an answer.
        """
        match codec.decode(data, limits=_LIMITS):
            case [bool(accepts), num, last] if type(num) is int and num >= 0 and (last is None or type(last) is int):
                try:
                    return cls(accepts, num, None if last is None else _EPOCH + timedelta(microseconds=last))
                except OverflowError:
                    raise DecodeError("expected microseconds of the years 1 to 9999") from None
            case _:
                raise DecodeError("expected a member's standing")


def _is_token_hash(value: object) -> bool:
    return isinstance(value, bytes) and len(value) == _TOKEN_HASH_SIZE
