"""A thing takes an order once, from whom it is for, and has it on disk before it does it."""

import random
from dataclasses import dataclass, field
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest

from thingstead.agent.maintenance import Maintenance, Works
from thingstead.crypto.key import KeyType, generate
from thingstead.endpoint.resource import Resources
from thingstead.errors import StorageError, ThingsteadError
from thingstead.protocols.cbor import codec
from thingstead.protocols.coap.message import Message, request
from thingstead.protocols.coap.registry import Code, ContentFormat
from thingstead.protocols.profile import path, signed_request
from thingstead.protocols.profile.maintenance import MAX_SIGNED, Offer, Page, Task, place, rights
from thingstead.simulator.virtual.memory import Fate, HomeLife

pytestmark = pytest.mark.requirement("R-07")
BEN, EVE = (generate(KeyType.P256) for _ in range(2))
THING = "thing-aaaaaaaaaaaaaaaa"
DOMAIN, PERSON = "domain", "peer-maintainer:ben"


class FullHome(HomeLife):
    is_full = False

    def save(self, name, value):
        if self.is_full:
            raise StorageError("no space left")
        super().save(name, value)


@dataclass
class Thing:
    disk: dict[str, bytes] = field(default_factory=dict)

    def __post_init__(self):
        self.done: list[str] = []
        self.random = random.Random(7)
        self.home = FullHome(self.disk, Fate())
        self.member: Any = SimpleNamespace(domain="home", thing_id=THING)
        self.clock = SimpleNamespace(utc=lambda: datetime(2026, 11, 23, 12, 0, 0, 7, tzinfo=UTC))
        self.restart()

    def restart(self):
        works = Works(
            lambda: {"joined": True},
            lambda: self.done.append("restart"),
            lambda: self.done.append("update"),
            lambda: self.done.append("configure"),
        )
        self.maintenance = Maintenance(
            self.home,
            member=lambda: self.member,
            signer=lambda peer: None if peer == DOMAIN else BEN.public,
            works=works,
            clock=self.clock,
            random_bytes=self.random.randbytes,
            wake=lambda: None,
        )
        self.resources = Resources(lambda event: (event.association, rights(Task)))
        self.maintenance.serve(self.resources)

    def ask(self, message, peer=PERSON):
        event = SimpleNamespace(message=message, association=peer, source=("192.0.2.1", 1), group=None)
        answer = self.resources.answer(event, 0.0)  # type: ignore[arg-type]  # as much of an event as is asked of one
        assert isinstance(answer, Message)
        return answer

    def offer(self):
        return codec.decode(self.ask(request(Code.GET, path.MAINTENANCE)).payload)

    def sign(self, task, *, key=BEN, challenge=None, domain="home", operation=None, **arguments):
        told = {"thing": THING, **arguments}
        offered = self.offer() if challenge is None else challenge
        return signed_request.sign(operation or task.operation, told, key, domain=domain, challenge=offered)

    def post(self, task, payload, peer=PERSON):
        kind = ContentFormat.CBOR if peer == DOMAIN else ContentFormat.COSE_SIGN1
        return self.ask(request(Code.POST, place(task), payload=payload, content_format=kind), peer).code

    def order(self, task, **bent):
        return self.post(task, self.sign(task, **bent))


@pytest.fixture
def thing():
    return Thing()


def test_a_person_and_the_domain_write_one_journal(thing):
    assert thing.order(Task.BEGIN) == Code.CHANGED
    assert thing.post(Task.CONFIGURE, codec.encode({"telemetry_interval": 9}), DOMAIN) == Code.CHANGED
    assert thing.order(Task.RESTART) == Code.CHANGED
    assert thing.order(Task.UPDATE) == Code.CHANGED
    assert thing.order(Task.END) == Code.CHANGED
    assert thing.done == ["configure", "restart", "update"]
    page = Page.decode(next(thing.maintenance.story(retry=1.0)).message.payload)
    assert [(one.number, one.task, bool(one.signed)) for one in page.done] == [
        (0, Task.BEGIN, True),
        (1, Task.CONFIGURE, False),
        (2, Task.RESTART, True),
        (3, Task.UPDATE, True),
        (4, Task.END, True),
    ]
    assert thing.maintenance.settings == {"telemetry_interval": 9.0}


@pytest.mark.parametrize(
    "bent",
    [
        {"key": EVE},
        {"domain": "other"},
        {"operation": "maintenance.end"},
        {"operation": "thing.admit"},
        {"thing": "thing-bbbbbbbbbbbbbbbb"},
        {"challenge": bytes(16)},
        {"telemetry_interval": 2.0},
        {"more": "x" * MAX_SIGNED},
    ],
)
def test_an_order_of_another_for_another_or_for_another_time_is_refused_and_is_no_entry(thing, bent):
    assert thing.order(Task.BEGIN, **bent) >> 5 == 4
    assert thing.maintenance.status() == {"in_maintenance": False, "orders": 0, "orders_to_tell": 0}


@pytest.mark.parametrize("payload", [b"", b"\x00", codec.encode({}), bytes(2000)])
def test_what_is_no_order_of_a_person_is_refused(thing, payload):
    assert thing.post(Task.BEGIN, payload) >> 5 == 4
    assert not thing.maintenance.is_open


def test_an_order_is_good_once_over_a_power_cut_too(thing):
    begin = thing.sign(Task.BEGIN)
    diagnose = thing.sign(Task.DIAGNOSE)
    assert thing.post(Task.DIAGNOSE, diagnose) == Code.CHANGED
    assert thing.post(Task.DIAGNOSE, diagnose) == Code.UNAUTHORIZED
    assert thing.post(Task.BEGIN, begin) == Code.UNAUTHORIZED
    thing.restart()
    assert thing.post(Task.DIAGNOSE, diagnose) == Code.UNAUTHORIZED
    assert Offer.decode(thing.offer()).number == 1


@pytest.mark.parametrize("payload", [b"", codec.encode([]), codec.encode({"telemetry_interval": 0}), bytes(300)])
def test_settings_of_the_domain_have_their_range_too(thing, payload):
    thing.order(Task.BEGIN)
    assert thing.post(Task.CONFIGURE, payload, DOMAIN) >> 5 == 4
    assert thing.done == []


def test_what_cannot_be_written_down_is_not_done(thing):
    thing.order(Task.BEGIN)
    thing.home.is_full = True
    assert thing.order(Task.RESTART) >> 5 == 5
    assert thing.done == []
    thing.home.is_full = False
    assert Offer.decode(thing.offer()).number == 1


def test_a_thing_of_no_domain_takes_no_order(thing):
    thing.member = None
    assert thing.order(Task.BEGIN) >> 5 == 4


def test_a_join_ends_maintenance_and_a_wipe_the_journal(thing):
    thing.order(Task.BEGIN)
    before = Offer.decode(thing.offer())
    thing.maintenance.joined()
    assert not thing.maintenance.is_open
    thing.disk.clear()
    thing.maintenance.leave()
    after = Offer.decode(thing.offer())
    assert (after.number, after.journal != before.journal) == (0, True)


@pytest.mark.parametrize("damaged", [b"", b"\xff", codec.encode([1]), codec.encode([1, b"x", 0, True, {}, []])])
def test_a_journal_that_is_damaged_is_begun_anew_under_another_name(thing, damaged):
    thing.order(Task.DIAGNOSE)
    before = Offer.decode(thing.offer())
    thing.disk["maintenance"] = damaged
    thing.restart()
    assert Offer.decode(thing.offer()).journal != before.journal


def test_what_the_domain_has_is_kept_no_longer_and_what_it_refuses_is(thing):
    for _ in range(10):
        thing.order(Task.DIAGNOSE)
    story = thing.maintenance.story(retry=1.0)
    assert len(Page.decode(next(story).message.payload).done) == 8
    assert len(Page.decode(story.send(Message(Code.CHANGED)).message.payload).done) == 2
    wait = story.send(Message(Code.FORBIDDEN))
    assert wait.seconds > 3600
    assert thing.maintenance.status()["orders_to_tell"] == 2


def test_a_journal_stays_while_the_domain_does_not_answer(thing):
    thing.order(Task.DIAGNOSE)
    story = thing.maintenance.story(retry=2.0)
    next(story)
    assert story.throw(ThingsteadError("no answer")).seconds == 2.0
    assert thing.maintenance.status()["orders_to_tell"] == 1
