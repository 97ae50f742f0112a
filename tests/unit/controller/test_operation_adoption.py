import asyncio

import pytest

from tests.unit.controller.test_brownfield import Field, file
from thingstead.controller.operation import Operations
from thingstead.controller.operation_adoption import rows
from thingstead.domain.role import Operator, Role

DEVICE = {"mac": "02:77:00:00:00:01", "ip": "10.77.0.7", "model": "plug", "file": file().decode()}


class Desk:
    def __init__(self):
        self.field = Field()
        self.operations = Operations(*rows(self.field.brownfield))

    def ask(self, role=Role.OWNER, **arguments):
        asked = {"operation": "device.adopt", "arguments": {**DEVICE, **arguments}}
        return asyncio.run(self.operations.answer(asked, operator=Operator(role)))


def test_the_owner_is_told_which_thing_it_is_now():
    told = Desk().ask()["result"]
    assert told["thing"].startswith("thing-")
    assert (told["state"], told["mud_url"]) == ("operational", "https://02-77-00-00-00-01.invalid/learned.json")


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
        ({"file": "{"}, "DecodeError"),
        ({"file": " " * (1 << 18) + "{}"}, "ConfigError"),
        ({"file": 7}, "ConfigError"),
    ],
)
def test_what_is_no_device_or_no_file_is_refused(wrong, kind):
    desk = Desk()
    assert desk.ask(**wrong)["error"]["kind"] == kind
    assert desk.field.vouched == []
