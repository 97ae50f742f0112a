"""A thing whose memory is cut short, damaged or full: it never begins a context's numbers anew, and comes back."""

import pytest

from tests.scenarios.world import play
from thingstead.errors import StorageError
from thingstead.simulator.virtual.memory import Fate

_WRITES_OF_A_JOIN = 3  # the old association goes, the number is set, the new association comes
_TWO_INSTANTS = 2

pytestmark = pytest.mark.spec("RFC 8613 B.1")


class FullDisk(Fate):
    """Takes nothing while it is full."""

    is_full = False

    def pass_by(self):
        if self.is_full:
            raise StorageError("cannot save sequence: No space left on device")


async def expelled(world, thing):
    """Let a member be in quarantine for so long that it believes itself forgotten, and tries to join anew."""
    await world.domain.ask("thing.quarantine", thing=thing.id, cause="a test")
    refused = world.domain.controller.resources.refused
    before = refused["quarantined"]
    await world.until(lambda: refused["quarantined"] > before)


@pytest.mark.parametrize("instant", range(1, _WRITES_OF_A_JOIN * _TWO_INSTANTS + 1))
def test_a_join_that_dies_at_any_write_never_begins_the_old_numbers_anew(instant):
    async def story(world):
        (thing,) = await world.joined("A0001")
        await world.until(thing.agent.groups.epochs)
        await expelled(world, thing)
        old = dict(thing.disk)
        await world.domain.ask("thing.restore", thing=thing.id, cause="a test")
        thing.fate.fatal = thing.fate.instants + instant
        await world.until(lambda: not thing.is_up)
        if thing.disk.get("association") == old["association"]:
            assert thing.disk["sequence"] == old["sequence"]
        thing.start()
        await world.until(lambda: thing.has_reported)

    play(story)


@pytest.mark.parametrize(
    "damage",
    [
        lambda disk: disk.update(association=disk["association"][:-1]),
        lambda disk: disk.update(association=b""),
        lambda disk: disk.update(association=bytes(len(disk["association"]))),
        lambda disk: disk.pop("sequence"),
        lambda disk: disk.update(sequence=b""),
        lambda disk: disk.update(sequence=disk["sequence"][:-1]),
    ],
    ids=["cut", "empty", "zeros", "no number", "empty number", "cut number"],
)
def test_a_damaged_memory_makes_the_thing_join_again_and_say_why(damage):
    async def story(world):
        (thing,) = await world.joined("A0001")
        old = thing.disk["association"]
        thing.crash()
        damage(thing.disk)
        thing.start()
        assert not thing.is_joined
        assert "cannot be used" in thing.agent.status()["last_error"]
        await world.until(lambda: thing.has_reported)
        assert thing.disk["association"] != old

    play(story)


def test_a_full_disk_silences_the_thing_until_there_is_room():
    async def story(world):
        (thing,) = await world.joined("A0001")
        thing.crash()
        thing.fate = disk = FullDisk()
        disk.is_full = True
        thing.start()
        told = thing.sensor.readings
        await world.sleep(10.0)
        assert thing.sensor.readings <= told + 1
        assert "No space" in thing.agent.status()["last_error"]
        disk.is_full = False
        await world.until(lambda: thing.sensor.readings > told + 3)
        assert thing.agent.status()["joins"] == 0

    play(story)
