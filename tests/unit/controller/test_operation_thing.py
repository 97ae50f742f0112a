"""What an operator may do to a thing: every way out is timed on all planes, and none costs more than was asked."""

import asyncio
from ipaddress import ip_address
from typing import Any

import pytest

from tests.unit.controller.planes import House, down
from tests.unit.domain.things import a_thing
from thingstead.controller import operation_thing
from thingstead.controller.operation import Operations
from thingstead.controller.parting import Partings
from thingstead.crypto.key import KeyType, generate
from thingstead.domain.ledger.entry import Kind
from thingstead.domain.lifecycle import LifecycleState, Restriction
from thingstead.domain.network import NO_MAC, ThingAddress
from thingstead.domain.plane import PlaneName
from thingstead.domain.unit import Unit
from thingstead.identifier import ThingId
from thingstead.phases.decommission import Farewell
from thingstead.protocols.cose import key as cose_key
from thingstead.protocols.cwt import ccs
from thingstead.storage.memory import MemoryStore

S = LifecycleState
THING = a_thing()
WIPED, SILENT = Farewell(b"receipt", ("association",)), Farewell(b"", failure="timeout")


class Owner:
    """Somebody at the control socket of a house with one thing, which parts as `farewell` says."""

    def __init__(self, state=S.OPERATIONAL, restriction=Restriction.NONE, farewell=WIPED):
        store = MemoryStore()
        asyncio.run(store.commit(Unit(things=(a_thing(state=state, restriction=restriction),))))
        self.house = House(store)
        self.farewell = farewell
        self.parted = []
        self.places: dict[ThingId, tuple[ThingAddress, ...]] = {}
        door: Any = self
        self.table = Operations(
            *operation_thing.rows(
                self.house.register,
                self.house.conductor,
                self.house.kill_clock,
                partings=Partings(
                    self.house.register,
                    self.house.conductor,
                    self.house.kill_clock,
                    decommission=door,
                    seller=lambda thing, farewell, since: f"{thing} {farewell.papers} {since}".encode(),
                    size=lambda: 7,
                ),
                heard_of=lambda _thing: {"version": "1.1.0", "last_heard": None},
                located=lambda: self.places,
            )
        )

    async def part(self, thing, to=None, *, since):
        self.parted.append(thing)
        self.sold_to = to
        return self.farewell

    def kept(self, _thing, _to, *, since):
        """Nothing that an earlier parting left."""

    def ask(self, operation, thing=THING.id, **arguments):
        named = {} if operation == "list" else {"thing": thing}
        asked = {"operation": f"thing.{operation}", "arguments": named | arguments}
        return asyncio.run(self.table.answer(asked))

    @property
    def thing(self):
        return self.house.register.thing(THING.id)


OUTS = ["quarantine", "restore", "retire", "hand-over"]


@pytest.mark.parametrize("operation", ["show", *OUTS])
@pytest.mark.parametrize(("thing", "kind"), [(a_thing(9).id, "ConfigError"), ("lamp", "DecodeError")])
def test_nobody_by_that_name_is_refused_and_nothing_is_asked_of_anybody(operation, thing, kind):
    owner = Owner()
    assert owner.ask(operation, thing)["error"]["kind"] == kind
    assert (owner.parted, owner.thing.version) == ([], 1)


@pytest.mark.requirement("R-01")
@pytest.mark.parametrize(
    ("operation", "state", "restriction"),
    [
        ("retire", S.DECOMMISSIONED, Restriction.NONE),
        ("hand-over", S.MAINTENANCE, Restriction.NONE),
        ("hand-over", S.RE_OWNED, Restriction.NONE),
        ("quarantine", S.OPERATIONAL, Restriction.QUARANTINED),
        ("quarantine", S.DECOMMISSIONED, Restriction.NONE),
        ("restore", S.OPERATIONAL, Restriction.NONE),
    ],
)
def test_what_the_table_refuses_does_not_cost_the_thing_its_association(operation, state, restriction):
    owner = Owner(state, restriction)
    assert owner.ask(operation)["error"]["kind"] == "TransitionError"
    assert (owner.parted, owner.thing.version) == ([], 1)


def test_without_a_wipe_receipt_nothing_is_handed_over_unless_it_is_forced():
    owner = Owner(farewell=SILENT)
    error = owner.ask("hand-over")["error"]
    assert (error["kind"], error["reason"], owner.thing.state) == ("PolicyError", "wipe", S.OPERATIONAL)
    forced = owner.ask("hand-over", forced=True)["result"]
    assert (forced["state"], forced["wipe_receipt"], forced["no_receipt"]) == ("re-owned", "", "timeout")


@pytest.mark.parametrize("content", [None, b"", b"\xa0"])
def test_a_next_owner_that_is_no_credential_stops_it_before_the_thing_is_asked(tmp_path, content):
    owner = Owner()
    path = tmp_path / "next.ccs"
    if content is not None:
        path.write_bytes(content)
    error = owner.ask("hand-over", to=str(path))["error"]
    assert (error["kind"], owner.parted) == ("ConfigError", [])
    assert str(path) in error["message"]


@pytest.mark.requirement("R-09")
@pytest.mark.parametrize("operation", ["quarantine", "retire"])
def test_a_plane_that_is_down_is_shown_as_owing(operation):
    owner = Owner()
    owner.house.planes[PlaneName.NETWORK].fail = down
    told = owner.ask(operation)["result"]
    (network,) = [row for row in told["planes"] if row["plane"] == "network"]
    assert network["withdrawn"] is None
    assert owner.ask("show")["result"]["owed"]


@pytest.mark.requirement("R-09")
def test_a_retired_thing_is_timed_on_six_planes_and_its_word_is_kept():
    owner = Owner()
    told = owner.ask("retire", cause="broken")["result"]
    assert (told["state"], told["no_receipt"]) == ("decommissioned", "")
    assert [row["plane"] for row in told["planes"]] == [plane.value for plane in PlaneName]
    assert all(row["milliseconds"] is not None and row["withdrawn"] is not None for row in told["planes"])
    assert owner.house.entries(Kind.TRANSITION)[-1].details["why"] == "broken"


def test_a_silent_thing_is_retired_all_the_same():
    told = Owner(farewell=SILENT).ask("retire")["result"]
    assert (told["state"], told["wipe_receipt"], told["no_receipt"]) == ("decommissioned", "", "timeout")


def test_the_next_owner_is_in_the_ledger_by_its_key(tmp_path):
    owner, public = Owner(), generate(KeyType.P256).public
    (tmp_path / "next.ccs").write_bytes(ccs.encode(public, subject="next"))
    owner.ask("hand-over", to=str(tmp_path / "next.ccs"))
    assert owner.house.entries(Kind.TRANSITION)[-1].details["next_owner"] == cose_key.thumbprint(public)


def test_a_quarantine_is_lifted():
    owner = Owner()
    assert owner.ask("quarantine")["result"]["restriction"] == "quarantined"
    assert owner.ask("restore")["result"]["restriction"] == "none"


def test_things_are_listed_and_shown():
    owner = Owner(S.INSTALLED)
    (listed,) = owner.ask("list")["result"]
    assert (listed["thing"], listed["version"]) == (THING.id, "1.1.0")
    assert len(owner.ask("show")["result"]["planes"]) == 6


def test_where_a_thing_is_is_shown_with_all_its_addresses():
    owner, mac = Owner(), bytes.fromhex("020000000001")
    assert owner.ask("show")["result"]["addresses"] == []
    owner.places[THING.id] = (ThingAddress(mac, ip_address("10.77.0.2")), ThingAddress(NO_MAC, ip_address("fd77::2")))
    assert owner.ask("show")["result"]["addresses"] == ["10.77.0.2 at 02:00:00:00:00:01", "fd77::2"]
    assert "addresses" not in owner.ask("list")["result"][0]
