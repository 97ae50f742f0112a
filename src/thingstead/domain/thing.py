"""The one record per thing, and its form on disk."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from thingstead.domain.instant import instant, microseconds
from thingstead.domain.lifecycle import LifecycleState, Restriction
from thingstead.errors import DecodeError
from thingstead.identifier import ThingId, TransitionId, thing_id
from thingstead.protocols.cbor import codec

__all__ = ["DDI", "DDI_CERTIFICATE", "MAKER", "RELEASE", "KeyRow", "Thing", "decode", "encode", "released_under"]

MAKER, RELEASE, DDI, DDI_CERTIFICATE = "maker", "release", "ddi", "ddi-certificate"
"""Roles of keys: the one by which it joins, which its maker signed; those that sign its releases where its maker's
do not any more; and of a device that speaks hawkBit's API and none of ours, token or certificate, by its SHA-256."""

_SHARED = ("maker", "model", "mud_url", "zone")


@dataclass(frozen=True, slots=True)
class KeyRow:
    """One key of a thing: keys come and go beneath an identifier that stays.

    Attributes:
        thumbprint: SHA-256 COSE key thumbprint (RFC 9679), 32 bytes; of a token or certificate, its SHA-256.
        role: what it proves: `MAKER`, `RELEASE`, `DDI` or `DDI_CERTIFICATE`.
        since: first instant at which it counts.
        until: first instant at which it no longer counts; None while open.
    """

    thumbprint: bytes
    role: str
    since: datetime
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Thing:
    """What the domain knows of one thing.

    Attributes:
        id: random and permanent.
        version: 1 at first; each change adds one, and a store accepts only the next.
        state: place in the lifecycle; changed by a transition alone.
        restriction: what is held against it; changed by a restriction alone.
        maker: name of the maker's trust anchor.
        model: the maker's word for the type.
        serial: the maker's number of this one.
        device_class: RFC 7228 §3 class, 0..2, or above for what is not constrained.
        mud_url: RFC 8520 §1.4; empty where the maker gave none.
        zone: where the owner put it; empty until the join decision.
        support_end: when the maker stops mending it; None if never said.
        keys: dated rows, oldest first.
        joined_at: when it last became operational; None before the first time.
        verifies: COSE algorithms of release signatures that it verifies itself, says its maker; None where nobody says.
    """

    id: ThingId
    version: int
    state: LifecycleState
    restriction: Restriction
    maker: str
    model: str
    serial: str
    device_class: int
    mud_url: str = ""
    zone: str = ""
    support_end: datetime | None = None
    keys: tuple[KeyRow, ...] = ()
    joined_at: datetime | None = None
    verifies: frozenset[int] | None = None

    def __post_init__(self) -> None:
        # Words that thousands of things have in common; whoever made the record, they are in memory once.
        for name in _SHARED:
            object.__setattr__(self, name, sys.intern(getattr(self, name)))

    def evolve(self, **changes: Any) -> Thing:
        """The next version, with `changes`; id and version are not among them."""
        if changes.keys() & {"id", "version"}:
            raise ValueError("a thing keeps its id, and counts its versions itself")
        return replace(self, version=self.version + 1, **changes)

    @property
    def transition_id(self) -> TransitionId:
        """Names the change that made this version, if it was a transition or a restriction."""
        return TransitionId(f"{self.id}/{self.version}")

    @property
    def verifies_nothing(self) -> bool:
        """Whoever can send it an image can make it run: it is kept from the Internet (RFC 8576 §5.4, R-70)."""
        return self.verifies is not None and not self.verifies

    @property
    def release_keys(self) -> frozenset[bytes]:
        """Thumbprints of the keys of which each has to sign its releases; empty where its maker's do."""
        return frozenset([row.thumbprint for row in self.keys if row.role == RELEASE and row.until is None])

    def key(self, role: str, at: datetime) -> KeyRow | None:
        """The newest key of `role` that counts at `at`."""
        for row in reversed(self.keys):
            if row.role == role and row.since <= at and (row.until is None or at < row.until):
                return row
        return None


def released_under(rows: Iterable[KeyRow], thumbprints: Iterable[bytes], *, at: datetime) -> tuple[KeyRow, ...]:
    """The keys of a thing whose releases are under these, and under no others, from now on; none are its maker's."""
    rows, counting = tuple(rows), frozenset(thumbprints)
    if {row.thumbprint for row in rows if row.role == RELEASE and row.until is None} == counting:
        return rows
    closed = [replace(row, until=at) if row.role == RELEASE and row.until is None else row for row in rows]
    return (*closed, *[KeyRow(thumbprint, RELEASE, at) for thumbprint in sorted(counting)])


def encode(thing: Thing) -> bytes:
    """The record as one deterministic CBOR array, in the order of the attributes; what nobody says is left out."""
    return codec.encode(
        [
            thing.id,
            thing.version,
            thing.state.value,
            thing.restriction.value,
            thing.maker,
            thing.model,
            thing.serial,
            thing.device_class,
            thing.mud_url,
            thing.zone,
            _optional(thing.support_end),
            [[row.thumbprint, row.role, microseconds(row.since), _optional(row.until)] for row in thing.keys],
            _optional(thing.joined_at),
            *([] if thing.verifies is None else [sorted(thing.verifies)]),
        ]
    )


def decode(data: bytes) -> Thing:
    """Read back what `encode` wrote.

    Raises:
        DecodeError: it is not a record of ours.
    """
    decoded = codec.decode(data)
    says = isinstance(decoded, list) and len(decoded) > len(_THING_TYPES)
    types = (*_THING_TYPES, list) if says else _THING_TYPES
    (identifier, version, state, restriction, maker, model, serial, device_class, mud_url, zone, end, keys, joined) = (
        fields := _array(decoded, types)
    )[: len(_THING_TYPES)]
    verifies = fields[-1] if says else None
    try:
        return Thing(
            id=thing_id(identifier),
            version=version,
            state=LifecycleState(state),
            restriction=Restriction(restriction),
            maker=maker,
            model=model,
            serial=serial,
            device_class=device_class,
            mud_url=mud_url,
            zone=zone,
            support_end=_optional_instant(end),
            keys=tuple([_key_row(row) for row in keys]),
            joined_at=_optional_instant(joined),
            verifies=None if verifies is None else frozenset(verifies),
        )
    except ValueError as error:
        raise DecodeError(f"expected a thing record: {error}") from None


_OPTIONAL_INT = (int, type(None))
_THING_TYPES: tuple[Any, ...] = (str, int, str, str, str, str, str, int, str, str, _OPTIONAL_INT, list, _OPTIONAL_INT)
_KEY_TYPES: tuple[Any, ...] = (bytes, str, int, _OPTIONAL_INT)


def _key_row(value: Any) -> KeyRow:
    thumbprint, role, since, until = _array(value, _KEY_TYPES)
    return KeyRow(thumbprint, role, instant(since), _optional_instant(until))


def _array(value: Any, types: tuple[Any, ...]) -> list[Any]:
    if not isinstance(value, list) or len(value) != len(types):
        raise DecodeError(f"expected an array of {len(types)} fields")
    for field, expected in zip(value, types, strict=True):
        if not isinstance(field, expected) or isinstance(field, bool):
            raise DecodeError(f"expected {expected} in a thing record, got {type(field).__name__}")
    return value


def _optional(at: datetime | None) -> int | None:
    return None if at is None else microseconds(at)


def _optional_instant(value: int | None) -> datetime | None:
    return None if value is None else instant(value)
