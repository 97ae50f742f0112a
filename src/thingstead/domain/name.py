"""What a DNS name stands for just now, and what a thing was told of it: between resolver, plane and owner."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["NameAnswer", "NameStanding"]


@dataclass(frozen=True, slots=True)
class NameAnswer:
    """An answer on its way to who asked.

    Attributes:
        name: that was asked for, in lower case, without the dot at the end.
        addresses: 4 or 16 octets each, and the seconds for which it may be kept.
        aliases: names that it led to, nearest first.
        asker: address from which the question came, 4 or 16 octets.
    """

    name: str
    addresses: tuple[tuple[bytes, int], ...]
    aliases: tuple[str, ...]
    asker: bytes


@dataclass(frozen=True, slots=True)
class NameStanding:
    """A name of a MUD file as it stands.

    Attributes:
        name: as in the file.
        hosts: 4 or 16 octets each, and for how many more seconds the way there is open.
        shared: why these addresses are not the name's owner's alone; empty where nothing says so.
    """

    name: str
    hosts: tuple[tuple[bytes, int], ...]
    shared: str
