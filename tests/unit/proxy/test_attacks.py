"""What somebody could want of a proxy: other people's answers, other people's networks, its memory, its bandwidth."""

import gc
import random
import tracemalloc
from dataclasses import replace

import pytest

from tests.properties.bounds import SMALL
from tests.unit.endpoint.ladder import OBSERVE, answered
from tests.unit.proxy.ladder import (
    CLIENT,
    EVERYBODY,
    LAMP,
    LEGACY,
    LENT,
    ORIGINS,
    PROXY,
    SECOND,
    TODAY,
    ProxyLadder,
)
from tests.unit.proxy.test_clauses import Silent
from tests.unit.proxy.test_core import to
from thingstead.endpoint.config import EndpointConfig
from thingstead.errors import ConfigError
from thingstead.protocols.coap.message import Message, MessageType, encode
from thingstead.protocols.coap.option import encode_uint
from thingstead.protocols.coap.registry import Code, OptionNumber, Scheme
from thingstead.proxy.config import CacheConfig, ClientsConfig, LimitsConfig, ListenConfig, OriginConfig, ProxyConfig
from thingstead.proxy.core import Proxy

pytestmark = pytest.mark.requirement("R-52")


# Other people's answers


@pytest.mark.parametrize(
    "other",
    [
        OriginConfig(name="other.example", address=LEGACY[0], port=5999, **LENT),
        OriginConfig(name="other.example", address="198.51.100.9", **LENT),
        OriginConfig(name="legacy.example", address=LEGACY[0], scheme=Scheme.COAP_TCP, **LENT),
    ],
    ids=["port", "address", "scheme"],
)
def test_what_one_server_said_is_no_answer_of_another(other):
    silent = Silent(origins=(*ORIGINS, other))
    silent.answer(silent.asked(), Code.CONTENT, payload=b"of legacy")
    port = [] if other.port == 5683 else [(OptionNumber.URI_PORT, encode_uint(other.port))]
    named = [(OptionNumber.URI_HOST, other.name.encode()), (OptionNumber.PROXY_SCHEME, other.scheme.value.encode())]
    silent.ask(Message(Code.GET, options=[*named[:1], *port, (OptionNumber.URI_PATH, b"s"), *named[1:]]), at=SECOND)
    for data, _ in silent.sides[SECOND].datagrams_to_send(0.0):
        silent.proxy.receive_datagram(data, SECOND, 0.0)
    silent.proxy.run(0.0)
    assert silent.proxy.answered_from_cache == 0


@pytest.mark.parametrize(
    "hidden",
    [(OptionNumber.IF_MATCH, b"x"), (OptionNumber.ACCEPT, b"\x32"), (65000, b"x"), (OptionNumber.URI_QUERY, b"")],
)
def test_a_response_to_an_odd_request_is_stored_for_odd_requests_alone(hidden):
    silent = Silent()
    silent.answer(silent.asked(to("legacy.example", Code.GET, "/s", hidden)), Code.CONTENT, payload=b"odd")
    about = silent.asked(at=SECOND)
    silent.answer(about, Code.CONTENT, payload=b"even")
    assert [message.payload for message in silent.told(SECOND)] == [b"even"]


@pytest.mark.parametrize("code", [Code.NOT_FOUND, Code.BAD_OPTION, Code.FORBIDDEN, Code.INTERNAL_SERVER_ERROR])
def test_an_error_that_somebody_called_forth_answers_nobody_else(code):
    silent = Silent()
    no_key = (0x11D, b"critical, and no part of the cache key")
    silent.answer(silent.asked(to("legacy.example", Code.GET, "/s", no_key)), code, (OptionNumber.MAX_AGE, b"\xff\xff"))
    silent.answer(silent.asked(at=SECOND), Code.CONTENT, payload=b"fine")
    assert [message.payload for message in silent.told(SECOND)] == [b"fine"]


@pytest.mark.parametrize("outer", [Code.CONTENT, Code.CHANGED, Code.VALID])
def test_a_protected_response_is_stored_under_no_outer_code(outer):
    silent = Silent()
    protected = Message(Code.FETCH, options=[(int(OptionNumber.OSCORE), b"\x09\x00\x01")], payload=bytes(20))
    asked = protected.with_options((OptionNumber.URI_HOST, b"lamp.example"), (OptionNumber.PROXY_SCHEME, b"coap"))
    silent.ask(asked)
    silent.run(until=0.0)
    about = silent.between(PROXY, LAMP)[-1]
    options = [(OptionNumber.OSCORE, b""), (OptionNumber.MAX_AGE, b"\xff\xff")]
    silent.answer(about, outer, *options, payload=bytes(20), source=LAMP)
    assert silent.proxy.held["cached"] == 0


@pytest.mark.parametrize(
    ("changed", "counted"),
    [
        ({"token": b"other"}, "unexpected-response"),
        ({"token": b""}, "unexpected-response"),
        ({"source": (LEGACY[0], 9)}, "unexpected-response"),
        ({"source": LAMP}, "unexpected-response"),
        ({"source": CLIENT}, "unexpected-response"),
        ({"kind": MessageType.RST}, "unexpected-response"),
    ],
)
def test_a_response_that_is_not_the_origins_answers_nobody(changed, counted):
    silent = Silent()
    silent.answer(silent.asked(), Code.CONTENT, payload=b"forged", **changed)
    assert silent.responses == []
    assert silent.proxy.counters.get(counted, 0) >= (changed.get("kind") is None)
    assert silent.proxy.held["cached"] == 0


def test_two_responses_to_one_request_are_one():
    silent = Silent()
    about = silent.asked()
    silent.answer(about, Code.CONTENT, payload=b"first")
    silent.answer(about, Code.CONTENT, payload=b"second", kind=MessageType.NON)
    silent.ask(to("legacy.example"), at=SECOND)
    silent.run(until=0.0)
    assert [m.payload for m in silent.told(CLIENT) + silent.told(SECOND)] == [b"first", b"first"]


def test_a_proxy_that_starts_anew_passes_nothing_of_before_on_and_ends_what_it_observed():
    ladder = ProxyLadder(respond=lambda event: answered(Code.CONTENT, b"0", OBSERVE))
    ladder.ask(to("legacy.example"), observe=True)
    ladder.run(until=1.0)
    event = ladder.asked_of(LEGACY)[-1]
    anew = ProxyLadder()
    ladder.proxy = ladder.sides[PROXY] = anew.proxy
    ladder.proxy.run(ladder.now)
    ladder.now = 2.0
    before = len(ladder.between(PROXY, CLIENT))
    ladder.legacy.send_response(event.exchange, answered(Code.CONTENT, b"1", OBSERVE), ladder.now)
    ladder.run(until=3.0)
    assert len(ladder.between(PROXY, CLIENT)) == before
    assert ladder.between(PROXY, LEGACY)[-1].type is MessageType.RST
    assert not ladder.legacy._layer.strangers.observing


# Other people's networks


@pytest.mark.parametrize(
    "address",
    ["224.0.1.187", "ff02::fd", "0.0.0.0", "::", "255.255.255.255", "169.254.169.254", "fe80::1", "::ffff:127.0.0.1"],
)
def test_an_origin_is_one_server_that_is_the_same_from_everywhere(address):
    with pytest.raises(ConfigError):
        OriginConfig(name="a", address=address)


@pytest.mark.parametrize(
    ("listen", "address"),
    [("0.0.0.0", "127.0.0.1"), ("::", "::1"), ("192.0.2.1", "192.0.2.1"), ("127.0.0.1", "127.0.0.1")],
)
def test_a_proxy_is_no_origin_of_its_own(listen, address):
    with pytest.raises(ConfigError, match="elsewhere"):
        ProxyConfig(listen=ListenConfig(host=listen), origin=(OriginConfig(name="a", address=address, port=5690),))


@pytest.mark.parametrize(
    "host",
    ["127.0.0.1", "localhost", "169.254.169.254", "0", "2130706433", "0x7f000001", "127.1", "lamp.example.", "::1"],
)
def test_no_spelling_of_another_server_is_one_of_an_origin(host):
    ladder = ProxyLadder()
    ladder.ask(to(host))
    ladder.run(until=1.0)
    assert [message.code for message in ladder.responses] == [Code.PROXYING_NOT_SUPPORTED]
    assert {end for start, end, _ in ladder.wire if start == PROXY} == {CLIENT}


# Its bandwidth


@pytest.mark.requirement("R-37")
@pytest.mark.spec("RFC 9175 2.4")
@pytest.mark.parametrize("asked", [{}, {"observe": True}, {"confirmable": False}])
@pytest.mark.parametrize("is_cached", [True, False])
def test_whoever_may_be_forged_gets_three_times_what_it_sent_in_all_and_no_state(asked, is_cached):
    ladder = ProxyLadder(
        clients=replace(EVERYBODY, verified=(f"{SECOND[0]}/32",)),
        respond=lambda event: answered(Code.CONTENT, bytes(1000), OBSERVE),
        cache=CacheConfig(max_responses=16 if is_cached else 0),
    )
    ladder.ask(to("legacy.example"), at=SECOND)
    ladder.run(until=1.0)
    # Whose address is forged brings nothing back.
    victim = ("192.0.2.99", 1)
    sent = 0
    for number in range(20):
        forged = to("legacy.example").with_options(*([OBSERVE] if asked.get("observe") else []))
        forged.mid, forged.token = number, bytes((number,))
        forged.type = MessageType.CON if asked.get("confirmable", True) else MessageType.NON
        sent += len(encode(forged))
        ladder.proxy.receive_datagram(encode(forged), victim, ladder.now)
        ladder.run(until=ladder.now + 200.0)
    assert sum(len(data) for _, end, data in ladder.wire if end == victim) <= 3 * sent
    assert ladder.proxy.held["observers"] == 0


# Its memory


def flood(proxy, count, *, now=0.0, observe=False, hosts=1 << 20, ports=60_000, seed=1):
    """Requests of many clients, of which no two are alike; what the proxy wants sent."""
    chance = random.Random(seed)
    sent = []
    for number in range(count):
        asked = to("legacy.example", Code.GET, f"/{number}").with_options(*([OBSERVE] if observe else []))
        asked.mid, asked.token, asked.type = number & 0xFFFF, chance.randbytes(8), MessageType.NON
        host = number % hosts
        source = (f"10.{host >> 16 & 255}.{host >> 8 & 255}.{host & 255}", 1024 + number % ports)
        proxy.receive_datagram(encode(asked), source, now)
        proxy.run(now)
        sent += proxy.datagrams_to_send(now)
    return sent


def crowded(**limits):
    clients = ClientsConfig(networks=("10.0.0.0/8",), verified=("10.0.0.0/8",), max_addresses=64)
    config = ProxyConfig(
        listen=ListenConfig(host="192.0.2.1"),
        clients=clients,
        cache=CacheConfig(max_responses=32, max_bytes=1 << 16),
        limits=LimitsConfig(**limits),
        origin=ORIGINS,
    )
    bounds = EndpointConfig(strangers=SMALL)
    return Proxy(config, random_bytes=random.Random(1).randbytes, today=lambda: TODAY, endpoint=bounds)


@pytest.mark.requirement("R-36")
@pytest.mark.parametrize("observe", [False, True])
def test_a_flood_that_no_origin_answers_is_held_within_bounds(observe):
    proxy = crowded(max_requests=64, max_requests_per_origin=48, max_requests_per_address=8)
    flood(proxy, 500, observe=observe)
    assert proxy.held["waiting"] == 48
    assert proxy.held["addresses"] == 64
    assert proxy.counters["origin-share"] == 500 - 48
    # The other origin is still reached.
    asked = Message(
        Code.POST, options=[(OptionNumber.URI_HOST, b"lamp.example"), (OptionNumber.OSCORE, b"\x09\x00\x01")]
    )
    asked.token, asked.type = b"other", MessageType.NON
    proxy.receive_datagram(encode(asked), ("10.9.9.9", 1), 0.0)
    proxy.run(0.0)
    assert [end for _, end in proxy.datagrams_to_send(0.0)] == [LAMP]


@pytest.mark.requirement("R-36")
def test_one_address_with_many_ports_leaves_room_for_the_others():
    proxy = crowded(max_requests=64, max_requests_per_address=8)
    flood(proxy, 60, hosts=1)
    assert proxy.held["waiting"] == 8
    assert proxy.counters["address-share"] == 52
    flood(proxy, 1, hosts=1 << 20, seed=2)
    assert proxy.counters["address-share"] == 53
    proxy.receive_datagram(
        encode(Message(Code.GET, MessageType.NON, 1, b"1", to("legacy.example").options)), ("10.1.1.1", 1), 0.0
    )
    proxy.run(0.0)
    assert proxy.held["waiting"] == 9


@pytest.mark.requirement("R-36")
def test_memory_is_flat_under_a_flood():
    proxy = crowded(max_requests=64)
    tracemalloc.start()
    try:
        flood(proxy, 300, hosts=200, ports=200)
        gc.collect()
        before = tracemalloc.get_traced_memory()[0]
        flood(proxy, 500, hosts=200, ports=200, seed=4, now=2.0)
        gc.collect()
        # A request that was kept would be a kilobyte and more.
        assert tracemalloc.get_traced_memory()[0] - before < 500 << 7
    finally:
        tracemalloc.stop()


def test_when_the_origin_is_given_up_everything_is_free_again():
    proxy = crowded(max_requests=64, origin_seconds=20.0)
    flood(proxy, 100)
    proxy.datagrams_to_send(30.0)
    proxy.run(30.0)
    assert proxy.held["waiting"] == 0
    assert proxy.counters["no-response"] == 64
