"""Who waits is shown with the key to compare, a yes can be taken back, and an installer stays within their bounds."""

import asyncio
from datetime import timedelta

import pytest

from tests.unit.controller.test_admission import NEWCOMER, THING_KEY, Door, rule
from tests.unit.controller.test_installers import BEN, CARLA, Site
from tests.unit.domain.things import a_thing
from thingstead.controller.offline_approval import OfflineApprovals
from thingstead.controller.operation import Operations
from thingstead.controller.operation_admission import rows
from thingstead.controller.waiting_room import shown
from thingstead.domain.ledger.entry import Kind
from thingstead.domain.plane import PlaneName
from thingstead.domain.policy import Verdict
from thingstead.domain.role import OWNER, Operator, Role
from thingstead.protocols.cose import key as cose_key
from thingstead.storage.records import PlaneRecords

KEY = shown(cose_key.thumbprint(THING_KEY.public))
INSTALLER = Operator(Role.INSTALLER, "ben", b"as they signed it")


class House(Door):
    """A door with a thing before it, an installer, and the operations."""

    def __init__(self, **bounds):
        super().__init__(rule(Verdict.HOLD))
        self.come(NEWCOMER)
        self.site, self.refused = Site(self.admission.room, self.clock), []
        self.site.add(public=BEN, **bounds)
        self.statements = OfflineApprovals(
            self.site.installers,
            self.admission,
            self.register,
            records=PlaneRecords(PlaneName.IDENTITY, self.store, prefix="statement/"),
            domain="home",
            clock=self.clock,
        )

    def ask(self, operation, operator=OWNER, **arguments):
        table = rows(
            self.register,
            self.admission,
            installers=self.site.installers,
            statements=self.statements,
            on_refusal=lambda *said: self.refused.append(said),
        )
        asked = {"operation": f"thing.{operation}", "arguments": arguments}
        return asyncio.run(Operations(*table).answer(asked, operator=operator))

    def admit(self, operator=INSTALLER, **said):
        return self.ask("admit", operator, **{"thing": self.things[0].id, "key": KEY, **said})


@pytest.fixture
def house():
    return House()


@pytest.mark.parametrize(
    ("said", "kind"),
    [
        ({"thing": a_thing(9).id}, "ConfigError"),
        ({"thing": "lamp"}, "DecodeError"),
        ({"scope": "absent"}, "PolicyError"),
        ({"key": "0" * 16}, "UntrustedError"),
        ({"key": "short"}, "ConfigError"),
        ({"undo": True}, "PolicyError"),
    ],
)
def test_what_cannot_be_approved_is_refused_and_nobody_is_in(house, said, kind):
    assert house.admit(OWNER, **said)["error"]["kind"] == kind
    assert house.come(NEWCOMER).reason == "held"


def test_who_waits_is_shown_with_its_key_and_whether_it_was_approved(house):
    (row,) = house.ask("waiting")["result"]
    assert (row["serial"], row["rule"], row["zone"], row["approved_by"]) == ("A0001", "lamps", "floor-1", "")
    assert row["key"] == KEY
    told = house.admit(OWNER)["result"]
    assert (told["approved_by"], house.ask("waiting")["result"]) == ("owner", [told])
    assert house.admit(OWNER, undo=True)["result"]["approved_until"] is None
    assert house.come(NEWCOMER).reason == "held"
    house.admit(OWNER)
    assert house.come(NEWCOMER).access_token
    assert house.ask("waiting")["result"] == []


@pytest.mark.requirement("R-03")
@pytest.mark.parametrize(
    ("bounds", "said", "reason"),
    [
        ({"zones": ("floor-2",)}, {}, "delegation"),
        ({"classes": (0, 1)}, {}, "delegation"),
        ({}, {"scope": "guest"}, "scope"),
        ({}, {"key": ""}, "key"),
    ],
)
def test_an_installer_beyond_their_bounds_is_refused_and_it_is_told_of(bounds, said, reason):
    house = House(**bounds)
    error = house.admit(**said)["error"]
    assert (error["kind"], error["reason"]) == ("ForbiddenError", reason)
    assert house.refused == [("installer:ben", house.things[0].id, reason)]
    assert house.come(NEWCOMER).reason == "held"
    assert house.entries(Kind.APPROVAL) == []


@pytest.mark.requirement("R-03")
def test_an_installer_whose_time_is_over_or_who_was_revoked_approves_nothing():
    house = House(days=0.5)
    house.clock.seconds = timedelta(hours=12).total_seconds()
    assert house.admit()["error"]["reason"] == "delegation"
    house = House()
    house.site.revoke()
    assert house.admit()["error"]["reason"] == "delegation"


@pytest.mark.requirement("R-03")
def test_an_approval_goes_with_the_delegation_that_it_was_given_under():
    house = House()
    house.admit()
    house.site.revoke()
    assert house.come(NEWCOMER).reason == "held"
    house = House(days=0.5)
    assert house.admit()["result"]["approved_until"] == (house.clock.utc() + timedelta(days=0.5)).isoformat().replace(
        "+00:00", "Z"
    )
    house.clock.seconds = timedelta(hours=12).total_seconds()
    assert house.come(NEWCOMER).reason == "held"


@pytest.mark.requirement("R-03")
def test_an_installer_undoes_their_own_approvals_and_nobody_else_s(house):
    house.admit(OWNER)
    assert house.admit(undo=True)["error"]["kind"] == "ForbiddenError"
    house.admit()
    assert house.admit(undo=True)["result"]["approved_by"] == ""
    house.admit()
    assert house.admit(OWNER, undo=True)["result"]["approved_by"] == ""


@pytest.mark.requirement("R-03")
def test_the_ledger_says_who_approved_under_which_delegation_and_holds_what_they_signed(house):
    house.site.add("carla", CARLA)
    delegation = house.site.installers.delegation("installer:ben")
    house.admit()
    assert house.come(NEWCOMER).access_token
    (said,) = house.entries(Kind.APPROVAL)
    assert (said.actor, said.details["delegation"], said.details["signed"]) == (
        "installer:ben",
        delegation.cti,
        INSTALLER.proof,
    )
    assert house.entries(Kind.AUTHORIZATION)[-1].details["rule"] == "lamps, approved by installer:ben"
