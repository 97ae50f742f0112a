"""Picking links by a query, as ``/.well-known/core?rt=light*`` asks for (RFC 6690 §4.1)."""

from __future__ import annotations

from collections.abc import Iterable

from thingstead.protocols.link_format.link import Link

__all__ = ["select"]

# Attributes that hold several values between spaces, each of which may be asked for (RFC 6690 §3.1, §3.2).
_SEVERAL = frozenset(("rt", "if", "rel", "rev", "ct"))


def select(links: Iterable[Link], queries: Iterable[str]) -> list[Link]:
    """The links that fit every query ``name=pattern``; what has no ``=`` asks for nothing.

    ``href`` names the target; a pattern that ends in ``*`` fits what begins like it.
    """
    wanted = [(name, pattern) for name, equals, pattern in [query.partition("=") for query in queries] if equals]
    return [link for link in links if all(_fits(link, name, pattern) for name, pattern in wanted)]


def _fits(link: Link, name: str, pattern: str) -> bool:
    if name == "href":
        values = [link.target]
    elif name in _SEVERAL:
        values = link.values(name)
    else:
        value = link.attribute(name)
        values = [] if value is None else [value]
    if pattern.endswith("*"):
        return any(value.startswith(pattern[:-1]) for value in values)
    return pattern in values
