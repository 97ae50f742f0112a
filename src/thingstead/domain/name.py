"""What a DNS name stands for just now, and what a thing was told of it: between resolver, plane and owner."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network

__all__ = ["Holder", "NameAnswer", "NameStanding", "is_inside"]


@dataclass(frozen=True, slots=True)
class NameAnswer:
    """An answer on its way to who asked.

    Attributes:
        name: that was asked for, in lower case, without the dot at the end.
        addresses: 4 or 16 octets each, and the seconds for which it may be kept.
        aliases: names that it led to, nearest first.
        asker: address from which the question came, 4 or 16 octets; empty where a resolver asks, and does not say for
            whom.
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


@dataclass(frozen=True, slots=True)
class Holder:
    """Whose a name is.

    Attributes:
        owner: the name that was registered, or the name itself where nobody could register it.
        landlord: suffix under which a company gives names to its customers; empty where it is a registry's.
    """

    owner: str
    landlord: str = ""


def is_inside(address: IPv4Address | IPv6Address, local: Iterable[IPv4Network | IPv6Network]) -> bool:
    """Whether a maker's name must not stand for `address`: it is of the site, of this machine, or of no one host.

    An IPv4 address in IPv6's clothes counts as what it is: mapped (RFC 4291 §2.5.5.2), or behind a relay (RFC 3056 §2)
    or a translator (RFC 6052 §2.1), which carry to it what is sent there.
    """
    inner = _inner(address)
    if inner is not None and is_inside(inner, local):
        return True
    special = address.is_loopback or address.is_multicast or address.is_link_local or address.is_unspecified
    broadcast = address == _BROADCAST
    return special or broadcast or any(address in prefix for prefix in local if prefix.version == address.version)


def _inner(address: IPv4Address | IPv6Address) -> IPv4Address | None:
    if not isinstance(address, IPv6Address):
        return None
    if address in _TRANSLATED:
        return IPv4Address(address.packed[12:])
    return address.ipv4_mapped or address.sixtofour


_TRANSLATED = IPv6Network("64:ff9b::/96")
_BROADCAST = IPv4Address("255.255.255.255")
