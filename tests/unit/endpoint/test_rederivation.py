"""Two ends that share a secret and no state: every start, of either or both, ends in keys that never were."""

import random

import pytest

from tests.unit.endpoint.ladder import CONTROLLER, SECURED, THING, Ladder, answered, endpoint, events
from thingstead.endpoint.event import ExchangeFailed
from thingstead.endpoint.rederivation import rederived
from thingstead.protocols.coap.message import decode, request
from thingstead.protocols.coap.registry import Code, OptionNumber
from thingstead.protocols.oscore.rederivation import InputParameters
from thingstead.secret import Secret

SPEC = "RFC 8613 B.2"
GET, PUT = request(Code.GET, "/a"), request(Code.PUT, "/a", payload=b"on")
STRANGER = ("203.0.113.9", 1)


def association(number, *, mirrored=False, secret=bytes(16)):
    ids = (b"\x02", b"\x01") if mirrored else (b"\x01", b"\x02")
    return rederived(SECURED, InputParameters(Secret(secret), *ids), random.Random(number).randbytes, peer=number)


class Sharers(Ladder):
    """A ladder whose ends have a secret in common; either may start anew, and then has nothing else."""

    def __init__(self, **arguments):
        super().__init__(**arguments)
        self.association = SECURED
        self.starts = 10
        self.start(THING)
        self.start(CONTROLLER)

    def start(self, address):
        self.starts += 1
        side = endpoint(self.starts)
        side.install(association(self.starts, mirrored=address == CONTROLLER))
        self.sides[address] = side
        self.thing, self.controller = self.sides[THING], self.sides[CONTROLLER]

    def context(self, address):
        return self.sides[address].association(SECURED).context

    def get_on(self, message=PUT):
        before = len(self.results())
        self.ask(message)
        self.run(self.now + 300)
        return len(self.results()) - before


@pytest.mark.spec(SPEC)
def test_the_first_request_ends_in_a_context_of_both_and_is_served_once():
    ladder = Sharers()
    ladder.ask(PUT)
    ladder.run()
    assert (ladder.response.payload, len(ladder.requests), len(ladder.sent(THING))) == (b"/a", 1, 2)
    assert ladder.context(THING).id_context == ladder.context(CONTROLLER).id_context
    assert len(ladder.context(THING).id_context) == 24
    assert ladder.controller.association(SECURED).address == THING


@pytest.mark.spec(SPEC)
def test_later_requests_need_no_exchange():
    ladder = Sharers()
    ladder.get_on()
    sent = len(ladder.sent(THING))
    assert ladder.get_on() == 1
    assert len(ladder.sent(THING)) == sent + 1


@pytest.mark.spec(SPEC)
@pytest.mark.requirement("R-64")
@pytest.mark.parametrize("who", [[THING], [CONTROLLER], [THING, CONTROLLER]], ids=["client", "server", "both"])
def test_whoever_loses_its_state_gets_on(who):
    ladder = Sharers()
    ladder.get_on()
    before = ladder.context(THING).id_context
    for address in who:
        ladder.start(address)
    assert ladder.get_on() == 1
    assert ladder.context(THING).id_context == ladder.context(CONTROLLER).id_context != before


@pytest.mark.spec("RFC 8613 B.2.1")
def test_two_ends_that_begin_at_once_end_in_one_context():
    ladder = Sharers()
    ladder.ask(PUT)
    ladder.controller.send_request(PUT, THING, 0.0, association=SECURED)
    ladder.run()
    assert ladder.get_on() == 1
    assert ladder.context(THING).id_context == ladder.context(CONTROLLER).id_context


@pytest.mark.spec(SPEC)
def test_requests_that_began_together_are_all_answered():
    ladder = Sharers()
    for number in range(4):
        ladder.ask(request(Code.PUT, f"/{number}"), confirmable=False)
    ladder.run()
    answered_ = {event.message.payload for event in ladder.results()}
    assert answered_ == {b"/0", b"/1", b"/2", b"/3"}
    assert len(ladder.requests) == 4


@pytest.mark.spec(SPEC)
@pytest.mark.requirement("R-15")
def test_nothing_recorded_is_accepted_in_a_later_context():
    ladder = Sharers()
    ladder.get_on()
    ladder.start(THING)
    ladder.get_on()
    recorded = [data for source, _, data in ladder.wire if source == THING]
    served = len(ladder.requests)
    ladder.start(CONTROLLER)
    ladder.get_on()
    for data in recorded:
        for source in (THING, STRANGER):
            ladder.controller.receive_datagram(data, source, ladder.now + 1000)
    ladder.pump()
    assert len(ladder.requests) == served + 1
    assert ladder.get_on() == 1


@pytest.mark.spec("RFC 8613 B.2.2")
@pytest.mark.requirement("R-15")
def test_a_replayed_first_request_changes_nothing():
    ladder = Sharers()
    ladder.get_on()
    first = next(data for source, _, data in ladder.wire if source == THING)
    context = ladder.context(CONTROLLER)
    ladder.controller.receive_datagram(first, STRANGER, ladder.now)
    ((reply, _),) = ladder.controller.datagrams_to_send(ladder.now)
    assert len(reply) <= 3 * len(first)
    assert decode(reply).option(OptionNumber.OSCORE) is not None
    assert (events(ladder.controller), ladder.context(CONTROLLER)) == ([], context)
    assert ladder.controller.association(SECURED).address == THING


@pytest.mark.spec("RFC 8613 B.2.2")
@pytest.mark.requirement("R-36")
def test_replayed_first_requests_are_answered_at_a_bounded_rate():
    ladder = Sharers()
    ladder.get_on()
    first = next(data for source, _, data in ladder.wire if source == THING)
    for port in range(500):
        ladder.controller.receive_datagram(first, ("203.0.113.9", port), ladder.now)
    replies = [decode(data) for data, _ in ladder.controller.datagrams_to_send(ladder.now)]
    assert sum(reply.option(OptionNumber.OSCORE) is not None for reply in replies) <= 100
    assert ladder.controller.counters["overload"] >= 400


@pytest.mark.requirement("R-36")
def test_strangers_that_ask_for_new_keys_do_not_hold_up_a_thing_that_lost_its_own():
    ladder = Sharers()
    ladder.get_on()
    first = next(data for source, _, data in ladder.wire if source == THING)
    for port in range(500):
        ladder.controller.receive_datagram(first, ("203.0.113.9", port), ladder.now)
    ladder.controller.datagrams_to_send(ladder.now)
    ladder.start(THING)
    ladder.ask(PUT)
    ladder.pump()
    assert len(ladder.requests) == 2


@pytest.mark.spec(SPEC)
def test_who_does_not_know_the_secret_gets_no_context():
    ladder = Sharers()
    ladder.thing.install(association(1, secret=bytes(range(16))))
    assert ladder.get_on() == 0
    assert len(ladder.results(ExchangeFailed)) == 1
    assert ladder.requests == []


@pytest.mark.spec(SPEC)
def test_an_association_that_does_not_allow_it_is_not_renewed():
    ladder = Sharers()
    held = ladder.controller.association(SECURED)
    held.parameters = None
    assert ladder.get_on() == 0
    assert ladder.controller.association(SECURED) is held


@pytest.mark.requirement("R-25")
def test_worn_keys_are_renewed_by_themselves():
    ladder = Sharers()
    ladder.get_on()
    before = ladder.context(THING).id_context
    ladder.context(THING).sender.sequence.next = (1 << 19) - 10
    for _ in range(30):
        assert ladder.get_on() == 1
    assert ladder.context(THING).id_context == ladder.context(CONTROLLER).id_context != before


@pytest.mark.spec(SPEC)
@pytest.mark.parametrize("seed", range(4))
def test_a_lossy_wire_that_repeats_and_reorders_does_not_keep_them_apart(seed):
    ladder = Sharers(seed=seed, loss=0.2, duplication=0.2, disorder=0.3, respond=lambda event: answered(Code.CHANGED))
    for _ in range(3):
        ladder.start(THING)
        assert ladder.get_on() == 1
