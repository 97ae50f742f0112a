import pytest

from tests.unit.endpoint.ladder import CONTROLLER, OBSERVE, THING, Ladder, answered, endpoint, events
from thingstead.endpoint.config import Retention
from thingstead.endpoint.representation import Representations
from thingstead.protocols.coap.block import Block, Limits
from thingstead.protocols.coap.message import Message, MessageType, decode, encode, request
from thingstead.protocols.coap.registry import Code, OptionNumber

TAG = int(OptionNumber.REQUEST_TAG)


def fetch(body=b"", *options, code=Code.FETCH):
    return Message(code, options=[(OptionNumber.URI_PATH, b"a"), *options], payload=body)


def whole(text):
    return Message(Code.CONTENT, payload=text)


def shelf(**limits):
    return Representations(Limits(**limits))


def held(representations, asked, *, peer=THING, now=0.0):
    found = representations.look(peer, asked, now)
    return None if found is None else found.payload


@pytest.fixture
def two():
    kept = shelf()
    kept.put(THING, fetch(b"one"), b"one", whole(b"1"), 0.0)
    kept.put(THING, fetch(b"two"), b"two", whole(b"2"), 0.0)
    return kept


@pytest.mark.spec("RFC 8132 2")
def test_the_body_of_a_request_is_part_of_what_is_asked_for(two):
    assert (held(two, fetch(b"one")), held(two, fetch(b"two"))) == (b"1", b"2")


@pytest.mark.spec("RFC 7959 2.7")
def test_without_a_body_the_latest_of_the_operation_is_meant(two):
    assert held(two, fetch()) == b"2"


@pytest.mark.spec("RFC 8132 2")
@pytest.mark.parametrize(
    "asked",
    [
        fetch(b"three"),
        fetch(b"one", (OptionNumber.URI_QUERY, b"q")),
        fetch(b"one", (TAG, b"t")),
        fetch(b"", (TAG, b"t")),
        fetch(b"one", code=Code.POST),
        fetch(b"", code=Code.GET),
    ],
    ids=["another body", "another query", "another tag", "a tag and no body", "another method", "GET"],
)
def test_a_request_of_another_operation_gets_none_of_it(two, asked):
    assert held(two, asked) is None


def test_another_peer_gets_none_of_it(two):
    assert held(two, fetch(b"one"), peer=CONTROLLER) is held(two, fetch(), peer=CONTROLLER) is None


def test_what_is_forgotten_or_too_old_is_not_found(two):
    assert held(two, fetch(b"one"), now=1000.0) is None
    two.forget(THING)
    assert (held(two, fetch()), len(two)) == (None, 0)


@pytest.mark.requirement("R-49")
def test_bodies_of_one_peer_are_bounded_however_many_it_asks_for():
    kept = shelf(max_bodies_per_peer=2)
    for number in range(9):
        kept.put(THING, fetch(), bytes([number]), whole(bytes([number])), 0.0)
    assert (len(kept), held(kept, fetch(bytes([0]))), held(kept, fetch())) == (2, None, bytes([8]))


# --- what that means between two ends


def long_echo(event):
    return answered(Code.CONTENT, event.message.payload * 3000)


def results(ladder):
    return sorted({(event.message.payload[:1], len(event.message.payload)) for event in ladder.results()})


@pytest.mark.spec("RFC 9175 3.5.2")
@pytest.mark.spec("RFC 8132 2")
@pytest.mark.parametrize("secured", [False, True])
@pytest.mark.parametrize("method", [Code.FETCH, Code.POST, Code.IPATCH, Code.PATCH])
def test_requests_with_different_bodies_at_once_do_not_mix(method, secured):
    ladder = Ladder(respond=long_echo, secured=secured, strangers=Retention())
    for body in (b"1", b"2", b"3"):
        ladder.ask(fetch(body, code=method))
    ladder.run()
    assert results(ladder) == [(b"1", 3000), (b"2", 3000), (b"3", 3000)]
    assert {event.message.payload for event in ladder.requests} == {b"1", b"2", b"3"}


def tags(ladder):
    return [message.option(TAG) for message in ladder.sent(THING)]


@pytest.mark.spec("RFC 9175 3.4")
def test_a_request_that_no_other_is_like_has_no_tag():
    ladder = Ladder()
    for path in ("/a", "/b"):
        ladder.ask(request(Code.POST, path, payload=b"x"))
        ladder.ask(request(Code.GET, path))
        ladder.ask(request(Code.GET, path))
    ladder.run()
    assert set(tags(ladder)) == {None}


@pytest.mark.spec("RFC 9175 3.4")
def test_the_absent_tag_is_used_again_only_when_what_had_it_is_over():
    ladder = Ladder()
    for _ in range(2):
        ladder.ask(fetch(b"x"))
        ladder.ask(fetch(b"y"))
        ladder.run()
    first, second, third, fourth = tags(ladder)
    assert (first, third) == (None, None)
    assert second != fourth


@pytest.mark.spec("RFC 9175 3.4")
def test_the_tag_of_an_upload_stays_while_its_response_is_fetched():
    ladder = Ladder(respond=lambda event: answered(payload=bytes(3000)), strangers=Retention())
    ladder.ask(fetch(bytes(3000)))
    ladder.run()
    assert ladder.response.payload == bytes(3000)
    assert ladder.sent(THING)[-1].option(OptionNumber.BLOCK2) is not None
    assert len(set(tags(ladder))) == 1
    assert None not in tags(ladder)


@pytest.mark.spec("RFC 9175 3.3")
def test_the_application_is_told_of_no_tag():
    ladder = Ladder(respond=lambda event: answered())
    ladder.ask(fetch(b"x", (TAG, b"t")))
    ladder.run()
    assert ladder.requests[0].message.option(TAG) is None


@pytest.mark.spec("RFC 7641 3.6")
def test_an_observation_is_ended_by_the_options_that_began_it():
    ladder = Ladder(respond=lambda event: answered(Code.CONTENT, b"x", OBSERVE), secured=False, strangers=Retention())
    names = [ladder.ask(fetch(body), observe=True) for body in (b"1", b"2")]
    ladder.run(until=5.0)
    registration = ladder.sent(THING)[-1]
    ladder.thing.cancel(names[1], ladder.now)
    ladder.run(until=6.0)
    end = ladder.sent(THING)[-1]
    assert (end.uint_option(OptionNumber.OBSERVE), end.option(TAG)) == (1, registration.option(TAG))
    assert end.option(TAG) is not None


def later(body=b"", *options, code=Code.FETCH, num=1, mid=9):
    block = (int(OptionNumber.BLOCK2), Block(num, False, 6).encode())
    asked = fetch(body, block, *options, code=code)
    return encode(Message(asked.code, MessageType.CON, mid, b"t", sorted(asked.options), body))


def answers(side, data, now=0.0):
    side.receive_datagram(data, THING, now)
    for event in events(side):
        side.vouch(event.exchange)
        side.send_response(event.exchange, answered(payload=event.message.payload[:1] * 3000), now)
    return [decode(answer) for answer, _ in side.datagrams_to_send(now)]


@pytest.mark.spec("RFC 8132 2.5")
def test_a_fetch_that_brings_its_body_again_is_answered_anew_as_a_get_is():
    (answer,) = answers(endpoint(insecure_state_for_strangers=True), later(b"q"))
    assert (answer.code, answer.payload) == (Code.CONTENT, b"q" * 1024)


@pytest.mark.spec("RFC 7959 2.7")
@pytest.mark.parametrize("asked", [later(b""), later(b"q", code=Code.POST), later(b"", code=Code.IPATCH)])
def test_what_cannot_be_told_from_a_later_request_is_incomplete(asked):
    (answer,) = answers(endpoint(insecure_state_for_strangers=True), asked)
    assert answer.code == Code.REQUEST_ENTITY_INCOMPLETE
