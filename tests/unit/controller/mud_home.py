"""A domain with a network plane and two MUD files, and who hears where they are."""

import asyncio

from tests.unit.controller.planes import House
from tests.unit.domain.things import a_thing
from tests.unit.planes.network.fakes import CLOUD, PEERS, URL, World, described
from thingstead.controller.mud_intake import DOCUMENTS, Limits, MudIntake
from thingstead.domain.plane import PlaneName
from thingstead.domain.unit import Unit
from thingstead.storage.memory import MemoryStore
from thingstead.storage.records import PlaneRecords

OTHER = "https://mud.acme.example/other.json"
GONE = "https://mud.acme.example/gone.json"
THING = a_thing()
MAC, STRANGER, RELAY = (bytes.fromhex(f"0200000000{end}") for end in ("01", "ee", "fe"))


class Home:
    def __init__(self, *things, limits=None, mac=MAC, store=None):
        self.store, self.limits, self.mac = store or MemoryStore(), limits, mac
        asyncio.run(self.store.commit(Unit(things=things or (THING,))))
        self.restart()

    def restart(self):
        self.house = House(self.store)
        self.clock = self.house.clock
        pages = {URL: described(CLOUD), OTHER: described(CLOUD, PEERS, url=OTHER)}
        self.world = World(pages=pages, clock=self.clock)
        self.intake = MudIntake(
            self.house.register,
            self.house.conductor,
            self.world.manager,
            records=PlaneRecords(PlaneName.IDENTITY, self.store, prefix=DOCUMENTS),
            thing_at=lambda mac: THING.id if mac == self.mac else None,
            clock=self.clock,
            relays=frozenset({RELAY}),
            limits=self.limits or Limits(),
        )
        asyncio.run(self.world.admit(self.thing()))
        return self

    def thing(self):
        return self.house.register.thing(THING.id)

    def told(self):
        return self.intake.told_of(THING.id)

    def waiting(self):
        return [(one["source"], one["url"]) for one in self.told()["waiting"]]
