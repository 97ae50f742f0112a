"""The messages that change a table: elements of its sets, and the small chain of a thing that needs ranges."""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from thingstead.enforcement.netlink import Message, attribute, nested, parse_attributes

__all__ = [
    "BRIDGE",
    "INET",
    "Condition",
    "Element",
    "Listed",
    "Match",
    "Table",
    "Verdict",
    "comments",
    "packet_counts",
    "rule_packets",
]

INET, BRIDGE = 1, 7
"""Families; a table of each has the one name."""

_GETTABLE = 1
_NEWCHAIN, _DELCHAIN, _NEWRULE, _GETRULE, _DELRULE = 3, 5, 6, 7, 8
_NEWSETELEM, _GETSETELEM, _DELSETELEM = 12, 13, 14
_CREATE, _APPEND = 0x400, 0x800
_ELEMENTS_PER_MESSAGE = 400
_RETURN, _GOTO, _JUMP = -5, -4, -3
_META_L4PROTO = 16
_NETWORK_HEADER, _TRANSPORT_HEADER = 1, 2
_OVER = 1
_COMMENT = 0
"""Kind of a row in the data that the kernel keeps for users, as nft writes and shows it."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """Where a map element sends a packet."""

    chain: str


@dataclass(frozen=True, slots=True)
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
class Listed:
    """A condition that a set has some octets of the network header, whose element may have run out.

    Attributes:
        set: its name.
        offset: bytes into that header.
        size: how many.
    """

    set: str
    offset: int
    size: int


Condition = Match | Listed


@dataclass(frozen=True, slots=True)
class Element:
    """An element of a set or map.

    Attributes:
        set: its name.
        key: concatenated fields, each padded to four bytes.
        lifetime: seconds, None for good.
        verdict: for maps of chains.
        limit: per second and at once; a packet matches the element only where it is more than that.
        within: per second and at once; a packet matches the element only up to that, and is counted.
        data: for other maps.
        comment: that the kernel keeps for whoever asks.
        family: of the table.
    """

    set: str
    key: bytes
    lifetime: int | None = None
    verdict: Verdict | None = None
    limit: tuple[int, int] | None = None
    within: tuple[int, int] | None = None
    data: bytes | None = None
    comment: str = ""
    family: int = INET


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

    def add_chain(
        self,
        chain: str,
        rules: Iterable[tuple[Condition, ...]],
        *,
        target: str,
        spared: Iterable[tuple[Condition, ...]] = (),
    ) -> list[Message]:
        """Make a chain whose rules count what they match and send it to the chain `target`.

        Args:
            chain: its name.
            rules: conditions of each.
            target: another chain.
            spared: conditions of what goes back to where it came from, before any of the rules; not counted.
        """
        name = chain.encode() + b"\0"
        goes, returns = (
            _encode_verdict(2, target, _GOTO),
            nested(2, nested(2, attribute(1, struct.pack("!i", _RETURN)))),
        )
        rows = [*((rule, (), returns) for rule in spared), *((rule, (_expression("counter"),), goes) for rule in rules)]
        messages = [Message(_nft(_NEWCHAIN), _CREATE, INET, self._named() + attribute(3, name))]
        for rule, counter, verdict in rows:
            conditions = [part for condition in rule for part in _encode_condition(condition)]
            immediate = _expression("immediate", _integer(1, 0), verdict)
            body = self._named() + attribute(2, name) + nested(4, *conditions, *counter, immediate)
            messages.append(Message(_nft(_NEWRULE), _CREATE | _APPEND, INET, body))
        return messages

    def delete_chain(self, chain: str) -> list[Message]:
        """Empty a chain that nothing refers to any more, and delete it."""
        name = chain.encode() + b"\0"
        return [
            Message(_nft(_DELRULE), 0, INET, self._named() + attribute(2, name)),
            Message(_nft(_DELCHAIN), 0, INET, self._named() + attribute(3, name)),
        ]

    def query_table(self) -> Message:
        """Ask whether the table is there."""
        return Message(_nft(_GETTABLE), 0, INET, self._named())

    def query(self, element: Element) -> Message:
        """Ask for one element."""
        return self._message(_GETSETELEM, element.family, element.set, [_encode_element(element)], 0)

    def query_all(self, name: str) -> Message:
        """Ask for all elements of a set."""
        return Message(_nft(_GETSETELEM), 0, INET, self._named() + attribute(2, name.encode() + b"\0"))

    def query_rules(self, chain: str) -> Message:
        """Ask for all rules of a chain."""
        return Message(_nft(_GETRULE), 0, INET, self._named() + attribute(2, chain.encode() + b"\0"))

    def _named(self) -> bytes:
        return attribute(1, self.name.encode() + b"\0")

    def _elements(self, message: int, elements: Iterable[Element], flags: int) -> list[Message]:
        groups: dict[tuple[int, str], list[bytes]] = {}
        for element in elements:
            groups.setdefault((element.family, element.set), []).append(_encode_element(element))
        return [
            self._message(message, family, name, group[start : start + _ELEMENTS_PER_MESSAGE], flags)
            for (family, name), group in groups.items()
            for start in range(0, len(group), _ELEMENTS_PER_MESSAGE)
        ]

    def _message(self, message: int, family: int, name: str, elements: list[bytes], flags: int) -> Message:
        body = self._named() + attribute(2, name.encode() + b"\0") + nested(3, *elements)
        return Message(_nft(message), flags, family, body)


def packet_counts(answers: Iterable[bytes]) -> Iterator[tuple[bytes, int]]:
    """Key and packet counter of each element in the answers to `Table.query` and `Table.query_all`."""
    for fields in _told_elements(answers):
        several = parse_attributes(fields.get(11, b""))
        expressions = (fields.get(7, b""), *(expression for _, expression in several))
        yield dict(parse_attributes(fields[1]))[1], sum(map(_counter, expressions))


def comments(answers: Iterable[bytes]) -> Iterator[tuple[bytes, str]]:
    """Key and comment of each element in the answers to `Table.query_all`."""
    for fields in _told_elements(answers):
        yield dict(parse_attributes(fields[1]))[1], fields.get(6, b"")[2:].rstrip(b"\0").decode("ascii", "replace")


def rule_packets(answers: Iterable[bytes]) -> Iterator[int]:
    """Packet counter of each rule in the answers to `Table.query_rules`, in order."""
    for answer in answers:
        expressions = parse_attributes(dict(parse_attributes(answer)).get(4, b""))
        yield sum(_counter(expression) for _, expression in expressions)


def _told_elements(answers: Iterable[bytes]) -> Iterator[dict[int, bytes]]:
    for answer in answers:
        for kind, elements in parse_attributes(answer):
            for _, element in parse_attributes(elements) if kind == 3 else ():
                yield dict(parse_attributes(element))


def _counter(expression: bytes) -> int:
    fields = dict(parse_attributes(expression))
    if fields.get(1) != b"counter\0":
        return 0
    return int.from_bytes(dict(parse_attributes(fields[2]))[2], "big")


def _encode_element(element: Element) -> bytes:
    parts = [nested(1, attribute(1, element.key))]
    if element.verdict is not None:
        parts.append(_encode_verdict(2, element.verdict.chain, _JUMP))
    if element.data is not None:
        parts.append(nested(2, attribute(1, element.data)))
    if element.lifetime is not None:
        parts.append(attribute(4, struct.pack("!Q", element.lifetime * 1000)))
    if element.comment:
        text = element.comment.encode() + b"\0"
        parts.append(attribute(6, bytes([_COMMENT, len(text)]) + text))
    if element.limit is not None:
        parts.append(nested(7, *_limit(*element.limit, flags=_OVER)))
    if element.within is not None:
        # What is no more is counted, in this order: the first expression that fails ends them.
        parts.append(nested(11, nested(1, *_limit(*element.within, flags=0)), _expression("counter")))
    return nested(1, *parts)


def _encode_verdict(kind: int, chain: str, code: int) -> bytes:
    return nested(kind, nested(2, attribute(1, struct.pack("!i", code)), attribute(2, chain.encode() + b"\0")))


def _limit(rate: int, burst: int, *, flags: int) -> tuple[bytes, bytes]:
    numbers = struct.pack("!Q", rate), struct.pack("!Q", 1), struct.pack("!I", burst)
    fields = [attribute(place, number) for place, number in enumerate(numbers, 1)]
    return attribute(1, b"limit\0"), nested(2, *fields, _integer(5, flags))


def _encode_condition(condition: Condition) -> Iterator[bytes]:
    if isinstance(condition, Match):
        yield from _encode_match(condition)
        return
    fields = (1, _NETWORK_HEADER, condition.offset, condition.size)
    yield _expression("payload", *(_integer(kind, value) for kind, value in enumerate(fields, 1)))
    yield _expression("lookup", attribute(1, condition.set.encode() + b"\0"), _integer(2, 1))


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
