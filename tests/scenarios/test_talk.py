"""A whole domain with somebody who looks at frames: whom a thing talks to is told, with the way to allow it."""

from dataclasses import replace

import pytest

from tests.scenarios.world import play
from tests.unit.controller.test_drop_watch import frame
from tests.unit.controller.test_traffic_watch import GATEWAY, Wire
from thingstead.controller.foundation import Foundation
from thingstead.simulator.virtual.domain import LivingDomain


@pytest.mark.requirement("R-81")
def test_what_passes_is_kept_and_told_to_the_owner(monkeypatch):
    wire, original = Wire(), LivingDomain.foundation

    def foundation(domain) -> Foundation:
        return replace(original(domain), tap=wire)

    monkeypatch.setattr(LivingDomain, "foundation", foundation)

    async def story(world):
        lamp, other = await world.joined("A0001", "A0002")
        lookout = world.domain.controller.lookout
        lookout.traffic.begin()
        whereabouts = world.domain.controller.planes.whereabouts
        place = replace(whereabouts.located()[lamp.id][0], mac=bytes.fromhex("020000000009"))
        world.domain.segment.present = (place,)
        await whereabouts.note(lamp.id, str(place.ip))
        await world.sleep(6)
        macs = (place.mac, GATEWAY)
        for port in range(40_000, 40_005):
            wire.frames.append(frame(str(place.ip), "203.0.113.5", (port, 443), macs=macs))
            wire.told()
        await world.sleep(600)
        told = await world.domain.ask("network.talk", thing=lamp.id)
        assert [(row["who"], row["port"], row["flows"], row["allowed"]) for row in told] == [
            ("203.0.113.5", 443, 5, False)
        ]
        assert await world.domain.ask("network.talk", thing=other.id) == []
        (drop,) = await world.domain.ask("network.drops", thing=lamp.id)
        assert drop["undo"] == f"thingstead network allow 203.0.113.5 --thing {lamp.id} --protocol tcp --port 443"

    play(story)
