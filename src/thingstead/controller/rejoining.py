"""Has a thing join anew that took up software with which the owner's policy no longer takes it for granted (R-08)."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from thingstead.controller.conductor import Conductor
from thingstead.domain.lifecycle import TRANSITIONS, Cause
from thingstead.domain.policy import JoinPolicy
from thingstead.domain.register import Register
from thingstead.domain.thing import Thing
from thingstead.identifier import ThingId
from thingstead.planes.software.software_record import SoftwareRecord

__all__ = ["Rejoining"]

_ACTOR = "policy"


class Rejoining:
    """Looks at whoever installed something, and after a start at everybody: an end of ours loses nobody.

    A thing that installed before its newest join has joined with what it runs.

    Args:
        policy: the one in force.
        register: the things.
        conductor: takes them back to where they have to join.
        runs: what a thing runs.
    """

    def __init__(
        self,
        policy: Callable[[], JoinPolicy],
        register: Register,
        *,
        conductor: Conductor,
        runs: Callable[[ThingId], SoftwareRecord],
    ) -> None:
        self._policy = policy
        self._register = register
        self._conductor = conductor
        self._runs = runs
        self._installed = {thing.id for thing in register.things()}

    def note(self, thing: ThingId) -> None:
        """A thing says that it runs another release."""
        self._installed.add(thing)

    async def look(self) -> None:
        """Send them back; what was not done because the disk was full is done at the next look.

        Raises:
            StorageError: a transition could not be kept.
        """
        for thing in tuple(self._due()):
            evidence = {"version": self._runs(thing.id).version}
            await self._conductor.transition(thing.id, Cause.RE_BOOTSTRAP_REQUIRED, actor=_ACTOR, evidence=evidence)
            self._installed.discard(thing.id)
        self._installed.clear()

    def _due(self) -> Iterator[Thing]:
        policy = self._policy()
        for name in self._installed:
            thing, record = self._register.thing(name), self._runs(name)
            if (thing.state, Cause.RE_BOOTSTRAP_REQUIRED) not in TRANSITIONS or thing.joined_at is None:
                continue
            is_newer = record.installed_at is not None and record.installed_at > thing.joined_at
            if is_newer and policy.is_to_rejoin(thing.model, record.version):
                yield thing
