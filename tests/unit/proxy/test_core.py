from dataclasses import replace
from datetime import date

import pytest

from tests.unit.endpoint.ladder import OBSERVE, answered
from tests.unit.proxy.ladder import CLIENT, EVERYBODY, LAMP, LEGACY, ORIGINS, PROXY, ProxyLadder
from thingstead.protocols.coap.message import Message, request
from thingstead.protocols.coap.observe import Observers
from thingstead.protocols.coap.option import encode_uint
from thingstead.protocols.coap.registry import Code, OptionNumber
from thingstead.proxy.config import CacheConfig, ClientsConfig, LimitsConfig

LONG = bytes(range(250)) * 12


def to(host, method=Code.GET, path="/s", *options, payload=b"", port=None):
    """A request by Proxy-Scheme, as OSCORE needs it; `host` None is a request to the proxy itself."""
    asked = request(method, path, payload=payload)
    named = [] if host is None else [(OptionNumber.URI_HOST, host.encode()), (OptionNumber.PROXY_SCHEME, b"coap")]
    if port is not None:
        named.append((OptionNumber.URI_PORT, encode_uint(port)))
    return asked.with_options(*named, *options)


def by_uri(uri, method=Code.GET):
    return Message(method, options=[(OptionNumber.PROXY_URI, uri.encode())])


# What passes


@pytest.mark.requirement("R-52")
@pytest.mark.spec("RFC 8613 10")
def test_a_protected_request_passes_end_to_end_and_the_proxy_reads_nothing():
    ladder = ProxyLadder(respond=lambda event: answered(payload=b"the secret answer"))
    ladder.ask(to("lamp.example", Code.POST, "/secret/path", payload=b"the secret question"), secured=True)
    ladder.run()
    (event,) = ladder.asked_of(LAMP)
    assert (event.message.path, event.message.payload, event.message.code) == (
        "/secret/path", b"the secret question", Code.POST,
    )  # fmt: skip
    assert [message.payload for message in ladder.responses] == [b"the secret answer"]
    carried = b"".join(data for _, _, data in ladder.wire)
    assert b"secret" not in carried


@pytest.mark.requirement("R-52")
@pytest.mark.spec("RFC 8613 4.1.3.4")
def test_protected_bodies_longer_than_a_message_pass_both_ways():
    ladder = ProxyLadder(respond=lambda event: answered(Code.CHANGED, event.message.payload[::-1]))
    ladder.ask(to("lamp.example", Code.POST, payload=LONG), secured=True)
    ladder.run()
    assert [message.payload for message in ladder.responses] == [LONG[::-1]]


@pytest.mark.spec("RFC 7252 5.7.2")
@pytest.mark.parametrize(
    "asked",
    [to("legacy.example"), to("LEGACY.example"), by_uri("coap://legacy.example/s"), by_uri("coap://198.51.100.2/s")],
)
def test_an_origin_is_found_by_uri_and_by_scheme_and_host(asked):
    ladder = ProxyLadder()
    ladder.ask(asked)
    ladder.run()
    (event,) = ladder.asked_of(LEGACY)
    assert event.message.path == "/s"
    assert {OptionNumber.PROXY_URI, OptionNumber.PROXY_SCHEME}.isdisjoint(
        number for number, _ in ladder.between(PROXY, LEGACY)[0].options
    )
    assert [message.payload for message in ladder.responses] == [b"/s"]


@pytest.mark.spec("RFC 7252 5.7.3")
def test_a_reverse_proxy_answers_as_if_it_were_the_origin():
    ladder = ProxyLadder(respond=lambda event: answered(payload=b"here"))
    ladder.ask(to(None), secured=True)
    ladder.run()
    assert len(ladder.asked_of(LAMP)) == 1
    assert [message.payload for message in ladder.responses] == [b"here"]


@pytest.mark.spec("RFC 7641 5")
@pytest.mark.parametrize(("host", "secured"), [("legacy.example", False), ("lamp.example", True)])
def test_notifications_pass_until_the_client_has_had_enough(host, secured):
    ladder = ProxyLadder(respond=lambda event: answered(Code.CONTENT, b"0", OBSERVE))
    exchange = ladder.ask(to(host), secured=secured, observe=True)
    ladder.run(until=10.0)
    origin = ladder.lamp if secured else ladder.legacy
    at = LAMP if secured else LEGACY
    (event,) = ladder.asked_of(at)
    for value in (b"1", b"2"):
        origin.send_response(event.exchange, answered(Code.CONTENT, value, OBSERVE), ladder.now)
        ladder.run(until=20.0)
    assert [message.payload for message in ladder.responses] == [b"0", b"1", b"2"]
    ladder.client.cancel(exchange, ladder.now)
    ladder.run(until=30.0)
    origin.send_response(event.exchange, answered(Code.CONTENT, b"3", OBSERVE), ladder.now)
    ladder.run(until=40.0)
    assert len(ladder.responses) == 3
    before = len(ladder.between(at, PROXY))
    origin.send_response(event.exchange, answered(Code.CONTENT, b"4", OBSERVE), ladder.now)
    ladder.run(until=50.0)
    assert len(ladder.between(at, PROXY)) == before


# What does not


@pytest.mark.requirement("R-52")
@pytest.mark.parametrize(
    ("asked", "code", "reason"),
    [
        (to("elsewhere.example"), Code.PROXYING_NOT_SUPPORTED, "route"),
        (to("203.0.113.9"), Code.PROXYING_NOT_SUPPORTED, "route"),
        (to("legacy.example", port=5999), Code.PROXYING_NOT_SUPPORTED, "route"),
        (to(None, Code.GET, "/s", (OptionNumber.URI_HOST, b"legacy.example")), Code.PROXYING_NOT_SUPPORTED, "route"),
        (by_uri("coap://elsewhere.example/"), Code.PROXYING_NOT_SUPPORTED, "route"),
        (by_uri("coaps://legacy.example/"), Code.PROXYING_NOT_SUPPORTED, "route"),
        (by_uri("http://legacy.example/"), Code.PROXYING_NOT_SUPPORTED, "unsupported"),
        (by_uri("legacy.example"), Code.BAD_REQUEST, "malformed"),
        (by_uri("coap://legacy.example/%zz"), Code.BAD_REQUEST, "malformed"),
    ],
)
def test_it_is_no_open_relay(asked, code, reason):
    ladder = ProxyLadder()
    ladder.ask(asked)
    ladder.run()
    assert [message.code for message in ladder.responses] == [code]
    assert ladder.proxy.counters[reason] == 1
    assert not [end for start, end, _ in ladder.wire if start == PROXY and end != CLIENT]


def test_who_is_not_a_client_is_refused():
    ladder = ProxyLadder(clients=ClientsConfig(networks=("192.0.2.128/25",), verified=()))
    ladder.ask(to("legacy.example"))
    ladder.run()
    assert [message.code for message in ladder.responses] == [Code.FORBIDDEN]
    assert not ladder.asked_of(LEGACY)


@pytest.mark.requirement("R-53")
def test_what_is_not_protected_does_not_pass_where_the_flow_says_it_is():
    ladder = ProxyLadder()
    ladder.ask(to("lamp.example"))
    ladder.run()
    assert [message.code for message in ladder.responses] == [Code.FORBIDDEN]
    assert ladder.proxy.counters["approach"] == 1
    assert not ladder.asked_of(LAMP)


@pytest.mark.requirement("R-53")
def test_a_flow_that_shares_credentials_ends_with_its_exception():
    ladder = ProxyLadder()
    ladder.today = date(2027, 1, 31)
    ladder.ask(to("legacy.example"))
    ladder.run()
    ladder.today = date(2027, 2, 1)
    ladder.ask(to("legacy.example", Code.POST))
    ladder.run()
    assert [message.code for message in ladder.responses] == [Code.CONTENT, Code.FORBIDDEN]
    assert ladder.proxy.counters["exception"] == 1


def test_a_client_that_asks_too_often_is_told_so_and_others_are_not():
    ladder = ProxyLadder(clients=replace(EVERYBODY, requests_per_second=2.0), cache=CacheConfig(max_responses=0))
    for _ in range(5):
        ladder.ask(to("legacy.example"))
        ladder.run(until=0.0)
    assert [message.code for message in ladder.responses].count(Code.TOO_MANY_REQUESTS) == 1
    ladder.now = 10.0
    ladder.ask(to("legacy.example"))
    ladder.run(until=10.0)
    assert ladder.responses[-1].code == Code.CONTENT


@pytest.mark.spec("RFC 8768 3")
@pytest.mark.parametrize(("limit", "reached"), [(1, True), (2, False), (None, False)])
def test_a_request_that_goes_round_in_circles_ends(limit, reached):
    option = [] if limit is None else [(OptionNumber.HOP_LIMIT, bytes((limit,)))]
    ladder = ProxyLadder()
    ladder.ask(to("legacy.example", Code.GET, "/s", *option))
    ladder.run()
    assert ladder.responses[0].code == (Code.HOP_LIMIT_REACHED if reached else Code.CONTENT)
    sent = [message.uint_option(OptionNumber.HOP_LIMIT) for message in ladder.between(PROXY, LEGACY)[:1]]
    assert sent == ([] if reached else [16 if limit is None else limit - 1])


@pytest.mark.spec("RFC 7252 5.9.3.5")
def test_an_origin_that_is_silent_is_a_gateway_timeout():
    ladder = ProxyLadder(
        change=lambda data, source, destination: None if destination == LEGACY else data,
        limits=LimitsConfig(origin_seconds=20.0),
    )
    ladder.ask(to("legacy.example"))
    ladder.run()
    assert [message.code for message in ladder.responses] == [Code.GATEWAY_TIMEOUT]
    assert ladder.now <= 21.0


def test_an_origin_that_is_not_there_is_told_at_once():
    ladder = ProxyLadder(change=lambda data, source, destination: None if destination == LEGACY else data)
    ladder.ask(to("legacy.example"))
    ladder.run(until=0.0)
    ladder.proxy.on_unreachable(LEGACY, ladder.now)
    ladder.run(until=0.0)
    assert [message.code for message in ladder.responses] == [Code.GATEWAY_TIMEOUT]


@pytest.mark.spec("RFC 7252 5.7.1")
@pytest.mark.parametrize(("number", "passes"), [(65000, True), (65001, True), (65002, False), (65003, False)])
def test_options_that_are_safe_to_forward_pass_unknown_and_unsafe_ones_do_not(number, passes):
    ladder = ProxyLadder(respond=lambda event: answered(payload=b"x"))
    ladder.ask(to("legacy.example", Code.GET, "/s", (number, b"?")))
    ladder.run()
    forwarded = [message for message in ladder.between(PROXY, LEGACY) if message.code == Code.GET]
    assert [message.option(number) for message in forwarded] == ([b"?"] if passes else [])
    if not passes:
        assert [message.code for message in ladder.responses] == [Code.BAD_OPTION]


def test_requests_over_the_limit_are_refused_and_those_on_their_way_go_on():
    ladder = ProxyLadder(respond=lambda event: None, limits=LimitsConfig(max_requests=2))
    for path in ("/a", "/b", "/c"):
        ladder.ask(to("legacy.example", Code.GET, path))
        ladder.run(until=0.0)
    assert [message.code for message in ladder.responses] == [Code.SERVICE_UNAVAILABLE]
    ladder.run(until=50.0)
    for event in ladder.asked_of(LEGACY):
        ladder.legacy.send_response(event.exchange, answered(payload=b"late"), ladder.now)
    ladder.run(until=55.0)
    assert [message.payload for message in ladder.responses[1:]] == [b"late", b"late"]


@pytest.mark.requirement("R-37")
@pytest.mark.spec("RFC 9175 2.4")
def test_an_address_that_may_be_forged_gets_at_most_three_times_what_it_sent():
    ladder = ProxyLadder(clients=replace(EVERYBODY, verified=()), respond=lambda event: answered(payload=bytes(900)))
    ladder.ask(to("legacy.example"))
    ladder.run()
    asked = [len(data) for start, _, data in ladder.wire if start == CLIENT]
    told = [len(data) for _, end, data in ladder.wire if end == CLIENT]
    assert told[0] <= 3 * asked[0]
    assert [len(message.payload) for message in ladder.responses] == [900]
    assert ladder.proxy.counters["amplification"] == 1


def observed(ladder):
    """The exchange in which an origin that says nothing by itself is observed through the proxy."""
    ladder.ask(to("legacy.example"), observe=True)
    ladder.run(until=0.0)
    (event,) = ladder.asked_of(LEGACY)
    ladder.legacy.send_response(event.exchange, answered(Code.CONTENT, b"1", OBSERVE), ladder.now)
    ladder.run(until=0.0)
    return event.exchange


def test_a_notification_that_comes_together_with_the_end_of_its_observation_goes_nowhere():
    ladder = ProxyLadder(respond=lambda event: None)
    exchange = observed(ladder)
    ladder.client.cancel(1, 0.0)
    ladder.legacy.send_response(exchange, answered(Code.CONTENT, b"2", OBSERVE), 0.0)
    for address, side in ((CLIENT, ladder.client), (LEGACY, ladder.legacy)):
        for data, _ in side.datagrams_to_send(0.0):
            ladder.proxy.receive_datagram(data, address, 0.0)
    ladder.proxy.run(0.0)
    assert (ladder.proxy.held["waiting"], ladder.proxy.held["observers"]) == (0, 0)


def test_what_a_client_may_not_observe_is_not_observed_for_it():
    ladder = ProxyLadder(respond=lambda event: None, limits=LimitsConfig(max_observations=1))
    for path in ("/a", "/b"):
        ladder.ask(to("legacy.example", Code.GET, path), observe=True)
        ladder.run(until=1.0)
    # An origin that takes any number of observers, unlike our own endpoint of strangers.
    for number, event in enumerate(ladder.asked_of(LEGACY)):
        ladder.legacy._layer.strangers.observers = Observers(max_observers=9, max_per_peer=9)
        ladder.legacy.send_response(event.exchange, answered(Code.CONTENT, b"%d" % number, OBSERVE), ladder.now)
        ladder.run(until=ladder.now)
    assert [message.payload for message in ladder.responses] == [b"0", b"1"]
    assert (ladder.proxy.held["waiting"], ladder.proxy.held["observers"]) == (1, 1)


def test_an_origin_that_is_given_up_and_not_there_at_the_same_moment_is_told_once():
    ladder = ProxyLadder(respond=lambda event: None)
    ladder.ask(to("legacy.example"))
    ladder.run(until=59.0)
    ladder.proxy.datagrams_to_send(61.0)
    ladder.proxy.on_unreachable(LEGACY, 61.0)
    ladder.proxy.run(61.0)
    assert ladder.proxy.next_deadline() == 61.0
    ladder.now = 61.0
    ladder.run(until=61.0)
    assert [message.code for message in ladder.responses] == [Code.GATEWAY_TIMEOUT]


# The cache


@pytest.mark.spec("RFC 7252 5.6.1")
def test_what_is_fresh_is_answered_without_the_origin_and_says_how_long_it_still_is():
    ladder = ProxyLadder(respond=lambda event: answered(Code.CONTENT, b"x", (OptionNumber.MAX_AGE, b"\x0a")))
    for now in (0.0, 4.0, 11.0):
        ladder.now = now
        ladder.ask(to("legacy.example"))
        ladder.run(until=now)
    assert len(ladder.asked_of(LEGACY)) == 2
    assert [message.uint_option(OptionNumber.MAX_AGE) for message in ladder.responses] == [10, 6, 10]


@pytest.mark.requirement("R-52")
def test_what_is_protected_is_never_answered_from_the_cache():
    ladder = ProxyLadder(respond=lambda event: answered(Code.CONTENT, b"x", (OptionNumber.MAX_AGE, b"\x0a")))
    for _ in range(2):
        ladder.ask(to("lamp.example"), secured=True)
        ladder.run(until=1.0)
    assert len(ladder.asked_of(LAMP)) == 2
    assert ladder.proxy.answered_from_cache == 0


# Origins by default


def test_two_reverse_origins_need_a_name():
    both = tuple(replace(origin, reverse=True) for origin in ORIGINS)
    ladder = ProxyLadder(origins=both)
    ladder.ask(to(None))
    ladder.run()
    assert [message.code for message in ladder.responses] == [Code.PROXYING_NOT_SUPPORTED]
