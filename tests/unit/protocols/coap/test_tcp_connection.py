import pytest

from thingstead.errors import StateError, TransportError
from thingstead.protocols.coap import tcp
from thingstead.protocols.coap.message import Message, request
from thingstead.protocols.coap.registry import Code
from thingstead.protocols.coap.tcp_connection import Connection, ConnectionConfig
from thingstead.protocols.coap.tcp_signal import Abort, Csm, Ping, Pong, Release, decode_signal, encode_signal

CONFIG = ConnectionConfig()


def connection(**changes):
    return Connection(ConnectionConfig(**changes), 0.0)


def greeted(**changes):
    side = connection(**changes)
    assert side.receive(said(Csm(4096, block_wise=True, max_token=64)), 0.0) == []
    side.take_bytes()
    return side


def said(*signals, token=b""):
    return b"".join(tcp.encode(encode_signal(signal, token)) for signal in signals)


def heard(side):
    """What a side wrote, as messages."""
    reader = tcp.FrameReader(tcp.Limits())
    reader.receive(side.take_bytes())
    found = []
    while (message := reader.next_message()) is not None:
        found.append(message)
    return found


def signals(side):
    return [decode_signal(message, before=Csm()) for message in heard(side)]


@pytest.mark.spec("RFC 8323 5.3")
def test_our_capabilities_are_the_first_thing_said():
    assert signals(connection()) == [Csm(4096, block_wise=True, max_token=64)]


@pytest.mark.spec("RFC 8323 3.4")
def test_requests_and_responses_pass_in_order_and_empty_messages_do_not():
    side = greeted()
    sent = [request(Code.GET, "/a"), Message(Code.EMPTY), Message(Code.CONTENT, token=b"t")]
    found = side.receive(b"".join(map(tcp.encode, sent)), 1.0)
    assert [message.code for message in found] == [Code.GET, Code.CONTENT]


@pytest.mark.spec("RFC 8323 5.3")
@pytest.mark.parametrize("first", [request(Code.GET, "/a"), encode_signal(Ping()), Message(Code.EMPTY)])
def test_anything_before_the_capabilities_aborts(first):
    side = connection()
    side.take_bytes()
    assert side.receive(tcp.encode(first), 0.0) == []
    assert (side.is_over, side.error.reason) == (True, "csm")
    assert signals(side) == [Abort(None, "csm")]


@pytest.mark.spec("RFC 8323 5.3")
def test_an_unknown_critical_capability_aborts_and_is_named():
    side = connection()
    side.take_bytes()
    side.receive(tcp.encode(Message(Code.CSM, options=[(3, b"")])), 0.0)
    assert signals(side) == [Abort(3, "csm-option")]


@pytest.mark.spec("RFC 8323 5.2")
@pytest.mark.parametrize(
    "data",
    [
        tcp.encode(Message(Code.PING, options=[(1, b"")])),
        tcp.encode(Message(0xE9)),
        b"\x0f\x01",
        b"\x10\x01\xff",
        b"\xff" * 5,
    ],
    ids=["critical", "signal", "token", "marker", "size"],
)
def test_what_breaks_the_protocol_aborts_and_nothing_after_it_is_taken(data):
    side = greeted()
    before = tcp.encode(request(Code.GET, "/before"))
    found = side.receive(before + data + tcp.encode(request(Code.GET, "/after")), 1.0)
    assert [message.path for message in found] == ["/before"]
    assert [type(signal) for signal in signals(side)] == [Abort]
    assert (side.is_over, side.receive(before, 2.0), side.next_deadline()) == (True, [], None)


@pytest.mark.spec("RFC 8323 5.4")
def test_a_ping_is_answered_under_its_token():
    side = greeted()
    side.receive(said(Ping(), token=b"p"), 1.0)
    (pong,) = heard(side)
    assert (pong.token, decode_signal(pong, before=Csm())) == (b"p", Pong())


@pytest.mark.spec("RFC 8323 5.4.1")
def test_one_for_custody_is_answered_when_all_before_it_has_been_processed():
    side = greeted()
    side.receive(said(Ping(custody=True), token=b"p") + said(Ping(custody=True), token=b"q"), 1.0)
    assert (heard(side), side.owes_custody) == ([], True)
    side.receive(said(Ping(), token=b"now"), 2.0)
    assert [pong.token for pong in heard(side)] == [b"now"]
    side.settle(may_leave=True)
    assert [(pong.token, decode_signal(pong, before=Csm())) for pong in heard(side)] == [
        (b"p", Pong(custody=True)),
        (b"q", Pong(custody=True)),
    ]
    assert not side.owes_custody


@pytest.mark.requirement("R-51")
def test_pings_that_wait_are_bounded_and_the_others_promise_nothing():
    side = greeted()
    for number in range(20):
        side.receive(said(Ping(custody=True), token=bytes((number,))), 1.0)
    assert [decode_signal(pong, before=Csm()) for pong in heard(side)] == [Pong()] * 4
    side.settle(may_leave=True)
    assert len(heard(side)) == 16


@pytest.mark.spec("RFC 8323 5.5")
def test_after_a_release_the_connection_is_left_when_all_is_answered():
    side = greeted()
    side.receive(said(Release()), 1.0)
    assert (side.is_over, side.is_to_settle) == (False, True)
    side.settle(may_leave=False)
    assert not side.is_over
    side.settle(may_leave=True)
    assert (side.is_over, side.error, heard(side)) == (True, None, [])


@pytest.mark.spec("RFC 8323 5.5")
def test_a_release_is_noted_and_responses_still_go_out():
    side = greeted()
    side.receive(said(Release(("coap+tcp://b",), 3)), 1.0)
    side.send(tcp.encode(Message(Code.CONTENT, token=b"t")))
    assert side.is_released
    assert [message.code for message in heard(side)] == [Code.CONTENT]


@pytest.mark.spec("RFC 8323 5.5")
def test_a_release_of_ours_is_said_once():
    side = greeted()
    side.release()
    side.release()
    assert signals(side) == [Release()]


@pytest.mark.spec("RFC 8323 5.6")
def test_an_abort_ends_the_connection_without_an_answer():
    side = greeted()
    side.receive(said(Abort(None, "enough")), 1.0)
    assert (side.is_over, side.error.reason, side.take_bytes()) == (True, "aborted", b"")
    with pytest.raises(StateError):
        side.send(tcp.encode(Message(Code.CONTENT)))


@pytest.mark.spec("RFC 8323 5.3.1")
def test_until_the_peer_says_more_its_base_value_holds():
    side = connection()
    frame = tcp.encode(Message(Code.CONTENT, payload=bytes(1200)))
    with pytest.raises(StateError):
        side.send(frame)
    side.receive(said(Csm(65536)), 0.0)
    side.send(frame)
    assert len(heard(side)) == 2


@pytest.mark.requirement("R-47")
def test_a_peer_that_says_nothing_is_given_up_even_when_it_drips():
    side = connection()
    side.take_bytes()
    side.receive(b"\xf0", 9.0)
    side.expire(9.9)
    assert not side.is_over
    side.expire(side.next_deadline())
    assert (side.error.reason, signals(side)) == ("csm-timeout", [Abort(None, "csm-timeout")])


@pytest.mark.requirement("R-47")
def test_a_message_must_come_to_its_end_in_time_however_often_a_byte_comes():
    side = greeted()
    for second in range(30):
        side.receive(b"\xe0\x01\x00\x02"[second : second + 1] or b"a", float(second))
        side.expire(float(second))
    assert not side.is_over
    side.expire(30.0)
    assert side.error.reason == "message-timeout"


@pytest.mark.spec("RFC 8323 5.4")
def test_a_silent_peer_is_pinged_and_lives_when_it_answers():
    side = greeted()
    side.expire(599.0)
    assert heard(side) == []
    side.expire(600.0)
    (ping,) = heard(side)
    assert ping.code == Code.PING
    side.receive(tcp.encode(encode_signal(Pong(), ping.token)), 620.0)
    assert side.next_deadline() == 1220.0


@pytest.mark.spec("RFC 8323 5.4")
def test_a_silent_peer_that_does_not_answer_is_given_up():
    side = greeted()
    side.expire(600.0)
    side.expire(630.0)
    assert side.error.reason == "pong-timeout"


@pytest.mark.requirement("R-51")
def test_a_peer_that_asks_and_does_not_read_is_given_up():
    side = greeted(max_unsent=100)
    for _ in range(60):
        side.receive(said(Ping()), 1.0)
    assert (side.is_over, side.error.reason) == (True, "unread")
    assert len(side.take_bytes()) <= 100


def test_a_transport_that_is_lost_says_so():
    side = greeted()
    side.send(tcp.encode(Message(Code.CONTENT)))
    side.end(TransportError("closed", reason="closed"))
    assert (side.is_over, side.error.reason, side.take_bytes()) == (True, "closed", b"")


@pytest.mark.spec("RFC 8974 2.2.1")
def test_a_request_with_a_longer_token_than_our_csm_said_ends_the_connection():
    side = greeted()
    assert len(side.receive(tcp.encode(Message(Code.GET, token=bytes(64))), 0.0)) == 1
    assert side.receive(tcp.encode(Message(Code.GET, token=bytes(65))), 0.0) == []
    assert (side.is_over, side.error.reason) == (True, "token")


@pytest.mark.spec("RFC 8974 2.2.1")
def test_a_response_may_have_any_token_that_we_sent():
    assert len(greeted().receive(tcp.encode(Message(Code.CONTENT, token=bytes(65))), 0.0)) == 1


@pytest.mark.spec("RFC 8323 5.5")
def test_a_release_says_how_long_to_stay_away_and_a_second_may_say_nothing():
    side = greeted()
    side.receive(said(Release(hold_off=30)), 0.0)
    side.receive(said(Release()), 0.0)
    assert (side.is_released, side.hold_off) == (True, 30)
