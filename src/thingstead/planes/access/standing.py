"""What each thing may do now: asked per request where requests come in, whoever issues the tokens."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from weakref import WeakValueDictionary

from thingstead.clock import Clock
from thingstead.identifier import ThingId
from thingstead.protocols.ace import aif
from thingstead.protocols.ace.aif import Scope

__all__ = ["AccessStanding", "Standings"]

_RECIPIENT_ID_SIZE = 3


@dataclass(frozen=True, slots=True)
class AccessStanding:
    """What of a holding decides, out of a token that was verified.

    Attributes:
        scope: what the thing may do at the domain.
        expires: until when.
        cti: of its token.
        recipient_id: of its association.
        reserved: sender sequence numbers below it may be spent.
        suspended: it may do nothing until that is lifted.
    """

    scope: Scope
    expires: datetime
    cti: bytes
    recipient_id: bytes
    reserved: int
    suspended: bool


class Standings:
    """The standing of each thing that holds a token; its end is looked at on every use.

    Args:
        clock: for UTC.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._standings: dict[ThingId, AccessStanding] = {}
        self._scopes: WeakValueDictionary[bytes, Scope] = WeakValueDictionary()
        self._recipient_ids: set[bytes] = set()

    @property
    def all(self) -> Mapping[ThingId, AccessStanding]:
        """All of them."""
        return self._standings

    def keep(self, thing: ThingId, standing: AccessStanding) -> None:
        """Go by this from now on."""
        before = self._standings.get(thing)
        if before is not None:
            self._recipient_ids.discard(before.recipient_id)
        # Things of one rule have one scope, which would be most of what a standing takes.
        scope = self._scopes.setdefault(aif.encode(standing.scope), standing.scope)
        self._standings[thing] = replace(standing, scope=scope)
        self._recipient_ids.add(standing.recipient_id)

    def drop(self, thing: ThingId) -> None:
        """It holds nothing any more."""
        before = self._standings.pop(thing, None)
        if before is not None:
            self._recipient_ids.discard(before.recipient_id)

    def suspend(self, thing: ThingId) -> None:
        """It may do nothing until somebody says more."""
        standing = self._standings.get(thing)
        if standing is not None:
            self._standings[thing] = replace(standing, suspended=True)

    def scope_of(self, thing: ThingId) -> Scope | None:
        """What the thing may do now; None when its token has ended, was suspended or never was."""
        standing = self._standings.get(thing)
        if standing is None or standing.suspended or standing.expires <= self._clock.utc():
            return None
        return standing.scope

    def free_recipient_id(self, random_bytes: Callable[[int], bytes]) -> bytes:
        """A recipient ID that no association of ours has: our C_R in a handshake (RFC 9528 §3.3.3)."""
        while (candidate := random_bytes(_RECIPIENT_ID_SIZE)) in self._recipient_ids:
            pass
        return candidate
