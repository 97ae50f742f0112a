"""What an installer signed elsewhere lets a thing in once, within what they may do now."""

import asyncio
import base64
from datetime import timedelta

import pytest

from tests.unit.controller.test_admission import NEWCOMER
from tests.unit.controller.test_installers import BEN_KEY
from tests.unit.controller.test_operation_admission import KEY, House
from thingstead.controller.offline_approval import OfflineApprovals
from thingstead.crypto.key import KeyType, generate
from thingstead.domain.ledger.entry import Kind
from thingstead.domain.plane import PlaneName
from thingstead.domain.role import Operator, Role
from thingstead.protocols.profile import approval, signed_request
from thingstead.protocols.profile.approval import Statement
from thingstead.storage.records import PlaneRecords

pytestmark = pytest.mark.requirement("R-03")
COURIER = Operator(Role.USER, "dora")
EVE = generate(KeyType.P256)


class Site(House):
    def sign(self, *, nonce=bytes(16), by=BEN_KEY, domain="home", **bent):
        (ben,) = self.site.installers
        said = {
            "delegation": ben.cti,
            "maker": "acme",
            "serial": "A0001",
            "key": KEY.replace("-", ""),
            "zone": "floor-1",
            "at": self.clock.utc(),
            **bent,
        }
        return approval.sign(Statement(nonce=nonce, **said), by, domain=domain)

    def present(self, encoded, operator=COURIER):
        return self.ask("present", operator, statement=base64.urlsafe_b64encode(encoded).decode())

    def restart(self):
        records = PlaneRecords(PlaneName.IDENTITY, self.store, prefix="statement/")
        self.statements = OfflineApprovals(
            self.site.installers, self.admission, self.register, records=records, domain="home", clock=self.clock
        )


@pytest.fixture
def site():
    return Site()


def test_it_is_taken_from_whoever_brings_it_and_is_the_installer_s_on_the_ledger(site):
    encoded = site.sign()
    told = site.present(encoded)["result"]
    assert told["approved_by"] == "installer:ben"
    (said,) = site.entries(Kind.APPROVAL)
    assert (said.actor, said.details["signed"]) == ("installer:ben", encoded)
    assert site.come(NEWCOMER).access_token


@pytest.mark.parametrize("restarts", [False, True])
def test_it_counts_once_also_after_it_was_undone_and_over_a_restart(site, restarts):
    encoded = site.sign()
    site.present(encoded)
    site.admit(undo=True)
    if restarts:
        site.restart()
    assert site.present(encoded)["error"]["kind"] == "ReplayError"
    assert site.come(NEWCOMER).reason == "held"


def test_of_two_that_bring_it_together_one_does(site):
    encoded = site.sign()

    async def both():
        return await asyncio.gather(
            site.statements.present(encoded), site.statements.present(encoded), return_exceptions=True
        )

    outcomes = asyncio.run(both())
    assert sorted(type(one).__name__ for one in outcomes) == ["ReplayError", "Waiting"]


@pytest.mark.parametrize(
    ("bent", "kind"),
    [
        ({"by": EVE}, "UntrustedError"),
        ({"domain": "other"}, "UntrustedError"),
        ({"delegation": b"another"}, "ForbiddenError"),
        ({"maker": "brook"}, "PolicyError"),
        ({"serial": "A0009"}, "PolicyError"),
        ({"zone": "floor-2"}, "PolicyError"),
        ({"key": "0" * 16}, "UntrustedError"),
        ({"key": "short"}, "ConfigError"),
    ],
)
def test_one_that_is_not_about_what_waits_here_lets_nobody_in_and_is_not_spent(site, bent, kind):
    encoded = site.sign(**bent)
    assert site.present(encoded)["error"]["kind"] == kind
    assert site.come(NEWCOMER).reason == "held"
    assert site.entries(Kind.APPROVAL) == []
    assert site.statements._spent == {}


@pytest.mark.parametrize("days", [-1, 7, 30])
def test_one_of_another_week_is_refused(days):
    site = Site(days=60)
    encoded = site.sign(at=site.clock.utc() - timedelta(days=days))
    assert site.present(encoded)["error"]["kind"] == "ExpiredError"


def test_bounds_are_those_of_the_delegation_now(site):
    encoded = site.sign()
    site.site.revoke()
    assert site.present(encoded)["error"]["kind"] == "UntrustedError"
    site.site.add(public=BEN_KEY.public)
    assert site.present(encoded)["error"]["reason"] == "delegation"
    narrow = Site(classes=(0,))
    assert narrow.present(narrow.sign())["error"]["reason"] == "delegation"
    late = Site(days=0.5)
    encoded = late.sign()
    late.clock.seconds = timedelta(hours=13).total_seconds()
    assert late.present(encoded)["error"]["kind"] == "UntrustedError"


def test_a_request_that_somebody_overheard_is_no_statement_and_a_statement_no_request(site):
    request = signed_request.sign("thing.admit", {"thing": "x"}, BEN_KEY, domain="home", challenge=bytes(16))
    assert site.present(request)["error"]["kind"] == "DecodeError"
    assert site.ask("present", COURIER, statement="no base64!")["error"]["kind"] == "ConfigError"
    assert "approval" not in {"thing.admit", "thing.present"}


def test_what_was_spent_is_forgotten_when_it_is_too_old_to_come_again():
    site = Site(days=60)
    site.present(site.sign())
    site.admit(undo=True)
    site.clock.seconds += timedelta(days=8).total_seconds()
    site.present(site.sign(nonce=b"another one, 16 "))
    assert list(site.statements._spent) == [b"another one, 16 "]
