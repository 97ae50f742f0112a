"""Who signs the releases of which things: their maker, until the owner has another take its part (RFC 8576 §5.5)."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from thingstead.domain.anchor import TrustAnchor
from thingstead.domain.thing import Thing
from thingstead.errors import PolicyError
from thingstead.planes.software.release import ClassKey, Line
from thingstead.protocols.cose import key as cose_key
from thingstead.protocols.profile.key_set import KeySet
from thingstead.protocols.suit.identifier import class_identifier

__all__ = ["NO_LINE", "Sort", "Sources", "sort_of"]

NO_LINE = "its maker has no anchor here, or who mends it now has none, or an install code let it in"
"""Why a thing gets no releases at all."""

Sort = tuple[str, str, frozenset[bytes]]
"""Maker, model, and thumbprints of the keys that sign its releases, none where those are the maker's."""


def sort_of(thing: Thing) -> Sort:
    """What a thing has in common with others that run the same releases."""
    return (thing.maker, thing.model, thing.release_keys)


class Sources:
    """Looks both up among the anchors that the owner trusts.

    Args:
        anchors: those.
        sorts: every sort of which a thing is known, whatever its state.
    """

    def __init__(self, anchors: Iterable[TrustAnchor], sorts: Callable[[], Iterable[Sort]]) -> None:
        self._sorts = sorts
        self.trust(anchors)

    def trust(self, anchors: Iterable[TrustAnchor]) -> None:
        """Go by these from now on."""
        self._anchors = {anchor.maker: anchor for anchor in anchors}
        self._by_keys = {
            _thumbprints(keys): anchor for anchor in reversed(self._anchors.values()) for keys in _once_signed(anchor)
        }
        self._lines: dict[Sort, Line | None] = {}

    def anchor(self, line: Line) -> TrustAnchor:
        """Whose releases a line is.

        Raises:
            PolicyError: nobody's who is trusted now.
        """
        found = self._anchors.get(line.source)
        if found is None:
            raise PolicyError(f"{line.source} is not trusted any more", reason="source")
        return found

    def anchors(self) -> tuple[TrustAnchor, ...]:
        """The makers that are trusted."""
        return tuple(self._anchors.values())

    def line(self, sort: Sort) -> Line | None:
        """Which releases are for a sort; None where its maker, or who took its part, has no anchor here."""
        if sort not in self._lines:
            self._lines[sort] = self._line(*sort)
        return self._lines[sort]

    def of(self, target: ClassKey) -> list[TrustAnchor]:
        """Who may sign for a class: its vendor, and whoever took its part for a thing that is known here."""
        lines = [line for line in map(self.line, self._sorts()) if line is not None and line.target == target]
        vendors = [anchor.maker for anchor in self._anchors.values() if anchor.vendor_id == target.vendor_id]
        return [self._anchors[name] for name in dict.fromkeys([*vendors, *[line.source for line in lines]])]

    def model(self, line: Line) -> str:
        """The maker's word for a class, whose identifier is a hash: only what is known can be recognised.

        Raises:
            PolicyError: no thing here is of the class ("class"), or none takes releases of this source ("source").
        """
        known = {self.line(sort): sort[1] for sort in self._sorts()}
        if line in known:
            return known[line]
        if any(other is not None and other.target == line.target for other in known):
            raise PolicyError(f"the things of that class here do not take releases of {line.source}", reason="source")
        raise PolicyError("the release is for a class that no thing here is of", reason="class")

    def _line(self, maker: str, model: str, keys: frozenset[bytes]) -> Line | None:
        vendor = self._anchors.get(maker)
        if vendor is None:
            return None
        own = {_thumbprints(once) for once in _once_signed(vendor)}
        source = self._by_keys.get(keys) if keys and keys not in own else vendor
        if source is None:
            return None
        return Line(ClassKey(vendor.vendor_id, class_identifier(vendor.vendor_id, model)), source.maker)


def _once_signed(anchor: TrustAnchor) -> list[KeySet]:
    """What signed its releases at any time: the record of a thing names those that it was given to."""
    return [KeySet(anchor.release_keys), *[state.effective for state in anchor.states]]


def _thumbprints(keys: KeySet) -> frozenset[bytes]:
    return frozenset([cose_key.thumbprint(key) for key in keys.keys])
