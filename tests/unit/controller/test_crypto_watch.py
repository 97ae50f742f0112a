import asyncio
from datetime import timedelta

import pytest

from tests.unit.controller.planes import House
from tests.unit.domain.things import AT, a_thing
from thingstead.controller.crypto_watch import CryptoWatch
from thingstead.domain.crypto_asset import AssetKind, CryptoAsset
from thingstead.domain.crypto_policy import CryptoPolicy, crypto_policy
from thingstead.domain.ledger import entry
from thingstead.domain.lifecycle import LifecycleState, Restriction
from thingstead.domain.plane import PlaneName
from thingstead.domain.unit import Unit
from thingstead.errors import StorageError
from thingstead.storage.memory import MemoryStore

pytestmark = pytest.mark.requirement("R-76")

S = LifecycleState
CCM, YESTERDAY = "AES-CCM-16-64-128", (AT - timedelta(days=1)).date()
OVER = crypto_policy({CCM: YESTERDAY})


class FullStore(MemoryStore):
    is_full = False

    async def commit(self, unit):
        if self.is_full:
            raise StorageError("the disk is full")
        return await super().commit(unit)


class Home:
    """A domain with one thing, whose association rests on CCM."""

    def __init__(self, *, policy=OVER, suites=(2, 3, 5), **thing):
        self.store = FullStore()
        self.thing = a_thing(**thing)
        asyncio.run(self.store.commit(Unit(things=(self.thing,))))
        self.house = House(self.store)
        self.policy = policy
        self.looked = 0
        self.watch = CryptoWatch(
            lambda: self.policy,
            self.assets,
            self.house.register,
            conductor=self.house.conductor,
            suites=suites,
            clock=self.house.clock,
        )

    def assets(self):
        self.looked += 1
        yield (
            PlaneName.ACCESS,
            CryptoAsset(AssetKind.CONTEXT, "OSCORE association", (CCM,), (self.thing.id,), replaceable=True),
        )

    def look(self):
        asyncio.run(self.watch.look())
        return self.house.register.thing(self.thing.id)


@pytest.mark.parametrize("state", [S.OPERATIONAL, S.MAINTENANCE])
def test_who_has_another_suite_is_sent_back_to_where_it_joins(state):
    thing = Home(state=state).look()
    assert (thing.state, thing.restriction) == (S.RE_BOOTSTRAPPING, Restriction.NONE)


def test_who_has_none_is_held_and_the_ledger_says_for_what():
    home = Home(suites=(2, 3))
    thing = home.look()
    assert (thing.state, thing.restriction) == (S.OPERATIONAL, Restriction.HELD)
    (held,) = [one for one in map(entry.decode, home.store.leaves()) if one.kind is entry.Kind.RESTRICTION]
    assert (held.cause, held.details["algorithm"]) == ("algorithm", "OSCORE association")


@pytest.mark.parametrize(
    "changes",
    [
        {"policy": CryptoPolicy()},
        {"policy": crypto_policy({CCM: AT.date()})},
        {"policy": crypto_policy({"ESP256": YESTERDAY})},
        {"state": S.RE_BOOTSTRAPPING},
        {"state": S.DECOMMISSIONED},
        {"state": S.OPERATIONAL, "restriction": Restriction.QUARANTINED, "suites": (2, 3)},
        {"state": S.OPERATIONAL, "restriction": Restriction.HELD, "suites": (2, 3)},
    ],
    ids=["no date", "its last day", "another algorithm", "on its way", "has left", "cut off", "held already"],
)
def test_nobody_else_is_touched(changes):
    home = Home(**changes)
    assert home.look() == home.thing


def test_without_a_date_that_has_passed_nothing_is_even_listed():
    home = Home(policy=CryptoPolicy())
    home.look()
    assert home.looked == 0


def test_it_looks_once_an_hour_and_at_once_when_the_owner_writes_another_date():
    home = Home(policy=crypto_policy({"A128GCM": YESTERDAY}))
    home.look()
    home.look()
    assert home.looked == 1
    home.policy = crypto_policy({CCM: YESTERDAY})
    assert home.look().state is S.RE_BOOTSTRAPPING
    assert home.looked == 2
    home.house.clock.seconds += 3600
    home.look()
    assert home.looked == 3


def test_what_the_disk_did_not_take_is_done_at_the_next_look():
    home = Home()
    home.store.is_full = True
    with pytest.raises(StorageError):
        home.look()
    home.store.is_full = False
    assert home.look().state is S.RE_BOOTSTRAPPING
