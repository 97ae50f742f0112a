"""The domain's endpoint with its events given a meaning: whatever comes, it stays bounded and goes on."""

import asyncio
from contextlib import suppress
from dataclasses import replace
from typing import Any

import pytest

from tests.unit.controller.planes import JumpingClock, until
from tests.unit.endpoint import ladder
from thingstead.controller.group_member import group_id
from thingstead.controller.server import DomainServer
from thingstead.crypto.algorithm import AlgorithmId
from thingstead.domain.ports import Association
from thingstead.endpoint import association as live
from thingstead.endpoint.event import (
    AssociationId,
    ContextNeeded,
    ExchangeEnded,
    ExchangeFailed,
    ExchangeId,
    RequestReceived,
    ResponseReceived,
)
from thingstead.endpoint.resource import Call, Resources
from thingstead.errors import PolicyError, StateError, StorageError, ThingsteadError, TransportError, UntrustedError
from thingstead.identifier import thing_id
from thingstead.protocols.ace.aif import Permission, Scope
from thingstead.protocols.coap.message import Message, request
from thingstead.protocols.coap.registry import Code
from thingstead.protocols.oscore.context import SecurityContext
from thingstead.secret import Secret

THING = thing_id("thing-abcdefghijklmnop")
GROUP = ("239.83.0.1", 5684)
SCOPE = Scope({"/work": int(Permission.POST), "/now": int(Permission.GET)})


def an_association(**changes):
    fields: dict[str, Any] = {
        "thing": THING,
        "master_secret": Secret(bytes(range(16))),
        "master_salt": b"",
        "id_context": None,
        "aead": AlgorithmId.AES_CCM_16_64_128,
        "sender_id": b"\x02",
        "recipient_id": b"\x01",
        "sequence": 0,
        "fresh": True,
    }
    return Association(**(fields | changes))


class Domain:
    """A server whose thing, on the other side, is an endpoint too; `relay` lets their datagrams fly."""

    def __init__(self, tasks):
        self.clock = JumpingClock()
        self.endpoint = ladder.endpoint(2)
        self.reserved = []
        self.disk_is_full = False
        self.flushes = 0
        self.resources = Resources(lambda event: (event.association, SCOPE) if event.association else None)
        self.server = DomainServer(self.endpoint, self.resources, clock=self.clock, tasks=tasks, reserve=self._reserve)
        self.server.flush = self._flush
        self.thing = ladder.endpoint(1)
        self.seen = []
        self.answer = Message(Code.CHANGED)
        context = SecurityContext.derive(Secret(bytes(range(16))), sender_id=b"\x01", recipient_id=b"\x02")
        self.thing.install(live.Association(AssociationId("domain"), context, address=ladder.CONTROLLER))

    async def _reserve(self, owner, upto):
        if self.disk_is_full:
            raise StorageError("no space left")
        self.reserved.append((owner, upto))
        self.server.sequence_reserved(owner, upto)

    def _flush(self):
        self.flushes += 1
        self.server.run(self.clock.now())

    def ask(self, message, *, protected=True):
        known = AssociationId("domain") if protected else None
        return self.thing.send_request(message, ladder.CONTROLLER, self.clock.now(), association=known)

    async def relay(self, rounds=6):
        """Carry what either side says, to the other, until both are silent."""
        for _ in range(rounds):
            now = self.clock.now()
            for data, _to in self.thing.datagrams_to_send(now):
                self.server.receive_datagram(data, ladder.THING, now)
            self.server.run(now)
            await asyncio.sleep(0)
            for data, _to in self.server.datagrams_to_send(now):
                self.thing.receive_datagram(data, ladder.CONTROLLER, now)
            for event in ladder.events(self.thing):
                self.seen.append(event)
                if isinstance(event, RequestReceived) and self.answer is not None:
                    self.thing.send_response(event.exchange, self.answer, now)
                elif hasattr(event, "upto"):
                    self.thing.sequence_reserved(event.association, event.upto)
            await asyncio.sleep(0)

    def codes(self):
        return [event.message.code for event in self.seen if hasattr(event, "is_last")]


def play(story):
    async def whole():
        async with asyncio.TaskGroup() as tasks:
            return await story(Domain(tasks))

    return asyncio.run(whole())


def call(message=None):
    message = message or request(Code.POST, "/work")
    event = RequestReceived(ExchangeId(99), message, ladder.THING, None, None, None, None, True, False)
    return Call(message, event, THING, 0.0)


# --- the domain as server


def test_over_the_bound_of_work_under_way_a_request_is_refused_at_once():
    async def story(domain):
        gate = asyncio.Event()

        async def work(_call):
            await gate.wait()
            return Message(Code.CHANGED)

        begin = domain.server.deferred(work)
        for _ in range(256):
            assert begin(call()) is None
        with pytest.raises(TransportError, match="too many requests under way"):
            begin(call())
        gate.set()
        await until(lambda: domain.flushes == 256)
        assert begin(call()) is None

    play(story)


def test_work_that_does_not_end_is_cut_short_and_work_that_does_is_answered():
    async def story(domain):
        ended = []

        async def work(asked):
            try:
                await (asyncio.sleep(0) if asked.peer else asyncio.Event().wait())
            finally:
                ended.append(asked.peer)
            return Message(Code.CHANGED)

        begin = domain.server.deferred(work)
        begin(call())
        begin(replace(call(), peer=None))
        await domain.server.settle(0.01)
        await until(lambda: len(ended) == 2)
        await domain.server.settle(0.01)
        return ended, domain.flushes

    assert play(story) == ([THING, None], 1)


@pytest.mark.parametrize("error", [PolicyError("no", reason="held"), StorageError("no space left")])
def test_work_that_fails_is_answered_by_its_code_counted_and_gives_its_place_back(error):
    async def story(domain):
        async def work(_call):
            raise error

        domain.resources.register("/work", Code.POST, domain.server.deferred(work))
        domain.server.install(an_association())
        for _ in range(2):
            domain.ask(request(Code.POST, "/work"))
            await domain.relay()
        return domain.codes(), dict(domain.resources.refused)

    codes, refused = play(story)
    assert len(codes) == 2
    assert all(code >= 0x80 for code in codes)
    assert refused == {error.reason: 2}


def test_who_has_no_association_is_answered_in_clear_and_counted():
    async def story(domain):
        domain.resources.register("/now", Code.GET, lambda _call: Message(Code.CONTENT))
        domain.ask(request(Code.GET, "/now"), protected=False)
        await domain.relay()
        return domain.codes(), dict(domain.resources.refused), domain.server.last_acceptance(THING)

    assert play(story) == ([Code.UNAUTHORIZED], {"unprotected": 1}, None)


def test_garbage_is_counted_and_answered_by_nothing():
    async def story(domain):
        domain.server.receive_datagram(b"\xff" * 9, ladder.THING, 0.0)
        domain.server.run(0.0)
        return domain.server.datagrams_to_send(0.0), sum(domain.server.counters.values())

    assert play(story) == ([], 1)


def test_a_thing_is_served_at_once_or_later_and_its_last_acceptance_is_known():
    async def story(domain):
        async def work(_call):
            await asyncio.sleep(0)
            return Message(Code.CHANGED)

        domain.resources.register("/work", Code.POST, domain.server.deferred(work))
        domain.resources.register("/now", Code.GET, lambda _call: Message(Code.CONTENT))
        domain.server.install(an_association())
        for message in (request(Code.GET, "/now"), request(Code.POST, "/work")):
            domain.ask(message)
            await domain.relay()
        accepted = domain.server.last_acceptance(THING)
        domain.clock.seconds += 5
        return domain.codes(), accepted, domain.server.last_acceptance(THING)

    codes, accepted, later = play(story)
    assert codes == [Code.CONTENT, Code.CHANGED]
    assert accepted == later == JumpingClock().utc()


@pytest.mark.spec("RFC 9175 2.3")
@pytest.mark.requirement("R-25")
def test_a_thing_whose_keys_are_worn_is_told_to_join_again_and_served_under_new_ones():
    async def story(domain):
        domain.resources.register("/now", Code.GET, lambda _call: Message(Code.CONTENT))
        domain.server.install(an_association(sequence=(1 << 19) - 300))
        domain.server.locate(b"\x01", ladder.THING)
        with suppress(ThingsteadError):
            await domain.server.request(THING, request(Code.GET, "/light"), within=0.01)
        domain.ask(request(Code.GET, "/now"))
        await domain.relay()
        worn = domain.codes()
        domain.server.install(an_association(sequence=1, master_secret=Secret(bytes(16))))
        context = SecurityContext.derive(Secret(bytes(16)), sender_id=b"\x01", recipient_id=b"\x02")
        domain.thing.install(live.Association(AssociationId("domain"), context, address=ladder.CONTROLLER))
        domain.ask(request(Code.GET, "/now"))
        await domain.relay()
        return worn, domain.codes()[len(worn) :]

    assert play(story) == ([Code.UNAUTHORIZED], [Code.CONTENT])


def test_who_is_challenged_comes_again_fresh_and_is_answered():
    async def story(domain):
        fresh = []

        def show(asked):
            fresh.append(asked.event.is_fresh)
            if not asked.event.is_fresh:
                domain.server.challenge(asked)
                return None
            domain.server.vouch(asked)
            return Message(Code.CONTENT, payload=bytes(900))

        domain.resources.register("/now", Code.GET, show, public=True)
        domain.ask(request(Code.GET, "/now"), protected=False)
        await domain.relay()
        return fresh, domain.codes()

    assert play(story) == ([False, True], [Code.CONTENT])


# --- associations


@pytest.mark.requirement("R-21")
def test_a_thing_is_where_it_was_seen_to_receive_and_nowhere_else():
    async def story(domain):
        assert not domain.server.receives_at(THING, ladder.THING)
        domain.server.install(an_association())
        assert not domain.server.receives_at(THING, ladder.THING)
        domain.server.locate(b"\x01", ladder.THING)
        assert domain.server.receives_at(THING, ladder.THING)
        assert not domain.server.receives_at(THING, ("192.0.2.66", 5683))

    play(story)


def test_a_stranger_has_no_live_association_and_ending_none_ends_none():
    async def story(domain):
        assert not domain.server.is_live(THING)
        assert domain.server.end(THING) == 0
        domain.server.install(an_association())
        assert domain.server.is_live(THING)
        assert domain.server.end(THING) == 1
        assert not domain.server.is_live(THING)
        assert domain.server.next_deadline() is None

    play(story)


@pytest.mark.spec("RFC 8613 B.1.1")
@pytest.mark.parametrize("disk_is_full", [True, False])
def test_the_domain_asks_a_thing_only_under_numbers_that_are_on_disk(disk_is_full):
    async def story(domain):
        domain.server.install(an_association())
        domain.server.locate(b"\x01", ladder.THING)
        domain.disk_is_full = disk_is_full
        async with asyncio.TaskGroup() as tasks:
            asked = tasks.create_task(outcome(domain.server.request(THING, request(Code.GET, "/light"), within=0.02)))
            await domain.relay()
        return len(domain.seen), domain.reserved, asked.result()

    heard, reserved, answer = play(story)
    if disk_is_full:
        assert (heard, reserved, type(answer)) == (0, [], TransportError)
    else:
        assert (heard, reserved, answer.code) == (1, [(THING, 256)], Code.CHANGED)


async def outcome(asked):
    try:
        return await asked
    except ThingsteadError as error:
        return error


# --- the domain as client


class ScriptedEndpoint:
    """Says of a request what the script says, and remembers what was forgotten."""

    def __init__(self, *script):
        self.script = list(script)
        self.events = []
        self.sent = []
        self.cancelled = []

    def send_request(self, message, destination, now, **options):
        self.sent.append((message, destination, options))
        exchange = ExchangeId(len(self.sent))
        self.events = [make(exchange) for make in self.script]
        return exchange

    def next_event(self):
        return self.events.pop(0) if self.events else None

    def cancel(self, exchange, now):
        self.cancelled.append(exchange)


def response(member=None, *, is_last=False, code=Code.CHANGED):
    return lambda exchange: ResponseReceived(exchange, Message(code), ladder.THING, None, member, is_last=is_last)


def failure(error):
    return lambda exchange: ExchangeFailed(exchange, error)


def of_another_exchange(_exchange):
    return ExchangeEnded(ExchangeId(77))


def scripted(*script):
    endpoint: Any = ScriptedEndpoint(*script)
    nobody: Any = None
    server = DomainServer(endpoint, Resources(lambda _event: None), clock=JumpingClock(), tasks=nobody, reserve=nobody)
    server.flush = lambda: server.run(0.0)
    return server, endpoint


@pytest.mark.parametrize(
    ("script", "error"),
    [
        ([], TransportError),
        ([ExchangeEnded], TransportError),
        ([of_another_exchange], TransportError),
        ([failure(UntrustedError("rekeyed"))], UntrustedError),
    ],
    ids=["silence", "an end without a response", "another exchange", "a failure"],
)
def test_a_thing_that_does_not_answer_is_given_up_and_its_exchange_forgotten(script, error):
    server, endpoint = scripted(*script)
    with pytest.raises(error):
        asyncio.run(server.request(THING, request(Code.GET, "/light"), within=0.01))
    assert endpoint.cancelled == [1]


def test_the_first_response_is_the_answer():
    server, endpoint = scripted(response(code=Code.CONTENT), response(is_last=True))
    assert asyncio.run(server.request(THING, request(Code.GET, "/light"))).code == Code.CONTENT
    assert endpoint.cancelled == [1]


def test_who_gives_up_waiting_leaves_nothing_behind():
    async def story():
        server, endpoint = scripted()
        asked = asyncio.get_running_loop().create_task(server.request(THING, request(Code.GET, "/light")))
        await until(lambda: endpoint.sent)
        asked.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asked
        return list(endpoint.cancelled), len(asyncio.all_tasks())

    assert asyncio.run(story()) == ([1], 1)


def command(server, expected=2):
    return server.command(group_id("lamps"), request(Code.PUT, "/light"), GROUP, expected=expected, within=0.01)


@pytest.mark.parametrize(
    ("script", "kids"),
    [
        ([], set()),
        ([ExchangeEnded], set()),
        ([response(None)], set()),
        ([response(b"1")], {b"1"}),
        ([response(b"1"), response(b"1"), response(b"2"), response(b"3")], {b"1", b"2"}),
        ([response(b"1", is_last=True), response(b"2")], {b"1"}),
        ([response(b"1"), failure(TransportError("unreachable"))], {b"1"}),
    ],
    ids=["silence", "ended", "nobody", "one", "enough", "last", "failed"],
)
def test_a_group_is_heard_until_enough_or_too_late_and_the_exchange_is_closed_at_once(script, kids):
    async def story():
        server, endpoint = scripted(*script)
        answers = await command(server)
        return set(answers), list(endpoint.cancelled), endpoint.sent[0][1:]

    assert asyncio.run(story()) == (kids, [1], (GROUP, {"group": group_id("lamps"), "confirmable": False}))


def test_what_was_out_under_old_keys_is_void():
    server, endpoint = scripted(response(b"1"), failure(UntrustedError("rekeyed")))
    with pytest.raises(UntrustedError):
        asyncio.run(command(server))
    assert endpoint.cancelled == [1]


def test_a_group_that_we_are_not_in_is_not_commanded():
    async def story(domain):
        with pytest.raises(StateError):
            await command(domain.server)

    play(story)


def test_an_event_that_is_not_ours_to_act_on_hinders_none():
    server, _ = scripted(lambda _exchange: ContextNeeded(b"\x09", None, ladder.THING), response(code=Code.CONTENT))
    assert asyncio.run(server.request(THING, request(Code.GET, "/light"))).code == Code.CONTENT


def test_the_domain_asks_in_clear_whom_it_has_no_association_with():
    async def story():
        async with asyncio.TaskGroup() as tasks:
            domain = Domain(tasks)
            asked = tasks.create_task(domain.server.ask(ladder.THING, request(Code.GET, "/hello"), within=5.0))
            await asyncio.sleep(0)
            await domain.relay()
            return (await asked).code, domain.seen

    code, seen = asyncio.run(story())
    assert code == Code.CHANGED
    assert [event.association for event in seen if isinstance(event, RequestReceived)] == [None]


def test_a_session_that_is_not_with_a_thing_is_met_and_asked_under():
    async def story():
        async with asyncio.TaskGroup() as tasks:
            domain = Domain(tasks)
            context = SecurityContext.derive(Secret(bytes(range(16))), sender_id=b"\x02", recipient_id=b"\x01")
            maker = AssociationId("maker aurora")
            domain.server.meet(live.Association(maker, context, address=ladder.THING))
            asked = tasks.create_task(
                domain.server.ask(ladder.THING, request(Code.GET, "/hello"), association=maker, within=5.0)
            )
            await asyncio.sleep(0)
            await domain.relay()
            return (await asked).code, domain.seen

    code, seen = asyncio.run(story())
    assert code == Code.CHANGED
    assert [event.association for event in seen if isinstance(event, RequestReceived)] == [AssociationId("domain")]


def test_who_does_not_answer_in_clear_is_given_up():
    async def story():
        async with asyncio.TaskGroup() as tasks:
            domain = Domain(tasks)
            await domain.server.ask(ladder.THING, request(Code.GET, "/hello"), within=0.01)

    with pytest.raises(ExceptionGroup) as failed:
        asyncio.run(story())
    (error,) = failed.value.exceptions
    assert isinstance(error, TransportError)


@pytest.mark.requirement("R-84")
def test_what_goes_to_a_thing_while_it_is_asked_is_overheard_and_nothing_else():
    async def story(domain):
        assert domain.server.address_of(THING) is None
        domain.server.install(an_association())
        domain.server.locate(b"\x01", ladder.THING)
        async with asyncio.TaskGroup() as tasks:
            asked = tasks.create_task(domain.server.overheard(THING, request(Code.GET, "/light"), within=0.5))
            await domain.relay()
        tap = domain.server._listeners
        return domain.server.address_of(THING), asked.result(), len(tap)

    address, heard, listening = play(story)
    assert (address, len(heard), listening) == (ladder.THING, 1, 0)


@pytest.mark.requirement("R-84")
def test_a_thing_that_does_not_answer_is_overheard_no_longer():
    async def story(domain):
        domain.server.install(an_association())
        domain.server.locate(b"\x01", ladder.THING)
        with pytest.raises(TransportError):
            await domain.server.overheard(THING, request(Code.GET, "/light"), within=0.01)
        return domain.server._listeners

    assert play(story) == []
