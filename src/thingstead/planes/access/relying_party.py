"""What the access plane asks of things: would you still take what the holder of these tokens says?"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from datetime import datetime

from thingstead.domain.plane import PlaneName, Probe, Standing
from thingstead.domain.ports import SecurityAssociations
from thingstead.errors import ThingsteadError
from thingstead.identifier import ThingId
from thingstead.planes.access.issued_tokens import IssuedToken
from thingstead.protocols.coap.message import Message, request
from thingstead.protocols.coap.registry import Code, ContentFormat
from thingstead.protocols.profile import path
from thingstead.protocols.profile.standing import HolderQuestion, MemberStanding

__all__ = ["Ask", "Peers", "RelyingParties", "probe_of"]

_LOGGER = logging.getLogger(__name__)

Ask = Callable[[ThingId, Message], Awaitable[Message]]
"""Sends a request to a thing under its own association, and waits for the response."""


@dataclass(frozen=True, slots=True)
class Peers:
    """What those said at whom a thing's tokens count.

    Attributes:
        told: who answered, and what.
        silent: who did not, and until when a token counts there: what nobody can ask has its bound in that.
    """

    told: dict[ThingId, MemberStanding]
    silent: dict[ThingId, datetime]

    @property
    def accepting(self) -> list[ThingId]:
        """Who would take a message."""
        return [peer for peer, standing in self.told.items() if standing.accepts]

    @property
    def bound(self) -> datetime | None:
        """Until when one that is silent may accept; None where all answered."""
        return max(self.silent.values(), default=None)

    @property
    def last_acceptance(self) -> datetime | None:
        """When one of them last did."""
        return max([one.last_acceptance for one in self.told.values() if one.last_acceptance is not None], default=None)

    def describe(self) -> str:
        """One line: how many refuse, who accepts, who was silent and until when."""
        words = [f"{len(self.told) - len(self.accepting)} peers refuse"]
        if self.accepting:
            words.append(f"{', '.join(self.accepting)} accept")
        words += [
            f"{peer} is silent and may accept until {ends:%Y-%m-%d %H:%M:%S}Z" for peer, ends in self.silent.items()
        ]
        return ", ".join(words)


class RelyingParties:
    """Asks all peers of a thing at once; who does not answer in time holds up nobody.

    Args:
        ask: asks one.
        within: seconds that one has.
    """

    def __init__(self, ask: Ask, *, within: float = 3.0) -> None:
        self._ask = ask
        self._within = within

    async def peers_of(self, thing: ThingId, tokens: Iterable[tuple[bytes, IssuedToken]]) -> Peers:
        """Ask everybody at whom these tokens of a thing count, but the domain.

        Args:
            thing: who holds them.
            tokens: by hash, those that pertain to the thing.
        """
        hashes: dict[ThingId, list[bytes]] = {}
        ends: dict[ThingId, datetime] = {}
        for token_hash, issued in tokens:
            if issued.subject == thing:
                peer = ThingId(issued.audience)
                hashes.setdefault(peer, []).append(token_hash)
                ends[peer] = max(issued.expires, ends.get(peer, issued.expires))
        answers = await asyncio.gather(*[self._one(peer, HolderQuestion(tuple(hashes[peer]))) for peer in hashes])
        told = {peer: answer for peer, answer in zip(hashes, answers, strict=True) if answer is not None}
        return Peers(told, {peer: ends[peer] for peer in hashes if peer not in told})

    async def _one(self, peer: ThingId, question: HolderQuestion) -> MemberStanding | None:
        message = request(Code.FETCH, path.STANDING, payload=question.encode(), content_format=ContentFormat.CBOR)
        try:
            async with asyncio.timeout(self._within):
                answer = await self._ask(peer, message)
            return MemberStanding.decode(answer.payload) if answer.code == Code.CONTENT else None
        except (TimeoutError, ThingsteadError) as error:
            _LOGGER.debug("%s does not say whom it accepts: %s", peer, error)
            return None


async def probe_of(
    thing: ThingId,
    tokens: Iterable[tuple[bytes, IssuedToken]],
    parties: RelyingParties,
    *,
    associations: SecurityAssociations,
    domain: str,
    utc: Callable[[], datetime],
) -> Probe:
    """Ask the live endpoint whether a request of a thing would verify, and each thing that it has a token for.

    Args:
        thing: who is asked about.
        tokens: that pertain to it, by hash.
        parties: asks those at whom they count.
        associations: the live endpoint.
        domain: whose tokens need no other to be asked.
        utc: the time, read once all have answered: what a peer accepted while it was asked was accepted.
    """
    peers = await parties.peers_of(thing, [one for one in tokens if one[1].audience != domain])
    at, live = utc(), associations.is_live(thing)
    standing = Standing.ACCEPTED if live or peers.accepting else Standing.REFUSED
    detail = "association live" if live else "unknown kid: 4.01"
    accepted = [one for one in (associations.last_acceptance(thing), peers.last_acceptance) if one]
    # A peer's clock may run ahead of ours.
    last = min(max(accepted), at) if accepted else None
    if not peers.told and not peers.silent:
        return Probe(PlaneName.ACCESS, thing, standing, "CoAP endpoint", at, detail, last)
    party = f"CoAP endpoint and {len(peers.told)} peers"
    return Probe(PlaneName.ACCESS, thing, standing, party, at, f"{detail}; {peers.describe()}", last, bound=peers.bound)
