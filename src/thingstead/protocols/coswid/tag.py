"""Concise software identification tags: name, version, who made it, and its files (RFC 9393 §2.3)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from thingstead.protocols.cbor import codec
from thingstead.protocols.cbor.codec import Tag
from thingstead.protocols.cbor.shape import Check, choice, integer, members, octets, one_or_more, text, unlike
from thingstead.protocols.coswid.named_digest import read_digest

__all__ = ["CONTENT_FORMAT", "Coswid", "File", "Party", "decode", "from_map"]

CONTENT_FORMAT = 258
"""application/swid+cbor (RFC 9393 §6.7)."""

_TAG = 1398229316
_LIMITS = codec.Limits(max_bytes=1 << 16, max_depth=12)
_MAX_FOLDERS = 8


@dataclass(frozen=True, slots=True)
class Party:
    """An entity and its roles: 1 made the tag, 2 the software (RFC 9393 §4.2)."""

    name: str
    roles: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class File:
    """A file of the software, or one that was found.

    Attributes:
        name: below its folders.
        digest: algorithm and output, or None.
    """

    name: str
    digest: tuple[int | str, bytes] | None = None


@dataclass(frozen=True, slots=True)
class Coswid:
    """One tag; members that say nothing of name, version or files are left out.

    Attributes:
        tag_id: its name, for good.
        name: of the software.
        version: of the software; empty where it has none.
        tag_version: higher replaces lower of the same name.
        parties: who had a part in it.
        files: of the payload, or of the evidence.
        is_evidence: whether `files` were found, not meant.
    """

    tag_id: str | bytes
    name: str
    version: str
    tag_version: int
    parties: tuple[Party, ...]
    files: tuple[File, ...] = ()
    is_evidence: bool = False


def decode(data: bytes, *, limits: codec.Limits = _LIMITS) -> Coswid:
    """Decode a tag, with or without its CBOR tag.

    Raises:
        DecodeError: outside the grammar.
    """
    value = codec.decode(data, limits=limits)
    return from_map(value.value if isinstance(value, Tag) and value.tag == _TAG else value)


def from_map(value: Any) -> Coswid:
    """Read a concise-swid-tag out of a decoded map (RFC 9393 §2.3).

    Raises:
        DecodeError: as for `decode`.
    """
    found = members(value, _COSWID, what="concise-swid-tag", needs=(0, 1, 2, 12), extensible=True)
    return Coswid(
        found[0],
        found[1],
        found.get(13, ""),
        found[12],
        found[2],
        found.get(6, found.get(3, ())),
        is_evidence=6 not in found and 3 in found,
    )


def _one_or_many(check: Check) -> Check:
    """One value, or an array of two or more (RFC 9393 §2.1); an array of one is taken as well."""

    def check_any(value: Any) -> tuple[Any, ...]:
        found: tuple[Any, ...] = one_or_more(check)(value if isinstance(value, list | tuple) else [value])
        return found

    return check_any


def _party(value: Any) -> Party:
    found = members(value, {31: text, 33: _one_or_many(integer)}, what="entity", needs=(31, 33), extensible=True)
    return Party(found[31], found[33])


def _file(value: Any) -> File:
    found = members(value, {24: text, 7: read_digest}, what="file", needs=(24,), extensible=True)
    return File(found[24], found.get(7))


def _resources(depth: int = _MAX_FOLDERS) -> Check:
    """The files of a resource collection, those of its folders too, so many levels deep (RFC 9393 §2.9.2)."""

    def folder(value: Any) -> tuple[File, ...]:
        if not depth:
            raise unlike(f"folders of at most {_MAX_FOLDERS} levels", "more")
        found = members(value, {24: text, 26: _resources(depth - 1)}, what="directory", needs=(24,), extensible=True)
        files: tuple[File, ...] = found.get(26, ())
        return files

    def check(value: Any) -> tuple[File, ...]:
        found = members(value, {17: _one_or_many(_file), 16: _one_or_many(folder)}, what="resources", extensible=True)
        return (*found.get(17, ()), *[file for files in found.get(16, ()) for file in files])

    return check


_COSWID: Mapping[int, Check] = {
    0: choice({}, text, octets(16), extensible=False),
    1: text,
    2: _one_or_many(_party),
    3: _resources(),
    6: _resources(),
    12: integer,
    13: text,
}
