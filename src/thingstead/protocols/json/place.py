"""JSON values that know where they stand, so that every refusal names the place (RFC 8259, RFC 6901)."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass
from typing import Any, Never

from thingstead.errors import DecodeError

__all__ = ["Node", "decode_json"]


@dataclass(slots=True, eq=False)
class Node:
    """One value, and where it stands.

    Not frozen and its pointer made when asked for: of a file that is in order nobody asks, and it has thousands.

    Attributes:
        value: as the library decoded it.
        above: the object or array that it is in, or the pointer to it.
        step: name or index there; None where `above` is the pointer of this value itself.
    """

    value: Any
    above: Node | str
    step: str | int | None = None

    @property
    def place(self) -> str:
        """The JSON pointer (RFC 6901 §3)."""
        if self.step is None:
            return str(self.above)
        above = self.above.place if isinstance(self.above, Node) else self.above
        return f"{above}/{_escape(self.step) if isinstance(self.step, str) else self.step}"

    def refuse(self, expected: str, *, spec: str) -> Never:
        """Raise for this place: what was expected, what came."""
        shown = json.dumps(self.value)
        raise DecodeError(f"{self.place or '/'}: expected {expected}, got {shown[:60]}", spec=spec)

    def members(self, *, spec: str) -> list[tuple[str, Node]]:
        """The members of an object, each with its place."""
        if not isinstance(self.value, dict):
            self.refuse("an object", spec=spec)
        return [(name, Node(value, self, name)) for name, value in self.value.items()]

    def elements(self, *, spec: str) -> list[Node]:
        """The elements of an array, each with its place."""
        if not isinstance(self.value, list):
            self.refuse("an array", spec=spec)
        above = self.place
        return [Node(value, above, index) for index, value in enumerate(self.value)]

    def find(self, name: str, *, spec: str) -> Node | None:
        """The member `name` of an object, or None."""
        if not isinstance(self.value, dict):
            self.refuse("an object", spec=spec)
        return Node(self.value[name], self, name) if name in self.value else None

    def member(self, name: str, *, spec: str) -> Node:
        """The member `name` of an object, which must be there."""
        if not isinstance(self.value, dict):
            self.refuse("an object", spec=spec)
        if name not in self.value:
            raise DecodeError(f"{self.place or '/'}: expected a member {name!r}, which is missing", spec=spec)
        return Node(self.value[name], self, name)

    def text(self, limit: int, *, spec: str) -> str:
        """A string of 1 to `limit` characters without control characters."""
        if not isinstance(self.value, str) or not 0 < len(self.value) <= limit or not self.value.isprintable():
            self.refuse(f"a printable string of 1 to {limit} characters", spec=spec)
        return self.value

    def integer(self, first: int, last: int, *, spec: str) -> int:
        """A whole number from `first` to `last`."""
        if type(self.value) is not int or not first <= self.value <= last:
            self.refuse(f"a whole number from {first} to {last}", spec=spec)
        return self.value

    def boolean(self, *, spec: str) -> bool:
        """True or false."""
        if not isinstance(self.value, bool):
            self.refuse("true or false", spec=spec)
        return self.value


_NESTING = (dict, list)


def decode_json(data: bytes, *, max_bytes: int, max_depth: int) -> Node:
    """Decode one JSON text in UTF-8: no duplicate names, no NaN, bounded size and depth.

    Raises:
        DecodeError: anything else.
    """
    if len(data) > max_bytes:
        raise DecodeError(f"expected at most {max_bytes} bytes, got {len(data)}", spec="RFC 8259 §9")
    try:
        value = json.loads(data.decode("utf-8"), object_pairs_hook=_unique, parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        raise DecodeError(f"expected JSON in UTF-8: {str(error)[:100]}", spec="RFC 8259 §2") from None
    _bound_depth(value, max_depth)
    return Node(value, "")


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) != len(pairs):
        twice, _ = Counter(name for name, _ in pairs).most_common(1)[0]
        raise ValueError(f"the name {twice[:40]!r} comes twice in one object")
    return value


def _no_constant(text: str) -> Never:
    raise ValueError(f"{text} is no JSON number")


def _bound_depth(value: Any, max_depth: int) -> None:
    level = [value]
    for _ in range(max_depth):
        below: list[Any] = []
        for item in level:
            if type(item) is dict:
                below += item.values()
            elif type(item) is list:
                below += item
        if not below:
            return
        level = [one for one in below if type(one) in _NESTING]
    raise DecodeError(f"expected at most {max_depth} levels of nesting", spec="RFC 8259 §9")


def _escape(text: str) -> str:
    """A reference token of a JSON pointer (RFC 6901 §3), shortened and printable."""
    shown = text[:60] if text.isprintable() else "".join([c if c.isprintable() else "?" for c in text[:60]])
    return shown.replace("~", "~0").replace("/", "~1")
