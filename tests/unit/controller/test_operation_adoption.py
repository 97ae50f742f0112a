import asyncio

import pytest

from tests.unit.controller.test_brownfield import FIND, MAC, Field, file
from tests.unit.controller.test_learning import contact
from thingstead.controller.learning import Learning
from thingstead.controller.operation import Operations
from thingstead.controller.operation_adoption import rows
from thingstead.domain.network import ThingAddress
from thingstead.domain.role import Operator, Role

DEVICE = {"mac": "02:77:00:00:00:01", "ip": "10.77.0.7", "model": "plug", "file": file().decode()}


class Desk:
    def __init__(self):
        self.field = Field()
        learning = Learning(self.contacts, locate=self.locate, local=(), clock=self.field.house.clock)
        self.operations = Operations(*rows(self.field.brownfield, learning, self.field.house.register, days=7))

    async def contacts(self, _thing, _days):
        return (contact(), contact(dropped=1), contact(packets_in=0))

    def locate(self, _thing):
        return (ThingAddress(MAC, FIND.ips[0]),)

    def ask(self, role=Role.OWNER, **arguments):
        return self.answer("device.adopt", role, **{**DEVICE, **arguments})

    def answer(self, operation, role=Role.OWNER, **arguments):
        asked = {"operation": operation, "arguments": arguments}
        return asyncio.run(self.operations.answer(asked, operator=Operator(role)))


def test_the_owner_is_told_which_thing_it_is_now():
    told = Desk().ask()["result"]
    assert told["thing"].startswith("thing-")
    assert (told["state"], told["mud_url"]) == ("operational", "https://02-77-00-00-00-01.invalid/learned.json")


def test_all_its_addresses_are_kept_and_each_once():
    desk = Desk()
    desk.ask(ip="10.77.0.7, fd77::7,10.77.0.7")
    assert desk.field.places[-1][1] == ("10.77.0.7", "fd77::7")


@pytest.mark.requirement("R-06")
@pytest.mark.parametrize("role", [Role.INSTALLER, Role.MAINTAINER, Role.USER, Role.AUDITOR, Role.MANUFACTURER])
def test_nobody_but_the_owner_adopts(role):
    desk = Desk()
    assert desk.ask(role)["error"]["kind"] == "RoleError"
    assert desk.field.vouched == []


@pytest.mark.parametrize(
    ("wrong", "kind"),
    [
        ({"mac": "lamp"}, "ConfigError"),
        ({"mac": ""}, "ConfigError"),
        ({"ip": "10.77.0"}, "ConfigError"),
        ({"ip": "10.77.0.7,"}, "ConfigError"),
        ({"ip": "10.77.0.7,fd77::7 and more"}, "ConfigError"),
        ({"ip": ",".join(f"10.77.0.{last}" for last in range(1, 10))}, "ConfigError"),
        ({"file": "{"}, "DecodeError"),
        ({"file": " " * (1 << 18) + "{}"}, "ConfigError"),
        ({"file": 7}, "ConfigError"),
    ],
)
def test_what_is_no_device_or_no_file_is_refused(wrong, kind):
    desk = Desk()
    assert desk.ask(**wrong)["error"]["kind"] == kind
    assert desk.field.vouched == []


@pytest.mark.requirement("R-81")
def test_a_file_of_what_it_did_is_proposed_and_taken():
    desk = Desk()
    thing = desk.ask()["result"]["thing"]
    told = desk.answer("network.propose", Role.AUDITOR, thing=thing)["result"]
    assert (told["thing"], told["services"]) == (thing, 1)
    assert [one["why"] for one in told["not_proposed"]] == ["nobody answered"]
    assert len(desk.field.vouched) == 1
    assert desk.ask(file=told["file"])["result"]["thing"] == thing


@pytest.mark.parametrize("role", [Role.INSTALLER, Role.USER, Role.MANUFACTURER])
def test_who_may_not_look_gets_no_proposal(role):
    desk = Desk()
    thing = desk.ask()["result"]["thing"]
    assert desk.answer("network.propose", role, thing=thing)["error"]["kind"] == "RoleError"


@pytest.mark.parametrize("wrong", [{"days": 0}, {"days": 8}, {"thing": "lamp"}, {"thing": "thing-zzzzzzzzzzzzzzzz"}])
def test_days_that_are_not_kept_and_things_that_are_none_are_refused(wrong):
    desk = Desk()
    thing = desk.ask()["result"]["thing"]
    assert "error" in desk.answer("network.propose", **{"thing": thing, **wrong})
