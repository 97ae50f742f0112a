"""What an operator may do to a group: by name, one at a time, and never to see a secret."""

import asyncio
from typing import Any

import pytest

from tests.unit.domain.things import a_thing
from tests.unit.planes.groups.parties import MAY_JOIN, Domain
from thingstead.controller import operation_group
from thingstead.controller.operation import Operations
from thingstead.protocols.cbor import codec
from thingstead.protocols.coap.message import Message
from thingstead.protocols.coap.registry import Code

LAMP, OTHER = a_thing(1), a_thing(2)


class Commanded(Domain):
    """A domain that remembers its commands, and whose other lamp is silent."""

    def __init__(self):
        super().__init__()
        self.sent = []

    async def send(self, name, message, expected):
        self.sent.append(message)
        members = self.manager.group(name).members
        return {one.sender_id: Message(Code.CHANGED) for one in members if one.thing != OTHER.id}


class Owner:
    """Somebody at the control socket of a domain whose things are `members` of the group of lamps."""

    def __init__(self):
        self.domain = Commanded()
        self.served = 0
        self.table = Operations(*operation_group.rows(self.domain.manager, serve=self._serve))

    def _serve(self):
        self.served += 1

    async def ask(self, operation, **arguments):
        answer = await self.table.answer({"operation": f"group.{operation}", "arguments": arguments})
        return answer.get("result", answer.get("error", {}).get("reason"))


def play(story):
    async def whole():
        owner = Owner()
        await owner.domain.manager.create("lamps")
        for thing in (LAMP, OTHER):
            await owner.domain.joined(thing, MAY_JOIN)
        return await story(owner)

    return asyncio.run(whole())


@pytest.mark.parametrize(
    ("operation", "arguments"),
    [
        ("command", {"group": "doors", "value": "on"}),
        ("command", {"group": "lamps", "value": "dim"}),
        ("command", {"group": "lamps", "value": True}),
        ("rekey", {"group": "doors"}),
        ("evict", {"group": "lamps", "thing": "lamp"}),
        ("evict", {"group": "doors", "thing": LAMP.id}),
        ("readmit", {"group": "doors", "thing": LAMP.id}),
        ("create", {"group": ""}),
        ("create", {"group": "a/b"}),
        ("create", {}),
    ],
)
def test_what_names_no_group_no_member_or_no_state_changes_nothing(operation, arguments):
    async def story(owner):
        before = await owner.ask("list")
        reason = await owner.ask(operation, **arguments)
        assert isinstance(reason, str), reason
        assert (await owner.ask("list"), owner.domain.sent, owner.served) == (before, [], 0)

    play(story)


def test_a_command_tells_who_answered_and_who_did_not():
    async def story(owner):
        return await owner.ask("command", group="lamps", value="off"), owner.domain.sent

    report, (message,) = play(story)
    assert (report["answers"], list(report["silent"])) == ({LAMP.id: "2.04"}, [OTHER.id])
    assert (message.code, message.path, codec.decode(message.payload)) == (Code.PUT, "/light", False)


def test_an_evicted_member_is_out_by_a_new_epoch_and_listed_until_it_is_readmitted():
    async def story(owner):
        before, evicted = (await owner.ask("list"))[0], await owner.ask("evict", group="lamps", thing=LAMP.id)
        return before, evicted, await owner.ask("readmit", group="lamps", thing=LAMP.id)

    before, evicted, readmitted = play(story)
    assert [one["thing"] for one in evicted["roster"]] == [OTHER.id]
    assert evicted["epoch"] > before["epoch"]
    assert evicted["gid"] != before["gid"]
    assert (list(evicted["evicted"]), list(readmitted["evicted"])) == ([LAMP.id], [])


def test_a_rekey_is_a_new_epoch_that_nobody_has_confirmed():
    async def story(owner):
        return (await owner.ask("list"))[0], await owner.ask("rekey", group="lamps")

    before, after = play(story)
    assert (after["epoch"], after["members"]) == (before["epoch"] + 1, 2)
    assert after["stale"] == 2


def test_a_new_group_is_served_and_shown_without_secrets():
    async def story(owner):
        made: Any = await owner.ask("create", group="doors")
        return made, owner.served, await owner.ask("list"), owner.domain.live.keys["doors"].master_secret

    made, served, listed, secret = play(story)
    assert (made["name"], made["members"], served) == ("doors", 0, 1)
    assert [one["name"] for one in listed] == ["doors", "lamps"]
    assert secret.reveal().hex() not in repr(listed)
