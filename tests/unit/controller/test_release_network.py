"""What a release may do on the network is known when it is offered, and counts from when a thing runs it."""

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest

from tests.unit.domain.things import a_thing
from thingstead.controller.release_network import ReleaseNetwork
from thingstead.errors import TransportError, UntrustedError
from thingstead.planes.software.carried import Carried
from thingstead.planes.software.software_record import SoftwareRecord

LAMP, OTHER = a_thing(0), a_thing(1)
DIGEST, BARE = b"\x01" * 32, b"\x02" * 32
FILE = b"{the file}"


class Network:
    def __init__(self):
        self.asked: list[tuple[Any, ...]] = []
        self.answer: Any = True

    def file(self, url):
        return FILE if url == LAMP.mud_url else None

    async def expect(self, document):
        self.asked.append(("expect", document))

    async def release(self, thing, document):
        self.asked.append((thing, document))
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


class House:
    def __init__(self, *, things=(LAMP, OTHER)):
        self.network, self.running, self.things = Network(), {LAMP.id: DIGEST}, list(things)
        carried = {
            DIGEST.hex(): Carried(1, 1, (), "1", 1, {"mud.json": FILE}),
            BARE.hex(): Carried(1, 1, (), "2", 2, {}),
        }
        software: Any = SimpleNamespace(
            runs=lambda thing: SoftwareRecord(manifest_digest=self.running.get(thing, b"")), carried=carried.get
        )
        network: Any = self.network
        register: Any = SimpleNamespace(things=lambda: iter(self.things))
        self.bridge = ReleaseNetwork(software, network, register)

    def look(self):
        self.network.asked.clear()
        asyncio.run(self.bridge.look())
        return self.network.asked


def test_after_a_start_everybody_goes_by_what_they_run():
    house = House()
    assert house.look() == [(LAMP.id, FILE)]
    assert house.look() == []


def test_who_installs_something_is_looked_at_again_and_may_go_back():
    house = House()
    house.look()
    house.running[LAMP.id] = BARE
    house.bridge.note(LAMP.id)
    assert house.look() == [(LAMP.id, b"")]
    house.bridge.note(OTHER.id)
    assert house.look() == []


@pytest.mark.parametrize("answer", [False, TransportError("the enforcer is away")])
def test_what_cannot_be_done_yet_is_tried_again(answer):
    house = House()
    house.network.answer = answer
    assert house.look() == house.look() == [(LAMP.id, FILE)]
    house.network.answer = True
    assert house.look() == [(LAMP.id, FILE)]
    assert house.look() == []


def test_a_file_that_is_refused_is_not_tried_again():
    house = House()
    house.network.answer = UntrustedError("another maker's")
    assert house.look() == [(LAMP.id, FILE)]
    assert house.look() == []


def test_who_has_left_is_not_waited_for():
    house = House()
    house.network.answer = False
    house.look()
    house.things.clear()
    assert house.look() == []


def test_what_is_offered_is_announced_and_what_brings_no_file_is_not():
    house = House()
    for manifest in (DIGEST.hex(), BARE.hex(), "unknown"):
        asyncio.run(house.bridge.offered(manifest))
    assert house.network.asked == [("expect", FILE)]


def test_what_things_may_do_now_is_told_by_model():
    assert House().bridge.allowed() == ({LAMP.model: FILE} if LAMP.mud_url else {})
