import pytest

from tests.unit.endpoint.ladder import CONTROLLER, OBSERVE, THING, Ladder, answered, endpoint, events
from thingstead.endpoint.config import Retention
from thingstead.protocols.coap import block
from thingstead.protocols.coap.block import Block
from thingstead.protocols.coap.message import Message, MessageType, decode, encode, request
from thingstead.protocols.coap.option import encode_uint
from thingstead.protocols.coap.problem import Problem, encode_problem
from thingstead.protocols.coap.registry import Code, OptionNumber

BLOCK1, ECHO = OptionNumber.BLOCK1, OptionNumber.ECHO
SIZE1, SIZE2 = OptionNumber.SIZE1, OptionNumber.SIZE2


def ask(side, code, *options, payload=b"", mid=1, source=THING, kind=MessageType.CON, multicast=False):
    """What a request draws from the endpoint alone, and what the application sees of it."""
    data = encode(Message(code, kind, mid, b"token", sorted(options), payload))
    side.receive_datagram(data, source, 0.0, multicast=multicast)
    seen = events(side)
    return [decode(reply) for reply, _ in side.datagrams_to_send(0.0)], seen


def piece(num, more, szx=0):
    return (int(BLOCK1), Block(num, more, szx).encode())


def echo_of(response):
    return (int(ECHO), response.option(ECHO))


@pytest.mark.spec("RFC 9175 2.4")
@pytest.mark.requirement("R-49")
@pytest.mark.parametrize(
    ("code", "option", "payload"),
    [(Code.PUT, piece(0, True), bytes(16)), (Code.GET, OBSERVE, b""), (Code.FETCH, OBSERVE, b"q")],
    ids=["upload", "observation", "observation by FETCH"],
)
def test_nothing_is_kept_for_a_stranger_that_has_not_brought_an_echo_back(code, option, payload):
    side = endpoint()
    (challenge,), seen = ask(side, code, option, payload=payload)
    assert (challenge.code, seen, side.counters) == (Code.UNAUTHORIZED, [], {"unverified": 1})
    memory = side._layer.strangers
    assert (len(memory.uploads), len(memory.observers)) == (0, 0)
    replies, seen = ask(side, code, option, echo_of(challenge), payload=payload, mid=2)
    if code == Code.PUT:
        assert [reply.code for reply in replies] == [Code.CONTINUE]
    else:
        assert seen[0].observe


@pytest.mark.spec("RFC 9175 2.4")
@pytest.mark.requirement("R-49")
@pytest.mark.parametrize(
    ("code", "option", "payload"), [(Code.PUT, piece(0, True), bytes(16)), (Code.GET, OBSERVE, b"")]
)
def test_who_speaks_in_the_name_of_one_that_has_shown_itself_gets_nothing_kept(code, option, payload):
    side = endpoint()
    (challenge,), _ = ask(side, Code.GET, OBSERVE)
    _, seen = ask(side, Code.GET, OBSERVE, echo_of(challenge), mid=2)
    side.send_response(seen[0].exchange, answered(Code.CONTENT, b"", OBSERVE), 0.0)
    side.datagrams_to_send(0.0)
    forged = Message(code, MessageType.NON, 3, b"forged", [option], payload)
    side.receive_datagram(encode(forged), THING, 1.0)
    ((reply, _),) = side.datagrams_to_send(1.0)
    memory = side._layer.strangers
    assert (decode(reply).code, events(side), len(memory.observers)) == (Code.UNAUTHORIZED, [], 1)
    assert len(memory.uploads) == 0


@pytest.mark.spec("RFC 7641 3.3.1")
def test_one_that_has_shown_itself_registers_again_under_its_token_without_another_round_trip():
    side = endpoint()
    (challenge,), _ = ask(side, Code.GET, OBSERVE)
    _, seen = ask(side, Code.GET, OBSERVE, echo_of(challenge), mid=2)
    side.send_response(seen[0].exchange, answered(Code.CONTENT, b"", OBSERVE), 0.0)
    side.datagrams_to_send(0.0)
    replies, seen = ask(side, Code.GET, OBSERVE, mid=3)
    assert (replies, [event.observe for event in seen]) == ([], [True])


@pytest.mark.requirement("R-49")
@pytest.mark.parametrize("source", [("192.0.2.9", 5683), ("192.0.2.1", 5684)], ids=["host", "port"])
def test_an_echo_value_is_of_no_use_from_elsewhere(source):
    side = endpoint()
    (challenge,), _ = ask(side, Code.PUT, piece(0, True), payload=bytes(16))
    replies, _ = ask(side, Code.PUT, piece(0, True), echo_of(challenge), payload=bytes(16), source=source)
    assert [reply.code for reply in replies] == [Code.UNAUTHORIZED]
    assert len(side._layer.strangers.uploads) == 0


@pytest.mark.spec("RFC 9175 2.4")
def test_a_stranger_proves_its_address_once_and_not_for_each_block():
    ladder = Ladder(respond=lambda event: answered(payload=bytes(5000)))
    ladder.ask(request(Code.GET, "/a"))
    ladder.run()
    assert ladder.response.payload == bytes(5000)
    assert ladder.controller.counters == {"amplification": 1}


@pytest.mark.requirement("R-49")
def test_a_stranger_has_to_prove_its_address_again_in_time():
    side = endpoint(echo_lifetime=0.0)
    (challenge,), _ = ask(side, Code.GET, OBSERVE)
    ask(side, Code.GET, OBSERVE, echo_of(challenge), mid=2)
    (again,), _ = ask(side, Code.GET, OBSERVE, mid=3)
    assert again.code == Code.UNAUTHORIZED


@pytest.mark.requirement("R-49")
@pytest.mark.parametrize("code", [Code.GET, Code.FETCH, Code.POST])
def test_no_body_is_kept_to_be_fetched_by_a_stranger_that_has_not_brought_an_echo_back(code):
    side = endpoint()
    small = (int(OptionNumber.BLOCK2), Block(0, False, 0).encode())
    for number in range(3):
        _, (event,) = ask(side, code, (11, bytes(20)), small, source=("192.0.2.7", number + 1))
        side.send_response(event.exchange, answered(Code.CONTENT, bytes(40)), 0.0)
    told = [decode(data) for data, _ in side.datagrams_to_send(0.0)]
    assert {message.code for message in told} == {Code.CONTENT if code == Code.GET else Code.UNAUTHORIZED}
    assert len(side._layer.strangers.representations) == 0


@pytest.mark.spec("RFC 7959 2.4")
@pytest.mark.parametrize("code", [Code.GET, Code.FETCH])
def test_a_stranger_still_gets_a_long_response_in_small_blocks(code):
    ladder = Ladder(block_szx=0, respond=lambda event: answered(payload=bytes(range(200))))
    ladder.ask(request(code, "/a", payload=b"" if code == Code.GET else b"q"))
    ladder.run()
    assert ladder.response.payload == bytes(range(200))


@pytest.mark.requirement("R-49")
def test_half_open_bodies_of_a_thousand_sources_hold_nothing():
    side = endpoint()
    for number in range(1000):
        ask(side, Code.PUT, piece(0, True), payload=bytes(16), source=("192.0.2.7", number + 1))
    assert (len(side._layer.strangers.uploads), side._layer.strangers.uploads.held) == (0, 0)
    assert side.counters["unverified"] == 1000


def test_a_whole_body_in_one_block_needs_no_echo():
    _, seen = ask(endpoint(), Code.PUT, piece(0, False, 6), payload=bytes(16))
    assert [event.message.payload for event in seen] == [bytes(16)]


def test_a_later_block_of_a_body_that_nobody_began_is_incomplete():
    replies, seen = ask(endpoint(), Code.PUT, piece(3, True), payload=bytes(16))
    assert ([reply.code for reply in replies], seen) == ([Code.REQUEST_ENTITY_INCOMPLETE], [])


def test_a_peer_that_does_not_know_echo_can_be_let_in():
    side = endpoint(insecure_state_for_strangers=True)
    replies, _ = ask(side, Code.PUT, piece(0, True), payload=bytes(16))
    assert [reply.code for reply in replies] == [Code.CONTINUE]


def test_our_client_brings_the_echo_back_and_goes_on():
    ladder = Ladder()
    ladder.ask(request(Code.PUT, "/a", payload=bytes(3000)))
    ladder.run()
    assert ladder.response.code == Code.CONTENT
    assert [message.code for message in ladder.sent(CONTROLLER)].count(Code.UNAUTHORIZED) == 1


@pytest.mark.spec("RFC 7959 2.9.3")
@pytest.mark.requirement("R-47")
def test_a_body_announced_over_the_limit_is_refused_at_its_first_block():
    strangers = Retention(uploads=block.Limits(max_body=2000))
    side = endpoint(strangers=strangers, block_szx=4, insecure_state_for_strangers=True)
    announced = (int(SIZE1), encode_uint(2001))
    (reply,), _ = ask(side, Code.PUT, piece(0, True, 6), announced, payload=bytes(1024))
    assert (reply.code, reply.uint_option(SIZE1)) == (Code.REQUEST_ENTITY_TOO_LARGE, 2000)
    assert reply.option(BLOCK1) == Block(0, True, 4).encode()
    assert len(side._layer.strangers.uploads) == 0


@pytest.mark.spec("RFC 7959 2.3")
def test_the_first_acknowledgement_names_the_size_we_want():
    side = endpoint(block_szx=2, insecure_state_for_strangers=True)
    (reply,), _ = ask(side, Code.PUT, piece(0, True, 6), payload=bytes(1024))
    assert reply.option(BLOCK1) == Block(0, True, 2).encode()


@pytest.mark.spec("RFC 7959 4")
def test_who_asks_for_the_size_of_a_response_is_told_it():
    side = endpoint()
    _, (event,) = ask(side, Code.GET, (int(SIZE2), b""))
    assert event.message.options == []
    side.send_response(event.exchange, answered(payload=b"twelve bytes"), 0.0)
    ((data, _),) = side.datagrams_to_send(0.0)
    assert decode(data).uint_option(SIZE2) == 12


@pytest.mark.spec("RFC 7959 2.6")
@pytest.mark.parametrize("number", [1, 9], ids=["a block that is held", "a block behind the end"])
def test_a_later_block_is_nothing_to_observe(number):
    side = endpoint()
    (challenge,), _ = ask(side, Code.GET, OBSERVE)
    _, (event,) = ask(side, Code.GET, echo_of(challenge), mid=2)
    side.send_response(event.exchange, answered(Code.CONTENT, bytes(3000)), 0.0)
    side.datagrams_to_send(0.0)
    block2 = (int(OptionNumber.BLOCK2), Block(number, False, 6).encode())
    (reply,), seen = ask(side, Code.GET, OBSERVE, block2, mid=3)
    assert (reply.code, seen) == (Code.CONTENT if number == 1 else Code.BAD_REQUEST, [])
    assert reply.option(OptionNumber.OBSERVE) is None
    assert not side._layer.strangers.observing


@pytest.mark.spec("RFC 8768 3")
@pytest.mark.parametrize(
    ("value", "code"),
    [
        (b"", Code.BAD_REQUEST),
        (b"\x00", Code.BAD_REQUEST),
        (b"\x01\x00", Code.BAD_REQUEST),
        (b"\x01", None),
        (b"\x00\x10", None),
        (b"\xff", None),
    ],
)
def test_a_hop_limit_outside_1_to_255_is_a_bad_request_and_others_are_no_business_of_ours(value, code):
    replies, seen = ask(endpoint(), Code.GET, (int(OptionNumber.HOP_LIMIT), value))
    assert [reply.code for reply in replies] == ([] if code is None else [code])
    assert [event.message.options for event in seen] == ([[]] if code is None else [])


@pytest.mark.spec("RFC 9290 3.1")
@pytest.mark.parametrize(
    ("secured", "told"), [(True, encode_problem(Problem(unprocessed_options=(65001,)))), (False, b"")]
)
def test_a_peer_is_told_which_option_was_not_understood_and_a_stranger_only_a_code(secured, told):
    ladder = Ladder(secured=secured)
    ladder.ask(Message(Code.POST, options=[(11, b"a"), (65001, b"")]))
    ladder.run()
    assert (ladder.response.code, ladder.response.payload, ladder.requests) == (Code.BAD_OPTION, told, [])


UNKNOWN, UNSAFE = (65001, b""), (65003, b"")


@pytest.mark.spec("RFC 7252 5.4.1")
@pytest.mark.spec("RFC 7252 4.3")
@pytest.mark.parametrize(
    "options",
    [[UNKNOWN], [(int(OptionNumber.URI_HOST), b"")], [(int(OptionNumber.URI_PORT), b"\x01")] * 2],
    ids=["unknown", "too short", "repeated"],
)
def test_a_critical_option_that_is_not_known_has_a_non_confirmable_request_rejected(options):
    side = endpoint()
    replies, seen = ask(side, Code.GET, *options, kind=MessageType.NON)
    assert [(reply.type, reply.code, reply.mid) for reply in replies] == [(MessageType.RST, Code.EMPTY, 1)]
    assert (seen, side.counters) == ([], {"unsupported": 1})


@pytest.mark.spec("RFC 7252 8.1")
def test_nor_is_it_reset_when_it_came_by_multicast():
    assert ask(endpoint(), Code.GET, UNKNOWN, kind=MessageType.NON, multicast=True) == ([], [])


@pytest.mark.spec("RFC 7252 5.7.1")
def test_a_proxy_says_what_it_cannot_forward_however_it_was_asked():
    replies, _ = ask(endpoint(relays=True), Code.GET, UNSAFE, kind=MessageType.NON)
    assert [(reply.type, reply.code) for reply in replies] == [(MessageType.NON, Code.BAD_OPTION)]


@pytest.mark.spec("RFC 7252 5.4.1")
def test_a_request_under_oscore_is_rejected_as_any_other():
    ladder = Ladder(secured=True)
    ladder.ask(Message(Code.POST, options=[(11, b"a"), UNKNOWN]), confirmable=False)
    ladder.run()
    assert (ladder.requests, ladder.failure.reason) == ([], "reset")


@pytest.mark.spec("RFC 7252 5.4.1")
def test_an_elective_option_that_is_not_known_changes_nothing():
    replies, seen = ask(endpoint(), Code.GET, (65000, b"x"), (2, b"y"))
    assert (replies, len(seen)) == ([], 1)


NONE_MATCH = (int(OptionNumber.IF_NONE_MATCH), b"")


@pytest.mark.spec("RFC 7959 2.10")
@pytest.mark.parametrize(
    ("first", "later", "seen"),
    [([NONE_MATCH], [], True), ([NONE_MATCH], [NONE_MATCH], True), ([], [], False), ([], [NONE_MATCH], False)],
    ids=["first alone", "both", "none", "later alone"],
)
def test_the_first_block_says_that_there_must_be_nothing_yet(first, later, seen):
    side = endpoint(insecure_state_for_strangers=True)
    path = [(11, b"b"), (11, b"a"), (11, b"b")]
    ask(side, Code.PUT, *path, piece(0, True), *first, payload=bytes(16))
    _, (event,) = ask(side, Code.PUT, *path, piece(1, False), *later, payload=b"x", mid=2)
    assert (event.message.payload, NONE_MATCH in event.message.options) == (bytes(16) + b"x", seen)
    assert [option for option in event.message.options if option[0] == 11] == sorted(path)


@pytest.mark.spec("RFC 7959 2.10")
def test_our_client_says_so_with_the_first_block_alone():
    ladder = Ladder(secured=True)
    ladder.ask(Message(Code.PUT, options=[NONE_MATCH, (11, b"a")], payload=bytes(3000)))
    ladder.run()
    (event,) = ladder.requests
    assert (len(event.message.payload), event.message.options) == (3000, [NONE_MATCH, (11, b"a")])
