"""The owner sees which services answer, and has things knocked at; others do not."""

import asyncio

import pytest

from tests.unit.controller.test_exposure_scan import HERE, LAMP, OTHER, THERE, Site
from tests.unit.domain.things import a_thing
from thingstead.controller import operation_exposure
from thingstead.controller.operation import Operations
from thingstead.domain.ledger.entry import Kind
from thingstead.domain.role import OWNER, Operator, Role

pytestmark = pytest.mark.requirement("R-89")


def _ask(site, operator=OWNER, operation="network.exposure", **arguments):
    table = Operations(*operation_exposure.rows(site.scan, domain="home", clock=site.clock))
    asked = {"operation": operation, "arguments": arguments}
    return asyncio.run(table.answer(asked, operator=operator))


def test_the_owner_sees_it_with_the_command_that_closes_it():
    site = Site()
    assert _ask(site)["result"] == []
    (row,) = _ask(site, again=True)["result"]
    assert row["close"] == f"thingstead network block --thing {LAMP.id} --protocol tcp --port 22"
    assert _ask(site)["result"] == [row]
    assert _ask(site, thing=OTHER.id)["result"] == []
    assert _ask(site, thing=OTHER.id, again=True)["result"] == []


def test_what_this_machine_serves_is_said_to_be_its():
    site = Site()
    site.doors["10.77.0.1"] = {(17, 5683), (6, 22)}
    rows = [row for row in _ask(site, again=True)["result"] if row["thing"] == "this machine"]
    assert [(row["expected"], bool(row["close"])) for row in rows] == [(False, True), (True, False)]


@pytest.mark.parametrize("role", [Role.AUDITOR, Role.USER, Role.INSTALLER, Role.MANUFACTURER])
def test_not_everybody_has_things_knocked_at(role):
    site = Site()
    assert _ask(site, Operator(role), again=True)["error"]["kind"] == "RoleError"
    assert site.knocked == []


@pytest.mark.parametrize("thing", ["x", "10.77.0.2", a_thing(9).id])
def test_only_things_of_ours_can_be_named(thing):
    assert _ask(Site(), thing=thing, again=True)["error"]["kind"] in {"ConfigError", "DecodeError"}


def told(site, *doors, place="site", knocked=(HERE, THERE), operator=OWNER):
    opened = [{"address": address, "protocol": protocol, "port": port} for address, protocol, port in doors]
    return _ask(site, operator, "exposure.tell", place=place, knocked=list(knocked), open=opened)


def test_a_plan_names_what_is_a_things_own_and_this_machine():
    plan = _ask(Site(), operation="exposure.plan")["result"]
    assert (plan["domain"], plan["addresses"]) == ("home", [HERE, THERE, "10.77.0.1"])


def test_what_answers_elsewhere_past_the_rules_is_an_alarm_and_no_rule_mends_it():
    site = Site()
    (row,) = told(site, (THERE, 6, 80))["result"]
    assert (row["thing"], row["seen_from"], row["expected"], row["open_to"]) == (OTHER.id, "site", False, ["site"])
    assert "it answered from within the site, from where the rules let nobody reach it" in row["why"]
    assert row["close"].startswith("find the way")
    (alarm,) = site.told(Kind.ALARM)
    assert (alarm.thing, alarm.details["seen_from"]) == (OTHER.id, "site")


def test_what_this_machine_serves_the_site_is_not_for_the_internet():
    site = Site()
    site.own = ("10.77.0.1", "fe80::1", "127.0.0.1")
    site.restart()
    assert _ask(site, operation="exposure.plan")["result"]["addresses"] == [HERE, THERE, "10.77.0.1"]
    (row,) = told(site, ("10.77.0.1", 17, 5683), knocked=["10.77.0.1"])["result"]
    assert (row["expected"], row["close"]) == (True, "")
    (row,) = told(site, ("10.77.0.1", 17, 5683), knocked=["10.77.0.1"], place="internet")["result"]
    assert (row["expected"], row["why"]) == (False, "it answered from the Internet; the domain serves it")
    assert "where they come in" in row["close"]


def test_what_the_rules_open_there_is_expected():
    site = Site()
    site.allowed = frozenset({"site"})
    (row,) = told(site, (HERE, 6, 22))["result"]
    assert (row["expected"], row["why"]) == (True, "its maker says so")
    assert site.told(Kind.ALARM) == []
    (row,) = told(site, (HERE, 6, 22), place="internet")["result"]
    assert (row["expected"], row["open_to"]) == (False, ["site", "internet"])


def test_what_was_told_stays_with_its_date_until_it_does_not_answer_there_any_more():
    site = Site()
    told(site, (HERE, 6, 80), place="internet")
    told(site, (HERE, 6, 80))
    site.clock.seconds += 3600
    (row,) = told(site, (HERE, 6, 80))["result"]
    assert row["since"] == _ask(site)["result"][0]["since"]
    site.restart().run()
    places = sorted((row["seen_from"], row["service"]) for row in _ask(site, thing=LAMP.id)["result"])
    assert [place for place, _ in places] == ["internet", "site", "this machine"]
    assert told(site)["result"] == []
    assert len(site.told(Kind.ALARM)) == 3
    site.places[LAMP.id] = "10.77.0.44"
    site.doors["10.77.0.44"] = set()
    site.run()
    assert _ask(site, thing=LAMP.id)["result"] == []


@pytest.mark.parametrize(
    ("doors", "changes"),
    [
        ([("10.77.0.99", 6, 80)], {"knocked": ("10.77.0.99",)}),
        ([(THERE, 6, 80)], {"knocked": (HERE,)}),
        ([("198.51.100.7", 6, 80)], {}),
        ([(HERE, 1, 80)], {}),
        ([(HERE, 6, 0)], {}),
        ([(HERE, 6, 65_536)], {}),
        ([(HERE, 6, 4)], {}),
        ([(HERE, 17, 80)], {}),
        ([], {"place": "moon"}),
        ([], {"knocked": ("here",)}),
    ],
)
def test_what_is_nobodys_of_ours_is_not_taken_up(doors, changes):
    site = Site()
    assert told(site, *doors, **changes)["error"]["kind"] == "ConfigError"
    assert (site.scan.found(), site.told(Kind.ALARM)) == ((), [])


@pytest.mark.parametrize("role", [Role.AUDITOR, Role.USER, Role.INSTALLER, Role.MANUFACTURER])
def test_not_everybody_tells_what_is_open(role):
    assert told(Site(), (HERE, 6, 80), operator=Operator(role))["error"]["kind"] == "RoleError"
    assert _ask(Site(), Operator(role), "exposure.plan")["error"]["kind"] == "RoleError"
