from dataclasses import replace

import pytest

from tests.unit.endpoint.ladder import OBSERVE, answered
from tests.unit.proxy.ladder import (
    CLIENT,
    EVERYBODY,
    LEGACY,
    ORIGINS,
    OVER_TCP,
    PROXY,
    SECOND,
    STREAM,
    STREAM_ORIGIN,
    ProxyLadder,
)
from tests.unit.proxy.test_core import to
from thingstead.errors import StateError
from thingstead.protocols.coap.message import Message
from thingstead.protocols.coap.registry import Code, OptionNumber
from thingstead.proxy.config import LimitsConfig

LONG = bytes(range(250)) * 40


def to_stream(method=Code.GET, path="/s", *options, payload=b""):
    asked = to("stream.example", method, path, *options, payload=payload)
    return asked.with_options((OptionNumber.PROXY_SCHEME, b"coap+tcp"), without=frozenset((OptionNumber.PROXY_SCHEME,)))


def story(**settings):
    return ProxyLadder(origins=(*ORIGINS, STREAM_ORIGIN), **settings)


def opened(ladder):
    """How often each end was connected: the first message of each connection is a CSM."""
    return len([1 for start, end, data in ladder.wire if (start, end) == (STREAM, PROXY) and data[1] == Code.CSM])


# What passes from one transport to the other


@pytest.mark.spec("RFC 8323 8.1")
@pytest.mark.parametrize(
    "asked",
    [to_stream(), Message(Code.GET, options=[(OptionNumber.PROXY_URI, b"coap+tcp://stream.example/s")])],
    ids=["Proxy-Scheme", "Proxy-Uri"],
)
def test_a_client_on_datagrams_reaches_an_origin_on_a_connection(asked):
    ladder = story()
    ladder.ask(asked)
    ladder.run(until=10.0)
    assert [event.message.path for event in ladder.asked_of(STREAM)] == ["/s"]
    assert [message.payload for message in ladder.responses] == [b"/s"]


def test_a_client_on_a_connection_reaches_an_origin_on_datagrams():
    ladder = story()
    ladder.dial()
    ladder.ask_over_tcp(to("legacy.example"))
    ladder.run(until=10.0)
    assert [message.payload for message in ladder.told(OVER_TCP)] == [b"/s"]


@pytest.mark.spec("RFC 8323 6")
@pytest.mark.parametrize("over_tcp", [False, True])
def test_bodies_are_cut_for_each_transport_anew(over_tcp):
    ladder = story(respond=lambda event: answered(Code.CHANGED, event.message.payload[::-1]))
    if over_tcp:
        ladder.dial()
        ladder.ask_over_tcp(to("legacy.example", Code.POST, payload=LONG))
    else:
        ladder.ask(to_stream(Code.POST, payload=LONG))
    ladder.run(until=100.0)
    assert [message.payload for message in ladder.told(OVER_TCP if over_tcp else CLIENT)] == [LONG[::-1]]


@pytest.mark.spec("RFC 8323 7")
def test_notifications_pass_from_a_connection_to_datagrams_and_the_last_client_ends_them():
    ladder = story(respond=lambda event: answered(Code.CONTENT, b"0", OBSERVE))
    exchanges = {client: ladder.ask(to_stream(), at=client, observe=True) for client in (CLIENT, SECOND)}
    ladder.run(until=5.0)
    (event,) = ladder.asked_of(STREAM)
    ladder.streams[STREAM].send_response(event.exchange, answered(Code.CONTENT, b"1", OBSERVE), ladder.now)
    ladder.run(until=10.0)
    assert [[m.payload for m in ladder.told(client)] for client in (CLIENT, SECOND)] == [[b"0", b"1"]] * 2
    for client, exchange in exchanges.items():
        ladder.sides[client].cancel(exchange, ladder.now)
    ladder.run(until=20.0)
    assert ladder.proxy.held["waiting"] == 0
    assert not ladder.streams[STREAM]._layer.strangers.observing


# Connections with origins


def test_there_is_one_connection_with_an_origin_whoever_asks():
    ladder = story()
    for client in (CLIENT, SECOND):
        ladder.ask(to_stream(path=f"/{client[0]}"), at=client)
    ladder.run(until=10.0)
    ladder.ask(to_stream(path="/again"))
    ladder.run(until=20.0)
    assert opened(ladder) == 1
    assert len(ladder.asked_of(STREAM)) == 3
    assert ladder.proxy.held["connections"] == 1


def test_an_origin_that_takes_no_connection_is_a_gateway_timeout_and_is_tried_again_for_the_next_request():
    ladder = story()
    ladder.is_listening = False
    ladder.ask(to_stream())
    ladder.run(until=10.0)
    assert [message.code for message in ladder.responses] == [Code.GATEWAY_TIMEOUT]
    assert ladder.proxy.held["waiting"] == 0
    ladder.is_listening = True
    ladder.ask(to_stream())
    ladder.run(until=20.0)
    assert ladder.responses[-1].payload == b"/s"


def test_what_waits_on_a_connection_that_is_lost_is_told_and_the_next_request_opens_another():
    ladder = story(respond=lambda event: None)
    ladder.ask(to_stream())
    ladder.run(until=5.0)
    ladder.hang_up(STREAM)
    ladder.run(until=5.0)
    assert [message.code for message in ladder.responses] == [Code.BAD_GATEWAY]
    ladder.respond = lambda event: answered(payload=b"again")
    ladder.ask(to_stream())
    ladder.run(until=10.0)
    assert ladder.responses[-1].payload == b"again"
    assert opened(ladder) == 2


def test_an_observer_that_leaves_before_there_is_a_connection_leaves_nothing():
    ladder = story()
    ladder.streams[OVER_TCP].connect(PROXY, 0.0, is_ours=True)
    ladder.proxy.streams.connect(OVER_TCP, 0.0)
    ladder.ask_over_tcp(to_stream(), observe=True)
    for data, _ in ladder.streams[OVER_TCP].datagrams_to_send(0.0):
        ladder.proxy.streams.receive_bytes(data, OVER_TCP, 0.0)
    ladder.proxy.run(0.0)
    ladder.hang_up(OVER_TCP)
    ladder.run(until=10.0)
    assert ladder.proxy.held["observers"] == 0


def test_an_origin_that_asks_for_no_more_requests_gets_none():
    ladder = story()
    ladder.ask(to_stream())
    ladder.run(until=5.0)
    ladder.streams[STREAM].release(PROXY)
    ladder.run(until=6.0)
    ladder.ask(to_stream(path="/other"))
    ladder.run(until=7.0)
    assert ladder.responses[-1].code == Code.SERVICE_UNAVAILABLE
    assert len(ladder.asked_of(STREAM)) == 1


def test_an_origin_that_takes_no_more_requests_when_one_has_to_be_asked_again_leaves_nobody_waiting():
    tag = (OptionNumber.ETAG, b"1")
    ladder = story(respond=lambda event: answered(Code.CONTENT, b"body", tag, (OptionNumber.MAX_AGE, b"\x01")))
    ladder.ask(to_stream())
    ladder.run(until=1.5)
    ladder.now = 10.0
    ladder.respond = lambda event: None
    ladder.ask(to_stream())
    ladder.run(until=10.0)
    origin = ladder.streams[STREAM]
    origin.send_response(ladder.asked_of(STREAM)[-1].exchange, answered(Code.VALID, b"", (tag[0], b"2")), 10.0)
    origin.release(PROXY)
    ladder.run(until=11.0)
    assert ladder.responses[-1].code == Code.SERVICE_UNAVAILABLE
    assert ladder.proxy.held["waiting"] == 0


def test_two_requests_wait_for_one_connection():
    ladder = story()
    for path in ("/a", "/b"):
        ladder.ask(to_stream(path=path), at=CLIENT)
    for data, _ in ladder.client.datagrams_to_send(0.0):
        ladder.proxy.receive_datagram(data, CLIENT, 0.0)
    ladder.proxy.run(0.0)
    assert ladder.proxy.held["waiting"] == 2
    ladder.run(until=5.0)
    assert sorted(message.payload for message in ladder.responses) == [b"/a", b"/b"]
    assert opened(ladder) == 1


# Connections of others


def test_a_connection_that_somebody_opened_from_an_origins_address_is_no_way_to_it():
    ladder = story(clients=replace(EVERYBODY, networks=("192.0.2.0/24", "198.51.100.0/24")))
    ladder.proxy.streams.connect(STREAM, 0.0)
    ladder.is_listening = False
    ladder.ask(to_stream())
    ladder.run(until=10.0)
    assert not ladder.asked_of(STREAM)
    assert [message.code for message in ladder.responses] == [Code.GATEWAY_TIMEOUT]


def test_who_is_no_client_has_no_connection():
    with pytest.raises(StateError, match="configured networks"):
        story().proxy.streams.connect(("203.0.113.1", 1), 0.0)


def test_one_address_has_its_share_of_connections_and_makes_room_when_it_leaves():
    streams = story(limits=LimitsConfig(max_connections_per_address=2)).proxy.streams
    streams.connect(("192.0.2.50", 1), 0.0)
    streams.connect(("192.0.2.50", 2), 0.0)
    with pytest.raises(StateError):
        streams.connect(("192.0.2.50", 3), 0.0)
    streams.disconnect(("192.0.2.50", 1), 0.0)
    streams.connect(("192.0.2.50", 3), 0.0)
    assert len(streams) == 2


def test_a_flood_of_connections_leaves_those_with_origins():
    ladder = story(limits=LimitsConfig(max_connections=4))
    ladder.ask(to_stream())
    ladder.run(until=5.0)
    streams = ladder.proxy.streams
    for number in range(40):
        streams.connect((f"192.0.2.{100 + number}", 1), 5.0)
        for address in streams.connections_to_close():
            streams.disconnect(address, 5.0)
        streams.datagrams_to_send(5.0)
    assert len(streams) <= 4 + len(ORIGINS) + 1
    ladder.ask(to_stream(path="/other"))
    ladder.proxy.run(5.0)
    assert streams.reach(STREAM)


def test_a_way_that_is_full_holds_bytes_back():
    ladder = story()
    ladder.dial()
    ladder.run(until=1.0)
    ladder.proxy.streams.pause(OVER_TCP, is_full=True)
    ladder.ask_over_tcp(to("legacy.example"))
    ladder.run(until=2.0)
    assert ladder.told(OVER_TCP) == []
    ladder.proxy.streams.pause(OVER_TCP, is_full=False)
    ladder.run(until=3.0)
    assert len(ladder.told(OVER_TCP)) == 1
    assert len(ladder.asked_of(LEGACY)) == 1
