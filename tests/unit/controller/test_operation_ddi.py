import asyncio

import pytest

from tests.unit.controller.test_ddi import Hall
from thingstead.controller.operation import Operations
from thingstead.controller.operation_ddi import rows
from thingstead.domain.role import Operator, Role

DEVICE = {"maker": "acme", "model": "GW-1", "serial": "G-1"}


class Desk:
    def __init__(self, url="https://updates.example:8443"):
        self.hall = Hall()
        self.operations = Operations(*rows(self.hall.registry, url=url))

    def ask(self, operation, operator=None, **arguments):
        asked = {"operation": operation, "arguments": arguments}
        return asyncio.run(self.operations.answer(asked, operator=operator or Operator(Role.OWNER)))


def test_the_owner_is_told_all_that_the_device_must_know():
    told = Desk().ask("thing.add", **DEVICE)["result"]
    assert set(told) == {"thing", "token", "tenant", "url"}
    assert (told["tenant"], told["url"]) == ("default", "https://updates.example:8443")


@pytest.mark.requirement("R-70")
def test_a_device_of_which_nothing_is_said_is_taken_for_one_that_verifies_no_image():
    desk = Desk()
    desk.ask("thing.add", **DEVICE)
    desk.ask("thing.add", **{**DEVICE, "serial": "G-2", "verifies_images": True})
    first, second = desk.hall.house.register.things()
    assert (first.verifies_nothing, second.verifies_nothing) == (True, False)


def test_the_owner_is_told_that_nothing_is_served():
    assert "[ddi]" in Desk(url="").ask("thing.add", **DEVICE)["result"]["url"]


def test_a_device_gets_another_token():
    desk = Desk()
    first = desk.ask("thing.add", **DEVICE)["result"]
    second = desk.ask("thing.token", thing=first["thing"])["result"]
    assert second["thing"] == first["thing"]
    assert second["token"] != first["token"]


@pytest.mark.requirement("R-06")
@pytest.mark.parametrize("role", [Role.INSTALLER, Role.MAINTAINER, Role.USER, Role.AUDITOR, Role.MANUFACTURER])
def test_nobody_but_the_owner_takes_one_in_or_gets_a_token(role):
    desk = Desk()
    thing = desk.ask("thing.add", **DEVICE)["result"]["thing"]
    assert desk.ask("thing.add", Operator(role), **{**DEVICE, "serial": "G-2"})["error"]["kind"] == "RoleError"
    assert desk.ask("thing.token", Operator(role), thing=thing)["error"]["kind"] == "RoleError"


@pytest.mark.parametrize("wrong", [{"thing": "x"}, {"thing": "thing-zzzzzzzzzzzzzzzz"}, {}])
def test_a_token_of_nobody_is_not_made(wrong):
    assert "error" in Desk().ask("thing.token", **wrong)
