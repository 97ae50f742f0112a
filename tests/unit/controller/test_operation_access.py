"""An administrator sees every token, and takes back the one it names and no other."""

import asyncio
from datetime import timedelta

import pytest

from tests.unit.controller.planes import JumpingClock
from tests.unit.domain.things import a_thing
from thingstead.controller.operation import Operations
from thingstead.controller.operation_access import rows
from thingstead.domain.ledger import entry
from thingstead.domain.plane import PlaneName
from thingstead.planes.access.issued_tokens import IssuedToken, IssuedTokens
from thingstead.storage.memory import MemoryStore
from thingstead.storage.records import PlaneRecords

SWITCH, LIGHT = a_thing(1).id, a_thing(2).id
FIRST, SECOND = b"\x01\xaa" + bytes(31), b"\x01\xab" + bytes(31)


class Desk:
    def __init__(self):
        self.clock, self.store = JumpingClock(), MemoryStore()
        self.tokens = IssuedTokens(PlaneRecords(PlaneName.ACCESS, self.store, prefix="trl/"), clock=self.clock)
        self.table = Operations(*rows(self.tokens, clock=self.clock))
        for hours, token_hash in enumerate((FIRST, SECOND), start=1):
            expires = self.clock.utc() + timedelta(hours=hours)
            asyncio.run(self.tokens.note(token_hash, IssuedToken(SWITCH, LIGHT, expires)))

    def ask(self, operation, **arguments):
        return asyncio.run(self.table.answer({"operation": f"token.{operation}", "arguments": arguments}))

    def revoked(self):
        return [row["token"] for row in self.ask("list")["result"] if row["revoked"]]

    def entries(self):
        return [entry.decode(leaf) for leaf in self.store.leaves()]


@pytest.fixture
def desk():
    return Desk()


@pytest.mark.spec("RFC 9770 7")
def test_all_tokens_that_have_not_expired_are_listed_the_first_to_end_first(desk):
    assert [row["token"] for row in desk.ask("list")["result"]] == [FIRST.hex(), SECOND.hex()]
    desk.clock.seconds += 3600
    assert [row["token"] for row in desk.ask("list")["result"]] == [SECOND.hex()]


@pytest.mark.parametrize("named", [FIRST.hex(), FIRST.hex().upper(), FIRST.hex()[:8]])
def test_the_token_that_is_named_is_revoked_and_the_ledger_says_why(desk, named):
    taken = desk.ask("revoke", token=named, cause="lost")["result"]
    assert (taken["token"], taken["revoked"], desk.revoked()) == (FIRST.hex(), True, [FIRST.hex()])
    (said,) = desk.entries()
    assert (said.thing, said.cause, said.details["hash"]) == (SWITCH, "lost", FIRST)


def test_what_is_revoked_already_changes_nothing(desk):
    for _ in range(2):
        assert "result" in desk.ask("revoke", token=FIRST.hex())
    assert len(desk.entries()) == 1


@pytest.mark.parametrize("named", ["", "01", "01a", "01aa000", "0" * 66, "zz" * 33, FIRST.hex() + "0"])
def test_what_names_no_token_or_several_revokes_none(desk, named):
    assert "expected the hash of one token" in desk.ask("revoke", token=named)["error"]["message"]
    assert desk.revoked() == []
