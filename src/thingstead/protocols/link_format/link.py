"""Links between resources, as ``/.well-known/core`` lists them (RFC 6690 §2)."""

from __future__ import annotations

import re
from dataclasses import dataclass

from thingstead.errors import DecodeError

__all__ = ["Limits", "Link", "parse", "render"]


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds on one document.

    Attributes:
        max_bytes: size of the document.
        max_links: links in it.
        max_attributes: attributes of one link.
    """

    max_bytes: int = 1 << 16
    max_links: int = 512
    max_attributes: int = 32


_DEFAULT_LIMITS = Limits()


@dataclass(frozen=True, slots=True)
class Link:
    """One link.

    Attributes:
        target: URI reference, as written between the angle brackets.
        attributes: (name, value) in the order they came; None for one without a value, such as ``obs``.
    """

    target: str
    attributes: tuple[tuple[str, str | None], ...] = ()

    def attribute(self, name: str) -> str | None:
        """The first value of `name`; None when it has none or is not there (RFC 6690 §3 takes the first)."""
        for this, value in self.attributes:
            if this == name:
                return value
        return None

    def has(self, name: str) -> bool:
        """Whether the link carries `name`, with or without a value."""
        return any(this == name for this, _ in self.attributes)

    def values(self, name: str) -> list[str]:
        """The parts of a space-separated attribute such as ``rt`` or ``if`` (RFC 6690 §3.1)."""
        return (self.attribute(name) or "").split()


# Each expression eats at least one character per step and never tries two ways at one place: linear in the input.
_TARGET = re.compile(r"\s*<([^<>\s\"]*)>")
_NAME = re.compile(r"\s*;\s*([!#$&+\-.^_`|~0-9A-Za-z]+\*?)")
_QUOTED = re.compile(r'"((?:[^"\\]|\\.)*)"', re.DOTALL)
_BARE = re.compile(r"[^\s\",;<>\\]+")
_ESCAPE = re.compile(r"\\(.)", re.DOTALL)
_SPACE = re.compile(r"\s*")


def parse(data: bytes, *, limits: Limits = _DEFAULT_LIMITS) -> list[Link]:
    """Parse a link-format document.

    Raises:
        DecodeError: not UTF-8, outside the grammar of RFC 6690 §2, or over a limit.
    """
    if len(data) > limits.max_bytes:
        raise DecodeError(f"expected at most {limits.max_bytes} bytes of links, got {len(data)}", spec="RFC 6690 §2")
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        raise DecodeError("expected links in UTF-8", spec="RFC 6690 §2") from None
    links: list[Link] = []
    offset = 0
    while text:
        if len(links) == limits.max_links:
            raise DecodeError(f"expected at most {limits.max_links} links", spec="RFC 6690 §2")
        link, offset = _link(text, offset, limits)
        links.append(link)
        offset = _skip(text, offset)
        if offset == len(text):
            break
        if text[offset] != ",":
            raise _malformed("a comma between links", text, offset)
        offset += 1
    return links


def render(links: list[Link]) -> bytes:
    """Render links; every value in quotes, which all readers take.

    Raises:
        ValueError: a target or name that the grammar does not allow.
    """
    return ",".join([_rendered(link) for link in links]).encode()


def _link(text: str, offset: int, limits: Limits) -> tuple[Link, int]:
    target = _TARGET.match(text, offset)
    if target is None:
        raise _malformed("a target in angle brackets", text, offset)
    attributes: list[tuple[str, str | None]] = []
    offset = target.end()
    while (name := _NAME.match(text, offset)) is not None:
        if len(attributes) == limits.max_attributes:
            raise _malformed(f"at most {limits.max_attributes} attributes", text, offset)
        value, offset = _value(text, name.end())
        attributes.append((name[1], value))
    return Link(target[1], tuple(attributes)), offset


def _value(text: str, offset: int) -> tuple[str | None, int]:
    start = _skip(text, offset)
    if start == len(text) or text[start] != "=":
        return None, offset
    start = _skip(text, start + 1)
    if (quoted := _QUOTED.match(text, start)) is not None:
        return _ESCAPE.sub(r"\1", quoted[1]), quoted.end()
    if (bare := _BARE.match(text, start)) is not None:
        return bare[0], bare.end()
    raise _malformed("an attribute value", text, start)


def _rendered(link: Link) -> str:
    if _TARGET.fullmatch(f"<{link.target}>") is None:
        raise ValueError(f"not a link target: {link.target!r}")
    parts = [f"<{link.target}>"]
    for name, value in link.attributes:
        if _NAME.fullmatch(f";{name}") is None:
            raise ValueError(f"not an attribute name: {name!r}")
        parts.append(name if value is None else f'{name}="{_quoted(value)}"')
    return ";".join(parts)


def _quoted(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"')


def _skip(text: str, offset: int) -> int:
    space = _SPACE.match(text, offset)
    return offset if space is None else space.end()


def _malformed(expected: str, text: str, offset: int) -> DecodeError:
    return DecodeError(
        f"expected {expected} at character {offset}, got {text[offset : offset + 20]!r}", spec="RFC 6690 §2"
    )
