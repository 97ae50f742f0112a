"""Who waits is shown with the key to compare, and a yes can be taken back."""

import asyncio

import pytest

from tests.unit.controller.test_admission import NEWCOMER, THING_KEY, Door, rule
from tests.unit.domain.things import a_thing
from thingstead.controller.operation import Operations
from thingstead.controller.operation_admission import rows
from thingstead.controller.waiting_room import shown
from thingstead.domain.policy import Verdict
from thingstead.protocols.cose import key as cose_key


@pytest.fixture
def door():
    door = Door(rule(Verdict.HOLD))
    door.come(NEWCOMER)
    return door


def ask(door, operation, **arguments):
    asked = {"operation": f"thing.{operation}", "arguments": arguments}
    return asyncio.run(Operations(*rows(door.register, door.admission)).answer(asked))


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
def test_what_cannot_be_approved_is_refused_and_nobody_is_in(door, said, kind):
    assert ask(door, "admit", **{"thing": door.things[0].id, **said})["error"]["kind"] == kind
    assert door.come(NEWCOMER).reason == "held"


def test_who_waits_is_shown_with_its_key_and_whether_it_was_approved(door):
    (row,) = ask(door, "waiting")["result"]
    assert (row["serial"], row["rule"], row["approved_by"]) == ("A0001", "lamps", "")
    assert row["key"] == shown(cose_key.thumbprint(THING_KEY.public))
    told = ask(door, "admit", thing=row["thing"], key=row["key"])["result"]
    assert (told["approved_by"], ask(door, "waiting")["result"]) == ("owner", [told])
    assert ask(door, "admit", thing=row["thing"], undo=True)["result"]["approved_until"] is None
    assert door.come(NEWCOMER).reason == "held"
    ask(door, "admit", thing=row["thing"])
    assert door.come(NEWCOMER).access_token
    assert ask(door, "waiting")["result"] == []
