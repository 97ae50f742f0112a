"""The messages that change a table: elements of its sets, and the small chain of a thing that needs ranges."""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from thingstead.enforcement.netlink import Message, attribute, nested, parse_attributes

__all__ = ["Element", "Match", "Table", "Verdict", "packet_counts"]

_INET = 1
_NEWCHAIN, _DELCHAIN, _NEWRULE, _DELRULE, _NEWSETELEM, _GETSETELEM, _DELSETELEM = 3, 5, 6, 8, 12, 13, 14
_CREATE, _APPEND = 0x400, 0x800
_ELEMENTS_PER_MESSAGE = 400
_GOTO, _JUMP = -4, -3
_META_L4PROTO = 16
_NETWORK_HEADER, _TRANSPORT_HEADER = 1, 2


@dataclass(frozen=True, slots=True)
class Verdict:
    """Where a map element sends a packet."""

    chain: str


@dataclass(frozen=True, slots=True, order=True)
class Match:
    """One condition of a rule: a field of the packet between two values, both included.

    Attributes:
        base: 1 network header, 2 transport header, 0 for the transport protocol number.
        offset: bytes into that header.
        first: lower bound, as long as the field.
        last: upper bound.
    """

    base: int
    offset: int
    first: bytes
    last: bytes


@dataclass(frozen=True, slots=True)
class Element:
    """An element of a set or map.

    Attributes:
        set: its name.
        key: concatenated fields, each padded to four bytes.
        lifetime: seconds, None for good.
        verdict: for maps.
    """

    set: str
    key: bytes
    lifetime: int | None = None
    verdict: Verdict | None = None


@dataclass(frozen=True, slots=True)
class Table:
    """Makes the messages that change one table."""

    name: str

    def add(self, elements: Iterable[Element]) -> list[Message]:
        """Add elements; those that are there already stay as they are."""
        return self._elements(_NEWSETELEM, elements, _CREATE)

    def delete(self, elements: Iterable[Element]) -> list[Message]:
        """Delete elements, all of which must be there."""
        return self._elements(_DELSETELEM, elements, 0)

    def add_chain(self, chain: str, rules: Iterable[tuple[Match, ...]], *, target: str) -> list[Message]:
        """Make a chain whose rules send what they match to the chain `target`."""
        name = chain.encode() + b"\0"
        messages = [Message(_nft(_NEWCHAIN), _CREATE, _INET, self._named() + attribute(3, name))]
        for rule in rules:
            expressions = [part for match in rule for part in _encode_match(match)]
            immediate = _expression("immediate", _integer(1, 0), _encode_verdict(2, target, _GOTO))
            body = self._named() + attribute(2, name) + nested(4, *expressions, immediate)
            messages.append(Message(_nft(_NEWRULE), _CREATE | _APPEND, _INET, body))
        return messages

    def delete_chain(self, chain: str) -> list[Message]:
        """Empty a chain that nothing refers to any more, and delete it."""
        name = chain.encode() + b"\0"
        return [
            Message(_nft(_DELRULE), 0, _INET, self._named() + attribute(2, name)),
            Message(_nft(_DELCHAIN), 0, _INET, self._named() + attribute(3, name)),
        ]

    def query(self, element: Element) -> Message:
        """Ask for one element."""
        return self._message(_GETSETELEM, element.set, [_encode_element(element)], 0)

    def query_all(self, name: str) -> Message:
        """Ask for all elements of a set."""
        return Message(_nft(_GETSETELEM), 0, _INET, self._named() + attribute(2, name.encode() + b"\0"))

    def _named(self) -> bytes:
        return attribute(1, self.name.encode() + b"\0")

    def _elements(self, message: int, elements: Iterable[Element], flags: int) -> list[Message]:
        groups: dict[str, list[bytes]] = {}
        for element in elements:
            groups.setdefault(element.set, []).append(_encode_element(element))
        return [
            self._message(message, name, group[start : start + _ELEMENTS_PER_MESSAGE], flags)
            for name, group in groups.items()
            for start in range(0, len(group), _ELEMENTS_PER_MESSAGE)
        ]

    def _message(self, message: int, name: str, elements: list[bytes], flags: int) -> Message:
        body = self._named() + attribute(2, name.encode() + b"\0") + nested(3, *elements)
        return Message(_nft(message), flags, _INET, body)


def packet_counts(answers: Iterable[bytes]) -> Iterator[tuple[bytes, int]]:
    """Key and packet counter of each element in the answers to `Table.query_all`."""
    for answer in answers:
        for kind, elements in parse_attributes(answer):
            if kind != 3:
                continue
            for _, element in parse_attributes(elements):
                fields = dict(parse_attributes(element))
                yield dict(parse_attributes(fields[1]))[1], _counter(fields.get(7, b""))


def _counter(expression: bytes) -> int:
    fields = dict(parse_attributes(expression))
    if fields.get(1) != b"counter\0":
        return 0
    return int.from_bytes(dict(parse_attributes(fields[2]))[2], "big")


def _encode_element(element: Element) -> bytes:
    parts = [nested(1, attribute(1, element.key))]
    if element.verdict is not None:
        parts.append(_encode_verdict(2, element.verdict.chain, _JUMP))
    if element.lifetime is not None:
        parts.append(attribute(4, struct.pack("!Q", element.lifetime * 1000)))
    return nested(1, *parts)


def _encode_verdict(kind: int, chain: str, code: int) -> bytes:
    return nested(kind, nested(2, attribute(1, struct.pack("!i", code)), attribute(2, chain.encode() + b"\0")))


def _encode_match(match: Match) -> Iterator[bytes]:
    if match.base in (_NETWORK_HEADER, _TRANSPORT_HEADER):
        fields = (1, match.base, match.offset, len(match.first))
        yield _expression("payload", *(_integer(kind, value) for kind, value in enumerate(fields, 1)))
    else:
        yield _expression("meta", _integer(1, 1), _integer(2, _META_L4PROTO))
    bounds = nested(3, attribute(1, match.first)), nested(4, attribute(1, match.last))
    yield _expression("range", _integer(1, 1), _integer(2, 0), *bounds)


def _expression(name: str, *parts: bytes) -> bytes:
    return nested(1, attribute(1, name.encode() + b"\0"), nested(2, *parts))


def _integer(kind: int, value: int) -> bytes:
    return attribute(kind, struct.pack("!I", value))


def _nft(message: int) -> int:
    return 10 << 8 | message
