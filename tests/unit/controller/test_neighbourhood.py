"""Which thing is behind an address is followed, and nobody is behind what no thing has."""

import asyncio
from ipaddress import ip_address
from typing import Any

import pytest

from tests.unit.controller.planes import JumpingClock
from tests.unit.domain.things import a_thing
from thingstead.controller.neighbourhood import Neighbourhood
from thingstead.domain.network import NO_MAC, ThingAddress
from thingstead.errors import TransportError

LAMP, OTHER = a_thing(0).id, a_thing(1).id
MAC = bytes.fromhex("020000000001")
HERE, THERE = ip_address("10.77.0.2"), ip_address("fd77::3")
SIX = ip_address("fd77::7")


class Places:
    def __init__(self):
        self.placed: Any = {
            LAMP: (ThingAddress(MAC, HERE), ThingAddress(MAC, SIX)),
            OTHER: (ThingAddress(NO_MAC, THERE),),
        }

    def __call__(self):
        if self.placed is None:
            raise TransportError("away")
        return self.placed


def test_a_thing_is_found_by_either_address():
    known = Neighbourhood(Places(), clock=JumpingClock())
    assert known.thing_at(MAC, HERE.packed) is None
    asyncio.run(known.look())
    assert known.thing_at(MAC) == known.thing_at(HERE.packed) == known.thing_at(SIX.packed) == LAMP
    assert known.devices(LAMP) == (MAC, HERE.packed, SIX.packed)
    assert known.thing_at(b"", THERE.packed) == OTHER
    assert known.name(HERE.packed) == LAMP


@pytest.mark.parametrize("address", [b"", NO_MAC, bytes(4), bytes(16), b"\xff" * 6])
def test_what_is_no_things_is_nobodys(address):
    known = Neighbourhood(Places(), clock=JumpingClock())
    asyncio.run(known.look())
    assert known.thing_at(address) is None
    assert known.name(address) == ""


def test_who_moved_is_found_where_it_is_and_nobody_while_it_is_not_told():
    places, clock = Places(), JumpingClock()
    known = Neighbourhood(places, clock=clock)
    asyncio.run(known.look())
    asyncio.run(known.look())
    clock.seconds += 5
    places.placed = None
    with pytest.raises(TransportError):
        asyncio.run(known.look())
    assert known.thing_at(MAC) == LAMP
    places.placed = {}
    asyncio.run(known.look())
    assert known.thing_at(MAC) is None
