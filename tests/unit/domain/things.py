"""Things to test with."""

from datetime import UTC, datetime
from typing import Any

from thingstead.domain.lifecycle import LifecycleState, Restriction
from thingstead.domain.plane import Demand, Obligation, PlaneName
from thingstead.domain.thing import KeyRow, Thing
from thingstead.identifier import thing_id_from_random

AT = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


def a_thing(
    number: int = 0,
    *,
    state: LifecycleState = LifecycleState.OPERATIONAL,
    restriction: Restriction = Restriction.NONE,
    **changes: Any,
) -> Thing:
    fields: dict[str, Any] = {
        "id": thing_id_from_random(number.to_bytes(10, "big")),
        "version": 1,
        "state": state,
        "restriction": restriction,
        "maker": "acme",
        "model": "LX-1",
        "serial": f"A{number:04}",
        "device_class": 2,
        "mud_url": "https://acme.example/lx-1.json",
        "zone": "floor-1",
        "support_end": datetime(2031, 1, 1, tzinfo=UTC),
        "keys": (
            KeyRow(bytes(32), "maker", AT),
            KeyRow(bytes(31) + b"\x01", "domain", AT, datetime(2027, 1, 1, tzinfo=UTC)),
        ),
        "joined_at": AT,
    }
    return Thing(**(fields | changes))


def an_obligation(number: int = 0, plane: PlaneName = PlaneName.ACCESS) -> Obligation:
    thing = a_thing(number)
    return Obligation(thing.transition_id, thing.id, plane, Demand.ADMIT, "joined", AT)
