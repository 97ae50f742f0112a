"""What a relying member says of another: the question and answer of `/standing`."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from thingstead.crypto.digest import digest
from thingstead.errors import DecodeError
from thingstead.protocols.ace.groupcomm import group_name
from thingstead.protocols.cbor import codec

__all__ = ["MemberStanding", "StandingQuestion", "thumbprint"]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_DIGEST_SIZE = 32
_LIMITS = codec.Limits(max_bytes=256, max_depth=3)


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
class MemberStanding:
    """The answer of one member, out of its live keys.

    Attributes:
        accepts: a message of that credential would verify now.
        num: version of the keys that this was decided by; 0 if it is in no such group.
        last_acceptance: when a message of that credential last verified, by the member's own clock; None if none
            did since it started.
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
