"""CoMID: what one part of a thing should measure, and who says so (§5)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from thingstead.protocols.cbor import codec
from thingstead.protocols.cbor.shape import Check, choice, members, one_or_more, text, uint
from thingstead.protocols.corim.common import read_uri
from thingstead.protocols.corim.registry import Triple
from thingstead.protocols.corim.statement import (
    ClaimsTriple,
    KeyTriple,
    read_tag_id,
    read_triples,
)

__all__ = ["Comid", "Entity", "LinkedTag", "decode", "from_map", "read_entity"]

_LIMITS = codec.Limits(max_bytes=1 << 18, max_depth=20)


@dataclass(frozen=True, slots=True)
class Entity:
    """Somebody who had a part in it; nothing of that is proved here.

    Attributes:
        name: for people.
        registration: URI of whom the name is registered with, or None.
        roles: numbers of the map that it stands in.
    """

    name: str
    registration: str | None
    roles: tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class LinkedTag:
    """Another tag that this one adds to (0) or replaces (1)."""

    tag_id: str | bytes
    relation: int


@dataclass(frozen=True, slots=True)
class Comid:
    """One CoMID.

    Attributes:
        tag_id: its name, for good.
        triples: by kind; those of kinds that profiles add as they are.
        tag_version: higher replaces lower of the same name.
        language: of the texts, or None.
        entities: who had a part in it.
        linked: tags that it adds to or replaces.
    """

    tag_id: str | bytes
    triples: Mapping[Any, tuple[Any, ...]]
    tag_version: int = 0
    language: str | None = None
    entities: tuple[Entity, ...] = ()
    linked: tuple[LinkedTag, ...] = ()

    @property
    def reference_values(self) -> tuple[ClaimsTriple, ...]:
        """What the environments should measure (§5.1.5)."""
        return self.triples.get(Triple.REFERENCE, ())

    @property
    def attest_keys(self) -> tuple[KeyTriple, ...]:
        """What signs the evidence of the environments (§5.1.10)."""
        return self.triples.get(Triple.ATTEST_KEY, ())


def decode(data: bytes, *, limits: codec.Limits = _LIMITS) -> Comid:
    """Decode a CoMID by itself, untagged.

    Raises:
        DecodeError: outside the grammar of §5.
    """
    return from_map(codec.decode(data, limits=limits))


def from_map(value: Any) -> Comid:
    """Read a concise-mid-tag out of a decoded map (§5.1).

    Raises:
        DecodeError: as for `decode`.
    """
    found = members(value, _COMID, what="concise-mid-tag", needs=(1, 4), extensible=True)
    identity = found[1]
    return Comid(
        identity[0],
        found[4],
        tag_version=identity.get(1, 0),
        language=found.get(0),
        entities=found.get(2, ()),
        linked=found.get(3, ()),
    )


def read_entity(value: Any) -> Entity:
    """Read an entity-map (§7.2).

    Raises:
        DecodeError: no name or role.
    """
    found = members(value, _ENTITY, what="entity-map", needs=(0, 2), extensible=True)
    return Entity(found[0], found.get(1), found[2])


def _identity(value: Any) -> dict[Any, Any]:
    return members(value, {0: read_tag_id, 1: uint}, what="tag-identity-map", needs=(0,))


def _linked(value: Any) -> LinkedTag:
    found = members(value, {0: read_tag_id, 1: uint}, what="linked-tag-map", needs=(0, 1))
    return LinkedTag(found[0], found[1])


_ENTITY: Mapping[int, Check] = {0: text, 1: read_uri, 2: one_or_more(choice({}, uint, text))}
_COMID: Mapping[int, Check] = {
    0: text,
    1: _identity,
    2: one_or_more(read_entity),
    3: one_or_more(_linked),
    4: read_triples,
}
