"""What a thing brings is judged: what nobody signed, what was not permitted, and what is not there."""

import asyncio
import random
from datetime import timedelta
from typing import Any

import pytest

from tests.unit.controller.planes import FakePlane, JumpingClock
from tests.unit.domain.things import a_thing
from thingstead.controller.conductor import Conductor
from thingstead.controller.maintenance import Maintenance
from thingstead.crypto.key import KeyType, generate
from thingstead.domain.ledger import entry
from thingstead.domain.ledger.entry import Kind
from thingstead.domain.lifecycle import LifecycleState
from thingstead.domain.plane import PlaneName
from thingstead.domain.register import Register
from thingstead.domain.unit import Unit
from thingstead.errors import DecodeError, RequestRefusedError, RoleError, StorageError, TransitionError, TransportError
from thingstead.planes.access.issued_tokens import IssuedTokens
from thingstead.planes.access.permits import Permits
from thingstead.protocols.cbor import codec
from thingstead.protocols.coap.message import Message
from thingstead.protocols.coap.registry import Code
from thingstead.protocols.profile import signed_request
from thingstead.protocols.profile.maintenance import Done, Offer, Page, Task
from thingstead.storage.memory import MemoryStore
from thingstead.storage.records import PlaneRecords

pytestmark = pytest.mark.requirement("R-07")
KEY, BEN, EVE = (generate(KeyType.P256) for _ in range(3))
LAMP, OTHER = a_thing(1), a_thing(2)
JOURNAL = b"journal1"


class Desk:
    def __init__(self):
        self.clock, self.store = JumpingClock(), MemoryStore()
        self.refused = []
        self.answer = Message(Code.CHANGED, payload=codec.encode([0, {}]))
        self.register = Register(self.store.load())
        self.store.listen(self.register.follow)
        asyncio.run(self.store.commit(Unit(things=(LAMP, OTHER))))
        planes = [FakePlane(name, self.clock) for name in PlaneName]
        self.conductor = Conductor(planes, self.register, store=self.store, clock=self.clock)
        tokens = IssuedTokens(PlaneRecords(PlaneName.ACCESS, self.store, prefix="trl/"), clock=self.clock)
        records = PlaneRecords(PlaneName.ACCESS, self.store, prefix="permit/")
        rand = random.Random(1).randbytes
        self.permits = Permits(tokens, records, KEY, domain="home", clock=self.clock, random_bytes=rand)
        self.maintenance = self.again()

    def again(self):
        async def ask(_thing, _message, _within):
            if isinstance(self.answer, Message):
                return self.answer
            raise self.answer

        return Maintenance(
            self.register,
            self.conductor,
            store=self.store,
            permits=self.permits,
            ask=ask,
            domain="home",
            clock=self.clock,
            on_refusal=lambda who, _thing, reason: self.refused.append((who, reason)),
        )

    def permit(self, **bounds):
        asked = {"tasks": tuple(Task), "lifetime": timedelta(hours=1), **bounds}
        asyncio.run(self.permits.issue("ben", BEN.public, LAMP.id, by="owner", **asked))

    def done(self, number, task, *, key=BEN, journal=JOURNAL, thing=LAMP.id, at=None, as_number=None, **more):
        challenge = Offer(journal, number).encode()
        told = {"thing": thing, **more}
        signed = signed_request.sign(task.operation, told, key, domain="home", challenge=challenge)
        return Done(number if as_number is None else as_number, at or self.clock.utc(), task, signed)

    def tell(self, *done, journal=JOURNAL):
        asyncio.run(self.maintenance.take_up(LAMP.id, Page(journal, done).encode()))

    def order(self, task, *, by="maintainer:ben", **arguments):
        return asyncio.run(self.maintenance.order(task, LAMP.id, arguments, by=by, signed=b"signed"))

    def entries(self):
        told = [entry.decode(leaf) for leaf in self.store.leaves()]
        return [(one.actor, one.cause, one.details.get("objection")) for one in told if one.kind is Kind.MAINTENANCE]

    def state(self) -> Any:
        return self.register.thing(LAMP.id).state


@pytest.fixture
def desk():
    return Desk()


def test_what_was_done_is_taken_up_once_and_moves_the_thing(desk):
    desk.permit()
    page = [desk.done(0, Task.BEGIN), desk.done(1, Task.RESTART)]
    for _ in range(3):
        desk.tell(*page)
    desk.maintenance = desk.again()
    desk.tell(*page)
    assert desk.entries() == [("maintainer:ben", "begin", None), ("maintainer:ben", "restart", None)]
    assert desk.state() is LifecycleState.MAINTENANCE
    assert desk.maintenance.book(LAMP.id).expected == 2


@pytest.mark.parametrize(
    "bent",
    [
        {"key": EVE},
        {"thing": OTHER.id},
        {"as_number": 0, "number": 5},
        {"journal": b"journal2"},
        {"telemetry_interval": 2.0},
    ],
)
def test_an_order_that_nobody_signed_for_this_place_in_this_journal_is_counted_and_nothing_more(desk, bent):
    desk.permit()
    desk.tell(desk.done(**{"number": 0, "task": Task.BEGIN, **bent}))
    assert desk.entries() == []
    ((who, reason),) = desk.refused
    assert (who.startswith("unknown"), reason in {"false", "permit"}) == (True, True)
    assert desk.state() is LifecycleState.OPERATIONAL


@pytest.mark.parametrize("signed", [b"\x00", b"\xff" * 40])
def test_what_is_no_signature_is_counted_too(desk, signed):
    desk.permit()
    desk.tell(Done(0, desk.clock.utc(), Task.BEGIN, signed))
    assert (desk.entries(), desk.refused) == ([], [("unknown", "false")])


@pytest.mark.parametrize(
    ("bounds", "late", "objection"),
    [
        ({"tasks": (Task.DIAGNOSE,)}, 0, "task"),
        ({}, 2, "expired"),
        ({}, -2, "expired"),
    ],
)
def test_what_was_not_permitted_is_told_with_who_did_it_and_moves_nothing(desk, bounds, late, objection):
    desk.permit(**bounds)
    desk.tell(desk.done(0, Task.BEGIN, at=desk.clock.utc() + timedelta(hours=late)))
    assert desk.entries() == [("maintainer:ben", "begin", objection)]
    assert desk.refused == [("maintainer:ben", objection)]
    assert desk.state() is LifecycleState.OPERATIONAL


def test_work_out_of_order_is_told_as_such(desk):
    desk.permit()
    desk.tell(desk.done(0, Task.RESTART))
    assert desk.entries() == [("maintainer:ben", "restart", "transition")]


def test_numbers_that_are_skipped_are_missing_and_what_comes_late_fills_no_gap(desk):
    desk.permit()
    desk.tell(desk.done(3, Task.DIAGNOSE))
    desk.tell(desk.done(2, Task.BEGIN))
    desk.tell(desk.done(6, Task.DIAGNOSE))
    assert [(who, what) for who, what, _ in desk.entries()] == [
        (f"thing:{LAMP.id}", "missing"),
        ("maintainer:ben", "diagnose"),
        (f"thing:{LAMP.id}", "missing"),
        ("maintainer:ben", "diagnose"),
    ]
    assert desk.again().book(LAMP.id).missing == ((0, 2), (4, 5))


def test_another_journal_is_told_and_begins_from_its_first_number(desk):
    desk.permit()
    desk.tell(desk.done(0, Task.DIAGNOSE))
    desk.tell(desk.done(0, Task.DIAGNOSE, journal=b"journal2"), journal=b"journal2")
    assert [what for _, what, _ in desk.entries()] == ["diagnose", "another-journal", "diagnose"]


def test_an_order_of_the_domain_that_it_never_gave_is_counted(desk):
    desk.tell(Done(0, desk.clock.utc(), Task.BEGIN))
    assert (desk.entries(), desk.refused) == ([], [("unknown", "unclaimed")])
    assert desk.state() is LifecycleState.OPERATIONAL


def test_an_order_is_on_the_ledger_before_the_thing_hears_of_it_and_its_answer_moves_the_thing(desk):
    assert desk.order(Task.BEGIN) == {}
    assert desk.state() is LifecycleState.MAINTENANCE
    desk.tell(Done(0, desk.clock.utc(), Task.BEGIN))
    assert desk.entries() == [("maintainer:ben", "begin", None)]


def test_an_order_that_is_not_answered_is_claimed_when_the_thing_tells_of_it(desk):
    desk.answer = TransportError("no answer")
    with pytest.raises(TransportError):
        desk.order(Task.BEGIN)
    assert desk.state() is LifecycleState.OPERATIONAL
    desk.maintenance = desk.again()
    desk.tell(Done(0, desk.clock.utc(), Task.BEGIN), Done(1, desk.clock.utc(), Task.BEGIN))
    assert desk.entries() == [("maintainer:ben", "begin", None)] * 2
    assert desk.refused == [("unknown", "unclaimed")]
    assert desk.state() is LifecycleState.MAINTENANCE


def test_an_order_that_a_thing_refuses_is_told_as_refused(desk):
    desk.answer = Message(Code.FORBIDDEN)
    with pytest.raises(RequestRefusedError, match="granted"):
        desk.order(Task.BEGIN)
    assert [what for _, what, _ in desk.entries()] == ["begin", "begin-refused"]
    assert desk.maintenance.book(LAMP.id).asked == ()


@pytest.mark.parametrize("payload", [b"", codec.encode([]), codec.encode([-1, {}]), codec.encode([0, []])])
def test_an_answer_that_is_none_moves_nothing(desk, payload):
    desk.answer = Message(Code.CHANGED, payload=payload)
    with pytest.raises(DecodeError):
        desk.order(Task.BEGIN)
    assert desk.state() is LifecycleState.OPERATIONAL


@pytest.mark.parametrize("by", ["user:dora", "auditor", "auditor:carla", "installer:ben"])
def test_who_does_not_maintain_gives_no_order(desk, by):
    with pytest.raises(RoleError):
        desk.order(Task.BEGIN, by=by)
    assert (desk.entries(), desk.refused) == ([], [(by, "role")])


def test_work_before_its_beginning_is_not_asked_of_the_thing(desk):
    desk.answer = AssertionError("nobody is asked")
    with pytest.raises(TransitionError):
        desk.order(Task.RESTART)
    with pytest.raises(DecodeError):
        desk.order(Task.CONFIGURE, controller="other")


def test_what_cannot_be_written_down_is_neither_asked_nor_taken_up(desk, monkeypatch):
    desk.permit()

    async def full(_unit):
        raise StorageError("no space left")

    page = desk.done(0, Task.BEGIN)
    monkeypatch.setattr(desk.store, "commit", full)
    desk.answer = AssertionError("nobody is asked")
    with pytest.raises(StorageError):
        desk.order(Task.BEGIN)
    with pytest.raises(StorageError):
        desk.tell(page)
    assert desk.maintenance.book(LAMP.id).expected == 0


@pytest.mark.parametrize("payload", [b"", b"\x00", codec.encode([1, JOURNAL, []])])
def test_what_is_no_page_is_refused(desk, payload):
    with pytest.raises(DecodeError):
        asyncio.run(desk.maintenance.take_up(LAMP.id, payload))
