import pytest

from thingstead.agent.wiping import erase, inventory, resume
from thingstead.crypto.key import KeyType
from thingstead.crypto.keystore import MemoryKeyStore
from thingstead.identifier import KeyId
from thingstead.protocols.profile.birth import BIRTH, IDENTITY_KEY
from thingstead.simulator.virtual.memory import Fate, HomeLife
from thingstead.simulator.virtual.network import Killed

pytestmark = pytest.mark.requirement("R-09")


@pytest.fixture
def thing():
    fate, keys = Fate(), MemoryKeyStore()
    for name in (IDENTITY_KEY, KeyId("group")):
        keys.create(name, KeyType.P256)
    disk = {BIRTH: b"birth", "association": b"secret", "sequence": b"1", "anything new": b"2"}
    return disk, keys, fate


def test_only_the_maker_s_gifts_are_left_whatever_else_there_was(thing):
    disk, keys, fate = thing
    erase(HomeLife(disk, fate), keys)
    assert disk == {BIRTH: b"birth"}
    assert keys.ids() == {IDENTITY_KEY}


def test_the_inventory_names_what_goes_and_nothing_of_what_it_holds(thing):
    disk, keys, fate = thing
    assert inventory(HomeLife(disk, fate), keys) == ("anything new", "association", "sequence", "key group")


@pytest.mark.parametrize("instant", range(1, 11))
def test_a_cut_leaves_all_or_is_finished_at_the_next_start(thing, instant):
    disk, keys, fate = thing
    before = dict(disk)
    fate.fatal = instant
    with pytest.raises(Killed):
        erase(HomeLife(disk, fate), keys)
    resume(HomeLife(disk, fate), keys)
    if instant == 1:
        assert disk == before
        assert len(keys.ids()) == 2
    else:
        assert disk == {BIRTH: b"birth"}
        assert keys.ids() == {IDENTITY_KEY}


def test_a_start_without_a_mark_erases_nothing(thing):
    disk, keys, fate = thing
    before = dict(disk)
    resume(HomeLife(disk, fate), keys)
    assert disk == before
