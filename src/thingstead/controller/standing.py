"""How a known thing stands with the domain before any policy is asked: gone, restricted, a member, or none of it."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from thingstead.crypto.key import PublicKey
from thingstead.domain.lifecycle import LifecycleState, Restriction
from thingstead.domain.policy import IdentityFacts
from thingstead.domain.thing import MAKER, KeyRow, Thing
from thingstead.errors import UntrustedError
from thingstead.protocols.cose import key as cose_key

__all__ = ["GONE", "changed", "is_member", "key_rows", "objection", "require_welcome"]

GONE = frozenset({LifecycleState.DECOMMISSIONED, LifecycleState.RE_OWNED})
"""States of things that have left."""

_MEMBERS = frozenset(
    {
        LifecycleState.OPERATIONAL,
        LifecycleState.MAINTENANCE,
        LifecycleState.RE_BOOTSTRAPPING,
        LifecycleState.END_OF_LIFE,
    }
)


def is_member(known: Thing | None, thumbprint: bytes) -> bool:
    """Whether a thing is in, and proved the key that it came in with; one that proved none is asked about as itself."""
    if known is None or known.joined_at is None or known.state not in _MEMBERS:
        return False
    return not thumbprint or any(row.thumbprint == thumbprint and row.until is None for row in known.keys)


def objection(known: Thing) -> UntrustedError | None:
    """What is held against a thing, whatever the policy says."""
    if known.state in GONE:
        return UntrustedError(f"{known.id} was {known.state} and stays so", reason="retired")
    if known.restriction is Restriction.QUARANTINED:
        return UntrustedError(f"{known.id} is in quarantine", reason="quarantined")
    if known.restriction is Restriction.HELD:
        return UntrustedError(f"{known.id} is held", reason="held")
    return None


def require_welcome(known: Thing) -> None:
    """Pass where nothing is held against a thing.

    Raises:
        UntrustedError: it was retired or handed over, or is restricted.
    """
    found = objection(known)
    if found is not None:
        raise found


def changed(known: Thing, facts: IdentityFacts) -> str:
    """What its maker now says otherwise than before: it may be mended, or be something else (RFC 8576 §3)."""
    proven = [row.thumbprint for row in known.keys if row.role == MAKER and row.until is None]
    if proven and facts.thumbprint not in proven:
        return "key"
    return "model" if known.joined_at is not None and known.model != facts.model else ""


def key_rows(thing: Thing, proven: PublicKey, at: datetime) -> tuple[KeyRow, ...]:
    """The thing's key rows with the proven key open; it is the maker's key until another replaces it."""
    thumbprint = cose_key.thumbprint(proven)
    if any(row.thumbprint == thumbprint and row.until is None for row in thing.keys):
        return thing.keys
    closed = [replace(row, until=at) if row.role == MAKER and row.until is None else row for row in thing.keys]
    return (*closed, KeyRow(thumbprint, MAKER, at))
