import asyncio
from collections import Counter
from types import SimpleNamespace
from typing import Any

import pytest

from tests.unit.controller.planes import FakePlane, JumpingClock
from tests.unit.domain.things import AT, a_thing, an_obligation
from thingstead.analysis.assurance import Status
from thingstead.analysis.neglect import Neglect, Neglected
from thingstead.controller.notary import Notary
from thingstead.controller.overview import Overview
from thingstead.crypto.key import KeyType, generate
from thingstead.domain.crypto_asset import AssetKind, CryptoAsset
from thingstead.domain.crypto_policy import CryptoPolicy
from thingstead.domain.ledger.entry import Draft, Kind
from thingstead.domain.lifecycle import LifecycleState, Restriction
from thingstead.domain.plane import Expiry, Finding, PlaneName
from thingstead.domain.register import Register
from thingstead.domain.unit import Unit
from thingstead.simulator.virtual.memory import MemoryHeads
from thingstead.storage.memory import MemoryStore

KEY = generate(KeyType.P256)
FORGOTTEN = Neglected(Neglect.UNMANAGED, None, None, "02:00:00:00:00:09 at 192.0.2.9")
ENTRY = Draft(AT, Kind.CONFIGURATION, "operator:test")


class Telling(FakePlane):
    """A plane with one date to watch and, to the questions in `answers`, a finding."""

    def __init__(self, name, clock):
        super().__init__(name, clock)
        self.answers = {}

    def expiries(self):
        return [Expiry(f"of {self.name}", AT, (), self.name)]

    def findings(self, question):
        if question not in self.answers:
            return ()
        return (Finding(question, self.name, "control", "evidence", "risk", holds=self.answers[question]),)


def part(**told: Any) -> Any:
    """Something that the overview reads a few figures of."""
    return SimpleNamespace(**told)


class Domain:
    """A domain at rest, looked over."""

    def __init__(self, *units, live=()):
        self.clock = JumpingClock()
        self.store, self.heads = MemoryStore(), MemoryHeads()
        for unit in units:
            self.commit(unit)
        self.register = Register(self.store.load())
        self.planes = {name: Telling(name, self.clock) for name in PlaneName}
        self.notary = Notary(self.store, self.heads, key=KEY, domain="home", clock=self.clock)
        self.resources = part(
            refused=Counter(scope=2, expired=1), paths=lambda *, public: ("/edhoc",) if public else ("/telemetry",)
        )
        self.server = part(counters={"malformed": 3}, is_live=set(live).__contains__)
        self.bootstrap = part(half_open=1)
        self.assets: list[CryptoAsset] = []
        self.crypto = CryptoPolicy()
        self.overview = Overview(
            "home",
            self.planes.values(),
            register=self.register,
            store=self.store,
            notary=self.notary,
            resources=self.resources,
            server=self.server,
            bootstrap=self.bootstrap,
            attention=part(counts=Counter({Neglect.SILENT: 2}), look=lambda: (FORGOTTEN,)),
            own_assets=lambda: self.assets,
            crypto=lambda: self.crypto,
            waiting=lambda: 3,
            cut_off=lambda: 1,
            makers=lambda: {"acme": {"vouched": 2}},
            dates=lambda: (),
            max_half_open=1024,
            is_offline=True,
            clock=self.clock,
        )

    def status(self):
        return asyncio.run(self.overview.status())

    def commit(self, unit):
        asyncio.run(self.store.commit(unit))

    def seal(self):
        asyncio.run(self.notary.seal())

    def row(self, question):
        assurance = asyncio.run(self.overview.assurance())
        return next(row for row in assurance.rows if row.question.id == question)

    def evidence(self, question):
        return " ".join(finding.evidence for finding in self.row(question).findings)


def test_a_domain_without_anything_has_a_status_all_the_same():
    status = Domain().status()
    assert (status["things"], status["states"], status["restrictions"], status["associations"]) == (0, {}, {}, 0)
    assert status["ledger"] == {"entries": 0, "signed": 0}
    assert status["waiting"] == 3


def test_alarms_and_who_is_cut_off_are_told():
    domain = Domain(Unit(entries=(Draft(AT, Kind.ALARM, "detector:flood", None, "flood"),)))
    alarms = domain.status()["alarms"]
    assert (alarms["last_day"], alarms["newest"]["cause"], alarms["cut_off"]) == (1, "flood", 1)


def test_what_is_forgotten_is_told_as_of_the_last_look_and_looked_for_anew_as_evidence():
    domain = Domain()
    assert domain.status()["forgotten"] == {"silent": 2}
    assert "forgotten now: 1 unmanaged" in domain.evidence("R-12")


def test_things_are_counted_by_state_restriction_and_association():
    things = (
        a_thing(1),
        a_thing(2, restriction=Restriction.QUARANTINED),
        a_thing(3, state=LifecycleState.DECOMMISSIONED),
    )
    status = Domain(Unit(things=things), live=[things[0].id, "thing-of-nobody"]).status()
    assert status["states"] == {"decommissioned": 1, "operational": 2}
    assert status["restrictions"] == {"none": 2, "quarantined": 1}
    assert (status["things"], status["associations"]) == (3, 1)


def test_time_counts_from_when_the_controller_started():
    domain = Domain()
    domain.clock.seconds += 61.4
    assert domain.status()["uptime_seconds"] == 61


def test_what_a_plane_owes_is_told_beside_its_mode():
    domain = Domain(Unit(opened=(an_obligation(1), an_obligation(2), an_obligation(1, PlaneName.DATA))))
    modes = {row.plane: (row.mode, row.owed) for row in domain.overview.modes()}
    assert modes == dict.fromkeys(map(str, PlaneName), ("live", 0)) | {"access": ("live", 2), "data": ("live", 1)}


def test_refusals_are_told_by_reason_where_they_were_counted():
    status = Domain().status()
    assert (status["refused"], status["dropped"]) == ({"expired": 1, "scope": 2}, {"malformed": 3})


def test_the_dates_of_all_planes_are_gathered():
    assert {expiry.what for expiry in Domain().overview.expiries()} == {f"of {name}" for name in PlaneName}


@pytest.mark.requirement("R-90")
def test_a_question_that_nobody_answers_stays_open():
    assert Domain().row("R-56").status is Status.OPEN


@pytest.mark.requirement("R-90")
@pytest.mark.parametrize("holds", [True, False])
def test_a_plane_is_asked_every_question_and_shown_only_where_its_finding_holds(holds):
    domain = Domain()
    domain.planes[PlaneName.GROUPS].answers = {"R-56": holds}
    assert domain.row("R-56").status is (Status.SHOWN if holds else Status.NOT_SHOWN)


def test_what_came_to_the_ledger_meanwhile_is_counted_the_next_time_and_once():
    domain = Domain(*[Unit(entries=(ENTRY,) * 400)] * 3)
    first = domain.evidence("R-02")
    assert "1200" in first
    domain.commit(Unit(entries=(ENTRY,)))
    assert "1201" in domain.evidence("R-02")
    assert domain.evidence("R-02") == domain.evidence("R-02")


def test_two_who_ask_at_once_count_each_entry_once():
    domain = Domain(Unit(entries=(ENTRY,) * 1100))

    async def both():
        return await asyncio.gather(domain.overview.assurance(), domain.overview.assurance())

    first, second = asyncio.run(both())
    assert first == second


@pytest.mark.requirement("R-02")
@pytest.mark.parametrize(
    "damaged", [lambda _head: b"", lambda head: head[:-1], lambda head: head[:-1] + bytes([head[-1] ^ 1])]
)
def test_a_head_that_does_not_fit_the_ledger_shows_nothing(damaged):
    domain = Domain(Unit(entries=(ENTRY, ENTRY)))
    domain.seal()
    assert domain.row("R-02").status is not Status.OPEN
    before = domain.evidence("R-02")
    domain.heads.head = damaged(domain.heads.head)
    assert domain.row("R-02").status is Status.NOT_SHOWN
    assert domain.evidence("R-02") != before


@pytest.mark.requirement("R-86")
def test_what_holds_because_of_an_algorithm_is_gathered_of_all_planes_and_above_them():
    house = Domain()
    house.assets.append(CryptoAsset(AssetKind.KEY, "key of the ledger", ("ESP256",)))
    assert house.overview.assets() == [(None, house.assets[0])]
