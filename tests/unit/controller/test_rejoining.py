"""A thing that took up listed software joins anew: which one, when, and what an end of ours in between changes."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from tests.unit.controller.planes import House
from tests.unit.domain.things import AT, a_thing
from thingstead.controller.rejoining import Rejoining
from thingstead.domain.lifecycle import LifecycleState, Restriction
from thingstead.domain.policy import JoinPolicy, ProfileName, Rejoin
from thingstead.domain.unit import Unit
from thingstead.errors import StorageError
from thingstead.identifier import ThingId
from thingstead.planes.software.software_record import SoftwareRecord
from thingstead.storage.memory import MemoryStore

S = LifecycleState
LISTED = JoinPolicy(ProfileName.HOME, rejoin=(Rejoin(("LX-*",), ("2.*",)), Rejoin(("TH-2",), ("*",))))
LATER = AT + timedelta(seconds=1)


class FullStore(MemoryStore):
    is_full = False

    async def commit(self, unit):
        if self.is_full:
            raise StorageError("the disk is full")
        return await super().commit(unit)


class Home:
    """A domain with one thing, which runs what `runs` says."""

    def __init__(self, *, version="2.0.0", at=LATER, policy=LISTED, **thing):
        self.store = FullStore()
        self.thing = a_thing(**thing)
        asyncio.run(self.store.commit(Unit(things=(self.thing,))))
        self.house = House(self.store)
        self.runs: dict[ThingId, SoftwareRecord] = {self.thing.id: SoftwareRecord(2, version, installed_at=at)}
        self.policy = policy
        self.rejoining = self.started()

    def started(self):
        return Rejoining(
            lambda: self.policy,
            self.house.register,
            conductor=self.house.conductor,
            runs=self.runs.__getitem__,
        )

    def look(self):
        asyncio.run(self.rejoining.look())
        return self.house.register.thing(self.thing.id).state


@pytest.mark.requirement("R-08")
@pytest.mark.parametrize("state", [S.OPERATIONAL, S.MAINTENANCE])
def test_a_thing_that_took_up_listed_software_has_to_join_anew(state):
    assert Home(state=state).look() is S.RE_BOOTSTRAPPING


@pytest.mark.requirement("R-08")
@pytest.mark.parametrize(
    "home",
    [
        {"version": "1.9.9"},
        {"version": "12.0.0"},
        {"model": "MX-1"},
        {"policy": replace(LISTED, rejoin=())},
        {"at": AT},
        {"at": AT - timedelta(days=1)},
        {"at": None},
        {"joined_at": None},
    ],
    ids=["older", "another", "model", "no list", "as it joined", "before", "never said", "never joined"],
)
def test_nobody_else_has_to(home):
    assert Home(**home).look() is S.OPERATIONAL


@pytest.mark.parametrize("state", [S.INSTALLED, S.RE_BOOTSTRAPPING, S.END_OF_LIFE, S.DECOMMISSIONED])
def test_who_is_not_in_stays_where_it_is(state):
    assert Home(state=state).look() is state


def test_a_restriction_stays_with_whoever_has_to_join_anew():
    home = Home(restriction=Restriction.QUARANTINED)
    home.look()
    assert home.house.register.thing(home.thing.id).restriction is Restriction.QUARANTINED


def test_it_is_asked_once_and_again_when_it_installs_again():
    home = Home(version="1.0.0")
    assert home.look() is S.OPERATIONAL
    home.runs[home.thing.id] = SoftwareRecord(3, "2.1.0", installed_at=LATER)
    assert home.look() is S.OPERATIONAL
    home.rejoining.note(home.thing.id)
    assert home.look() is S.RE_BOOTSTRAPPING


@pytest.mark.requirement("R-08")
def test_an_end_of_ours_before_the_look_loses_nobody():
    home = Home(version="1.0.0")
    home.look()
    home.runs[home.thing.id] = SoftwareRecord(3, "2.1.0", installed_at=LATER)
    home.rejoining = home.started()
    assert home.look() is S.RE_BOOTSTRAPPING


def test_what_the_disk_did_not_take_is_done_at_the_next_look():
    home = Home()
    home.store.is_full = True
    with pytest.raises(StorageError):
        home.look()
    home.store.is_full = False
    assert home.look() is S.RE_BOOTSTRAPPING
