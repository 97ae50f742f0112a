"""Invariant: wherever the power goes in an update, the thing then runs its old or its new image, whole, and ends with
the new one.

The real agent and the real `FileSlots`, on a disk that tears and reorders what was not flushed.
"""

import random

import pytest

from tests.unit.agent.flash import Disk, Fate, PowerCutError
from tests.unit.agent.test_update_attempt import KID, OWN, encrypted, staged
from tests.unit.agent.updates import OLD, Domain, Thing, released
from thingstead.agent.file_slots import FileSlots
from thingstead.agent.image import Place, pieces
from thingstead.agent.ports import Area
from thingstead.protocols.profile import firmware
from thingstead.protocols.profile.firmware import Firmware
from thingstead.protocols.profile.release import FIRMWARE
from thingstead.protocols.suit import envelope
from thingstead.protocols.suit.registry import Reason

pytestmark = [pytest.mark.requirement("R-73"), pytest.mark.slow]

SMALL = firmware.encode(Firmware("1.1.0"), bytes(range(256)) * 20)
LARGE = firmware.encode(Firmware("1.2.0"), random.Random(1).randbytes(120_000))
CIPHERED = encrypted(SMALL)
RELEASES = {
    "small": (envelope.encode(released(SMALL)), SMALL, SMALL),
    "encrypted": (staged(CIPHERED, plain=SMALL), CIPHERED.ciphertext, SMALL),
}


class Owner:
    """One thing through its power cuts."""

    def __init__(self, directory, encoded, image, runs):
        self.directory = directory
        self.runs = runs
        FileSlots(directory).install_first(OLD)
        self.domain = Domain(encoded, image)

    def live(self):
        """From a boot to the next wait of a thing that has nothing left to do."""
        thing = Thing(FileSlots(self.directory), self.domain, keys={KID: OWN})
        thing.poll()

    def sequence_number(self):
        """Which of the two it runs; fails the test if it is neither, or not whole."""
        slots = FileSlots(self.directory)
        standing = slots.standing()
        running = standing.trial or standing.installed
        content = b"".join(pieces(slots, Place(Area.ACTIVE, FIRMWARE)))
        assert content == {1: OLD, 7: self.runs}[running.sequence_number]
        return running.sequence_number


def changes_of(monkeypatch, release):
    """How many changes of the disk a whole update is."""
    disk = Disk()
    with monkeypatch.context() as patched:
        owner = Owner(disk.patch(patched), *release)
        before = disk.changes
        owner.live()
        assert owner.sequence_number() == 7
    return disk.changes - before


@pytest.mark.parametrize("name", RELEASES)
@pytest.mark.parametrize("fate", ["none", "all", "some"])
def test_an_update_that_is_cut_at_any_change_of_the_disk_ends_whole(monkeypatch, name, fate):
    total = changes_of(monkeypatch, RELEASES[name])
    assert total > 30
    seen = set()
    for cut in range(total):
        disk = Disk()
        with monkeypatch.context() as patched:
            owner = Owner(disk.patch(patched), *RELEASES[name])
            disk.cut_at = disk.changes + cut
            with pytest.raises(PowerCutError):
                owner.live()
            disk.lose_power(Fate(fate, cut))
            seen.add(owner.sequence_number())
            owner.live()
            assert owner.sequence_number() == 7, cut
            assert owner.domain.reports[-1].reason is Reason.OK
            assert Reason.CONDITION_FAILED not in {report.reason for report in owner.domain.reports}
    assert seen == {1, 7}


@pytest.mark.parametrize("seed", range(12))
def test_a_large_update_with_a_power_cut_in_each_life_comes_to_its_end(monkeypatch, seed):
    chance, disk, lives = random.Random(seed), Disk(), 0
    with monkeypatch.context() as patched:
        owner = Owner(disk.patch(patched), envelope.encode(released(LARGE)), LARGE, LARGE)
        while True:
            disk.cut_at = disk.changes + chance.randrange(5, 60)
            try:
                owner.live()
            except PowerCutError:
                lives += 1
                disk.lose_power(Fate(chance.choice(["none", "all", "some"]), seed * 1000 + lives))
                owner.sequence_number()
                if FileSlots(owner.directory).standing().reverted:
                    # Three power cuts in one trial are what a release under which a thing falls over looks like.
                    FileSlots(owner.directory).forgive()
            else:
                break
            assert lives < 200
        assert owner.sequence_number() == 7
    assert lives > 1


@pytest.mark.parametrize("fate", ["none", "all", "some"])
def test_a_revert_that_is_cut_at_any_change_of_the_disk_ends_with_the_old_image(monkeypatch, fate):
    for cut in range(40):
        disk = Disk()
        with monkeypatch.context() as patched:
            owner = Owner(disk.patch(patched), *RELEASES["small"])
            thing = Thing(FileSlots(owner.directory), owner.domain)
            thing.drive(thing.story)
            slots = FileSlots(owner.directory)
            slots.count_boot()
            disk.cut_at = disk.changes + cut
            try:
                slots.revert()
            except PowerCutError:
                disk.lose_power(Fate(fate, cut))
                assert owner.sequence_number() in {1, 7}
                continue
            disk.cut_at = None
            disk.lose_power(Fate(fate, cut))
            assert owner.sequence_number() == 1
            return
    pytest.fail("expected a revert of fewer than forty changes")
