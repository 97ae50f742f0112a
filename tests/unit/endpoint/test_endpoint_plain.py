import pytest

from tests.unit.endpoint.ladder import CONTROLLER, OBSERVE, THING, Ladder, answered, endpoint, events
from thingstead.endpoint.config import Retention
from thingstead.endpoint.event import ExchangeFailed
from thingstead.errors import StateError, TransportError
from thingstead.protocols.coap import block
from thingstead.protocols.coap.message import Message, MessageType, decode, encode, request
from thingstead.protocols.coap.option import encode_uint
from thingstead.protocols.coap.registry import Code, OptionNumber
from thingstead.protocols.coap.reliability import TransmissionParameters

GET = request(Code.GET, "/a")
LONG = bytes(range(250)) * 10


def raw(code=Code.GET, *options, kind=MessageType.CON, mid=1, token=b"t", payload=b""):
    return encode(Message(code, kind, mid, token, sorted(options), payload))


def serve(side, response, now=0.0):
    for event in events(side):
        side.send_response(event.exchange, response, now)
    return [decode(data) for data, _ in side.datagrams_to_send(now)]


@pytest.mark.spec("RFC 7252 5.2.1")
def test_a_quick_response_travels_in_the_acknowledgement():
    ladder = Ladder()
    ladder.ask(GET)
    ladder.run()
    assert [message.type for message in ladder.sent(CONTROLLER)] == [MessageType.ACK]
    assert (ladder.response.payload, len(ladder.wire)) == (b"/a", 2)


@pytest.mark.spec("RFC 7252 5.2.2")
def test_a_slow_response_is_separate_and_acknowledged():
    ladder = Ladder(respond=lambda event: None)
    ladder.ask(GET)
    ladder.run(until=1.0)
    ladder.controller.send_response(ladder.requests[0].exchange, answered(payload=b"late"), ladder.now)
    ladder.run()
    assert [(message.type, message.code) for message in ladder.sent(CONTROLLER)] == [
        (MessageType.ACK, Code.EMPTY),
        (MessageType.CON, Code.CONTENT),
    ]
    assert [message.type for message in ladder.sent(THING)] == [MessageType.CON, MessageType.ACK]
    assert ladder.response.payload == b"late"


def test_a_non_confirmable_request_has_a_non_confirmable_response():
    ladder = Ladder()
    ladder.ask(GET, confirmable=False)
    ladder.run()
    assert [message.type for message in ladder.sent(CONTROLLER)] == [MessageType.NON]


@pytest.mark.spec("RFC 7252 4.2")
def test_a_request_that_nobody_hears_is_repeated_and_fails():
    ladder = Ladder(loss=1.0)
    ladder.ask(GET)
    ladder.run()
    assert isinstance(ladder.failure, TransportError)
    assert len(ladder.wire) == 5
    assert len({data for _, _, data in ladder.wire}) == 1


def test_a_request_that_is_acknowledged_but_not_answered_fails_in_time():
    ladder = Ladder(respond=lambda event: None)
    ladder.ask(GET)
    ladder.run()
    assert ladder.failure.reason == "no-response"


@pytest.mark.spec("RFC 7252 4.5")
def test_a_duplicate_is_answered_again_but_handled_once():
    side = endpoint()
    side.receive_datagram(raw(), THING, 0.0)
    first = serve(side, answered(payload=b"x"))
    side.receive_datagram(raw(), THING, 1.0)
    assert (serve(side, answered(payload=b"y")), events(side)) == (first, [])
    assert side.counters == {"duplicate": 1}


@pytest.mark.spec("RFC 7252 4.5")
def test_a_duplicate_before_the_answer_waits_for_it():
    side = endpoint()
    side.receive_datagram(raw(), THING, 0.0)
    side.receive_datagram(raw(), THING, 0.1)
    assert len(events(side)) == 1
    assert side.datagrams_to_send(0.1) == []


@pytest.mark.spec("RFC 7252 4.3")
def test_a_ping_is_answered_with_a_reset():
    side = endpoint()
    side.receive_datagram(bytes.fromhex("40001234"), THING, 0.0)
    assert side.datagrams_to_send(0.0) == [(bytes.fromhex("70001234"), THING)]


@pytest.mark.spec("RFC 7252 4.2")
@pytest.mark.parametrize(
    ("datagram", "reason"),
    [
        ("4901000100", "malformed"),
        ("40010001f0", "malformed"),
        ("400100010fff", "malformed"),
        ("40200001", "code"),
        ("40c00001", "code"),
        ("40e10001", "code"),
        ("4000000100", "code"),
    ],
)
def test_a_confirmable_message_without_a_meaning_is_reset_and_counted(datagram, reason):
    side = endpoint()
    side.receive_datagram(bytes.fromhex(datagram), THING, 0.0)
    assert side.datagrams_to_send(0.0) == [(bytes.fromhex("70000001"), THING)]
    assert (side.counters, side.counters_by_source) == ({reason: 1}, {THING: 1})


@pytest.mark.spec("RFC 7252 8.1")
@pytest.mark.parametrize("datagram", ["40200001", "4000000100", "40000001", "4901000100", "40450001"])
def test_nothing_sent_to_a_group_is_reset(datagram):
    side = endpoint()
    side.receive_datagram(bytes.fromhex(datagram), THING, 0.0, multicast=True)
    assert side.datagrams_to_send(0.0) == []


@pytest.mark.parametrize(
    "datagram",
    ["", "40", "80010001", "5901000100", "60010001", "70010001", "5020ffff", "50e10000", "5000000100", "60000001"],
    ids=["empty", "short", "version", "bad NON", "ACK", "RST", "class 1", "signal", "long empty", "lone ACK"],
)
def test_what_makes_no_sense_is_dropped_without_a_word(datagram):
    side = endpoint()
    side.receive_datagram(bytes.fromhex(datagram), THING, 0.0)
    assert (side.datagrams_to_send(0.0), events(side)) == ([], [])


@pytest.mark.spec("RFC 7252 5.4.1")
@pytest.mark.parametrize(
    ("option", "code"),
    [
        ((13, b""), Code.BAD_OPTION),
        ((OptionNumber.EDHOC, b""), Code.BAD_OPTION),
        ((OptionNumber.PROXY_SCHEME, b"coap"), Code.PROXYING_NOT_SUPPORTED),
        ((OptionNumber.BLOCK1, b"\x07"), Code.BAD_REQUEST),
        ((OptionNumber.BLOCK1, b"\x18"), Code.REQUEST_ENTITY_INCOMPLETE),
    ],
)
def test_an_option_that_cannot_be_served_is_answered_by_the_endpoint(option, code):
    side = endpoint()
    side.receive_datagram(raw(Code.POST, option, payload=bytes(16)), THING, 0.0)
    assert events(side) == []
    assert [message.code for message in serve(side, answered())] == [code]


def test_the_application_sees_no_option_that_was_for_the_endpoint():
    side = endpoint(insecure_state_for_strangers=True)
    options = [(OptionNumber.URI_PATH, b"a"), (OptionNumber.OBSERVE, b""), (OptionNumber.BLOCK2, b"\x02")]
    side.receive_datagram(raw(Code.GET, *options), THING, 0.0)
    (event,) = events(side)
    assert (event.message.options, event.observe, event.association) == ([(11, b"a")], True, None)


def test_a_response_to_no_request_is_reset_when_confirmable_and_ignored_when_not():
    side = endpoint()
    side.receive_datagram(raw(Code.CONTENT), THING, 0.0)
    side.receive_datagram(raw(Code.CONTENT, kind=MessageType.NON, mid=2), THING, 0.0)
    assert side.datagrams_to_send(0.0) == [(bytes.fromhex("70000001"), THING)]
    assert side.counters == {"unexpected-response": 2}


@pytest.mark.spec("RFC 7252 5.4.1")
@pytest.mark.parametrize(
    ("kind", "replies"), [(MessageType.CON, ["70000009"]), (MessageType.NON, []), (MessageType.ACK, [])]
)
def test_a_response_with_an_unknown_critical_option_is_rejected_and_ends_the_request(kind, replies):
    side = endpoint()
    side.send_request(GET, CONTROLLER, 0.0)
    sent = decode(side.datagrams_to_send(0.0)[0][0])
    mid = sent.mid if kind is MessageType.ACK else 9
    side.receive_datagram(encode(Message(Code.CONTENT, kind, mid, sent.token, [(65001, b"")])), CONTROLLER, 0.0)
    assert [data.hex() for data, _ in side.datagrams_to_send(0.0)] == replies
    (event,) = events(side)
    assert (type(event), event.error.reason, side.next_deadline()) == (ExchangeFailed, "unsupported", None)


@pytest.mark.spec("RFC 7252 5.3.1")
@pytest.mark.spec("RFC 8974 2.2")
def test_a_long_token_is_served_and_comes_back():
    side = endpoint()
    side.receive_datagram(raw(token=bytes(range(64))), THING, 0.0)
    (response,) = serve(side, answered())
    assert response.token == bytes(range(64))


@pytest.mark.spec("RFC 8974 2.2.2")
def test_a_token_over_the_limit_is_answered_and_not_reset():
    side = endpoint()
    side.receive_datagram(raw(token=bytes(65)), THING, 0.0)
    (response,) = serve(side, answered())
    assert (response.code, response.type, response.token) == (Code.BAD_REQUEST, MessageType.ACK, bytes(65))
    assert side.counters == {"token": 1}


@pytest.mark.requirement("R-37")
def test_refusals_of_tokens_are_bounded_in_rate_and_never_go_to_a_group():
    side = endpoint(refusals_per_second=2.0)
    side.receive_datagram(raw(token=bytes(65), kind=MessageType.NON), THING, 0.0, multicast=True)
    assert side.datagrams_to_send(0.0) == []
    for mid in range(20):
        side.receive_datagram(raw(token=bytes(65), mid=mid), THING, 0.0)
    assert len(side.datagrams_to_send(0.0)) == 4


@pytest.mark.spec("RFC 7252 5.3.2")
@pytest.mark.parametrize(
    ("source", "kind", "mid_offset", "token"),
    [
        (THING, MessageType.ACK, 0, None),
        (CONTROLLER, MessageType.ACK, 1, None),
        (CONTROLLER, MessageType.RST, 0, None),
        (CONTROLLER, MessageType.NON, 0, b"guess"),
    ],
    ids=["source", "message ID", "type", "token"],
)
def test_a_response_that_does_not_match_is_not_taken(source, kind, mid_offset, token):
    side = endpoint()
    side.send_request(GET, CONTROLLER, 0.0)
    sent = decode(side.datagrams_to_send(0.0)[0][0])
    forged = encode(Message(Code.CONTENT, kind, sent.mid + mid_offset, token or sent.token))
    side.receive_datagram(forged, source, 0.0)
    assert events(side) == []
    assert side.next_deadline() < 3.1


def test_a_reset_ends_a_request():
    side = endpoint()
    side.send_request(GET, CONTROLLER, 0.0)
    data = side.datagrams_to_send(0.0)[0][0]
    side.receive_datagram(b"\x70\x00" + data[2:4], CONTROLLER, 0.0)
    (event,) = events(side)
    assert (type(event), event.error.reason) == (ExchangeFailed, "reset")


def test_a_cancelled_request_is_silent():
    ladder = Ladder(loss=1.0)
    name = ladder.ask(GET)
    ladder.pump()
    ladder.thing.cancel(name, 0.0)
    ladder.run()
    assert (len(ladder.wire), ladder.seen, ladder.thing.next_deadline()) == (1, [], None)


def test_requests_that_wait_are_bounded():
    side = endpoint(max_requests=2)
    for _ in range(2):
        side.send_request(GET, CONTROLLER, 0.0)
    with pytest.raises(StateError):
        side.send_request(GET, CONTROLLER, 0.0)


def test_a_request_needs_a_destination():
    with pytest.raises(StateError):
        endpoint().send_request(GET, None, 0.0)


@pytest.mark.spec("RFC 7959 2.5")
@pytest.mark.spec("RFC 7959 2.4")
def test_long_bodies_travel_in_blocks_both_ways():
    ladder = Ladder(respond=lambda event: answered(Code.CHANGED, event.message.payload[::-1] * 2))
    ladder.ask(request(Code.POST, "/a", payload=LONG))
    ladder.run()
    assert ladder.response.payload == LONG[::-1] * 2
    assert ladder.requests[0].message.payload == LONG
    assert max(len(data) for _, _, data in ladder.wire) < 1100


@pytest.mark.spec("RFC 7959 2.3")
def test_a_server_that_wants_smaller_blocks_gets_them():
    ladder = Ladder()
    ladder.controller = ladder.sides[CONTROLLER] = endpoint(2, block_szx=2)
    ladder.ask(request(Code.PUT, "/a", payload=LONG))
    ladder.run()
    assert ladder.requests[0].message.payload == LONG
    asked_for_echo = 1
    assert len(ladder.sent(THING)) == asked_for_echo + 1 + (2500 - 1024 + 63) // 64


@pytest.mark.spec("RFC 7959 2.9.3")
@pytest.mark.requirement("R-47")
def test_a_body_over_the_limit_of_the_server_is_refused_with_that_limit():
    strangers = Retention(uploads=block.Limits(max_body=2000))
    ladder = Ladder(strangers=strangers)
    ladder.ask(request(Code.PUT, "/a", payload=LONG))
    ladder.run()
    assert ladder.response.code == Code.REQUEST_ENTITY_TOO_LARGE
    assert ladder.response.uint_option(OptionNumber.SIZE1) == 2000
    assert ladder.requests == []


@pytest.mark.spec("RFC 9175 3.8")
@pytest.mark.spec("RFC 7959 2.4")
def test_a_representation_that_changes_on_the_way_is_fetched_anew():
    bodies = iter([b"a" * 2000, b"b" * 2000, b"b" * 2000, b"b" * 2000])
    forgetful = Retention(representations=block.Limits(max_total=0))
    ladder = Ladder(respond=lambda event: answered(Code.CONTENT, next(bodies)), strangers=forgetful)
    ladder.ask(request(Code.GET, "/a", query=("x" * 255, "y" * 255)))
    ladder.run()
    assert ladder.response.payload == b"b" * 2000


def test_a_representation_that_changes_all_the_time_is_given_up():
    bodies = iter(range(100))
    forgetful = Retention(representations=block.Limits(max_total=0))
    ladder = Ladder(respond=lambda event: answered(Code.CONTENT, b"%02d" % next(bodies) * 1000), strangers=forgetful)
    ladder.ask(request(Code.GET, "/a", query=("x" * 255, "y" * 255)))
    ladder.run()
    assert ladder.failure.reason == "incomplete"


def test_a_block_of_what_the_server_forgot_is_cut_from_a_new_response():
    side = endpoint()
    side.receive_datagram(raw(Code.GET, (OptionNumber.BLOCK2, b"\x10"), payload=bytes(40)), THING, 0.0)
    (response,) = serve(side, answered(Code.CONTENT, b"0123456789abcdefXYZ"))
    assert (response.payload, response.option(OptionNumber.BLOCK2)) == (b"XYZ", b"\x10")


@pytest.mark.spec("RFC 7959 2.4")
def test_a_block_behind_the_end_of_the_response_is_refused():
    side = endpoint()
    side.receive_datagram(raw(Code.GET, (OptionNumber.BLOCK2, b"\x20")), THING, 0.0)
    assert serve(side, answered(Code.CONTENT, b"short"))[0].code == Code.BAD_REQUEST


@pytest.mark.requirement("R-47")
def test_a_response_over_the_limit_of_the_client_fails():
    ladder = Ladder(respond=lambda event: answered(Code.CONTENT, LONG), max_download=2000)
    ladder.ask(GET)
    ladder.run()
    assert ladder.failure.reason == "too-large"


@pytest.mark.requirement("R-37")
@pytest.mark.spec("RFC 9175 2.6")
def test_an_unverified_source_never_draws_more_than_three_times_its_bytes():
    side = endpoint()
    received = sent = 0
    for mid in range(50):
        data = raw(mid=mid, token=b"", kind=MessageType(mid % 2), payload=bytes(mid))
        for _ in range(3):
            side.receive_datagram(data, THING, float(mid))
            received += len(data)
            for event in events(side):
                side.send_response(event.exchange, answered(payload=bytes(40 * (mid % 5))), float(mid))
            sent += sum(len(reply) for reply, _ in side.datagrams_to_send(float(mid)))
            assert sent <= 3 * received
    assert side.counters["amplification"] > 10


@pytest.mark.requirement("R-37")
def test_a_separate_response_to_an_unverified_source_is_repeated_only_within_the_limit():
    side = endpoint()
    data = raw(payload=bytes(40))
    side.receive_datagram(data, THING, 0.0)
    (event,) = events(side)
    sent = sum(len(reply) for reply, _ in side.datagrams_to_send(1.0))
    side.send_response(event.exchange, answered(payload=bytes(60)), 1.0)
    while (deadline := side.next_deadline()) is not None:
        sent += sum(len(reply) for reply, _ in side.datagrams_to_send(deadline))
    assert 0 < sent <= 3 * len(data)


@pytest.mark.spec("RFC 9175 2.3")
def test_a_source_that_shows_itself_gets_the_whole_answer():
    ladder = Ladder(respond=lambda event: answered(payload=bytes(900)))
    ladder.ask(GET)
    ladder.run()
    assert [message.code for message in ladder.sent(CONTROLLER)] == [Code.UNAUTHORIZED, Code.CONTENT]
    assert [event.is_fresh for event in ladder.requests] == [False, True]
    assert len(ladder.response.payload) == 900


def test_an_application_can_ask_for_freshness_itself():
    ladder = Ladder(respond=lambda event: answered() if event.is_fresh else None)
    ladder.ask(GET)
    ladder.pump()
    ladder.controller.challenge(ladder.requests[0].exchange, ladder.now)
    ladder.run()
    assert ladder.response.code == Code.CONTENT


@pytest.mark.spec("RFC 9175 2.4")
def test_a_source_that_the_application_vouches_for_gets_the_whole_answer_at_once():
    ladder = Ladder()

    def respond(event):
        ladder.controller.vouch(event.exchange)
        return answered(payload=bytes(900))

    ladder.respond = respond
    ladder.ask(GET)
    ladder.run()
    assert [message.code for message in ladder.sent(CONTROLLER)] == [Code.CONTENT]
    ladder.controller.vouch(ladder.requests[0].exchange)


@pytest.mark.spec("RFC 9175 2.3")
def test_a_client_does_not_follow_echo_challenges_forever():
    ladder = Ladder(respond=lambda event: answered(Code.UNAUTHORIZED, b"", (OptionNumber.ECHO, b"again")))
    ladder.ask(GET)
    ladder.run()
    assert ladder.response.code == Code.UNAUTHORIZED
    assert len(ladder.requests) == 4


def notifier(ladder, count):
    for number in range(count):
        ladder.now += 1.0
        ladder.controller.send_response(
            ladder.requests[0].exchange, answered(Code.CONTENT, b"%d" % number, OBSERVE), ladder.now
        )
        ladder.pump()


@pytest.mark.spec("RFC 7641 3.2")
def test_an_observer_gets_every_state():
    ladder = Ladder(respond=lambda event: answered(Code.CONTENT, b"first", OBSERVE))
    ladder.ask(request(Code.GET, "/a", query=("x" * 90,)), observe=True)
    ladder.pump()
    notifier(ladder, 3)
    assert [event.message.payload for event in ladder.results()] == [b"first", b"0", b"1", b"2"]
    assert not any(event.is_last for event in ladder.results())


@pytest.mark.spec("RFC 7641 4.1")
def test_an_observation_that_the_application_does_not_accept_is_a_plain_request():
    ladder = Ladder()
    ladder.ask(GET, observe=True)
    ladder.run()
    assert ladder.results()[0].is_last
    assert ladder.response.option(OptionNumber.OBSERVE) is None


@pytest.mark.spec("RFC 7641 3.6")
def test_cancelling_tells_the_server():
    ladder = Ladder(respond=lambda event: answered(Code.CONTENT, b"", OBSERVE))
    name = ladder.ask(GET, observe=True)
    ladder.pump()
    ladder.thing.cancel(name, ladder.now)
    ladder.pump()
    assert [event.exchange for event in ladder.ended] == [ladder.requests[0].exchange]


@pytest.mark.spec("RFC 7641 3.6")
def test_a_reset_to_a_notification_ends_the_observation():
    ladder = Ladder(respond=lambda event: answered(Code.CONTENT, b"", OBSERVE))
    ladder.ask(request(Code.GET, "/a", query=("x" * 90,)), observe=True)
    ladder.pump()
    ladder.sides.pop(THING)
    notifier(ladder, 1)
    mid = ladder.wire[-1][2][2:4]
    ladder.controller.receive_datagram(b"\x70\x00" + mid, CONTROLLER, ladder.now)
    assert events(ladder.controller) == []
    ladder.controller.receive_datagram(b"\x70\x00" + mid, THING, ladder.now)
    assert len(events(ladder.controller)) == 1


@pytest.mark.spec("RFC 7641 4.5")
def test_an_observer_that_does_not_confirm_is_forgotten():
    ladder = Ladder(respond=lambda event: answered(Code.CONTENT, b"", OBSERVE), confirm_after=1.0)
    ladder.ask(request(Code.GET, "/a", query=("x" * 200,)), observe=True)
    ladder.pump()
    ladder.sides.pop(THING)
    notifier(ladder, 1)
    ladder.run()
    assert len(ladder.ended) == 1


@pytest.mark.spec("RFC 7641 3.4")
def test_an_overtaken_notification_is_not_shown():
    ladder = Ladder(respond=lambda event: answered(Code.CONTENT, b"first", OBSERVE))
    ladder.ask(request(Code.GET, "/a", query=("x" * 90,)), observe=True)
    ladder.pump()
    exchange = ladder.requests[0].exchange
    for payload in (b"old", b"new"):
        ladder.controller.send_response(exchange, answered(Code.CONTENT, payload, OBSERVE), ladder.now)
    for data, _ in reversed(ladder.controller.datagrams_to_send(ladder.now)):
        ladder.thing.receive_datagram(data, CONTROLLER, ladder.now)
    assert [event.message.payload for event in events(ladder.thing)] == [b"new"]
    assert ladder.thing.counters == {"stale-notification": 1}


def test_a_long_notification_is_fetched_to_its_end():
    ladder = Ladder(respond=lambda event: answered(Code.CONTENT, LONG, OBSERVE), strangers=Retention())
    ladder.ask(request(Code.GET, "/a", query=("x" * 255, "y" * 255)), observe=True)
    ladder.pump()
    assert ladder.results()[0].message.payload == LONG


@pytest.mark.spec("RFC 7967 2.1")
@pytest.mark.parametrize(
    ("bits", "code", "silent"), [(2, Code.CONTENT, True), (2, Code.NOT_FOUND, False), (24, Code.NOT_FOUND, True)]
)
def test_a_class_of_responses_that_is_not_wanted_is_not_sent(bits, code, silent):
    side = endpoint()
    side.receive_datagram(
        raw(Code.GET, (OptionNumber.NO_RESPONSE, encode_uint(bits)), kind=MessageType.NON), THING, 0.0
    )
    assert (serve(side, answered(code)) == []) is silent


@pytest.mark.spec("RFC 7252 8.2")
def test_a_multicast_request_is_answered_later_and_never_with_an_error():
    side = endpoint()
    for mid, code in ((1, Code.CONTENT), (2, Code.NOT_FOUND)):
        side.receive_datagram(raw(kind=MessageType.NON, mid=mid), THING, 0.0, multicast=True)
        assert serve(side, answered(code)) == []
    assert 0 < side.next_deadline() < 5.0
    assert [decode(data).code for data, _ in side.datagrams_to_send(5.0)] == [Code.CONTENT]


@pytest.mark.spec("RFC 7252 8.1")
@pytest.mark.parametrize("datagram", [raw(), b"\x40\x01\x00\x01\xf0", bytes.fromhex("40001234")])
def test_a_confirmable_multicast_is_ignored(datagram):
    side = endpoint()
    side.receive_datagram(datagram, THING, 0.0, multicast=True)
    assert (events(side), side.datagrams_to_send(0.0)) == ([], [])


@pytest.mark.requirement("R-36")
def test_requests_that_nobody_answers_are_bounded_and_end():
    side = endpoint(strangers=Retention(max_exchanges=2))
    for mid in range(4):
        side.receive_datagram(raw(mid=mid), THING, 0.0)
    assert len(events(side)) == 2
    assert side.counters == {"overload": 2}
    assert [decode(data).code for data, _ in side.datagrams_to_send(0.0)] == [Code.SERVICE_UNAVAILABLE] * 2
    side.datagrams_to_send(300.0)
    side.receive_datagram(raw(mid=9), THING, 300.0)
    assert len(events(side)) == 1


def test_an_answer_to_what_is_over_is_ignored():
    side = endpoint()
    side.receive_datagram(raw(), THING, 0.0)
    (event,) = events(side)
    for _ in range(2):
        side.send_response(event.exchange, answered(), 0.0)
    side.challenge(event.exchange, 0.0)
    assert len(side.datagrams_to_send(0.0)) == 1


@pytest.mark.parametrize("seed", range(6))
def test_a_lossy_wire_that_repeats_and_reorders_delivers_each_request_once(seed):
    ladder = Ladder(
        seed=seed,
        loss=0.2,
        duplication=0.2,
        disorder=0.3,
        transmission=TransmissionParameters(nstart=4, max_retransmit=10),
        response_timeout=10000.0,
    )
    names = [ladder.ask(request(Code.POST, f"/{number}", payload=bytes(30))) for number in range(20)]
    ladder.run(until=20000.0)
    assert sorted(event.exchange for event in ladder.results()) == names
    assert sorted(event.message.path for event in ladder.requests) == sorted(f"/{number}" for number in range(20))


def test_an_application_that_offers_what_was_not_asked_for_sends_no_observe_option():
    ladder = Ladder(respond=lambda event: answered(Code.CONTENT, b"x", OBSERVE))
    ladder.ask(GET)
    ladder.run()
    assert ladder.response.options == []


@pytest.mark.requirement("R-37")
def test_a_multicast_request_draws_no_more_than_any_other():
    side = endpoint()
    side.receive_datagram(raw(kind=MessageType.NON), THING, 0.0, multicast=True)
    assert serve(side, answered(payload=bytes(100))) == []
    assert (side.next_deadline(), side.counters) == (None, {"amplification": 1})


def test_a_request_that_cannot_be_encoded_leaves_nothing_behind():
    side = endpoint()
    with pytest.raises(ValueError, match="ETag"):
        side.send_request(Message(Code.GET, options=[(OptionNumber.ETAG, bytes(9))]), CONTROLLER, 0.0)
    assert (side.datagrams_to_send(0.0), side.next_deadline()) == ([], None)


def test_a_protected_response_to_a_plain_request_is_not_taken():
    side = endpoint()
    side.send_request(GET, CONTROLLER, 0.0)
    ask = decode(side.datagrams_to_send(0.0)[0][0])
    protected = Message(Code.CHANGED, MessageType.ACK, ask.mid, ask.token, [(OptionNumber.OSCORE, b"")], bytes(9))
    side.receive_datagram(encode(protected), CONTROLLER, 0.0)
    assert (events(side), side.counters) == ([], {"untrusted": 1})


@pytest.mark.spec("RFC 7641 4.1")
def test_registering_again_replaces_the_observation():
    side = endpoint(insecure_state_for_strangers=True)
    for mid in (1, 2):
        side.receive_datagram(raw(Code.GET, OBSERVE, mid=mid), THING, 0.0)
        serve(side, answered(Code.CONTENT, b"", OBSERVE))
    side.receive_datagram(raw(Code.GET, (int(OptionNumber.OBSERVE), b"\x01"), mid=3), THING, 0.0)
    *ended, last = events(side)
    assert ([event.exchange for event in ended], last.observe) == ([1, 2], False)


@pytest.mark.requirement("R-37")
def test_a_challenge_that_is_itself_too_long_is_an_empty_acknowledgement():
    side = endpoint()
    side.receive_datagram(raw(token=b""), THING, 0.0)
    assert [message.code for message in serve(side, answered(payload=bytes(50)))] == [Code.EMPTY]


def test_confirmable_messages_beyond_the_queue_are_dropped_and_counted():
    side = endpoint(max_queued=1)
    for mid in range(4):
        side.receive_datagram(raw(mid=mid), THING, 0.0)
    found = events(side)
    side.datagrams_to_send(1.0)
    for event in found:
        side.send_response(event.exchange, answered(), 1.0)
    assert side.counters == {"state": 2}


@pytest.mark.requirement("R-36")
def test_answers_to_a_flood_of_multicast_requests_do_not_pile_up():
    side = endpoint(max_queued=4)
    for mid in range(10):
        side.receive_datagram(raw(kind=MessageType.NON, mid=mid), THING, 0.0, multicast=True)
        (event,) = events(side)
        side.send_response(event.exchange, answered(), 0.0)
    assert len(side.datagrams_to_send(100.0)) == 4


def test_a_failure_that_comes_up_while_sending_is_due_at_once():
    client = endpoint()
    client.send_request(GET, CONTROLLER, 0.0)
    now = 0.0
    client.datagrams_to_send(now)
    while (due := client.next_deadline()) > now:
        now = due
        client.datagrams_to_send(now)
    (failed,) = events(client)
    assert isinstance(failed, ExchangeFailed)
    assert client.next_deadline() is None
