"""A ledger entry and its leaf: one deterministic CBOR map per thing decided or done.

Personal data enters as `personal_digest` only: erase the salt, and the entry says nothing of the
person any more, while the tree above it still holds.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from thingstead.crypto.digest import hmac_tag
from thingstead.domain.instant import instant, microseconds
from thingstead.errors import DecodeError
from thingstead.identifier import ThingId
from thingstead.protocols.cbor import codec
from thingstead.secret import Secret

__all__ = ["Detail", "Draft", "Entry", "Kind", "decode", "encode", "personal_digest"]

Detail = int | str | bytes | bool | None


class Kind(StrEnum):
    """What an entry records."""

    REGISTRATION = "registration"
    TRANSITION = "transition"
    RESTRICTION = "restriction"
    RECEIPT = "receipt"
    FAILURE = "failure"
    KILL_CLOCK = "kill-clock"
    AUTHENTICATION = "authentication"
    AUTHORIZATION = "authorization"
    APPROVAL = "approval"
    DELEGATION = "delegation"
    OPERATION = "operation"
    MAINTENANCE = "maintenance"
    REFUSAL = "refusal"
    ISSUE = "issue"
    REVOCATION = "revocation"
    GROUP = "group"
    RELEASE = "release"
    INSTALLATION = "installation"
    CAMPAIGN = "campaign"
    APPRAISAL = "appraisal"
    EXAMINATION = "examination"
    NETWORK_POLICY = "network-policy"
    DISCLOSURE = "disclosure"
    ERASURE = "erasure"
    CONFIGURATION = "configuration"
    ALARM = "alarm"
    NEGLECT = "neglect"


@dataclass(frozen=True, slots=True)
class Draft:
    """An entry that has no place yet: the store numbers it when it commits.

    Attributes:
        at: when it happened.
        kind: what happened.
        actor: who did it: a role and a name, e.g. ``operator:anna`` or ``plane:network``.
        thing: whom it concerns; empty if no one thing.
        cause: why, as a slug.
        details: evidence, by name; no secrets, and personal data as `personal_digest` only.
    """

    at: datetime
    kind: Kind
    actor: str
    thing: ThingId | None = None
    cause: str = ""
    details: Mapping[str, Detail] = field(default_factory=dict)

    def numbered(self, index: int) -> Entry:
        """This entry at its place in the ledger."""
        return Entry(index, self.at, self.kind, self.actor, self.thing, self.cause, self.details)


@dataclass(frozen=True, slots=True)
class Entry:
    """An entry at its place; attributes as in `Draft`, and `index` counted from 0."""

    index: int
    at: datetime
    kind: Kind
    actor: str
    thing: ThingId | None
    cause: str
    details: Mapping[str, Detail]


def encode(entry: Entry) -> bytes:
    """The leaf: a map from 0 (index) to 6 (details), in deterministic CBOR (RFC 8949 §4.2.1)."""
    return codec.encode(
        {
            0: entry.index,
            1: microseconds(entry.at),
            2: entry.kind.value,
            3: entry.actor,
            4: entry.thing,
            5: entry.cause,
            6: dict(entry.details),
        }
    )


def decode(leaf: bytes) -> Entry:
    """Read a leaf.

    Raises:
        DecodeError: not a leaf of ours, or not in its one encoding.
    """
    value = codec.decode_deterministic(leaf)
    if not isinstance(value, dict) or set(value) != set(_LEAF_TYPES):
        raise DecodeError("expected a ledger leaf: a map with the keys 0 to 6")
    for key, types in _LEAF_TYPES.items():
        if not isinstance(value[key], types) or isinstance(value[key], bool):
            raise DecodeError(f"expected {types} under key {key} of a ledger leaf, got {type(value[key]).__name__}")
    if not all(isinstance(name, str) and isinstance(item, _DETAIL_TYPES) for name, item in value[6].items()):
        raise DecodeError("expected details of text to integer, text, bytes, true, false or null")
    try:
        kind = Kind(value[2])
    except ValueError:
        raise DecodeError(f"expected a kind of entry, got {value[2][:40]!r}") from None
    thing = None if value[4] is None else ThingId(value[4])
    return Entry(value[0], instant(value[1]), kind, value[3], thing, value[5], value[6])


def personal_digest(text: str, *, salt: Secret) -> bytes:
    """What stands in the ledger for personal data: HMAC-SHA-256 under a salt that erasure destroys.

    Args:
        text: the datum.
        salt: 32 random bytes, kept beside the datum and erased with it; never reused.
    """
    return hmac_tag(salt, text.encode())


_LEAF_TYPES: dict[int, Any] = {0: int, 1: int, 2: str, 3: str, 4: (str, type(None)), 5: str, 6: dict}
_DETAIL_TYPES = (int, str, bytes, bool, type(None))
