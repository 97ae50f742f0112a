"""CoRIM: tags about one subject under one name, unsigned (§4.1)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from thingstead.errors import DecodeError
from thingstead.protocols.cbor import codec
from thingstead.protocols.cbor.codec import Tag
from thingstead.protocols.cbor.shape import Check, choice, members, octets, one_or_more, text, uint
from thingstead.protocols.corim import comid
from thingstead.protocols.corim.comid import Comid, Entity, read_entity
from thingstead.protocols.corim.common import Validity, read_profile, read_uri, read_validity
from thingstead.protocols.corim.registry import DRAFT, TagNumber
from thingstead.protocols.corim.statement import read_tag_id
from thingstead.protocols.coswid import tag as coswid
from thingstead.protocols.coswid.named_digest import read_digest
from thingstead.protocols.coswid.tag import Coswid

__all__ = ["LIMITS", "Corim", "Locator", "TagList", "decode", "encode"]

LIMITS = codec.Limits(max_bytes=1 << 18, max_depth=20)
"""What is decoded of strangers; the published examples take under 4 kB."""


@dataclass(frozen=True, slots=True)
class Locator:
    """Where more would be: advice that is never followed here (§4.1.3).

    Attributes:
        places: URIs of the same.
        digests: what should be there.
    """

    places: tuple[str, ...]
    digests: tuple[tuple[int | str, bytes], ...] = ()


@dataclass(frozen=True, slots=True)
class TagList:
    """Which tags count, and when (CoTL, §6)."""

    tag_id: str | bytes
    tags: tuple[str | bytes, ...]
    validity: Validity


@dataclass(frozen=True, slots=True)
class Corim:
    """One CoRIM; nothing in it is proved.

    Attributes:
        corim_id: its name, for good.
        tags: what it says; a `Tag` where a profile adds a kind.
        profile: URI, or object identifier in BER; None for the draft's own rules.
        dependents: where more would be.
        validity: when it counts; None for always.
        entities: who had a part in it.
    """

    corim_id: str | bytes
    tags: tuple[Comid | Coswid | TagList | Tag, ...]
    profile: str | bytes | None = None
    dependents: tuple[Locator, ...] = ()
    validity: Validity | None = None
    entities: tuple[Entity, ...] = ()

    @property
    def comids(self) -> tuple[Comid, ...]:
        """The tags that are CoMIDs."""
        return tuple([one for one in self.tags if isinstance(one, Comid)])


def decode(data: bytes, *, limits: codec.Limits = LIMITS) -> Corim:
    """Decode an unsigned CoRIM, under its tag 501.

    Raises:
        DecodeError: another tag or none, or outside the grammar of §4 to §7.
    """
    value = codec.decode(data, limits=limits)
    if not isinstance(value, Tag) or value.tag != TagNumber.CORIM:
        raise DecodeError("expected tag 501 in front of an unsigned CoRIM", spec=f"{DRAFT} §4", reason="untagged")
    found = members(value.value, _CORIM, what="corim-map", needs=(0, 1), extensible=True)
    return Corim(found[0], found[1], found.get(3), found.get(2, ()), found.get(4), found.get(5, ()))


def encode(corim_id: str | bytes, comids: Mapping[str, Mapping[int, Any]], *, profile: str) -> bytes:
    """Encode a CoRIM of CoMIDs, deterministically.

    Args:
        corim_id: its name, for good.
        comids: the triples of each, as decoded CBOR, by the name of its tag.
        profile: URI.

    Raises:
        DecodeError: it would break the grammar that `decode` checks.
    """
    tags = [Tag(TagNumber.COMID, codec.encode({1: {0: name}, 4: dict(triples)})) for name, triples in comids.items()]
    data = codec.encode(Tag(TagNumber.CORIM, {0: corim_id, 1: tags, 3: Tag(TagNumber.URI, profile)}))
    decode(data)
    return data


def _locator(value: Any) -> Locator:
    found = members(value, {0: _places, 1: _thumbprints}, what="corim-locator-map", needs=(0,))
    return Locator(found[0], found.get(1, ()))


def _places(value: Any) -> tuple[str, ...]:
    places: tuple[str, ...] = one_or_more(read_uri)(value if isinstance(value, list | tuple) else [value])
    return places


def _thumbprints(value: Any) -> tuple[Any, ...]:
    is_list = isinstance(value, list | tuple) and value and isinstance(value[0], list | tuple)
    digests: tuple[Any, ...] = one_or_more(read_digest)(value if is_list else [value])
    return digests


def _tag(value: Any) -> Comid | Coswid | TagList | Tag:
    if not isinstance(value, Tag):
        raise DecodeError("expected a tag in front of each tag of a CoRIM", spec=f"{DRAFT} §4.1.2")
    read = _KINDS.get(value.tag)
    if read is None:
        return value
    body = codec.decode(octets()(value.value), limits=LIMITS)
    found: Comid | Coswid | TagList = read(body)
    return found


def _tag_list(value: Any) -> TagList:
    found = members(value, _TAG_LIST, what="concise-tl-tag", needs=(0, 1, 2))
    return TagList(found[0], found[1], found[2])


def _identity(value: Any) -> str | bytes:
    found = members(value, {0: read_tag_id, 1: uint}, what="tag-identity-map", needs=(0,))
    name: str | bytes = found[0]
    return name


_KINDS: Mapping[int, Check] = {
    TagNumber.COSWID: coswid.from_map,
    TagNumber.COMID: comid.from_map,
    TagNumber.COTL: _tag_list,
}
_TAG_LIST: Mapping[int, Check] = {0: _identity, 1: one_or_more(_identity), 2: read_validity}
_CORIM: Mapping[int, Check] = {
    0: choice({}, text, octets(16), extensible=False),
    1: one_or_more(_tag),
    2: one_or_more(_locator),
    3: read_profile,
    4: read_validity,
    5: one_or_more(read_entity),
}
