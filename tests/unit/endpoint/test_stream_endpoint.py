import pytest

from tests.unit.endpoint.ladder import CONTROLLER, OBSERVE, THING, answered, events
from tests.unit.endpoint.stream_ladder import StreamLadder, stream_endpoint
from thingstead.endpoint.event import ExchangeFailed
from thingstead.errors import StateError
from thingstead.protocols.coap import tcp
from thingstead.protocols.coap.message import Message, request
from thingstead.protocols.coap.registry import Code, OptionNumber
from thingstead.protocols.coap.tcp_connection import ConnectionConfig
from thingstead.protocols.coap.tcp_signal import Csm, Ping, Release, encode_signal

GET = request(Code.GET, "/a")
LONG = bytes(range(250)) * 800
SMALL = ConnectionConfig(limits=tcp.Limits(max_message=1152))
CSM = tcp.encode(encode_signal(Csm(65536, block_wise=True)))
both = pytest.mark.parametrize("secured", [False, True], ids=["plain", "OSCORE"])


def frames(data):
    reader = tcp.FrameReader(tcp.Limits(max_message=1 << 20))
    reader.receive(data)
    return list(iter(reader.next_message, None))


def told(side, now=0.0):
    return [message for data, _ in side.datagrams_to_send(now) for message in frames(data)]


@both
@pytest.mark.spec("RFC 8323 3")
def test_a_request_is_answered_over_the_connection(secured):
    ladder = StreamLadder(secured=secured)
    ladder.ask(GET)
    ladder.pump()
    assert ladder.response.payload == b"/a"
    assert [event.association is not None for event in ladder.requests] == [secured]


@both
@pytest.mark.spec("RFC 8323 3.3")
def test_each_end_may_ask_the_other(secured):
    ladder = StreamLadder(secured=secured)
    ladder.pump()
    ladder.controller.send_request(GET, THING, 0.0, association=ladder.association)
    ladder.pump()
    assert (ladder.response.payload, ladder.requests[0].source) == (b"/a", CONTROLLER)


@both
@pytest.mark.spec("RFC 8323 6")
def test_long_bodies_travel_in_several_blocks_at_a_time(secured):
    ladder = StreamLadder(secured=secured, respond=lambda event: answered(Code.CHANGED, event.message.payload))
    ladder.pump()
    ladder.ask(request(Code.POST, "/a", payload=LONG[:15000]))
    ladder.ask(Message(Code.FETCH, options=[(11, b"b")], payload=LONG))
    ladder.pump()
    strangers_limit = 0
    assert sorted(len(event.message.payload) for event in ladder.results()) == [
        *([] if secured else [strangers_limit]),
        15000,
        *([200000] if secured else []),
    ]


@both
@pytest.mark.spec("RFC 8323 5.3.1")
def test_to_a_peer_with_the_base_message_size_bodies_go_in_blocks(secured):
    def respond(event):
        return answered(Code.CHANGED, event.message.payload)

    ladder = StreamLadder(secured=secured, respond=respond, connections=(SMALL, SMALL))
    ladder.ask(request(Code.POST, "/a", payload=LONG[:9000]))
    ladder.pump()
    assert ladder.response.payload == LONG[:9000]
    messages = [
        message
        for source in (THING, CONTROLLER)
        for message in frames(b"".join(d for s, d in ladder.wire if s == source))
    ]
    assert max(len(tcp.encode(message)) for message in messages) <= 1152


@both
@pytest.mark.spec("RFC 8323 7.1")
def test_every_notification_passes_in_order_and_none_is_confirmable(secured):
    ladder = StreamLadder(secured=secured, respond=lambda event: answered(Code.CONTENT, b"0", OBSERVE))
    ladder.ask(GET, observe=True)
    ladder.pump()
    for number in range(1, 5):
        ladder.now += 86400.0
        ladder.controller.send_response(
            ladder.requests[0].exchange, answered(Code.CONTENT, b"%d" % number, OBSERVE), ladder.now
        )
        ladder.pump()
    assert [event.message.payload for event in ladder.results()] == [b"0", b"1", b"2", b"3", b"4"]


@both
@pytest.mark.spec("RFC 8323 7.4")
def test_an_observation_ends_with_its_connection_on_both_sides(secured):
    ladder = StreamLadder(secured=secured, respond=lambda event: answered(Code.CONTENT, b"0", OBSERVE))
    name = ladder.ask(GET, observe=True)
    ladder.pump()
    for side, other in ((ladder.thing, CONTROLLER), (ladder.controller, THING)):
        side.disconnect(other, 1.0)
    ladder.pump()
    assert [event.exchange for event in ladder.ended] == [ladder.requests[0].exchange]
    assert [event.exchange for event in ladder.results(ExchangeFailed)] == [name]
    assert ladder.thing.next_deadline() is ladder.controller.next_deadline() is None


@both
@pytest.mark.spec("RFC 7641 3.6")
def test_cancelling_an_observation_tells_the_server(secured):
    ladder = StreamLadder(secured=secured, respond=lambda event: answered(Code.CONTENT, b"0", OBSERVE))
    name = ladder.ask(GET, observe=True)
    ladder.pump()
    ladder.thing.cancel(name, 1.0)
    ladder.pump()
    assert [event.observe for event in ladder.requests] == [True, False]
    assert len(ladder.ended) == 1


def test_what_waits_when_the_connection_goes_fails_at_once():
    ladder = StreamLadder(respond=lambda event: None)
    ladder.ask(GET)
    ladder.pump()
    ladder.thing.disconnect(CONTROLLER, 1.0)
    ladder.pump()
    assert ladder.failure.reason == "closed"


@pytest.mark.spec("RFC 8323 5.6")
def test_a_peer_that_breaks_the_protocol_is_told_and_closed_and_counted():
    side = stream_endpoint()
    side.connect(THING, 0.0)
    side.receive_bytes(CSM + tcp.encode(GET) + b"\x0f\x01", THING, 0.0)
    assert [message.code for message in told(side)] == [Code.CSM, Code.ABORT]
    assert [event.message.path for event in events(side)] == ["/a"]
    assert side.connections_to_close() == [THING]
    side.disconnect(THING, 0.0)
    assert (side.counters, side.connections_to_close(), side.next_deadline()) == ({"malformed": 1}, [], None)


@pytest.mark.spec("RFC 8323 5.5")
def test_no_request_goes_out_over_a_connection_that_is_released():
    side = stream_endpoint()
    side.connect(THING, 0.0)
    side.receive_bytes(CSM + tcp.encode(encode_signal(Release())), THING, 0.0)
    with pytest.raises(StateError):
        side.send_request(GET, THING, 0.0)


@pytest.mark.spec("RFC 8323 5.5")
def test_our_own_release_stops_our_requests_and_not_our_answers():
    ladder = StreamLadder()
    ladder.pump()
    ladder.controller.release(THING)
    with pytest.raises(StateError):
        ladder.controller.send_request(GET, THING, 0.0)
    ladder.ask(GET)
    ladder.pump()
    assert ladder.response.payload == b"/a"


@pytest.mark.parametrize("destination", [None, ("192.0.2.9", 1)])
def test_a_request_needs_a_connection(destination):
    with pytest.raises(StateError):
        stream_endpoint().send_request(GET, destination, 0.0)


def test_bytes_of_a_connection_that_is_not_there_are_nothing():
    side = stream_endpoint()
    side.receive_bytes(CSM, THING, 0.0)
    side.disconnect(THING, 0.0)
    side.release(THING)
    assert (side.datagrams_to_send(0.0), events(side)) == ([], [])


@pytest.mark.requirement("R-37")
@pytest.mark.requirement("R-49")
def test_over_a_connection_a_stranger_needs_no_echo_for_it_has_shown_that_it_receives():
    side = stream_endpoint()
    side.connect(THING, 0.0)
    side.receive_bytes(CSM + tcp.encode(GET), THING, 0.0)
    (event,) = events(side)
    side.send_response(event.exchange, answered(payload=bytes(20000)), 0.0)
    assert [len(message.payload) for message in told(side)] == [0, 20000]


@pytest.mark.parametrize("secured", [False])
@pytest.mark.requirement("R-47")
def test_a_body_over_the_limit_is_refused(secured):
    ladder = StreamLadder(secured=secured)
    ladder.pump()
    ladder.ask(request(Code.PUT, "/a", payload=LONG))
    ladder.pump()
    assert ladder.response.code == Code.REQUEST_ENTITY_TOO_LARGE


@pytest.mark.spec("RFC 8613 8.2")
def test_a_request_that_does_not_verify_is_refused_and_the_client_believes_it():
    ladder = StreamLadder(secured=True)
    ladder.controller.end(ladder.association)
    ladder.ask(GET)
    ladder.pump()
    assert ladder.failure.reason == "refused"


def test_a_response_larger_than_the_peer_takes_is_counted_and_not_sent():
    side = stream_endpoint()
    side.connect(THING, 0.0)
    side.receive_bytes(tcp.encode(encode_signal(Csm(1152))) + tcp.encode(GET), THING, 0.0)
    (event,) = events(side)
    options = [(int(OptionNumber.LOCATION_PATH), bytes(200))] * 6
    side.send_response(event.exchange, Message(Code.CREATED, options=options), 0.0)
    assert [message.code for message in told(side)] == [Code.CSM]
    assert side.counters == {"too-large": 1}


@pytest.mark.spec("RFC 8974 2.2.1")
def test_a_token_over_what_our_csm_said_ends_the_connection():
    side = stream_endpoint()
    side.connect(THING, 0.0)
    side.receive_bytes(CSM + tcp.encode(Message(Code.GET, token=bytes(65))), THING, 0.0)
    assert [message.code for message in told(side)[1:]] == [Code.ABORT]
    assert (events(side), side.connections_to_close()) == ([], [THING])


@pytest.mark.parametrize("code", [0x20, 0xC0])
def test_a_reserved_code_is_counted_and_passed_over(code):
    side = stream_endpoint()
    side.connect(THING, 0.0)
    side.receive_bytes(CSM + tcp.encode(Message(code)) + tcp.encode(GET), THING, 0.0)
    assert (len(events(side)), side.counters) == (1, {"code": 1})


@pytest.mark.requirement("R-51")
def test_a_peer_that_does_not_read_is_ended_and_others_go_on():
    side = stream_endpoint(connection=ConnectionConfig(max_unsent=3000))
    for port in (1, 2):
        side.connect(("192.0.2.1", port), 0.0)
        side.receive_bytes(CSM, ("192.0.2.1", port), 0.0)
    side.datagrams_to_send(0.0)
    side.pause(("192.0.2.1", 1), is_full=True)
    for _ in range(10):
        for port in (1, 2):
            side.receive_bytes(tcp.encode(GET), ("192.0.2.1", port), 0.0)
        for event in events(side):
            side.send_response(event.exchange, answered(payload=bytes(500)), 0.0)
        side.datagrams_to_send(0.0)
    assert side.connections_to_close() == [("192.0.2.1", 1)]


def test_a_body_longer_than_may_wait_goes_to_a_peer_that_takes_messages_of_any_length():
    side = stream_endpoint()
    side.connect(THING, 0.0)
    side.receive_bytes(tcp.encode(encode_signal(Csm(8 << 20, block_wise=True))) + tcp.encode(GET), THING, 0.0)
    (event,) = events(side)
    side.send_response(event.exchange, answered(payload=bytes(200_000)), 0.0)
    assert [len(message.payload) for message in told(side)[1:]] == [31 << 10]
    assert side.connections_to_close() == []


def test_what_waited_for_a_free_way_goes_out_when_it_is():
    side = stream_endpoint()
    side.connect(THING, 0.0)
    side.pause(THING, is_full=True)
    assert side.datagrams_to_send(0.0) == []
    side.pause(THING, is_full=False)
    assert [message.code for message in told(side)] == [Code.CSM]


@pytest.mark.spec("RFC 8323 5.4.1")
def test_a_ping_for_custody_waits_for_the_answers_to_what_came_before_it_and_for_no_others():
    side = stream_endpoint()
    for address in (THING, CONTROLLER):
        side.connect(address, 0.0)
        side.receive_bytes(tcp.encode(encode_signal(Csm())), address, 0.0)
    side.datagrams_to_send(0.0)
    asked = tcp.encode(Message(Code.GET, token=b"t", options=[(11, b"a")]))
    ping = tcp.encode(encode_signal(Ping(custody=True), b"p"))
    side.receive_bytes(asked + ping, THING, 1.0)
    side.receive_bytes(ping, CONTROLLER, 1.0)
    (event,) = events(side)
    ((data, address),) = side.datagrams_to_send(1.0)
    assert (address, [frame.code for frame in frames(data)]) == (CONTROLLER, [Code.PONG])
    side.send_response(event.exchange, answered(), 2.0)
    ((data, address),) = side.datagrams_to_send(2.0)
    assert (address, [frame.code for frame in frames(data)]) == (THING, [Code.CONTENT, Code.PONG])
    assert side.datagrams_to_send(3.0) == []


def test_who_is_gone_is_told_nothing_about_custody():
    side = stream_endpoint()
    side.connect(THING, 0.0)
    asked = tcp.encode(Message(Code.GET, token=b"t", options=[(11, b"a")]))
    side.receive_bytes(tcp.encode(encode_signal(Csm())) + asked, THING, 0.0)
    side.receive_bytes(tcp.encode(encode_signal(Ping(custody=True), b"p")), THING, 1.0)
    side.datagrams_to_send(1.0)
    side.disconnect(THING, 2.0)
    assert side.datagrams_to_send(2.0) == []


@pytest.mark.spec("RFC 8323 5.5")
def test_a_release_is_answered_by_closing_when_both_have_had_their_answers():
    waiting = []

    def wait(event):
        waiting.append(event)

    ladder = StreamLadder(respond=wait)
    ladder.ask(request(Code.GET, "/a"))
    ladder.controller.send_request(request(Code.GET, "/b"), THING, 0.0)
    ladder.pump()
    ladder.thing.release(CONTROLLER)
    ladder.pump()
    assert ladder.controller.connections_to_close() == []
    first, second = waiting
    for event in (first, second):
        side = ladder.controller if event.source == THING else ladder.thing
        side.send_response(event.exchange, answered(payload=b"last"), 1.0)
        assert len(ladder.controller._connections) == 1
        ladder.pump()
    assert [event.message.payload for event in ladder.results()] == [b"last", b"last"]
    assert (len(ladder.controller._connections), ladder.controller.counters) == (0, {})


@pytest.mark.spec("RFC 8323 5.5")
def test_an_observation_of_ours_does_not_keep_a_released_connection():
    ladder = StreamLadder(respond=lambda event: answered(Code.CONTENT, b"0", OBSERVE))
    ladder.ask(request(Code.GET, "/a"), observe=True)
    ladder.pump()
    ladder.controller.release(THING)
    ladder.pump()
    assert len(ladder.thing._connections) == 0
    assert ladder.failure.reason == "closed"


@pytest.mark.spec("RFC 8323 5.5")
def test_how_long_who_wants_no_more_requests_wants_to_be_left_alone_is_known():
    side = stream_endpoint()
    side.connect(THING, 0.0)
    side.receive_bytes(CSM + tcp.encode(Message(Code.GET)), THING, 0.0)
    assert (side.hold_off(THING), side.hold_off(CONTROLLER)) == (None, None)
    side.receive_bytes(tcp.encode(encode_signal(Release(hold_off=7))), THING, 0.0)
    assert side.hold_off(THING) == 7
