"""What the standards ask of an intermediary, clause by clause; each with what must not happen."""

import pytest

from tests.unit.endpoint.ladder import OBSERVE, answered
from tests.unit.proxy.ladder import CLIENT, LEGACY, PROXY, SECOND, ProxyLadder
from tests.unit.proxy.test_core import LONG, by_uri, to
from thingstead.protocols.coap.message import Message, MessageType, encode
from thingstead.protocols.coap.registry import Code, OptionNumber
from thingstead.proxy.config import CacheConfig

ETAG, MAX_AGE, ECHO = OptionNumber.ETAG, OptionNumber.MAX_AGE, OptionNumber.ECHO
ONE = (ETAG, b"1")


class Silent(ProxyLadder):
    """The origin's endpoint says nothing: what it says, a test says for it."""

    def __init__(self, **settings):
        super().__init__(respond=lambda event: None, **settings)

    def asked(self, request=None, **arguments):
        """Ask, and give the request as it left the proxy."""
        self.ask(request or to("legacy.example"), **arguments)
        self.run(until=self.now)
        return self.between(PROXY, LEGACY)[-1]

    def answer(self, about, code, *options, payload=b"", source=LEGACY, token=None, kind=MessageType.ACK):
        message = Message(code, kind, about.mid, about.token if token is None else token, list(options), payload)
        self.proxy.receive_datagram(encode(message), source, self.now)
        self.run(until=self.now)


@pytest.fixture
def silent():
    return Silent()


# RFC 7252: what the origin says that cannot be passed on


@pytest.mark.spec("RFC 7252 5.7.1")
@pytest.mark.parametrize(
    ("code", "options"),
    [
        (Code.CONTENT, [(65002, b"unsafe and unknown")]),
        (Code.CONTENT, [(65003, b"unsafe, unknown and critical")]),
        (Code.CONTENT, [(OptionNumber.BLOCK2, b"\x0f")]),
        (Code.CONTENT, [(OptionNumber.BLOCK2, b"\x16")]),
        (Code.CONTINUE, []),
        (Code.CONTENT, [(OptionNumber.OSCORE, b"")]),
        (Code.VALID, [(ETAG, b"unasked")]),
        (Code.VALID, []),
    ],
    ids=["unsafe", "critical", "reserved block", "later block", "2.31", "OSCORE", "2.03", "2.03 of nothing"],
)
def test_a_response_that_cannot_be_processed_is_a_bad_gateway_and_is_not_stored(silent, code, options):
    silent.answer(silent.asked(), code, *options, payload=b"x")
    assert [message.code for message in silent.responses] == [Code.BAD_GATEWAY]
    assert (silent.proxy.held["cached"], silent.proxy.held["waiting"]) == (0, 0)
    assert not silent.responses[0].payload


@pytest.mark.spec("RFC 7252 5.7.1")
@pytest.mark.parametrize("number", [65000, 65001])
def test_options_of_a_response_that_are_safe_pass(silent, number):
    silent.answer(silent.asked(), Code.CONTENT, (number, b"?"), payload=b"x")
    if number & 1:
        # The client's endpoint refuses what is critical; it has it from the origin, unchanged.
        assert silent.between(PROXY, CLIENT)[0].option(number) == b"?"
    else:
        assert silent.responses[0].option(number) == b"?"


@pytest.mark.spec("RFC 7252 5.7.1")
def test_a_request_that_the_origin_resets_is_a_bad_gateway(silent):
    about = silent.asked()
    silent.proxy.receive_datagram(bytes((0x70, 0, about.mid >> 8, about.mid & 255)), LEGACY, silent.now)
    silent.run(until=silent.now)
    assert [message.code for message in silent.responses] == [Code.BAD_GATEWAY]
    assert silent.proxy.counters["reset"] == 1


@pytest.mark.spec("RFC 7252 5.10.2")
@pytest.mark.parametrize(
    ("options", "code"),
    [
        ([(OptionNumber.PROXY_SCHEME, b"")], Code.BAD_OPTION),
        ([(OptionNumber.PROXY_SCHEME, b"coap"), (OptionNumber.PROXY_SCHEME, b"coap")], Code.BAD_OPTION),
        ([(OptionNumber.PROXY_URI, b"coap:///s")], Code.BAD_REQUEST),
        ([(OptionNumber.PROXY_URI, b"coap://legacy.example:0/s")], Code.BAD_REQUEST),
        ([(OptionNumber.PROXY_URI, b"coap://legacy.example:65536/s")], Code.BAD_REQUEST),
        ([(OptionNumber.PROXY_URI, b"coap://user@legacy.example/s")], Code.BAD_REQUEST),
        ([(OptionNumber.PROXY_URI, b"coaps+tcp://legacy.example/s")], Code.PROXYING_NOT_SUPPORTED),
        ([(OptionNumber.PROXY_SCHEME, b"coaps")], Code.PROXYING_NOT_SUPPORTED),
        ([(OptionNumber.PROXY_SCHEME, b"coap")], Code.PROXYING_NOT_SUPPORTED),
        ([(OptionNumber.URI_PORT, b"\x01"), (OptionNumber.PROXY_SCHEME, b"coap")], Code.PROXYING_NOT_SUPPORTED),
        ([(OptionNumber.HOP_LIMIT, b"\x00"), (OptionNumber.PROXY_URI, b"coap://legacy.example/")], Code.BAD_REQUEST),
    ],
)
def test_proxying_options_that_name_nothing_are_refused(silent, options, code):
    silent.ask(Message(Code.GET, options=sorted(options)))
    silent.run(until=0.0)
    assert [message.code for message in silent.responses] == [code]
    assert not silent.between(PROXY, LEGACY)


# RFC 7252 5.6: the cache


@pytest.mark.spec("RFC 7252 5.9.1.3")
def test_what_gave_way_while_it_was_asked_about_is_fetched_whole():
    silent = Silent(cache=CacheConfig(max_responses=1))
    silent.answer(silent.asked(), Code.CONTENT, ONE, (MAX_AGE, b"\x01"), payload=b"body")
    silent.now = 2.0
    about = silent.asked()
    assert about.option(ETAG) == b"1"
    silent.answer(silent.asked(to("legacy.example", path="/other")), Code.CONTENT, payload=b"x")
    silent.answer(about, Code.VALID, ONE)
    again = silent.between(PROXY, LEGACY)[-1]
    assert again.option(ETAG) is None
    silent.answer(again, Code.CONTENT, ONE, payload=b"body")
    assert silent.responses[-1].payload == b"body"


@pytest.mark.spec("RFC 7252 5.9.1.3")
def test_an_origin_that_says_so_again_of_what_it_was_not_asked_is_at_fault():
    silent = Silent(cache=CacheConfig(max_responses=1))
    silent.answer(silent.asked(), Code.CONTENT, ONE, (MAX_AGE, b"\x01"), payload=b"body")
    silent.now = 2.0
    silent.answer(silent.asked(), Code.VALID, (ETAG, b"2"))
    silent.answer(silent.between(PROXY, LEGACY)[-1], Code.VALID, (ETAG, b"2"))
    assert silent.responses[-1].code == Code.BAD_GATEWAY
    assert len(silent.between(PROXY, LEGACY)) == 3


@pytest.mark.spec("RFC 7252 5.9.1.4")
@pytest.mark.parametrize(("method", "code"), [(Code.PUT, Code.CHANGED), (Code.DELETE, Code.DELETED)])
def test_what_was_asked_before_a_change_and_comes_after_it_answers_nobody_else(silent, method, code):
    early = silent.asked()
    # The second message waits until the first is acknowledged (NSTART).
    silent.proxy.receive_datagram(bytes((0x60, 0, early.mid >> 8, early.mid & 255)), LEGACY, 0.0)
    change = silent.asked(to("legacy.example", method), at=SECOND)
    silent.answer(change, code)
    silent.answer(early, Code.CONTENT, payload=b"old", kind=MessageType.NON)
    assert silent.responses[-1].payload == b"old"
    assert silent.proxy.held["cached"] == 0


@pytest.mark.spec("RFC 7252 5.9.1.1")
def test_what_a_request_has_made_is_not_answered_with_what_was_there_before(silent):
    silent.answer(silent.asked(to("legacy.example", path="/list/1")), Code.CONTENT, payload=b"old")
    made = [(OptionNumber.LOCATION_PATH, b"list"), (OptionNumber.LOCATION_PATH, b"1")]
    silent.answer(silent.asked(to("legacy.example", Code.POST, "/list")), Code.CREATED, *made)
    assert silent.proxy.held["cached"] == 0


@pytest.mark.spec("RFC 7959 2.4")
def test_a_long_response_is_fetched_once_and_served_in_blocks_to_all():
    ladder = ProxyLadder(respond=lambda event: answered(Code.CONTENT, LONG))
    for client in (CLIENT, SECOND):
        ladder.ask(to("legacy.example"), at=client)
        ladder.run(until=1.0)
    assert [message.payload for message in ladder.told(CLIENT) + ladder.told(SECOND)] == [LONG, LONG]
    assert (ladder.proxy.relayed, ladder.proxy.answered_from_cache) == (1, 1)


def test_a_body_that_is_longer_than_we_take_is_refused_and_nothing_of_it_goes_on():
    ladder = ProxyLadder()
    ladder.ask(to("legacy.example", Code.PUT, payload=bytes(20_000)))
    ladder.run(until=60.0)
    assert [message.code for message in ladder.responses] == [Code.REQUEST_ENTITY_TOO_LARGE]
    assert not ladder.asked_of(LEGACY)


# RFC 8768


@pytest.mark.spec("RFC 8768 3")
def test_what_was_fetched_for_a_request_that_was_to_go_less_far_answers_none_that_may_go_further(silent):
    near, far = (OptionNumber.HOP_LIMIT, b"\x03"), (OptionNumber.HOP_LIMIT, b"\x09")
    silent.answer(silent.asked(to("legacy.example", Code.GET, "/s", near)), Code.CONTENT, payload=b"x")
    silent.answer(silent.asked(to("legacy.example", Code.GET, "/s", far)), Code.CONTENT, payload=b"y")
    assert len(silent.between(PROXY, LEGACY)) == 2
    silent.ask(to("legacy.example", Code.GET, "/s", near))
    silent.run(until=0.0)
    assert silent.responses[-1].payload == b"y"
    assert len(silent.between(PROXY, LEGACY)) == 2


@pytest.mark.spec("RFC 8768 4")
def test_the_proxy_at_which_a_request_ends_says_its_name(silent):
    silent.ask(to("legacy.example", Code.GET, "/s", (OptionNumber.HOP_LIMIT, b"\x01")))
    silent.run(until=0.0)
    (told,) = silent.responses
    assert (told.code, told.payload) == (Code.HOP_LIMIT_REACHED, b"192.0.2.1:5690")


# RFC 9175: Echo is between two hops


@pytest.mark.spec("RFC 9175 2.3")
def test_an_origin_that_wants_an_echo_gets_it_from_the_proxy_and_the_client_sees_none_of_it(silent):
    silent.answer(silent.asked(), Code.UNAUTHORIZED, (ECHO, b"12345678"))
    again = silent.between(PROXY, LEGACY)[-1]
    assert again.option(ECHO) == b"12345678"
    silent.answer(again, Code.CONTENT, (ECHO, b"for the next"), payload=b"x")
    assert [(message.code, message.option(ECHO)) for message in silent.responses] == [(Code.CONTENT, None)]
    silent.ask(to("legacy.example"), at=SECOND)
    silent.run(until=0.0)
    assert silent.told(SECOND)[0].option(ECHO) is None


@pytest.mark.spec("RFC 9175 2.3")
def test_an_origin_that_wants_one_after_another_ends_and_no_value_of_it_reaches_the_client(silent):
    silent.asked()
    for number in range(9):
        about = silent.between(PROXY, LEGACY)[-1]
        silent.answer(about, Code.UNAUTHORIZED, (ECHO, bytes([number] * 8)))
    assert [(message.code, message.option(ECHO)) for message in silent.responses] == [(Code.UNAUTHORIZED, None)]
    assert silent.proxy.held["cached"] == 0


@pytest.mark.spec("RFC 9175 2.3")
def test_an_echo_value_of_a_client_goes_no_further(silent):
    about = silent.asked(to("legacy.example", Code.GET, "/s", (ECHO, b"made up")))
    assert about.option(ECHO) is None


@pytest.mark.spec("RFC 9175 3.3")
def test_the_tag_of_a_client_is_not_the_tag_of_our_blocks(silent):
    """Blocks of two clients that chose one tag would else be blocks of one body."""
    tags = []
    for at in (CLIENT, SECOND):
        asked = to("legacy.example", Code.PUT, payload=LONG).with_options((OptionNumber.REQUEST_TAG, b"same"))
        silent.ask(asked, at=at)
        silent.run(until=0.0)
        first = silent.between(PROXY, LEGACY)[-1]
        tags.append(first.option(OptionNumber.REQUEST_TAG))
        silent.proxy.receive_datagram(bytes((0x60, 0, first.mid >> 8, first.mid & 255)), LEGACY, 0.0)
    assert len(set(tags)) == 2
    assert b"same" not in tags


# RFC 7967, RFC 8974


@pytest.mark.spec("RFC 7967 2.1")
@pytest.mark.parametrize(("wish", "is_told"), [(b"\x02", False), (b"\x1a", False), (b"\x08", True), (b"", True)])
def test_a_client_gets_no_response_of_a_class_that_it_does_not_want_and_others_do(silent, wish, is_told):
    silent.answer(
        silent.asked(to("legacy.example", Code.GET, "/s", (OptionNumber.NO_RESPONSE, wish)), confirmable=False),
        Code.CONTENT,
        payload=b"x",
    )
    assert bool(silent.responses) is is_told
    silent.ask(to("legacy.example"), at=SECOND)
    silent.run(until=0.0)
    assert [message.payload for message in silent.told(SECOND)] == [b"x"]


@pytest.mark.spec("RFC 8974 2.1")
def test_a_long_token_of_a_client_is_its_own_and_goes_no_further(silent):
    asked = to("legacy.example").with_options()
    asked.token, asked.mid, asked.type = bytes(range(40)), 7, MessageType.CON
    silent.proxy.receive_datagram(encode(asked), CLIENT, 0.0)
    silent.run(until=0.0)
    about = silent.between(PROXY, LEGACY)[-1]
    assert len(about.token) <= 8
    silent.answer(about, Code.CONTENT, payload=b"x")
    assert silent.between(PROXY, CLIENT)[-1].token == bytes(range(40))


# RFC 8132: FETCH


@pytest.mark.spec("RFC 8132 2.2")
def test_fetches_of_other_parts_are_other_responses_and_other_observations():
    ladder = ProxyLadder(respond=lambda event: answered(Code.CONTENT, event.message.payload, OBSERVE))
    for at, part in ((CLIENT, b"a"), (SECOND, b"b")):
        ladder.ask(to("legacy.example", Code.FETCH, payload=part), at=at)
        ladder.run(until=1.0)
    assert [message.payload for message in ladder.told(CLIENT) + ladder.told(SECOND)] == [b"a", b"b"]
    assert ladder.proxy.answered_from_cache == 0


def test_a_uri_and_its_parts_are_one_resource_in_the_cache():
    ladder = ProxyLadder()
    for asked in (by_uri("coap://legacy.example/s"), to("legacy.example"), to("legacy.example", port=5683)):
        ladder.ask(asked)
        ladder.run(until=1.0)
    assert (ladder.proxy.relayed, ladder.proxy.answered_from_cache) == (1, 2)
