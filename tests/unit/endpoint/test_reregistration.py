"""An observation goes on where the server has forgotten it: the client registers again (RFC 7641 §3.3.1)."""

from itertools import pairwise

import pytest

from tests.unit.endpoint.ladder import CONTROLLER, OBSERVE, SECURED, THING, Ladder, answered, context, endpoint, events
from tests.unit.endpoint.stream_ladder import StreamLadder
from thingstead.endpoint.association import Association
from thingstead.endpoint.config import Retention
from thingstead.endpoint.event import ExchangeFailed
from thingstead.errors import NoResponseError, UntrustedError
from thingstead.protocols.coap.message import Message, MessageType, encode, request
from thingstead.protocols.coap.registry import Code, OptionNumber
from thingstead.protocols.oscore.context import SequenceNumbers

GET = request(Code.GET, "/a", query=("x" * 90,))
AGE = 30
SOONEST, LATEST = AGE + 5.0, AGE + 15.0

both = pytest.mark.parametrize("secured", [False, True], ids=["plain", "OSCORE"])
pytestmark = pytest.mark.spec("RFC 7641 3.3.1")


def fresh(payload, *options):
    return answered(Code.CONTENT, payload, OBSERVE, (OptionNumber.MAX_AGE, bytes([AGE])), *options)


def observed(*, secured, respond=None, **changes):
    """An observation that stands, and answers with the number of the registration."""
    ladder = Ladder(secured=secured, **changes)
    ladder.respond = respond or (lambda event: fresh(b"%d" % len(ladder.requests)))
    ladder.ask(GET, observe=True)
    ladder.pump()
    assert not ladder.results()[-1].is_last
    ladder.wire.clear()
    return ladder


def forget(ladder):
    """The controller begins anew, and knows its contexts alone, at the number that it had."""
    was, ladder.controller = ladder.controller, endpoint(3)
    ladder.sides[CONTROLLER] = ladder.controller
    if ladder.association is not None:
        kept = was.association(ladder.association).context
        anew = context(mirrored=True, window=kept.recipient.window, sequence=SequenceNumbers(1000))
        ladder.controller.install(Association(ladder.association, anew))


def notify(ladder, payload):
    ladder.controller.send_response(ladder.requests[-1].exchange, fresh(payload), ladder.now)
    ladder.pump()


def notified_under(ladder):
    """The token of the observation that stands."""
    notify(ladder, b"news")
    return ladder.sent(CONTROLLER)[-1].token


def payloads(ladder):
    return [event.message.payload for event in ladder.results()]


def tokens(ladder):
    return [message.token for message in ladder.sent(THING) if message.code in (Code.GET, Code.FETCH)]


@both
def test_an_observation_goes_on_where_the_server_forgot_it(secured):
    ladder = observed(secured=secured)
    forget(ladder)
    ladder.run(until=LATEST)
    assert len(ladder.requests) == 2
    assert all(event.observe for event in ladder.requests)
    notify(ladder, b"news")
    assert payloads(ladder) == [b"1", b"2", b"news"]


@both
def test_the_registration_is_repeated_as_it_was_under_its_token(secured):
    ladder = observed(secured=secured)
    token = notified_under(ladder)
    ladder.run(until=LATEST)
    first, again = ladder.requests
    assert first.message.options == again.message.options
    assert tokens(ladder) == [token]
    # Our server takes it for the same observation, so the one before is over.
    assert [event.exchange for event in ladder.ended] == [first.exchange]


@both
def test_nothing_is_repeated_while_the_last_notification_is_fresh_and_some_time_after(secured):
    ladder = observed(secured=secured)
    for _ in range(4):
        ladder.run(until=ladder.now + AGE)
        ladder.now += AGE
        notify(ladder, b"news")
    moment = ladder.now
    ladder.run(until=moment + SOONEST - 0.1)
    assert len(ladder.requests) == 1
    ladder.run(until=moment + LATEST)
    assert len(ladder.requests) == 2


def test_clients_of_one_server_do_not_ask_together():
    moments = set()
    for seed in range(20):
        side = endpoint(seed)
        side.send_request(GET, CONTROLLER, 0.0, observe=True)
        (data, _) = side.datagrams_to_send(0.0)[0]
        response = fresh(b"")
        asked = Message(response.code, MessageType.ACK, int.from_bytes(data[2:4], "big"), data[4:12], response.options)
        side.receive_datagram(encode(asked), CONTROLLER, 0.0)
        assert len(events(side)) == 1
        moments.add(side.next_deadline())
    assert len(moments) == 20
    assert SOONEST <= min(moments) < max(moments) <= LATEST


@pytest.mark.spec("RFC 7252 5.4.4")
def test_a_response_without_max_age_is_fresh_for_a_minute():
    ladder = observed(secured=False, respond=lambda event: answered(Code.CONTENT, b"", OBSERVE))
    ladder.run(until=64.9)
    assert len(ladder.requests) == 1
    ladder.run(until=75.0)
    assert len(ladder.requests) == 2


@both
def test_a_server_that_is_gone_is_asked_ever_less_often_and_then_given_up(secured):
    ladder = observed(secured=secured, max_reregistrations=4)
    ladder.sides.pop(CONTROLLER)
    ladder.wire.clear()
    moments = []
    while not ladder.results(ExchangeFailed):
        before = len(ladder.wire)
        ladder.run(until=ladder.now)
        ladder.now = ladder.thing.next_deadline() or ladder.now
        ladder.pump()
        mids = {data[2:4] for _, _, data in ladder.wire[:before]}
        moments += [ladder.now for _, _, data in ladder.wire[before:] if data[2:4] not in mids]
    waits = [later - earlier for earlier, later in pairwise(moments)]
    assert len(moments) == 5
    # Each wait follows on the 62 to 93 seconds in which nobody acknowledged the one before.
    for number, wait in enumerate(waits, start=1):
        assert 62 + 5 * 2**number <= wait <= 93 + 15 * 2**number
    assert isinstance(ladder.failure, NoResponseError)
    assert ladder.thing.next_deadline() is None


@both
def test_an_answer_makes_the_next_wait_short_again(secured):
    ladder = observed(secured=secured)
    ladder.sides.pop(CONTROLLER)
    ladder.run(until=400.0)
    ladder.sides[CONTROLLER] = ladder.controller
    ladder.run(until=1000.0)
    moment = ladder.now
    assert len(ladder.requests) >= 2
    asked = len(ladder.requests)
    ladder.run(until=moment + LATEST)
    assert len(ladder.requests) == asked + 1


@both
def test_a_server_that_no_longer_accepts_ends_the_observation(secured):
    ladder = observed(secured=secured)
    forget(ladder)
    ladder.respond = lambda event: answered(Code.CONTENT, b"last")
    ladder.run()
    assert payloads(ladder) == [b"1", b"last"]
    assert ladder.results()[-1].is_last
    assert ladder.thing.next_deadline() is None


@both
def test_an_error_in_answer_to_it_is_the_last_word(secured):
    ladder = observed(secured=secured)
    forget(ladder)
    ladder.respond = lambda event: answered(Code.NOT_FOUND)
    ladder.run()
    assert (ladder.results()[-1].message.code, ladder.results()[-1].is_last) == (Code.NOT_FOUND, True)


@both
def test_cancelling_while_it_is_on_its_way_ends_all(secured):
    ladder = observed(secured=secured)
    ladder.sides.pop(CONTROLLER)
    ladder.run(until=LATEST)
    ladder.thing.cancel(ladder.results()[0].exchange, ladder.now)
    ladder.thing.datagrams_to_send(ladder.now)
    assert ladder.thing.next_deadline() is None


@both
def test_a_notification_that_crosses_the_repeated_registration_is_shown(secured):
    ladder = observed(secured=secured)
    ladder.controller.send_response(ladder.requests[0].exchange, fresh(b"crossed"), ladder.now)
    (crossing,) = ladder.controller.datagrams_to_send(ladder.now)
    ladder.now = ladder.thing.next_deadline()
    (asked,) = ladder.thing.datagrams_to_send(ladder.now)
    ladder.thing.receive_datagram(crossing[0], CONTROLLER, ladder.now)
    ladder.controller.receive_datagram(asked[0], THING, ladder.now)
    ladder.pump()
    assert payloads(ladder) == [b"1", b"crossed", b"2"]
    notify(ladder, b"news")
    assert payloads(ladder)[-1] == b"news"
    assert b"\x70" not in {data[:1] for source, _, data in ladder.wire if source == THING}


@pytest.mark.spec("RFC 8613 7.3")
@pytest.mark.spec("RFC 8613 4.1.3.5.1")
def test_a_repeated_registration_takes_a_partial_iv_of_its_own():
    ladder = observed(secured=True)
    kept = ladder.controller.association(SECURED).context.recipient.window
    before = kept.newest
    ladder.run(until=LATEST)
    assert kept.newest == before + 1


@pytest.mark.spec("RFC 8613 4.1.3.5.1")
def test_notifications_of_the_registration_before_are_void_once_the_next_is_answered():
    ladder = observed(secured=True)
    ladder.controller.send_response(ladder.requests[0].exchange, fresh(b"late"), ladder.now)
    (late,) = ladder.controller.datagrams_to_send(ladder.now)
    ladder.run(until=LATEST)
    assert len(ladder.requests) == 2
    ladder.thing.receive_datagram(late[0], CONTROLLER, ladder.now)
    ladder.pump()
    assert payloads(ladder) == [b"1", b"2"]
    assert ladder.thing.counters == {"replay": 1}


@pytest.mark.spec("RFC 8613 B.1.2")
def test_a_server_that_lost_its_window_too_asks_for_an_echo_first():
    ladder = observed(secured=True)
    ladder.restart_controller()
    ladder.run(until=LATEST)
    assert payloads(ladder) == [b"1", b"2"]
    notify(ladder, b"news")
    assert payloads(ladder)[-1] == b"news"


@pytest.mark.spec("RFC 8613 8.2")
def test_an_unprotected_refusal_counts_as_one_failure_and_is_not_believed_further():
    ladder = observed(secured=True)
    kept = ladder.controller
    ladder.controller = ladder.sides[CONTROLLER] = endpoint(3)
    ladder.run(until=LATEST)
    assert ladder.sent(CONTROLLER)[-1].code == Code.UNAUTHORIZED
    assert ladder.results(ExchangeFailed) == []
    ladder.controller = ladder.sides[CONTROLLER] = kept
    ladder.run(until=LATEST + 30.0)
    assert payloads(ladder) == [b"1", b"2"]


@pytest.mark.spec("RFC 8613 8.2")
def test_refusals_without_end_end_the_observation():
    ladder = observed(secured=True, max_reregistrations=2)
    ladder.controller = ladder.sides[CONTROLLER] = endpoint(3)
    ladder.run()
    assert isinstance(ladder.failure, UntrustedError)


@both
def test_a_long_body_goes_again_whole(secured):
    ladder = Ladder(secured=secured, strangers=Retention())
    ladder.respond = lambda event: fresh(b"%d" % len(event.message.payload))
    ladder.ask(Message(Code.FETCH, options=[(OptionNumber.URI_PATH, b"a")], payload=b"x" * 3000), observe=True)
    ladder.pump()
    ladder.run(until=LATEST)
    assert payloads(ladder) == [b"3000", b"3000"]


@both
def test_a_notification_whose_rest_is_lost_is_asked_for_anew(secured):
    ladder = observed(secured=secured, strangers=Retention())
    ladder.respond = lambda event: fresh(b"y" * 3000)
    ladder.controller.send_response(ladder.requests[0].exchange, fresh(b"y" * 3000), ladder.now)
    (first, _) = ladder.controller.datagrams_to_send(ladder.now)[0]
    ladder.sides.pop(CONTROLLER)
    ladder.thing.receive_datagram(first, CONTROLLER, ladder.now)
    ladder.run(until=95.0)
    ladder.sides[CONTROLLER] = ladder.controller
    ladder.run(until=150.0)
    assert payloads(ladder)[1] == b"y" * 3000


@pytest.mark.spec("RFC 8323 7.3")
@both
def test_over_a_connection_nothing_is_registered_again(secured):
    ladder = StreamLadder(secured=secured)
    ladder.respond = lambda event: fresh(b"")
    ladder.ask(GET, observe=True)
    ladder.pump()
    ladder.now += 10 * LATEST
    ladder.pump()
    assert len(ladder.requests) == 1


def test_a_request_that_another_protected_is_not_repeated():
    side = endpoint(relays=True)
    protected = Message(Code.FETCH, options=[(OptionNumber.OSCORE, b"\x09\x01\x02")], payload=bytes(20))
    side.send_request(protected, CONTROLLER, 0.0, observe=True)
    (data, _) = side.datagrams_to_send(0.0)[0]
    answer = Message(
        Code.CONTENT,
        MessageType.ACK,
        int.from_bytes(data[2:4], "big"),
        data[4:12],
        [(OptionNumber.OBSERVE, b"\x01"), (OptionNumber.OSCORE, b"")],
        bytes(20),
    )
    side.receive_datagram(encode(answer), CONTROLLER, 0.0)
    assert (len(events(side)), side.next_deadline()) == (1, None)
