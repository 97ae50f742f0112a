"""Where each thing's MUD file is, says who: heard, shown with what that proves, and decided on by the owner.

What a device emits changes nothing (RFC 8520 §16): a first or another URL waits. What counts from now on is fetched and
admitted before the thing's record says so, so that a file that cannot be had changes nothing either.
"""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from thingstead.clock import Clock
from thingstead.controller.conductor import Conductor
from thingstead.controller.network_engine import RemoteNetwork
from thingstead.domain.ledger.entry import Detail, Draft, Kind
from thingstead.domain.mud_claim import TRUST, Claim, Claims, ClaimSource, ClaimState, decode
from thingstead.domain.plane import OBLIGATIONS, Demand, PlaneName
from thingstead.domain.ports import Records
from thingstead.domain.register import Register
from thingstead.domain.thing import MAKER, Thing
from thingstead.errors import ProtocolError, SecurityError, StorageError
from thingstead.identifier import ThingId, thing_id
from thingstead.planes.network.mud_manager import MudManager
from thingstead.protocols.mud.announcement import announced
from thingstead.protocols.mud.rule import RuleSet, compile_rules, difference
from thingstead.protocols.mud.signature import AdmissionPolicy, admit
from thingstead.protocols.packet.packet import Packet

__all__ = ["DOCUMENTS", "Limits", "MudIntake"]

DOCUMENTS = "mud-url/"
"""Beside the identity plane's: those of the network plane move with it into a process of its own."""

_LOGGER = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds on what devices may make us keep.

    Attributes:
        heard: announcements between two looks.
        strangers: devices that are no things, and say where their file is.
        shown: rules of one difference.
    """

    heard: int = 64
    strangers: int = 256
    shown: int = 200


class MudIntake:
    """Hears of MUD URLs from wherever they come, and keeps what came of it.

    Args:
        register: the things.
        conductor: changes their records.
        network: fetches files, and puts them in force.
        records: a window on documents of its own.
        thing_at: whose a link-layer address is.
        clock: for UTC.
        relays: who passes on DHCP messages of others; anybody can write that he does.
        limits: bounds.

    Attributes:
        refused: announcements that were none.
    """

    def __init__(
        self,
        register: Register,
        conductor: Conductor,
        network: MudManager | RemoteNetwork,
        *,
        records: Records,
        thing_at: Callable[[bytes], ThingId | None],
        clock: Clock,
        relays: frozenset[bytes] = frozenset(),
        limits: Limits | None = None,
    ) -> None:
        self._register = register
        self._conductor = conductor
        self._network = network
        self._records = records
        self._thing_at = thing_at
        self._clock = clock
        self._relays = relays
        self._limits = limits or Limits()
        self._claims = {thing_id(name): decode(document) for name, document in records.load().items()}
        self._heard: deque[tuple[ThingId | bytes, ClaimSource, str]] = deque()
        self._strangers: dict[bytes, tuple[ClaimSource, str]] = {}
        self.refused = 0

    def see(self, packet: Packet) -> None:
        """Look whether a packet says where its sender's file is; what comes of it, `look` does."""
        try:
            said = announced(packet)
        except (ProtocolError, SecurityError):
            self.refused += 1
            return
        if said is None:
            return
        if said.mac != packet.source_mac and packet.source_mac not in self._relays:
            self.refused += 1
        elif len(self._heard) < self._limits.heard:
            # Who shouts pushes out nobody, and no credential, which is signed.
            self._heard.append((said.mac, ClaimSource(said.carrier), said.url))

    def note(self, thing: ThingId, url: str) -> None:
        """A thing has joined with a credential that says where its file is."""
        if url:
            self._heard.append((thing, ClaimSource.CREDENTIAL, url))

    async def look(self) -> None:
        """Take up what was heard.

        Raises:
            StorageError: it could not be kept; it is tried again.
        """
        known = [mac for mac in self._strangers if self._thing_at(mac) is not None]
        # Devices say it when they start, and are taken in later.
        self._heard.extend([(mac, *self._strangers.pop(mac)) for mac in known])
        while self._heard:
            said = self._heard.popleft()
            try:
                await self.hear(*said)
            except StorageError:
                self._heard.appendleft(said)
                raise

    async def hear(self, who: ThingId | bytes, source: ClaimSource, url: str) -> bool:
        """Take up what a thing, or whoever has a link-layer address, says; whether that is to be decided on.

        Raises:
            StorageError: it could not be kept.
        """
        thing = self._thing_at(who) if isinstance(who, bytes) else who
        if thing is None:
            self._keep_stranger(bytes(who) if isinstance(who, bytes) else b"", source, url)
            return False
        known = self._register.thing(thing)
        claims = self._of(known).heard(source, url, counts=known.mud_url, at=self._clock.utc())
        if claims is None:
            return False
        waits = any(one.source is source for one in claims.waiting)
        entries = [self._draft(known, "mud-url-waits", "watch", url, source)] if waits else []
        await self._write(thing, claims, entries)
        if waits:
            _LOGGER.warning("%s says by %s that its MUD file is at %s: `thingstead mud urls`", thing, source, url)
        return waits

    async def approve(self, thing: ThingId, url: str, *, by: str) -> Thing:
        """What waits counts from now on.

        Raises:
            PolicyError: nothing waits with that URL.
            TransportError: its file cannot be had, or is not taken; nothing has changed.
            StorageError: it could not be kept.
        """
        known = self._register.thing(thing)
        return await self._count(known, self._of(known).approved(url), url, "mud-url-approved", by)

    async def say(self, thing: ThingId, source: ClaimSource, url: str, *, by: str) -> Thing:
        """What the owner says counts from now on; errors as for `approve`."""
        known = self._register.thing(thing)
        claims = self._of(known).said(source, url, at=self._clock.utc())
        return await self._count(known, claims, url, "mud-url-said", by)

    async def refuse(self, thing: ThingId, url: str, *, by: str) -> Thing:
        """What waits is not taken.

        Raises:
            PolicyError: nothing waits with that URL.
            StorageError: it could not be kept.
        """
        known = self._register.thing(thing)
        claims = self._of(known).refused(url)
        await self._write(thing, claims, [self._draft(known, "mud-url-refused", by, url)])
        return known

    async def review(self, thing: ThingId) -> list[dict[str, Any]]:
        """What waits for a decision, with what its file would let the thing do more, and less.

        Raises:
            TransportError: a file cannot be had, or is not taken.
        """
        known, found = self._register.thing(thing), []
        now = self._network.file(known.mud_url) if known.mud_url else None
        for one in self._of(known).waiting:
            then = await self._network.obtain(one.url)
            change = difference(None if now is None else self._rules(now), self._rules(then))
            more, less = (
                [str(rule) for rule in rules][: self._limits.shown] for rules in (change.added, change.removed)
            )
            found.append({"thing": thing, **_told(one), "more": more, "less": less})
        return found

    def told_of(self, thing: ThingId) -> dict[str, Any]:
        """Where the file of a thing is, says who, and what else is said."""
        known = self._register.thing(thing)
        claims = self._of(known)
        counts = claims.in_force(known.mud_url)
        return {
            "thing": thing,
            "mud_url": known.mud_url,
            "source": None if counts is None else counts.source.value,
            "trust": "nobody says where its file is" if counts is None else TRUST[counts.source],
            "waiting": [_told(one) for one in claims.waiting],
        }

    def strangers(self) -> list[dict[str, Any]]:
        """Devices that are no things, and say where their file is."""
        return [
            {"mac": mac.hex(":"), "mud_url": url, "source": source.value, "trust": TRUST[source]}
            for mac, (source, url) in self._strangers.items()
        ]

    def _rules(self, document: bytes) -> RuleSet:
        return compile_rules(admit(document, None, policy=_KNOWN, at=self._clock.utc()))

    async def _count(self, known: Thing, claims: Claims, url: str, cause: str, by: str) -> Thing:
        await self._network.obtain(url)
        changed = known
        if known.mud_url != url:
            changed = await self._conductor.amend(known.id, actor=by, cause=cause, changes={"mud_url": url})
        await self._write(known.id, claims, [self._draft(known, cause, by, url)])
        # Also where the record said so before: what the enforcer refused then is put in force by saying it again.
        if OBLIGATIONS[changed.state, changed.restriction][PlaneName.NETWORK] is Demand.ADMIT:
            await self._network.admit(changed, cause=cause, transition_id=changed.transition_id)
        return changed

    async def _write(self, thing: ThingId, claims: Claims, entries: Sequence[Draft]) -> None:
        await self._records.write({thing: claims.encode()}, entries=entries)
        self._claims[thing] = claims

    def _of(self, known: Thing) -> Claims:
        """What is kept; of a thing of which nothing is, that it came with the URL it has."""
        claims = self._claims.get(known.id)
        if claims is None and known.mud_url:
            source = ClaimSource.CREDENTIAL if any(row.role == MAKER for row in known.keys) else ClaimSource.OWNER
            claims = Claims((Claim(source, known.mud_url, known.joined_at or self._clock.utc(), ClaimState.IN_FORCE),))
        return claims or Claims()

    def _keep_stranger(self, mac: bytes, source: ClaimSource, url: str) -> None:
        """In memory alone, and those heard last: who invents addresses would fill it."""
        self._strangers.pop(mac, None)
        if len(self._strangers) >= self._limits.strangers:
            del self._strangers[next(iter(self._strangers))]
        self._strangers[mac] = (source, url)

    def _draft(self, known: Thing, cause: str, by: str, url: str, source: ClaimSource | None = None) -> Draft:
        details: dict[str, Detail] = {"url": url, "before": known.mud_url}
        if source is not None:
            details["source"] = source.value
        return Draft(self._clock.utc(), Kind.NETWORK_POLICY, by, known.id, cause, details)


_KNOWN = AdmissionPolicy("admitted by the network plane", insecure_unsigned=True)
"""It alone has verified the signature; here a file is only read again."""


def _told(claim: Claim) -> dict[str, Any]:
    return {"url": claim.url, "source": claim.source.value, "since": claim.at, "trust": TRUST[claim.source]}
