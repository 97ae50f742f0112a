"""What the owner says of the network beside the makers' files: rules that allow more, or refuse whatever allows it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from fnmatch import fnmatchcase
from ipaddress import IPv4Network, IPv6Network, ip_network

from thingstead.domain.thing import Thing
from thingstead.errors import ConfigError
from thingstead.identifier import ThingId, is_thing_id

__all__ = ["ANYBODY", "INTERNET", "LOCAL", "OwnerRule", "Way", "as_prefix", "parse_remote"]

ANYBODY, LOCAL, INTERNET = "any", "local", "internet"
_LONGEST_NAME = 253
_NAME = frozenset("abcdefghijklmnopqrstuvwxyz0123456789-_.")


class Way(StrEnum):
    """Who opens a flow that a rule is about."""

    OUT = "out"
    IN = "in"
    BOTH = "both"


@dataclass(frozen=True, slots=True)
class OwnerRule:
    """One rule; it is about a thing if each of `things`, `zone` and `model` that says something names it.

    Attributes:
        id: what it is revoked by.
        refuses: stronger than every allowance; else it allows more.
        things: which; empty for all.
        zone: in which; empty for all.
        model: pattern of their models; empty for all.
        way: who opens the flow.
        remote: the other side: a name, a prefix, ``local`` for the site, ``internet`` for the rest, or ``any``.
        protocol: IP protocol number, None for all.
        ports: first and last port that is contacted, on whichever side.
        cause: why, in the owner's words.
        vulnerability: whose things `things` are; they change with what is known and what runs. Empty for none.
        by: who said so.
        at: when.
        until: from when on it is gone by itself; None for never.
    """

    id: str
    refuses: bool
    things: tuple[ThingId, ...]
    zone: str
    model: str
    way: Way
    remote: str
    protocol: int | None
    ports: tuple[int, int]
    cause: str
    vulnerability: str
    by: str
    at: datetime
    until: datetime | None = None

    def is_about(self, thing: Thing) -> bool:
        """Whether it counts for a thing."""
        # A vulnerability that nobody has concerns nobody, where no things at all otherwise means all.
        named = thing.id in self.things if self.things or self.vulnerability else True
        return named and self.zone in {"", thing.zone} and (not self.model or fnmatchcase(thing.model, self.model))

    def has_ended(self, at: datetime) -> bool:
        """Whether its time is over."""
        return self.until is not None and at >= self.until


def parse_remote(text: str) -> str:
    """The other side of a rule, in its one spelling.

    Raises:
        ConfigError: no name, prefix, ``local``, ``internet`` or ``any``; or a thing's id, which no resolver knows.
    """
    lower = text.strip().lower().rstrip(".")
    if is_thing_id(lower):
        raise ConfigError(f"expected the address of {lower}: as the other side of a rule its id says nothing")
    if lower in {ANYBODY, LOCAL, INTERNET}:
        return lower
    try:
        return str(ip_network(lower))
    except ValueError as error:
        if "/" in lower or ":" in lower or lower.replace(".", "").isdigit():
            raise ConfigError(f"expected an address or a prefix such as 192.0.2.0/24: {error}") from None
    labels = lower.split(".")
    if len(lower) > _LONGEST_NAME or not set(lower) <= _NAME or not all(0 < len(one) <= 63 for one in labels):
        raise ConfigError(f"expected a name, an address, local, internet or any; got {text[:60]!r}")
    return lower


def as_prefix(remote: str) -> IPv4Network | IPv6Network | None:
    """The prefix that a parsed remote is; None where it is a name or a word."""
    try:
        return ip_network(remote)
    except ValueError:
        return None
