import pytest

from tests.unit.endpoint.ladder import CONTROLLER, OBSERVE, THING, Ladder, answered, endpoint, events
from thingstead.endpoint.event import ExchangeEnded, ExchangeFailed, ResponseReceived
from thingstead.protocols.coap.message import Message, MessageType, decode, encode, request
from thingstead.protocols.coap.registry import Code, OptionNumber

NO_RESPONSE = int(OptionNumber.NO_RESPONSE)
GET = request(Code.GET, "/a")


@pytest.mark.spec("RFC 7967 2")
@pytest.mark.parametrize("confirmable", [True, False])
@pytest.mark.parametrize("secured", [True, False])
def test_a_request_that_wants_no_response_ends_in_peace(confirmable, secured):
    ladder = Ladder(secured=secured)
    name = ladder.ask(Message(Code.POST, options=[(11, b"a"), (NO_RESPONSE, b"\x1a")]), confirmable=confirmable)
    ladder.run()
    assert len(ladder.requests) == 1
    assert [event.exchange for event in ladder.results(ExchangeEnded)] == [name]
    assert ladder.results(ExchangeFailed) == ladder.results(ResponseReceived) == []


@pytest.mark.spec("RFC 7967 2")
def test_a_response_of_a_class_that_is_wanted_still_comes():
    ladder = Ladder(respond=lambda event: answered(Code.NOT_FOUND))
    ladder.ask(Message(Code.GET, options=[(NO_RESPONSE, b"\x02")]))
    ladder.run()
    assert ladder.response.code == Code.NOT_FOUND


def stray(mid, *options, kind=MessageType.NON):
    return encode(Message(Code.CONTENT, kind, mid, b"gone", list(options)))


@pytest.mark.spec("RFC 7641 3.6")
def test_a_notification_of_what_we_do_not_observe_is_reset():
    side = endpoint()
    side.receive_datagram(stray(7, OBSERVE), THING, 0.0)
    assert side.datagrams_to_send(0.0) == [(bytes.fromhex("70000007"), THING)]


@pytest.mark.requirement("R-37")
def test_resets_of_notifications_are_bounded_in_rate():
    side = endpoint(refusals_per_second=2.0)
    for mid in range(50):
        side.receive_datagram(stray(mid, OBSERVE), THING, 0.0)
    assert len(side.datagrams_to_send(0.0)) == 4
    assert side.counters == {"unexpected-response": 50}


@pytest.mark.spec("RFC 7252 4.3")
@pytest.mark.parametrize("kind", [MessageType.NON, MessageType.ACK])
def test_another_response_to_no_request_is_passed_over(kind):
    side = endpoint()
    side.receive_datagram(stray(7, kind=kind), THING, 0.0)
    assert side.datagrams_to_send(0.0) == []


@pytest.mark.spec("RFC 7252 4.2")
@pytest.mark.parametrize("tail", ["ff", "f0", "41"])
@pytest.mark.parametrize(("head", "resets"), [("4845", 1), ("5845", 0), ("6845", 0)])
def test_a_malformed_response_is_rejected_and_changes_nothing(head, resets, tail):
    side = endpoint()
    side.send_request(GET, CONTROLLER, 0.0)
    sent = decode(side.datagrams_to_send(0.0)[0][0])
    data = bytes.fromhex(head) + sent.mid.to_bytes(2, "big") + sent.token + bytes.fromhex(tail)
    side.receive_datagram(data, CONTROLLER, 0.0)
    assert (len(side.datagrams_to_send(0.0)), events(side)) == (resets, [])


@pytest.mark.spec("RFC 7252 4.2")
def test_a_separate_response_before_its_acknowledgement_ends_the_repetitions():
    side = endpoint()
    side.send_request(GET, CONTROLLER, 0.0)
    sent = decode(side.datagrams_to_send(0.0)[0][0])
    side.receive_datagram(encode(Message(Code.CONTENT, MessageType.CON, 9, sent.token)), CONTROLLER, 0.0)
    assert side.datagrams_to_send(0.0) == [(bytes.fromhex("60000009"), CONTROLLER)]
    assert [type(event) for event in events(side)] == [ResponseReceived]
    assert side.next_deadline() is None


@pytest.mark.spec("RFC 7252 4.7")
@pytest.mark.requirement("R-51")
def test_to_a_peer_that_does_not_answer_no_more_than_probing_rate_goes():
    ladder = Ladder(loss=1.0)
    for _ in range(100):
        ladder.ask(GET, confirmable=False)
    ladder.run(until=1000.0)
    sent = sum(len(data) for _, _, data in ladder.wire)
    assert 0 < sent <= 1000 + len(ladder.wire[0][2])


@pytest.mark.spec("RFC 7252 4.7")
def test_a_peer_that_answers_is_asked_the_next_at_once():
    ladder = Ladder()
    for _ in range(100):
        ladder.ask(GET, confirmable=False)
    ladder.pump()
    assert len(ladder.results()) == 100


@pytest.mark.spec("RFC 7959 2.5")
def test_a_long_request_that_begins_anew_goes_in_blocks_again():
    client = endpoint()
    client.send_request(request(Code.FETCH, "/a", payload=bytes(1500)), CONTROLLER, 0.0)

    def told(code, *options):
        ((data, _),) = client.datagrams_to_send(0.0)
        asked = decode(data)
        answer = Message(code, MessageType.ACK, asked.mid, asked.token, list(options), bytes(16))
        client.receive_datagram(encode(answer), CONTROLLER, 0.0)
        return asked.option(OptionNumber.BLOCK1), len(asked.payload)

    assert told(Code.CONTINUE, (OptionNumber.BLOCK1, b"\x0e")) == (b"\x0e", 1024)
    first = ((OptionNumber.ETAG, b"1"), (OptionNumber.BLOCK2, b"\x08"), (OptionNumber.BLOCK1, b"\x16"))
    assert told(Code.CONTENT, *first) == (b"\x16", 476)
    # The representation changed between two of its blocks: the client asks again, from the beginning.
    assert told(Code.CONTENT, (OptionNumber.ETAG, b"2"), (OptionNumber.BLOCK2, b"\x18")) == (None, 0)
    assert told(Code.CONTINUE, (OptionNumber.BLOCK1, b"\x0e")) == (b"\x0e", 1024)


@pytest.mark.spec("RFC 7641 3.6")
@pytest.mark.parametrize("secured", [True, False])
def test_a_long_registration_is_ended_by_a_reset_and_not_repeated_whole(secured):
    ladder = Ladder(secured=secured, respond=lambda event: answered(Code.CONTENT, b"0", OBSERVE))
    name = ladder.ask(request(Code.FETCH, "/a", payload=bytes(3000)), observe=True)
    ladder.run(until=10.0)
    ladder.thing.cancel(name, ladder.now)
    ladder.pump()
    assert max(len(data) for _, _, data in ladder.wire) < 1200
    (event,) = ladder.requests
    ladder.controller.send_response(event.exchange, answered(Code.CONTENT, b"1", OBSERVE), ladder.now)
    ladder.run(until=20.0)
    assert len(ladder.ended) == 1
