"""The owner's rules are kept, put into the words of makers' files, and never cut a thing off from its controller."""

import asyncio
from dataclasses import replace
from datetime import timedelta
from ipaddress import ip_network
from typing import Any

import pytest

from tests.unit.domain.things import AT, a_thing
from tests.unit.planes.network.fakes import BASELINE, CONTROLLER, LOCAL, Shelf
from thingstead.domain.owner_rule import OwnerRule, Way
from thingstead.errors import ConfigError, DecodeError, PolicyError
from thingstead.planes.network.overlay import OWN, Overlay
from thingstead.protocols.cbor import codec
from thingstead.protocols.mud.file import Direction, RemoteKind

LAMP = a_thing()
RULE = OwnerRule("r1", True, (LAMP.id,), "", "LX-*", Way.IN, "any", 6, (80, 80), "hole", "", "owner", AT)


class Noted(Shelf):
    """Keeps the ledger's drafts too."""

    def __init__(self):
        super().__init__()
        self.entries = []

    async def write(self, changes, *, entries=()):
        await super().write(changes)
        self.entries += entries


def overlay(shelf=None, *rules):
    made = Overlay(shelf or Noted(), local=LOCAL, controller=CONTROLLER, baseline=BASELINE)
    for rule in rules:
        asyncio.run(made.put(rule, by=rule.by, at=AT))
    return made


def compiled(**changes):
    rule = replace(RULE, **changes)
    return [one for _, one in overlay(None, rule).of(LAMP, refuses=rule.refuses)]


def reaches(rules, address):
    return any(
        ip_network(address).subnet_of(one.remote.prefix) for one in rules if one.family == ip_network(address).version
    )


def test_a_rule_comes_back_after_a_restart():
    shelf, later = Noted(), replace(RULE, id="r2", at=AT + timedelta(1), until=AT + timedelta(2), vulnerability="CVE-1")
    overlay(shelf, later, RULE)
    assert overlay(shelf).rules() == (RULE, later)


def test_each_change_is_on_the_ledger_with_who_and_why():
    shelf = Noted()
    made = overlay(shelf, RULE, replace(RULE, id="r2", refuses=False, cause="casting"))
    asyncio.run(made.remove("r2", by="operator:ben", at=AT))
    assert [(one.cause, one.actor) for one in shelf.entries] == [
        ("owner-refusal", "owner"),
        ("owner-allowance", "owner"),
        ("owner-rule-revoked", "operator:ben"),
    ]
    assert shelf.entries[1].details["why"] == "casting"
    assert made.rules() == (RULE,)


@pytest.mark.parametrize(
    ("way", "directions"),
    [
        (Way.OUT, {Direction.FROM_DEVICE}),
        (Way.IN, {Direction.TO_DEVICE}),
        (Way.BOTH, {Direction.FROM_DEVICE, Direction.TO_DEVICE}),
    ],
)
def test_the_port_is_that_of_whoever_is_contacted(way, directions):
    rules = compiled(way=way)
    assert {one.opened_by for one in rules} == directions
    for one in rules:
        contacted = one.remote_ports if one.opened_by is Direction.FROM_DEVICE else one.device_ports
        assert (contacted.first, contacted.last) == (80, 80)


WIDE: Any = {"protocol": None, "ports": (0, 65535)}


@pytest.mark.parametrize(
    "changes",
    [WIDE, {"protocol": 17, "ports": (5000, 6000)}, {"way": Way.OUT, "protocol": None, "ports": (5683, 5683)}],
)
def test_a_refusal_of_everybody_is_one_rule_for_each_family_and_way(changes):
    rules = compiled(**changes)
    assert reaches(rules, "192.0.2.1/32")
    assert reaches(rules, "2001:db8::1/128")
    assert len(rules) == 2 * len({one.opened_by for one in rules})
    with pytest.raises(PolicyError, match="the domain's controller"):
        compiled(**(changes | {"remote": "10.77.0.1/32"}))


def test_the_internet_is_what_is_not_the_site():
    rules = compiled(remote="internet")
    assert reaches(rules, "192.0.2.1/32")
    assert reaches(rules, "2001:db8::1/128")
    assert not reaches(rules, "10.77.3.4/32")
    assert not reaches(rules, "fd77::5/128")
    assert not reaches(compiled(remote="local"), "192.0.2.1/32")
    assert reaches(compiled(remote="local"), "10.77.3.4/32")


def test_a_name_stays_one_until_its_addresses_are_known():
    assert {(one.remote.kind, one.remote.name, one.family) for one in compiled(remote="cloud.acme.example")} == {
        (RemoteKind.DNS_NAME, "cloud.acme.example", family) for family in (4, 6)
    }


def test_an_allowance_of_everybody_is_one_rule_a_family():
    assert [one.remote.kind for one in compiled(refuses=False)] == [RemoteKind.ANY] * 2
    assert [one.remote.kind for one in compiled(refuses=False, remote="local")] == [RemoteKind.LOCAL_NETWORKS] * 2


def test_icmp_is_of_its_family():
    assert {one.family for one in compiled(protocol=1, ports=(0, 65535))} == {4}
    assert {one.family for one in compiled(protocol=58, ports=(0, 65535))} == {6}


def test_a_rule_about_others_says_nothing_of_a_thing():
    made = overlay(None, RULE)
    assert made.of(a_thing(1), refuses=True) == made.of(LAMP, refuses=False) == ()


@pytest.mark.parametrize(
    "changes",
    [{}, {"way": Way.BOTH}, {"protocol": 17, "ports": (5684, 65535)}, {"protocol": 1, "ports": (0, 65535)}],
)
def test_what_the_controller_does_not_need_is_one_rule_of_a_family(changes):
    rules = compiled(**changes)
    assert {str(one.remote.prefix) for one in rules} <= {"0.0.0.0/0", "::/0"}
    assert len(rules) == len({(one.family, one.opened_by) for one in rules})


@pytest.mark.parametrize("remote", ["10.77.0.1/32"])
def test_nothing_cuts_a_thing_off_from_its_controller(remote):
    shelf = Noted()
    with pytest.raises(PolicyError, match="controller"):
        overlay(shelf, replace(RULE, remote=remote, **WIDE))
    assert shelf.documents == {}
    assert shelf.entries == []
    assert compiled(remote=remote, refuses=False)


def test_there_are_not_rules_without_end():
    made = overlay(None, *[replace(RULE, id=f"r{number}") for number in range(256)])
    asyncio.run(made.put(RULE, by="owner", at=AT))
    with pytest.raises(PolicyError, match="256"):
        asyncio.run(made.put(replace(RULE, id="one more"), by="owner", at=AT))


def test_what_is_not_there_is_not_revoked():
    with pytest.raises(ConfigError, match="no rule"):
        asyncio.run(overlay().remove("r" * 99, by="owner", at=AT))


def test_a_backup_brings_rules_where_none_of_their_name_is():
    documents = overlay(None, RULE, replace(RULE, id="r2")).documents()
    assert set(documents) == {OWN + "r1", OWN + "r2"}
    here = overlay(None, replace(RULE, cause="mine"))
    asyncio.run(here.restore(documents))
    assert [(one.id, one.cause) for one in here.rules()] == [("r1", "mine"), ("r2", "hole")]


def _broken():
    good = codec.decode(overlay(None, RULE).documents()[OWN + "r1"])
    for place in range(7):
        yield [*good[:place], None, *good[place + 1 :]]
    yield good[:6]
    yield [*good[:2], [["x"], "", "", ""], *good[3:]]
    yield [*good[:2], [[1], "", "", ""], *good[3:]]
    yield [*good[:3], ["up", *good[3][1:]], *good[4:]]
    yield [*good[:3], [*good[3][:3], [1]], *good[4:]]


@pytest.mark.parametrize("value", list(_broken()))
def test_what_is_no_rule_is_refused(value):
    shelf = Noted()
    shelf.documents["r1"] = codec.encode(value)
    with pytest.raises(DecodeError):
        overlay(shelf)
