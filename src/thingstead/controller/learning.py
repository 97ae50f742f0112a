"""A MUD file for a thing of the domain out of what is kept of its conversations, for its owner to look at (R-81)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection
from ipaddress import ip_address

from thingstead.analysis.talk import HERE
from thingstead.analysis.traffic import inventory
from thingstead.analysis.traffic.kind import Guess
from thingstead.analysis.traffic.proposal import Proposal, propose
from thingstead.analysis.traffic.site import PRIVATE, Site
from thingstead.clock import Clock
from thingstead.controller.brownfield import own_url
from thingstead.domain.contact import Contact
from thingstead.domain.network import ThingAddress
from thingstead.domain.thing import Thing
from thingstead.errors import ConfigError
from thingstead.identifier import ThingId
from thingstead.protocols.mud.file import Prefix

__all__ = ["Learning"]


class Learning:
    """Proposes; what comes of that is the owner's to decide.

    Args:
        contacts: whom a thing had to do with in so many days.
        locate: where a thing is.
        local: prefixes of the site; where none are set, those that are nobody's.
        doors: protocol and port of what every thing may ask the domain, whatever its file says.
        clock: for UTC.
    """

    def __init__(
        self,
        contacts: Callable[[ThingId, int], Awaitable[tuple[Contact, ...]]],
        *,
        locate: Callable[[ThingId], tuple[ThingAddress, ...]],
        local: tuple[Prefix, ...],
        doors: Collection[tuple[int, int]] = (),
        clock: Clock,
    ) -> None:
        self._contacts = contacts
        self._locate = locate
        self._site = Site(local or PRIVATE)
        self._doors = frozenset(doors)
        self._clock = clock

    async def propose(self, thing: Thing, *, days: int) -> Proposal:
        """A file that allows what the thing did with somebody who answered, and nobody dropped.

        No rule need have allowed it: who is being learned is let do it all the same.

        Raises:
            ConfigError: it is not known where the thing is.
            StorageError: what is kept cannot be read.
        """
        places = self._locate(thing.id)
        if not places:
            raise ConfigError(f"expected a thing that was seen; it is not known where {thing.id} is")
        kept = [self._seen(one) for one in await self._contacts(thing.id, days) if one.address and not one.dropped]
        at = self._clock.utc()
        device = inventory.Device(
            mac=places[0].mac,
            addresses=tuple([str(one.ip) for one in places]),
            guess=Guess("", 0.0, ()),
            clues=(),
            services=(),
            contacts=tuple([one for one in kept if one is not None]),
            first=at.timestamp(),
            last=at.timestamp(),
            packets=0,
        )
        return propose(device, model=thing.model, is_local=self._site.is_local, at=at, url=own_url(thing))

    def _seen(self, kept: Contact) -> inventory.Contact | None:
        """As it would have been overheard; None where a file would say nothing of it: no IP, or the domain."""
        if kept.protocol is None or (kept.who == HERE and (kept.protocol, kept.port) in self._doors):
            return None
        remote = ip_address(kept.address).packed
        # Here it may be called by a thing's id; far away, by what the thing looked up or by the address itself.
        is_named = kept.who not in {kept.address, HERE} and not self._site.is_local(remote)
        return inventory.Contact(
            outbound=kept.outbound,
            remote=remote,
            name=kept.who if is_named else "",
            protocol=kept.protocol,
            port=kept.port,
            flows=kept.flows,
            packets_out=kept.packets_out,
            octets_out=kept.octets_out,
            packets_in=kept.packets_in,
            octets_in=kept.octets_in,
            first=kept.first.timestamp(),
            last=kept.last.timestamp(),
        )
