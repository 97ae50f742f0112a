from dataclasses import replace

import pytest

from tests.unit.endpoint.ladder import OBSERVE, answered
from tests.unit.proxy.ladder import CLIENT, LEGACY, ORIGINS, PROXY, SECOND, THIRD, ProxyLadder
from tests.unit.proxy.test_core import to
from thingstead.errors import StateError
from thingstead.protocols.coap.message import encode, request
from thingstead.protocols.coap.registry import Code, OptionNumber, Scheme
from thingstead.proxy.config import CacheConfig, LimitsConfig
from thingstead.proxy.relay import Client, Relays
from thingstead.proxy.routing import Route

ETAG, MAX_AGE, ACCEPT = OptionNumber.ETAG, OptionNumber.MAX_AGE, OptionNumber.ACCEPT
ONE, TWO = (ETAG, b"1"), (ETAG, b"2")


def told(code, value, options):
    return answered(code, value).with_options(OBSERVE, *options)


class Observed(ProxyLadder):
    """An origin with one resource, to which each registration is an event in `registrations`."""

    def __init__(self, *options, **settings):
        self.value, self.options = b"0", options
        self.registrations = []
        super().__init__(respond=self.on_request, **settings)

    def on_request(self, event):
        if event.observe:
            self.registrations.append(event)
        return told(Code.CONTENT, self.value, self.options)

    def observe(self, at=CLIENT, *options, until=None):
        exchange = self.ask(to("legacy.example", Code.GET, "/s", *options), at=at, observe=True)
        self.run(until=self.now if until is None else until)
        return exchange

    def publish(self, value, *options, code=Code.CONTENT):
        self.value = value
        response = told(code, value, options or self.options)
        self.legacy.send_response(self.registrations[-1].exchange, response, self.now)
        self.run(until=self.now)

    def at(self, now):
        """Go on to a moment."""
        self.run(until=now)
        self.now = now


@pytest.fixture
def story():
    return Observed()


def payloads(ladder, client=CLIENT):
    return [message.payload for message in ladder.told(client)]


# Sharing


@pytest.mark.spec("RFC 7641 5")
def test_clients_that_observe_the_same_share_one_registration_and_each_is_told(story):
    for client in (CLIENT, SECOND, THIRD):
        story.observe(client)
    story.publish(b"1")
    assert len(story.registrations) == len(story.asked_of(LEGACY)) == 1
    assert [payloads(story, client) for client in (CLIENT, SECOND, THIRD)] == [[b"0", b"1"]] * 3
    assert story.proxy.joined == 2
    assert story.proxy.held["observers"] == 3


@pytest.mark.spec("RFC 7641 5")
def test_a_new_observer_is_told_at_once_what_is_fresh_and_how_long_it_still_is():
    story = Observed((MAX_AGE, b"\x1e"))
    story.observe(CLIENT)
    story.at(10.0)
    story.observe(SECOND)
    (told,) = story.told(SECOND)
    assert (told.payload, told.uint_option(MAX_AGE)) == (b"0", 20)
    assert told.option(OptionNumber.OBSERVE) is not None
    assert len(story.asked_of(LEGACY)) == 1


@pytest.mark.spec("RFC 7641 5")
def test_each_hop_numbers_its_own_notifications(story):
    story.observe(CLIENT)
    story.observe(SECOND)
    for value in (b"1", b"2", b"3"):
        story.now += 10.0
        story.publish(value)
    for client in (CLIENT, SECOND):
        numbers = [message.uint_option(OptionNumber.OBSERVE) for message in story.told(client)]
        assert numbers == sorted(set(numbers))
        assert len(numbers) == 4


@pytest.mark.spec("RFC 7641 3.6")
def test_the_observation_goes_on_until_the_last_client_has_had_enough(story):
    first, second = story.observe(CLIENT), story.observe(SECOND)
    story.client.cancel(first, story.now)
    story.run(until=story.now)
    story.publish(b"1")
    assert (payloads(story), payloads(story, SECOND)) == ([b"0"], [b"0", b"1"])
    assert not [m for m in story.between(PROXY, LEGACY) if m.uint_option(OptionNumber.OBSERVE) == 1]
    story.sides[SECOND].cancel(second, story.now)
    story.run(until=story.now)
    assert [m for m in story.between(PROXY, LEGACY) if m.uint_option(OptionNumber.OBSERVE) == 1]
    assert (story.proxy.held["waiting"], story.proxy.held["observers"]) == (0, 0)


def test_a_client_that_registers_anew_stays_one_observer_and_costs_the_origin_nothing(story):
    story.observe(CLIENT)
    token = story.between(CLIENT, PROXY)[0].token
    again = to("legacy.example").with_options((OptionNumber.OBSERVE, b""))
    again.token, again.mid = token, 77
    story.proxy.receive_datagram(encode(again), CLIENT, story.now)
    story.run(until=story.now)
    story.publish(b"1")
    assert story.proxy.held["observers"] == 1
    assert len(story.registrations) == 1
    assert payloads(story)[-1] == b"1"


@pytest.mark.parametrize("different", [(ACCEPT, b"\x3c"), (OptionNumber.URI_QUERY, b"q=1"), (65000, b"x")])
def test_what_is_asked_differently_is_observed_by_itself(different):
    story = Observed()
    story.observe(CLIENT)
    # An origin that takes any number of observers, unlike our own endpoint of strangers.
    story.observe(SECOND, different)
    assert len(story.registrations) == 2
    assert story.proxy.joined == 0


@pytest.mark.requirement("R-52")
@pytest.mark.spec("RFC 8613 4.1.3.5")
def test_what_is_protected_is_never_shared():
    ladder = ProxyLadder(respond=lambda event: answered(Code.CONTENT, b"x", OBSERVE))
    for _ in range(2):
        ladder.ask(to("lamp.example"), secured=True, observe=True)
        ladder.run(until=1.0)
    registered = [m for m in ladder.between(PROXY, ("198.51.100.1", 5683)) if m.option(OptionNumber.OBSERVE) == b""]
    assert len({message.payload for message in registered}) >= 2
    assert ladder.proxy.joined == 0


# Before the origin has said anything


def test_who_joins_before_the_first_response_gets_it_too():
    ladder = ProxyLadder(respond=lambda event: None)
    for client in (CLIENT, SECOND):
        ladder.ask(to("legacy.example"), at=client, observe=True)
        ladder.run(until=0.0)
    (event,) = ladder.asked_of(LEGACY)
    ladder.legacy.send_response(event.exchange, answered(Code.CONTENT, b"x", OBSERVE), 0.0)
    ladder.run(until=1.0)
    assert [len(ladder.told(client)) for client in (CLIENT, SECOND)] == [1, 1]


@pytest.mark.spec("RFC 7641 5")
@pytest.mark.parametrize("answer", [answered(Code.CONTENT, b"x"), answered(Code.NOT_FOUND)])
def test_an_origin_that_does_not_accept_the_registration_ends_it_for_all(answer):
    ladder = ProxyLadder(respond=lambda event: None)
    for client in (CLIENT, SECOND):
        ladder.ask(to("legacy.example"), at=client, observe=True)
        ladder.run(until=0.0)
    ladder.legacy.send_response(ladder.asked_of(LEGACY)[0].exchange, answer, 0.0)
    ladder.run(until=1.0)
    for client in (CLIENT, SECOND):
        (told,) = ladder.told(client)
        assert (told.code, told.option(OptionNumber.OBSERVE)) == (answer.code, None)
    assert ladder.proxy.held["observers"] == ladder.proxy.held["waiting"] == 0


def test_an_origin_that_is_silent_is_a_gateway_timeout_for_all():
    ladder = ProxyLadder(respond=lambda event: None, limits=LimitsConfig(origin_seconds=20.0))
    for client in (CLIENT, SECOND):
        ladder.ask(to("legacy.example"), at=client, observe=True)
        ladder.run(until=0.0)
    ladder.run(until=30.0)
    assert [[m.code for m in ladder.told(client)] for client in (CLIENT, SECOND)] == [[Code.GATEWAY_TIMEOUT]] * 2
    assert ladder.proxy.held["waiting"] == 0


# Joining what is not fresh


@pytest.mark.parametrize("settings", [{"cache": CacheConfig(max_responses=0)}, {}])
def test_who_joins_when_nothing_fresh_is_stored_is_asked_for_without_telling_the_others_again(settings):
    story = Observed((MAX_AGE, b""), **settings)
    story.observe(CLIENT)
    story.value = b"new"
    story.observe(SECOND)
    assert len(story.registrations) == 1
    assert [event.observe for event in story.asked_of(LEGACY)] == [True, None]
    (told,) = story.told(SECOND)
    assert (told.payload, told.option(OptionNumber.OBSERVE) is not None) == (b"new", True)
    assert payloads(story) == [b"0"]
    story.publish(b"1")
    assert payloads(story, SECOND) == [b"new", b"1"]


class Slow(Observed):
    """Answers a registration at once, and everything else when it is told to."""

    def on_request(self, event):
        return super().on_request(event) if event.observe else None


@pytest.fixture
def slow():
    story = Slow((MAX_AGE, b""))
    story.observe(CLIENT)
    story.observe(SECOND)
    return story


def late(story, response):
    story.legacy.send_response(story.asked_of(LEGACY)[-1].exchange, response, story.now)
    story.run(until=story.now)


def test_a_notification_that_comes_first_is_the_first_response_and_what_comes_after_is_older(slow):
    slow.publish(b"1")
    late(slow, answered(Code.CONTENT, b"old"))
    slow.publish(b"2")
    assert payloads(slow, SECOND) == [b"1", b"2"]


@pytest.mark.parametrize("how", ["answer", "silence"])
def test_who_was_told_meanwhile_is_not_told_that_the_answer_failed(how):
    story = Slow((MAX_AGE, b""), limits=LimitsConfig(origin_seconds=20.0))
    story.observe(CLIENT)
    story.observe(SECOND)
    story.publish(b"1")
    if how == "answer":
        late(story, answered(Code.NOT_FOUND))
    else:
        # Nothing is fresh, so both register again meanwhile, and are told that it is still so.
        story.at(21.0)
    story.publish(b"2")
    assert {message.code for message in story.told(SECOND)} == {Code.CONTENT}
    assert sorted(set(payloads(story, SECOND))) == [b"1", b"2"]


def test_who_joins_and_gets_an_error_observes_nothing(slow):
    late(slow, answered(Code.NOT_FOUND))
    slow.publish(b"1")
    assert [message.code for message in slow.told(SECOND)] == [Code.NOT_FOUND]
    assert slow.proxy.held["observers"] == 1


def test_who_joins_and_leaves_before_it_is_told_is_told_nothing():
    story = Slow((MAX_AGE, b""))
    story.observe(CLIENT)
    exchange = story.observe(SECOND)
    story.sides[SECOND].cancel(exchange, story.now)
    late(story, answered(Code.CONTENT, b"late"))
    assert story.proxy.held["waiting"] == 1


def test_an_origin_that_goes_away_ends_it_for_who_has_been_told_and_who_has_not(slow):
    slow.publish(b"1", code=Code.NOT_FOUND)
    late(slow, answered(Code.CONTENT, b"late"))
    assert [[m.code for m in slow.told(client)] for client in (CLIENT, SECOND)] == [
        [Code.CONTENT, Code.NOT_FOUND],
        [Code.NOT_FOUND],
    ]
    assert slow.proxy.held["observers"] == slow.proxy.held["waiting"] == 0


def test_what_a_notification_says_is_gone_is_not_answered_with():
    story = Observed((MAX_AGE, b"\x1e"))
    story.observe(CLIENT)
    story.publish(b"", code=Code.NOT_FOUND)
    story.ask(to("legacy.example"), at=SECOND)
    story.run(until=story.now)
    assert len(story.asked_of(LEGACY)) == 2


# Entity-tags


@pytest.mark.spec("RFC 7641 4.2")
def test_who_has_a_representation_is_told_that_it_holds_and_the_others_get_it_whole():
    story = Observed(ONE)
    story.observe(CLIENT, ONE)
    story.observe(SECOND)
    assert story.registrations[0].message.option(ETAG) is None
    assert [m.code for m in story.told(CLIENT) + story.told(SECOND)] == [Code.VALID, Code.CONTENT]
    story.publish(b"1", TWO)
    story.now += 5
    story.publish(b"0", ONE)
    assert [m.code for m in story.told(CLIENT)] == [Code.VALID, Code.CONTENT, Code.VALID]
    assert payloads(story, SECOND) == [b"0", b"1", b"0"]


def test_a_notification_that_what_nobody_named_holds_is_a_fault_of_the_origin():
    story = Observed()
    story.observe(CLIENT)
    story.publish(b"", TWO, code=Code.VALID)
    assert [m.code for m in story.told(CLIENT)] == [Code.CONTENT, Code.BAD_GATEWAY]
    assert story.proxy.held["waiting"] == 0


# Bounds


ROUTE = Route(ORIGINS[1], request(Code.GET, "/s"))
OTHER = Route(replace(ORIGINS[0], port=1), request(Code.GET, "/s"))


def client(number, host="192.0.2.10", observe=False):
    return Client((Scheme.COAP, number), (host, number), ROUTE.request, observe)


@pytest.mark.parametrize(
    ("limits", "second", "reason"),
    [
        (LimitsConfig(max_requests=1), (OTHER, client(2, "192.0.2.11")), "overload"),
        (LimitsConfig(max_requests_per_address=1), (OTHER, client(2)), "address-share"),
        (LimitsConfig(max_requests_per_origin=1), (ROUTE, client(2, "192.0.2.11")), "origin-share"),
    ],
)
def test_nobody_has_more_than_its_share_and_what_is_over_makes_room(limits, second, reason):
    relays = Relays(limits)
    first = relays.start(ROUTE, None, client(1), observe=False)
    with pytest.raises(StateError) as refused:
        relays.start(second[0], None, second[1], observe=False)
    assert (refused.value.reason, len(relays)) == (reason, 1)
    relays.end(first)
    relays.end(first)
    assert len(relays) == 0
    relays.start(second[0], None, second[1], observe=False)


def test_who_joins_counts_and_is_refused_alike():
    relays = Relays(LimitsConfig(max_requests=2, max_requests_per_address=1))
    shared = relays.start(ROUTE, ("key",), client(1, observe=True), observe=True)
    with pytest.raises(StateError, match="one address"):
        relays.join(shared, client(2, observe=True))
    relays.join(shared, client(3, "192.0.2.11", observe=True))
    with pytest.raises(StateError, match="at most 2"):
        relays.join(shared, client(4, "192.0.2.12", observe=True))
    assert relays.observers == 2
    relays.end(shared)
    assert (relays.observers, len(relays), relays.shared(("key",))) == (0, 0, None)


def test_a_client_that_is_refused_when_it_joins_leaves_nothing_behind():
    story = Observed((MAX_AGE, b""), limits=LimitsConfig(max_requests=2))
    story.observe(CLIENT)
    story.observe(SECOND)
    assert [message.code for message in story.told(SECOND)] == [Code.SERVICE_UNAVAILABLE]
    assert (story.proxy.held["observers"], story.proxy.counters["overload"]) == (1, 1)
