"""How a thing is parted from: what the table refuses costs it nothing, and the next owner gets a file."""

import asyncio
import base64
from typing import Any

import pytest

from tests.unit.controller.planes import House
from tests.unit.domain.things import AT, a_thing
from thingstead.controller.parting import Partings
from thingstead.crypto.key import KeyType, generate
from thingstead.domain.ledger.entry import Kind
from thingstead.domain.lifecycle import Cause, LifecycleState
from thingstead.domain.unit import Unit
from thingstead.errors import PolicyError, TransitionError
from thingstead.phases.decommission import Farewell
from thingstead.protocols.cose import key as cose_key
from thingstead.protocols.profile.custody import Owner
from thingstead.protocols.profile.papers import Papers
from thingstead.storage.memory import MemoryStore

THING = a_thing()
NEXT = Owner("next", generate(KeyType.P256).public)
PAPERS = Papers(b"identity", b"voucher", (b"link",))
WIPED = Farewell(b"receipt", ("association",), nonce=bytes(16))


class Desk:
    """A house with one thing, which parts as `farewell` says."""

    def __init__(self, farewell=WIPED, state=LifecycleState.OPERATIONAL):
        store = MemoryStore()
        asyncio.run(store.commit(Unit(things=(a_thing(state=state),))))
        self.house, self.farewell, self.asked, self.sold = House(store), farewell, [], []
        stand_in: Any = self
        self.partings = Partings(
            self.house.register,
            self.house.conductor,
            self.house.kill_clock,
            decommission=stand_in,
            seller=self._file,
            size=lambda: 7,
        )

    async def part(self, thing, to, *, since):
        self.asked.append((thing, to))
        return self.farewell

    def kept(self, _thing, to, *, since):
        return self.farewell if self.farewell.papers is not None and to == NEXT else None

    def _file(self, thing, farewell, since):
        self.sold.append((thing, farewell.papers, since))
        return b"file"

    def end(self, cause=Cause.HANDED_OVER, **how):
        asked: dict[str, Any] = {"by": "owner", "why": "sold", "forced": False, "to": None} | how
        return asyncio.run(self.partings.part(THING.id, cause, **asked))


@pytest.mark.requirement("R-10")
def test_whoever_is_named_gets_a_file_and_stands_on_the_ledger():
    desk = Desk(Farewell(b"receipt", ("association",), nonce=bytes(16), papers=PAPERS))
    ended = desk.end(to=NEXT)
    assert desk.asked == [(THING.id, (THING.serial, NEXT))]
    assert desk.sold == [(THING.id, PAPERS, 7)]
    assert base64.urlsafe_b64decode(ended.handover) == b"file"
    (entry,) = desk.house.entries(Kind.TRANSITION)
    assert entry.details["next_owner"] == cose_key.thumbprint(NEXT.key)


@pytest.mark.requirement("R-10")
def test_who_never_saw_the_file_gets_it_again_and_the_thing_is_not_asked():
    given = Farewell(b"receipt", ("association",), nonce=bytes(16), papers=PAPERS, at=AT)
    desk = Desk(given, state=LifecycleState.RE_OWNED)
    again = desk.end(to=NEXT)
    assert (base64.urlsafe_b64decode(again.handover), again.state, again.at) == (b"file", "re-owned", AT)
    assert (desk.asked, desk.sold, desk.house.entries(Kind.TRANSITION)) == ([], [(THING.id, PAPERS, 0)], [])


@pytest.mark.parametrize("cause", [Cause.HANDED_OVER, Cause.RETIRED])
def test_nobody_else_gets_it(cause):
    desk = Desk(Farewell(b"receipt", papers=PAPERS, at=AT), state=LifecycleState.RE_OWNED)
    for to in (None, Owner("other", generate(KeyType.P256).public)):
        with pytest.raises(TransitionError):
            desk.end(cause, to=to)
    assert desk.sold == []


def test_where_nobody_is_named_there_is_no_file():
    desk = Desk()
    assert desk.end().handover == ""
    assert (desk.asked, desk.sold) == ([(THING.id, None)], [])


@pytest.mark.requirement("R-10")
def test_without_a_receipt_it_is_sold_by_force_alone_and_without_a_file():
    desk = Desk(Farewell(b"", failure="timeout"))
    with pytest.raises(PolicyError, match="it may keep your data"):
        desk.end(to=NEXT)
    assert desk.house.register.thing(THING.id).state is LifecycleState.OPERATIONAL
    assert desk.end(to=NEXT, forced=True).handover == ""


@pytest.mark.parametrize("state", [LifecycleState.RE_OWNED, LifecycleState.INSTALLED])
def test_what_the_lifecycle_refuses_is_not_even_asked_of_the_thing(state):
    desk = Desk(state=state)
    with pytest.raises(TransitionError):
        desk.end()
    assert desk.asked == []
