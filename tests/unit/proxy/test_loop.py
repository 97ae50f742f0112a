import random

import pytest

from tests.unit.endpoint.ladder import answered, endpoint, events
from tests.unit.proxy.ladder import EVERYBODY, LENT, TODAY, ProxyLadder
from tests.unit.proxy.test_core import to
from thingstead.protocols.coap.message import Message
from thingstead.protocols.coap.registry import Code, OptionNumber
from thingstead.proxy.config import LimitsConfig, ListenConfig, OriginConfig, ProxyConfig
from thingstead.proxy.core import Proxy
from thingstead.proxy.loop import LoopError, hop_limit_reached, with_our_name

REACHED = Code.HOP_LIMIT_REACHED


@pytest.mark.spec("RFC 8768 4")
@pytest.mark.parametrize(
    ("before", "after"),
    [(b"", b"us"), (b"p1", b"us p1"), (b"p2 p1", b"us p2 p1"), (b"use", b"us use"), (b"p" * 509, b"us " + b"p" * 509)],
)
def test_a_proxy_puts_its_name_before_those_that_a_response_names(before, after):
    assert with_our_name(Message(REACHED, payload=before), "us").payload == after


@pytest.mark.spec("RFC 8768 4")
def test_names_that_would_not_fit_pass_as_they_are():
    full = Message(REACHED, payload=b"p" * 510)
    assert with_our_name(full, "us") is full


@pytest.mark.spec("RFC 8768 4")
@pytest.mark.parametrize("names", [b"us", b"p1 us", b"us p1", b"p2 us p1"])
def test_a_response_that_names_us_does_not_go_on(names):
    with pytest.raises(LoopError):
        with_our_name(Message(REACHED, payload=names), "us")


@pytest.mark.parametrize(
    "response",
    [
        Message(Code.CONTENT, payload=b"us"),
        Message(Code.BAD_GATEWAY, payload=b"us"),
        Message(REACHED, options=[(int(OptionNumber.CONTENT_FORMAT), b"\x3c")], payload=b"us"),
    ],
)
def test_what_is_no_list_of_names_is_not_touched(response):
    assert with_our_name(response, "us") is response


@pytest.mark.spec("RFC 8768 4")
def test_the_last_proxy_names_itself_and_the_ones_before_it_put_theirs_in_front():
    assert hop_limit_reached("us").payload == b"us"
    ladder = ProxyLadder(respond=lambda event: answered(REACHED, b"p1"))
    ladder.ask(to("legacy.example"))
    ladder.run(until=1.0)
    assert [(m.code, m.payload) for m in ladder.responses] == [(REACHED, b"192.0.2.1:5690 p1")]


# Proxies that are each other's origin

HOSTS = ("192.0.2.1", "192.0.2.2", "192.0.2.3")
CLIENT = ("192.0.2.10", 40000)


def ring(size, hop_limit=16):
    """Proxies in a circle, and the messages that pass between them until nothing moves."""
    addresses = [(host, 5683) for host in HOSTS[:size]]
    proxies = {}
    for number, (host, port) in enumerate(addresses):
        nearest = OriginConfig(name="x", address=HOSTS[(number + 1) % size], reverse=True, **LENT)
        config = ProxyConfig(
            listen=ListenConfig(host=host, port=port, name=f"p{number}"),
            clients=EVERYBODY,
            limits=LimitsConfig(hop_limit=hop_limit),
            origin=(nearest,),
        )
        proxies[host, port] = Proxy(config, random_bytes=random.Random(number).randbytes, today=lambda: TODAY)
    return addresses[0], proxies


def asked_in_circles(size, hop_limit=16):
    first, proxies = ring(size, hop_limit)
    client = endpoint(9)
    sides = {CLIENT: client, **proxies}
    client.send_request(to(None), first, 0.0)
    told, carried, now = [], 0, 0.0
    while now < 60.0:
        moved = False
        for address, side in sides.items():
            if side is not client:
                side.run(now)
            for data, destination in side.datagrams_to_send(now):
                moved, carried = True, carried + 1
                sides[destination].receive_datagram(data, address, now)
        told += events(client)
        if not moved:
            # Each waits for an acknowledgement before it asks the next one again (NSTART).
            due = [at for side in sides.values() if (at := side.next_deadline()) is not None]
            now = max(now, min(due, default=60.0))
    return [event.message for event in told], carried, proxies


@pytest.mark.spec("RFC 8768 3")
@pytest.mark.parametrize("size", [2, 3])
def test_a_circle_of_proxies_ends_a_request_soon_and_holds_nothing(size):
    told, carried, proxies = asked_in_circles(size)
    assert [message.code for message in told] == [Code.BAD_GATEWAY]
    assert carried <= 6 * 17
    assert all(proxy.held["waiting"] == 0 for proxy in proxies.values())
    assert sum(proxy.counters.get("hop-limit", 0) for proxy in proxies.values()) == 1
    assert sum(proxy.counters.get("loop", 0) for proxy in proxies.values()) >= 1


def test_a_way_that_is_only_too_long_is_told_with_the_names_along_it():
    told, _, _ = asked_in_circles(3, hop_limit=2)
    assert [(message.code, message.payload) for message in told] == [(REACHED, b"p0 p1 p2")]
