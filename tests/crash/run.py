"""One run: things come, talk, are cut off; at seeded instants a process dies by kill -9 and is started again."""

from __future__ import annotations

import random
import threading
import time
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from tests.crash.world import ThingProcess, World, eventually
from thingstead.errors import ThingsteadError

__all__ = ["Run"]

_STEADY = 3
_GROUP = "lamps"
_RECOVERY_SECONDS = 30.0
_LOSS_SECONDS = 3.0
"""A batch is a second; the rest is patience with a busy machine."""

_CHECK_EVERY = 5


@dataclass(slots=True)
class _Cut:
    """Somebody is to be cut off.

    Attributes:
        operation: of the control socket.
        thing: whom.
        before: number of the instant at which the operator asks for it.
        shows: field and value of the thing's record afterwards.
        acknowledged: the controller said that it is done.
    """

    operation: str
    thing: ThingProcess
    before: int
    shows: tuple[str, str]
    acknowledged: bool = False


@dataclass(slots=True)
class Figures:
    """What a run came to.

    Attributes:
        controller_kills: of the controller.
        thing_kills: of things.
        recovery: seconds from a restart until every member was answered again, for each time it was waited for.
        lost: seconds of acknowledged telemetry that were gone after a kill of the controller.
    """

    controller_kills: int = 0
    thing_kills: int = 0
    recovery: list[float] = field(default_factory=list)
    lost: list[float] = field(default_factory=list)


class Run:
    """Kills `instants` times; the same seed chooses the same victims and pauses.

    Attributes:
        violations: what must not be, in sentences; empty after a good run.
        figures: what came of it.
    """

    def __init__(self, world: World, *, seed: int, instants: int) -> None:
        self._world = world
        self._random = random.Random(seed)
        self._instants = instants
        self._members: list[ThingProcess] = []
        self._newcomers = list(world.things)
        self._cuts: list[_Cut] = []
        self._born = 0.0
        self._epoch = 0
        self.violations: list[str] = []
        self.figures = Figures()

    def go(self) -> None:
        """Everything, to the last check."""
        world = self._world
        world.controller.start()
        world.stranger.process.start()
        for _ in range(_STEADY + 2):
            self._arrive()
        self._recovered()
        world.ask("group.create", group=_GROUP)
        # A lamp and a sensor: the lamp's group has to be rekeyed without it.
        leaver, suspect = self._members[_STEADY - 1], self._members[-1]
        self._cuts = [
            _Cut("thing.retire", leaver, self._instants // 3, ("state", "decommissioned")),
            _Cut("thing.quarantine", suspect, self._instants // 2, ("restriction", "quarantined")),
        ]
        for instant in range(self._instants):
            self._instant(instant)
        for cut in self._cuts:
            if not cut.acknowledged:
                self._cut(cut)
        self._end()

    def _instant(self, instant: int) -> None:
        chance = self._random.random
        if self._newcomers and chance() < 0.3:
            self._arrive()
        self._command_group()
        asking = [self._in_background(cut) for cut in self._cuts if cut.before <= instant and not cut.acknowledged]
        time.sleep(chance() * (0.1 if asking or chance() < 0.25 else 1.0))
        if chance() < 0.5:
            self._kill_controller(pause=chance() * 0.3)
        else:
            self._kill_thing(self._random.choice(self._members), pause=chance() * 0.3)
        for asked in asking:
            asked.join()
        if instant % _CHECK_EVERY == _CHECK_EVERY - 1:
            self._recovered()

    def _command_group(self) -> None:
        """Command or rekey the lamps; whoever commands spends numbers of the group's epoch."""
        operation, arguments = self._random.choice((("group.command", {"value": "on"}), ("group.rekey", {})))
        with suppress(ThingsteadError):  # nobody has joined it yet
            self._world.ask(operation, group=_GROUP, **arguments)
            if operation == "group.rekey":
                self._epoch = self._group_epoch()

    def _group_epoch(self) -> int:
        return int(self._world.ask("group.list")[0]["epoch"])

    def _arrive(self) -> None:
        newcomer = self._newcomers.pop(0)
        newcomer.process.start()
        self._members.append(newcomer)

    def _in_background(self, cut: _Cut) -> threading.Thread:
        asking = threading.Thread(target=self._cut, args=(cut,))
        asking.start()
        return asking

    def _cut(self, cut: _Cut) -> None:
        """Ask for it; an answer is an acknowledgement, a connection that breaks is none."""
        cut.thing.audit.is_leaving = True
        try:
            identifier = self._world.thing_id(cut.thing.serial)
            self._world.ask(cut.operation, thing=identifier, cause="a test of crashes")
        except (ThingsteadError, KeyError):
            return  # the controller died first, or has done it at the last attempt and says so in its records
        cut.thing.audit.cut_off()
        cut.acknowledged = True

    def _kill_controller(self, *, pause: float) -> None:
        self.figures.controller_kills += 1
        self._world.controller.kill()
        life = (self._born, time.time())
        self._check_ledger()
        time.sleep(pause)
        self._born = time.time()
        self._world.controller.start()
        self._check_records()
        self._check_telemetry(*life)

    def _kill_thing(self, thing: ThingProcess, *, pause: float) -> None:
        self.figures.thing_kills += 1
        was_member = thing.audit.is_member
        thing.process.kill()
        time.sleep(pause)
        thing.process.start()
        if was_member and not thing.audit.is_leaving and thing.status()["joins"] != 0:
            self.violations.append(f"{thing.serial} joined again after its restart")

    def _check_ledger(self) -> None:
        verdict = self._world.verify()
        if verdict is not None and not verdict.holds:
            self.violations += [f"ledger: {found.text} ({found.first}..{found.last})" for found in verdict.findings]

    def _check_records(self) -> None:
        """What was acknowledged stands, and nobody is known who was refused."""
        records = self._world.records()
        if self._world.stranger.serial in records:
            self.violations.append("the stranger has a record")
        for thing in self._members:
            record = records.get(thing.serial, {})
            if thing.audit.is_member and not thing.audit.is_leaving and record.get("state") != "operational":
                self.violations.append(f"{thing.serial} was a member, now it is {record.get('state')}")
        if self._epoch > self._group_epoch():
            self.violations.append(f"epoch {self._epoch} of the group was acknowledged and is gone")
        for cut in self._cuts:
            name, value = cut.shows
            if records[cut.thing.serial][name] == value:
                if not cut.acknowledged:  # decided, and the answer died with the controller
                    cut.thing.audit.cut_off()
                    cut.acknowledged = True
            elif cut.acknowledged:
                self.violations.append(f"{cut.thing.serial}: {cut.operation} was acknowledged and is gone")

    def _check_telemetry(self, born: float, died: float) -> None:
        """Of what was acknowledged in one life of the controller only the last batch may be gone."""
        for thing in self._members[:_STEADY]:
            identifier = self._world.thing_id(thing.serial)
            kept = self._world.stored_times(identifier)
            self._world.ask("data.erase", thing=identifier)
            newest = max([at for at in kept if at < died], default=0.0)
            # The first answer after the newest reading that is kept was the answer to it.
            unkept = [at for at in thing.audit.answers if max(born, newest) < at < died][1:]
            lost = unkept[-1] - unkept[0] if unkept else 0.0
            self.figures.lost.append(lost)
            if lost > _LOSS_SECONDS:
                self.violations.append(f"{thing.serial}: {lost:.1f} s of acknowledged telemetry are gone")

    def _recovered(self) -> None:
        """Every member is answered again, nobody having joined anew."""
        staying = [thing for thing in self._members if not thing.audit.is_leaving]
        seconds = eventually(
            lambda: all(thing.flows() for thing in staying),
            within=_RECOVERY_SECONDS,
            what=f"all of {[thing.serial for thing in staying]} are answered again",
        )
        self.figures.recovery.append(seconds)

    def _end(self) -> None:
        """Everybody dies once more, comes back, and lives on what it had."""
        self._recovered()
        for thing in self._members:
            self._kill_thing(thing, pause=0.0)
        self._kill_controller(pause=0.0)
        self._recovered()
        self._check_records()
        lamps = [thing for thing in self._members[:_STEADY] if not thing.audit.is_leaving]
        eventually(
            lambda: all(thing.status()["groups"] == {_GROUP: self._group_epoch()} for thing in lamps),
            within=_RECOVERY_SECONDS,
            what="every lamp that stays has the newest keys of its group",
        )
        status: dict[str, Any] = self._world.stranger.status()
        if status["joined"]:
            self.violations.append("the stranger takes itself for a member")
        for audit in self._world.audits():
            self.violations += audit.violations
        self.violations += self._world.group_audit.violations
