"""One thing through its decade: how it goes away and comes back, and whether its domain serves it then."""

from __future__ import annotations

import random
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from thingstead.domain.lifecycle import LifecycleState
from thingstead.identifier import ThingId
from thingstead.simulator.decade.fleet import EPOCH_OF_RESETS, Character, Timepiece
from thingstead.simulator.virtual.domain import LivingDomain
from thingstead.simulator.virtual.thing import LivingThing

__all__ = ["Resident"]

_SHARE_OF_POWER_CUTS = 0.3
_AHEAD = timedelta(days=9 * 365)


@dataclass(slots=True)
class Resident:
    """A thing, and where it stands.

    Attributes:
        character: what it is like.
        thing: it.
        home: whose it is.
        has_left: it was retired; whoever has it now may try what they like.
        name: its id where it is; None before it has joined there.
        woke: when it was last switched on or woken.
        last_served: when it last came and was served.
        former: owners before, and its id with each.
    """

    character: Character
    thing: LivingThing
    home: LivingDomain
    has_left: bool = False
    name: ThingId | None = None
    woke: datetime | None = None
    last_served: datetime | None = None
    former: list[tuple[LivingDomain, ThingId]] = field(default_factory=list)

    def come(self, now: datetime) -> None:
        """Wake up, or be switched on, with the clock that it has after that."""
        self.woke = now
        if self.thing.is_up:
            self.thing.wake()
        else:
            self._set_clock(now)
            self.thing.start()

    def go(self, chance: random.Random) -> None:
        """Sleep until the next time; or lose power, and with it whatever is not on disk."""
        if chance.random() < _SHARE_OF_POWER_CUTS:
            self.thing.crash()
        else:
            self.thing.sleep()

    def move(self, home: LivingDomain) -> None:
        """It is carried to another owner, where it is switched on when it next comes."""
        if self.name is not None:
            self.former.append((self.home, self.name))
        self.home, self.name = home, None
        self.thing.crash()
        self.thing.config = replace(self.thing.config, controller_host=home.address[0])

    def is_back(self) -> bool:
        """Whether a domain that it has left lets it do anything, or takes anything of it."""
        left = [*self.former, *([(self.home, self.name)] if self.has_left and self.name is not None else [])]
        return any(
            home.controller.planes.access.scope_of(name) is not None or home.controller.server.is_live(name)
            for home, name in left
        )

    def is_served(self) -> bool:
        """Whether it is content, and its domain has taken something of it since it came."""
        member = self.thing.agent.member if self.thing.is_up else None
        if member is None or not self.home.is_up or member.renewal <= self.thing.agent.utc():
            return False
        self.name = self.thing.id
        return self.is_heard() and self.has_rights()

    def serve(self) -> bool:
        """The same, at the end of a contact; it is kept when that was."""
        if not self.is_served():
            return False
        self.last_served = self.woke
        return True

    def has_rights(self) -> bool:
        """Whether its domain lets it do anything now."""
        return self.name is not None and self.home.controller.planes.access.scope_of(self.name) is not None

    def is_heard(self) -> bool:
        """Whether its domain has taken anything of it since it came."""
        heard = self.home.controller.server.last_acceptance(self.name) if self.name is not None else None
        return heard is not None and self.woke is not None and heard >= self.woke

    def joins(self) -> int:
        """How often it has joined since it was switched on."""
        return int(str(self.thing.agent.status()["joins"])) if self.thing.is_up else 0

    def is_at_its_end(self) -> bool:
        """Whether its maker mends it no more, and nobody else does."""
        return self._state() is LifecycleState.END_OF_LIFE

    def is_operational(self) -> bool:
        """Whether it is in, with nothing owed."""
        return self._state() is LifecycleState.OPERATIONAL

    def _state(self) -> LifecycleState | None:
        return None if self.name is None else self.home.controller.register.thing(self.name).state

    def why_not(self) -> str:
        """What the thing itself says of its trouble."""
        return str(self.thing.agent.status()["last_error"]) if self.thing.is_up else "it is off"

    def _set_clock(self, now: datetime) -> None:
        wrong = {Timepiece.RESETS: EPOCH_OF_RESETS - now, Timepiece.AHEAD: _AHEAD if self.name else timedelta(0)}
        self.thing.clock.skew = wrong.get(self.character.timepiece, timedelta(0))
