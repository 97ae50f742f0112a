"""What a thing keeps of a group: its keys, and how far its sender sequence numbers are spent; each before its use."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from thingstead.agent.ports import Home
from thingstead.errors import DecodeError, StorageError
from thingstead.protocols.ace.groupcomm import GroupKeys
from thingstead.protocols.cbor import codec

__all__ = ["GroupHome", "KeptKeys"]

_FORMAT = 1
_KEYS, _SEQUENCE = "group-", "sequence-"


@dataclass(frozen=True, slots=True)
class KeptKeys:
    """Keys, and the first instant at which they must not be used any more."""

    keys: GroupKeys
    expires: datetime


class GroupHome:
    """The groups of one thing, in its home: two values for each group.

    The reserved sequence number stands beside the Gid that it belongs to, so that a crash between the two values
    can neither carry numbers into another epoch nor begin an epoch twice.
    """

    def __init__(self, home: Home) -> None:
        self._home = home

    def names(self) -> list[str]:
        """Groups that keys are kept of."""
        return [name.removeprefix(_KEYS) for name in self._home.names() if name.startswith(_KEYS)]

    def save(self, kept: KeptKeys) -> None:
        """Keep the keys of an epoch; older ones of the group are gone when this returns.

        Raises:
            StorageError: they are not on disk, and must not be used.
        """
        expires = int(kept.expires.timestamp())
        self._home.save(_KEYS + kept.keys.name, codec.encode([_FORMAT, expires, kept.keys.encode()]))

    def load(self, name: str) -> KeptKeys | None:
        """The keys kept of a group.

        Raises:
            DecodeError: damaged, or of another format.
        """
        data = self._home.load(_KEYS + name)
        if data is None:
            return None
        match codec.decode(data):
            case [int(version), int(expires), bytes(keys)] if version == _FORMAT:
                return KeptKeys(GroupKeys.decode(keys), datetime.fromtimestamp(0, UTC) + timedelta(seconds=expires))
            case _:
                raise DecodeError(f"expected the keys of a group in format {_FORMAT}")

    def reserve(self, name: str, gid: bytes, upto: int) -> None:
        """Keep that sender sequence numbers below `upto` are spent under this Gid (RFC 8613 appendix B.1.1).

        What is kept of one Gid only grows: a late request must not take anything back.

        Raises:
            StorageError: it is not on disk, and they must not be used.
        """
        if upto > self.reserved(name, gid):
            self._home.save(_SEQUENCE + name, codec.encode([gid, upto]))

    def reserved(self, name: str, gid: bytes) -> int:
        """Where sequence numbers go on under this Gid.

        Raises:
            StorageError: what was kept cannot be read, so no number is safe.
        """
        data = self._home.load(_SEQUENCE + name)
        if data is None:
            return 0
        match codec.decode(data):
            case [bytes(kept_gid), int(upto)]:
                return upto if kept_gid == gid else 0
            case _:
                raise StorageError(f"the sequence numbers kept for group {name} are damaged")

    def drop(self, name: str) -> None:
        """Forget the keys of a group, never the numbers that were spent under them: the same keys may come again."""
        self._home.delete(_KEYS + name)

    def forget(self, name: str) -> None:
        """Forget the numbers, too, after the member's own key is deleted: those keys are of no use any more."""
        self.drop(name)
        self._home.delete(_SEQUENCE + name)
