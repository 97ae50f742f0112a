import pytest

from tests.unit.endpoint.ladder import CONTROLLER, OBSERVE, THING, Ladder, answered, endpoint, events
from thingstead.protocols.coap.message import Message, MessageType, encode, request
from thingstead.protocols.coap.registry import Code, OptionNumber

GET = request(Code.GET, "/a")
FRESH = (OptionNumber.MAX_AGE, b"\xff\xff")
both = pytest.mark.parametrize("secured", [False, True], ids=["plain", "OSCORE"])


def observed(*, secured=True, **changes):
    """An observation that stands, at 100 s, so that the first response is long ago."""
    ladder = Ladder(secured=secured, respond=lambda event: answered(Code.CONTENT, b"0", OBSERVE, FRESH), **changes)
    ladder.ask(GET, observe=True)
    ladder.run(until=10.0)
    ladder.now = 100.0
    ladder.wire.clear()
    ladder.seen[:] = [entry for entry in ladder.seen if entry[0] == CONTROLLER]
    return ladder


def notify(ladder, payload, code=Code.CONTENT):
    ladder.controller.send_response(ladder.requests[0].exchange, answered(code, payload, OBSERVE, FRESH), ladder.now)


def kinds(ladder):
    return [message.type for message in ladder.sent(CONTROLLER)]


@pytest.mark.spec("RFC 7252 4.7")
def test_who_acknowledges_no_response_takes_no_room_of_others():
    side = endpoint(max_queued=4, max_unacknowledged=2)
    for mid in range(5):
        asked = Message(Code.GET, MessageType.CON, mid, bytes((mid,)))
        side.receive_datagram(encode(asked), THING, 0.0)
    side.datagrams_to_send(1.0)
    for event in events(side):
        side.send_response(event.exchange, answered(), 1.0)
    assert side.counters == {"state": 2}
    for _ in range(2):
        side.send_request(GET, CONTROLLER, 1.0)
    assert events(side) == []


@both
@pytest.mark.spec("RFC 7641 4.5.1")
def test_notifications_that_come_seldom_are_not_confirmable(secured):
    ladder = observed(secured=secured)
    for number in range(3):
        notify(ladder, b"%d" % number)
        ladder.pump()
        ladder.now += 3.0
    assert kinds(ladder) == [MessageType.NON] * 3


@both
@pytest.mark.spec("RFC 7641 4.5.1")
def test_one_that_comes_soon_after_another_is_confirmable(secured):
    ladder = observed(secured=secured)
    for number in range(3):
        notify(ladder, b"%d" % number)
        ladder.pump()
        ladder.now += 0.5
    assert kinds(ladder) == [MessageType.NON, MessageType.CON, MessageType.CON]
    assert [event.message.payload for event in ladder.results()] == [b"0", b"1", b"2"]


@both
@pytest.mark.spec("RFC 7641 4.5.2")
def test_while_one_is_unacknowledged_only_the_newest_state_waits(secured):
    ladder = observed(secured=secured)
    for number in range(50):
        notify(ladder, b"%d" % number)
    assert len(ladder.controller.datagrams_to_send(ladder.now)) == 2
    ladder = observed(secured=secured)
    for number in range(50):
        notify(ladder, b"%d" % number)
    ladder.run()
    assert [event.message.payload for event in ladder.results()] == [b"0", b"1", b"49"]


@pytest.mark.spec("RFC 7641 4.5.2")
@pytest.mark.requirement("R-51")
def test_an_observer_that_is_gone_costs_no_more_than_one_message_and_its_repetitions():
    ladder = observed()
    ladder.loss = 1.0
    for number in range(100):
        notify(ladder, b"%d" % number)
        ladder.run(until=ladder.now + 1.0)
        ladder.now += 1.0
    ladder.run(until=1000.0)
    assert len(ladder.sent(CONTROLLER)) == 1 + 5
    assert len(ladder.ended) == 1


@pytest.mark.spec("RFC 7641 4.2")
def test_a_last_word_waits_too_and_ends_the_observation():
    ladder = observed()
    notify(ladder, b"1")
    notify(ladder, b"2")
    notify(ladder, b"", code=Code.NOT_FOUND)
    ladder.run()
    assert [event.message.code for event in ladder.results()] == [Code.CONTENT, Code.CONTENT, Code.NOT_FOUND]
    assert ladder.results()[-1].is_last


@pytest.mark.spec("RFC 7641 3.6")
def test_a_reset_of_one_that_waits_for_its_acknowledgement_ends_the_observation():
    ladder = observed(secured=False)
    notify(ladder, b"1")
    notify(ladder, b"2")
    (_, (data, _)) = ladder.controller.datagrams_to_send(ladder.now)
    notify(ladder, b"3")
    ladder.controller.receive_datagram(b"\x70\x00" + data[2:4], THING, ladder.now)
    ladder.pump()
    assert len(ladder.ended) == 1
    assert ladder.sent(CONTROLLER) == []


# --- one format for all of an observation (RFC 7641 §4.2)

FORMAT = int(OptionNumber.CONTENT_FORMAT)


def told(ladder, *formats, code=Code.CONTENT):
    """What an observer hears of representations in these formats, None for one that says none."""
    for number in formats:
        stated = [] if number is None else [(FORMAT, bytes([number]))]
        response = Message(code, options=sorted([OBSERVE, FRESH, *stated]), payload=b"x")
        ladder.controller.send_response(ladder.requests[0].exchange, response, ladder.now)
        ladder.run(until=ladder.now + 20.0)
        ladder.now += 20.0
    return [event.message.code for event in ladder.results()]


@both
@pytest.mark.spec("RFC 7641 4.2")
def test_a_representation_in_another_format_ends_the_observation(secured):
    ladder = observed(secured=secured)
    assert told(ladder, 60, 60, 50, 60) == [Code.CONTENT, Code.CONTENT, Code.NOT_ACCEPTABLE]
    assert ladder.results()[-1].is_last
    assert len(ladder.ended) == 1


@pytest.mark.spec("RFC 7641 4.2")
def test_a_representation_that_says_no_format_any_more_ends_it_too():
    assert told(observed(), 60, None) == [Code.CONTENT, Code.NOT_ACCEPTABLE]


@pytest.mark.spec("RFC 7641 4.2")
def test_what_is_no_representation_has_no_format_to_keep():
    ladder = observed()
    assert told(ladder, 60) == [Code.CONTENT]
    assert told(ladder, None, code=Code.VALID)[-1] == Code.VALID
    assert told(ladder, 60)[-1] == Code.CONTENT
