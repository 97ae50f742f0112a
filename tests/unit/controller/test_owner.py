"""What the owner wrote is taken up whole or not at all, is on the ledger, and stands in the files alone."""

import asyncio
import json
from dataclasses import replace

import pytest

from tests.unit.controller.test_admission import NEWCOMER, Door
from tests.unit.domain.test_anchor import ACME as FOLLOWED
from tests.unit.domain.test_anchor import INTRODUCTION
from tests.unit.planes.software.desk import ANCHORS, LAMP, Desk
from thingstead.controller.operation import Operations
from thingstead.controller.operation_owner import rows
from thingstead.controller.owner import Owner, Trusted
from thingstead.domain.anchor import follow
from thingstead.domain.crypto_policy import CryptoPolicy
from thingstead.domain.ledger.entry import Kind
from thingstead.domain.plane import PlaneName
from thingstead.errors import ConfigError, ForbiddenError, PolicyError
from thingstead.planes.identity.registrar import Registrar
from thingstead.planes.software.migration import Migrations
from thingstead.storage.policy_file import parse_policy
from thingstead.storage.records import PlaneRecords

ACME, BROOK = ANCHORS
BEGUN = follow(FOLLOWED, [INTRODUCTION])
BASE = """
profile = "building"

[scope.member]
"/telemetry" = ["POST"]

[granted]
"/light" = ["GET"]
"""
LAMPS = '\n[[rule]]\nname = "lamps"\nmakers = ["acme"]\nscope = "member"\n'


class House:
    """A domain of one owner, whose files are attributes."""

    def __init__(self, policy=BASE, anchors=(ACME,)):
        self.text, self.trusted_files = policy, anchors
        self.door, self.desk = Door(), Desk(anchors=anchors)
        self.trusted = Trusted(anchors)
        self.registrar = Registrar({one.maker: one.identity_key for one in anchors})
        self.groups = []
        self.door.admission.apply(parse_policy(policy))
        heard = (None, None)
        self.migrations = Migrations(
            PlaneRecords(PlaneName.IDENTITY, self.door.store, prefix="update-keys/"),
            things=self.door.register.things,
            heard=lambda _thing: heard,
            crypto=CryptoPolicy(),
            clock=self.door.clock,
        )
        self.migrations.resume(anchors)
        self.owner = Owner(
            self,
            parse_policy(policy),
            self.trusted,
            registrar=self.registrar,
            software=self.desk.tracker,
            migrations=self.migrations,
            admission=self.door.admission,
            register=self.door.register,
            store=self.door.store,
            clock=self.door.clock,
            make_groups=self._make_groups,
            campaigns=self.desk.campaigns,
        )

    async def _make_groups(self, policy):
        self.groups.append(policy)

    def settings_text(self):
        return ""

    def operators_text(self):
        return ""

    def policy_text(self):
        return self.text

    def anchors(self):
        if self.trusted_files is None:
            raise ConfigError("acme.anchor is not a trust anchor")
        return self.trusted_files

    def ask(self, operation):
        answer = asyncio.run(Operations(*rows(self.owner)).answer({"operation": operation}))
        return json.loads(json.dumps(answer))

    def refused(self, operation):
        return self.ask(operation)["error"]

    def noted(self):
        return [(one.cause, dict(one.details)) for one in self.door.entries(Kind.CONFIGURATION)]


# --- policy


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[", "the join policy cannot be read"),
        (BASE.replace("building", "palace"), "the join policy cannot be read"),
        (BASE + '\n[[rule]]\nname = "x"\nmakers = []\nscope = "none"\n', "gives the scope 'none'"),
        (BASE.replace("building", "home") + LAMPS, "taken up at the next start"),
        (BASE.replace('["GET"]', '["PUT"]') + LAMPS, "taken up at the next start"),
        (
            BASE + LAMPS + '\n[[series]]\nname = "power"\npurpose = "faults"\nretention_days = 1\n',
            "taken up at the next start",
        ),
    ],
)
def test_a_policy_that_cannot_be_taken_up_whole_changes_nothing(text, says):
    house = House()
    house.text = text
    assert says in house.refused("policy.reload")["message"]
    assert isinstance(house.door.come(NEWCOMER), PolicyError)
    assert (house.noted(), house.groups) == ([], [])


def test_a_policy_that_the_disk_does_not_put_on_the_ledger_is_not_in_force():
    house = House()
    house.text = BASE + LAMPS
    house.door.store.is_full = True
    assert house.refused("policy.reload")["kind"] == "StorageError"
    house.door.store.is_full = False
    assert isinstance(house.door.come(NEWCOMER), PolicyError)


@pytest.mark.parametrize("top", ["", "approve_each = true\n"])
def test_a_rule_that_was_taken_away_or_suspended_admits_nobody_any_more(top):
    house = House(BASE + LAMPS)
    house.text = top + (BASE + LAMPS if top else BASE)
    assert house.ask("policy.reload")["result"]["approve_each"] is bool(top)
    assert isinstance(house.door.come(NEWCOMER), PolicyError)


def test_a_policy_that_is_as_it_was_is_no_entry():
    house = House()
    assert house.ask("policy.reload")["result"]["changed"] is False
    assert (house.noted(), house.groups) == ([], [])


def test_a_new_rule_counts_from_the_next_join_on_and_is_on_the_ledger():
    house = House()
    assert isinstance(house.door.come(NEWCOMER), PolicyError)
    house.text = BASE + LAMPS
    told = house.ask("policy.reload")["result"]
    assert told == {"rules": 1, "scopes": ["member"], "approve_each": False, "changed": True}
    assert house.door.come(NEWCOMER).access_token
    ((cause, details),) = house.noted()
    assert (cause, details["rules"], len(details["sha256"])) == ("policy", 1, 32)
    assert house.groups == [parse_policy(house.text)]


# --- trust


def test_a_folder_with_a_file_that_is_no_anchor_changes_nothing():
    house = House()
    house.trusted_files = None
    assert "acme.anchor is not" in house.refused("trust.reload")["message"]
    assert (house.registrar.makers(), house.noted()) == (("acme",), [])


def test_trust_that_the_disk_does_not_put_on_the_ledger_is_not_given():
    house = House()
    house.trusted_files = ANCHORS
    house.door.store.is_full = True
    assert house.refused("trust.reload")["kind"] == "StorageError"
    assert (house.registrar.makers(), house.trusted.anchors) == (("acme",), (ACME,))


def test_a_maker_whose_anchor_is_gone_is_asked_by_nobody_and_its_things_are_named():
    house = House(BASE + LAMPS)
    house.door.come(NEWCOMER)
    house.desk.admit(LAMP).publish()
    house.trusted_files = (BROOK,)
    told = house.ask("trust.reload")["result"]
    (thing,) = house.door.things
    assert told == {"makers": ["brook"], "added": ["brook"], "removed": ["acme"], "staying": [thing.id], "dropped": []}
    assert (house.registrar.makers(), house.trusted.anchors) == (("brook",), (BROOK,))
    with pytest.raises(ForbiddenError):
        house.desk.tracker.poll(LAMP.id)
    ((cause, details),) = house.noted()
    assert (cause, details["acme"], len(details["brook"])) == ("trust", None, 32)


def test_a_maker_whose_key_was_replaced_is_told_as_added():
    house = House()
    house.trusted_files = (replace(ACME, identity_key=ACME.release_keys[1]),)
    assert house.ask("trust.reload")["result"]["added"] == ["acme"]


def test_a_maker_that_is_trusted_again_has_its_releases_offered_again():
    house = House()
    house.desk.admit(LAMP).publish()
    for files in ((), (ACME,)):
        house.trusted_files = files
        house.ask("trust.reload")
    assert house.desk.tracker.poll(LAMP.id) is not None
    assert [cause for cause, _ in house.noted()] == ["trust", "trust"]


def test_trust_that_is_as_it_was_is_no_entry():
    house = House()
    told = house.ask("trust.reload")["result"]
    assert told == {"makers": ["acme"], "added": [], "removed": [], "staying": [], "dropped": []}
    assert house.noted() == []


def test_how_releases_go_without_a_plan_is_taken_up_while_the_domain_runs():
    house = House()
    assert _stages(house) is None
    house.text = BASE + '\n[campaign]\nstages = [1, "100%"]\n'
    assert asyncio.run(house.owner.reload_policy()).changed
    assert _stages(house) == 2
    house.text = BASE + '\n[campaign]\nstages = ["half"]\n'
    with pytest.raises(ConfigError, match="policy, line"):
        asyncio.run(house.owner.reload_policy())
    assert _stages(house) == 2


def _stages(house):
    plan = house.desk.campaigns.default
    return None if plan is None else len(plan.stages)


@pytest.mark.requirement("R-76")
def test_an_anchor_that_ends_a_change_of_update_keys_says_so_and_is_on_the_ledger():
    house = House(anchors=(BEGUN,))
    house.trusted_files = (BEGUN,)
    assert house.ask("trust.reload")["result"]["dropped"] == []
    house.trusted_files = (FOLLOWED,)
    assert house.ask("trust.reload")["result"]["dropped"] == ["acme"]
    assert [cause for cause, _ in house.noted()] == ["trust", "update-keys-dropped"]
    assert house.noted()[1][1] == {"acme": 1}
    assert house.ask("trust.reload")["result"]["dropped"] == []
