"""What a resource directory is told and asked: registrations and lookups, out of queries and links (RFC 9176)."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from urllib.parse import quote

from thingstead.errors import DecodeError
from thingstead.protocols.link_format import link
from thingstead.protocols.link_format.link import Link

__all__ = [
    "DEFAULT_LIFETIME",
    "OWN",
    "Lookup",
    "Registration",
    "absolute",
    "address_of",
    "base_of",
    "read_lookup",
    "read_registration",
    "resolve",
]

DEFAULT_LIFETIME = 90_000
"""Seconds, 25 hours (RFC 9176 §5)."""

OWN = "/rd/own"
"""Where each thing finds its own registration: scopes name paths, and no other would be known when one is issued."""

_MAX_LIFETIME = (1 << 32) - 1
_MAX_NAME = 63
_MAX_VALUE = 255
_MAX_ATTRIBUTES = 16
_LIMITS = link.Limits(max_bytes=1 << 13, max_links=64, max_attributes=16)
_BASE = re.compile(r"[a-z][a-z0-9+.-]*://(\[[0-9a-fA-F:.]+\]|[^\[\]/:?#@]+)(:[0-9]{1,5})?")
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:")
_NUMBER = re.compile(r"[0-9]{1,10}")
_ANCHOR = "anchor"
_LOOKED_UP = frozenset(("page", "count", "rt", "href", _ANCHOR))
"""What means something else in a lookup, or is said of an endpoint by the directory (RFC 9176 §9.3)."""
_NAME = re.compile(r"[!#$&+\-.^_`|~0-9A-Za-z]+")


@dataclass(frozen=True, slots=True)
class Registration:
    """What an endpoint says of itself (RFC 9176 §5).

    Attributes:
        endpoint: its name, `ep`; empty in an update.
        sector: `d`; empty for the default one.
        lifetime: seconds, `lt`; 0 in an update that does not say.
        base: URI that relative links stand on; empty in an update that does not say.
        attributes: of the endpoint, beside these.
        links: what it has.
    """

    endpoint: str
    sector: str
    lifetime: int
    base: str
    attributes: Mapping[str, str] = field(default_factory=dict)
    links: tuple[Link, ...] = ()

    @property
    def key(self) -> str:
        """Names the registration: no two have endpoint and sector in common."""
        return f"{self.endpoint}\n{self.sector}"

    def as_link(self) -> Link:
        """The link that an endpoint lookup shows (RFC 9176 §6.3)."""
        said = [("ep", self.endpoint), ("base", self.base), ("lt", str(self.lifetime)), ("rt", "core.rd-ep")]
        if self.sector:
            said.insert(1, ("d", self.sector))
        return Link(f"{OWN}?ep={quote(self.endpoint, safe='')}", (*said, *self.attributes.items()))


@dataclass(frozen=True, slots=True)
class Lookup:
    """What is looked for (RFC 9176 §6.2).

    Attributes:
        criteria: names and patterns, of which every one must fit.
        page: which page.
        count: results on a page; None for as many as there are.
    """

    criteria: tuple[tuple[str, str], ...]
    page: int = 0
    count: int | None = None

    def window(self, most: int) -> tuple[int, int]:
        """Where the page begins and how many it has, at most `most`."""
        if self.count is None:
            return 0, most
        return self.page * self.count, min(self.count, most)


def read_registration(queries: Sequence[str], payload: bytes, source: tuple[str, int]) -> Registration:
    """A registration or, without `ep`, an update of one.

    Args:
        queries: of the request.
        payload: links, in link format.
        source: address that the request came from; the base, where none is given, and its host where one is: nobody
            sends others to somebody else.

    Raises:
        DecodeError: outside the grammar of RFC 9176 §5, or over a bound.
    """
    said = _pairs(queries)
    own = base_of(source)
    base = said.pop("base", "")
    if base and (_BASE.fullmatch(base) is None or _host(base) != _host(own)):
        raise DecodeError("expected a base at the address of the sender", spec="RFC 9176 §5", reason="base")
    endpoint, sector = said.pop("ep", ""), said.pop("d", "")
    if any(len(name.encode()) > _MAX_NAME or not _is_plain(name) for name in (endpoint, sector) if name):
        raise DecodeError(f"expected names of at most {_MAX_NAME} bytes", spec="RFC 9176 §5")
    lifetime = _number(said.pop("lt", "0" if not endpoint else str(DEFAULT_LIFETIME)))
    if lifetime > _MAX_LIFETIME or (endpoint and lifetime == 0):
        raise DecodeError("expected a lifetime of 1 to 4294967295 seconds", spec="RFC 9176 §5")
    if len(said) > _MAX_ATTRIBUTES or not all(_NAME.fullmatch(name) for name in said) or said.keys() & _LOOKED_UP:
        raise DecodeError(f"expected at most {_MAX_ATTRIBUTES} attributes of an endpoint", spec="RFC 9176 §5")
    links = tuple(link.parse(payload, limits=_LIMITS))
    return Registration(endpoint, sector, lifetime, base or (own if endpoint else ""), said, links)


def read_lookup(queries: Sequence[str]) -> Lookup:
    """What a lookup asks for.

    Raises:
        DecodeError: a page without a count, or neither is a number (RFC 9176 §6.2).
    """
    asked = [(name, value) for name, equals, value in (query.partition("=") for query in queries) if equals]
    paging = {name: _number(value) for name, value in asked if name in {"page", "count"}}
    criteria = tuple([one for one in asked if one[0] not in {"page", "count"}])
    if len(criteria) > _MAX_ATTRIBUTES or ("page" in paging and "count" not in paging):
        raise DecodeError("expected a few criteria, and a page with a count", spec="RFC 9176 §6.2")
    return Lookup(criteria, paging.get("page", 0), paging.get("count"))


def base_of(source: tuple[str, int]) -> str:
    """The base URI of an endpoint at this address."""
    host, port = source
    return f"coap://[{host}]:{port}" if ":" in host else f"coap://{host}:{port}"


def address_of(base: str) -> tuple[str, int] | None:
    """The address in a base URI of CoAP over UDP; None where it names none."""
    found = _BASE.fullmatch(base)
    if found is None or not base.startswith("coap://"):
        return None
    port = int((found[2] or ":5683")[1:])
    return (found[1].strip("[]"), port) if 0 < port < 1 << 16 else None


def resolve(base: str, target: str) -> str:
    """A target as absolute URI (RFC 9176 §6.2)."""
    if _SCHEME.match(target):
        return target
    if target.startswith("//"):
        return base.partition("//")[0] + target
    return base + target if target.startswith("/") else f"{base}/{target}"


def absolute(one: Link, base: str) -> Link:
    """A link as lookups show it: target and anchor whole, all else as it was registered (RFC 9176 §6.1)."""
    said = [(name, resolve(base, value) if name == _ANCHOR and value else value) for name, value in one.attributes]
    return Link(resolve(base, one.target), tuple(said))


def _pairs(queries: Sequence[str]) -> dict[str, str]:
    said: dict[str, str] = {}
    for query in queries:
        name, equals, value = query.partition("=")
        if not equals or not value or name in said or len(value) > _MAX_VALUE or not _is_plain(value):
            raise DecodeError("expected each parameter once, with a value", spec="RFC 9176 §5")
        said[name] = value
    return said


def _is_plain(text: str) -> bool:
    return text.isprintable() and not set(text) & set('<>"\\')


def _host(base: str) -> str:
    found = _BASE.fullmatch(base)
    return "" if found is None else found[1].lower()


def _number(text: str) -> int:
    if _NUMBER.fullmatch(text) is None:
        raise DecodeError("expected a number", spec="RFC 9176 §5")
    return int(text)
