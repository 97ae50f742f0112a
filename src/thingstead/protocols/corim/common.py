"""Types that several maps of CoRIM have in common (§7)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from thingstead.errors import ExpiredError
from thingstead.protocols.cbor.codec import Tag
from thingstead.protocols.cbor.shape import Check, members, text, unlike
from thingstead.protocols.corim.registry import DRAFT, TagNumber

__all__ = ["Validity", "read_profile", "read_uri", "read_validity"]

_LAST_DATE = 253402300799


@dataclass(frozen=True, slots=True)
class Validity:
    """When something counts (§7.3).

    Attributes:
        begins: None for always.
        ends: the last instant.
    """

    begins: datetime | None
    ends: datetime

    def require(self, at: datetime) -> None:
        """Hold it against the clock.

        Raises:
            ExpiredError: at another time.
        """
        if at > self.ends or (self.begins is not None and at < self.begins):
            raise ExpiredError(f"expected a time up to {self.ends.isoformat()}", spec=f"{DRAFT} §7.3")


def read_validity(value: Any) -> Validity:
    """Read a validity-map.

    Raises:
        DecodeError: no end, or a time that is none.
    """
    found = members(value, _VALIDITY, what="validity-map", needs=(1,))
    return Validity(found.get(0), found[1])


def read_uri(value: Any) -> str:
    """Read a URI, tagged as one or, as drafts before this one have it, as plain text.

    Raises:
        DecodeError: neither.
    """
    return text(value.value if isinstance(value, Tag) and value.tag == TagNumber.URI else value)


def read_profile(value: Any) -> str | bytes:
    """Read what names a profile: a URI, or an object identifier in BER (§4.1.4).

    Raises:
        DecodeError: neither.
    """
    if isinstance(value, Tag) and value.tag == TagNumber.OID and isinstance(value.value, bytes):
        return value.value
    return read_uri(value)


def _instant(value: Any) -> datetime:
    if not isinstance(value, Tag) or value.tag != TagNumber.TIME or type(value.value) not in {int, float}:
        raise unlike("a tagged time", value)
    if not 0 <= value.value <= _LAST_DATE:
        raise unlike("a time between 1970 and 9999", value)
    return datetime.fromtimestamp(value.value, UTC)


_VALIDITY: Mapping[int, Check] = {0: _instant, 1: _instant}
