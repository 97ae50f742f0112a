"""A proxy between clients and origins that say anything."""

from __future__ import annotations

import random
from datetime import date

from tests.fuzz.target import Cursor, Target, ensure
from tests.properties.bounds import SMALL
from thingstead.endpoint.config import EndpointConfig
from thingstead.endpoint.event import Address
from thingstead.protocols.coap.message import Message, MessageType, decode, encode
from thingstead.protocols.coap.registry import OPTIONS, Code, OptionNumber
from thingstead.proxy.config import (
    Approach,
    CacheConfig,
    ClientsConfig,
    LimitsConfig,
    ListenConfig,
    OriginConfig,
    ProxyConfig,
)
from thingstead.proxy.core import Proxy

_CLIENTS: tuple[Address, ...] = (("192.0.2.10", 1), ("192.0.2.11", 1), ("203.0.113.1", 1))
_ORIGINS: tuple[Address, ...] = (("198.51.100.1", 5683), ("198.51.100.2", 5683))
_CONFIG = ProxyConfig(
    listen=ListenConfig(host="192.0.2.1"),
    clients=ClientsConfig(networks=("192.0.2.0/24",), verified=("192.0.2.10/32",), max_addresses=2),
    cache=CacheConfig(max_responses=3, max_bytes=3000),
    limits=LimitsConfig(max_requests=4, max_observations=2),
    origin=(
        OriginConfig(name="a", address=_ORIGINS[0][0], reverse=True),
        OriginConfig(
            name="b",
            address=_ORIGINS[1][0],
            approach=Approach.SHARED_CREDENTIALS,
            exception_until=date.max,
            exception_reason="in a test",
        ),
    ),
)
_METHODS = (Code.GET, Code.GET, Code.POST, Code.FETCH, Code.PUT)
_CODES = (Code.CONTENT, Code.VALID, Code.CHANGED, Code.NOT_FOUND, Code.CONTINUE, Code.UNAUTHORIZED)
_TIMES = (0.0, 0.1, 3.0, 61.0, 300.0)
_NAMES = (b"a", b"b", b"c", b"coap", b"coaps")
_MENU = (
    *(OptionNumber.URI_HOST, OptionNumber.PROXY_SCHEME, OptionNumber.PROXY_URI, OptionNumber.URI_PATH),
    *(OptionNumber.ETAG, OptionNumber.OBSERVE, OptionNumber.OSCORE, OptionNumber.MAX_AGE, OptionNumber.HOP_LIMIT),
    *(OptionNumber.BLOCK1, OptionNumber.BLOCK2, OptionNumber.ECHO, OptionNumber.URI_PORT, OptionNumber.ACCEPT),
)
_NAMED = frozenset((OptionNumber.URI_HOST, OptionNumber.PROXY_SCHEME, OptionNumber.URI_PATH))
_URIS = (b"coap://b/x", b"coap://[::1]/", b"coaps://b/", b"//b", b"coap://c")


def _relay(data: bytes) -> None:
    """Nothing goes anywhere but to origins and clients; what is held is bounded; forged addresses get little."""
    cursor = Cursor(data)
    bounds = EndpointConfig(strangers=SMALL)
    proxy = Proxy(_CONFIG, random_bytes=random.Random(1).randbytes, today=lambda: date(2026, 1, 1), endpoint=bounds)
    now, received, sent = 0.0, 0, 0
    asked: list[tuple[Message, Address]] = []
    while not cursor.is_empty:
        if cursor.number(2) and asked:
            about, origin = asked[cursor.number(len(asked))]
            answer = _message(cursor, _CODES)
            answer.token, answer.mid, answer.type = about.token, about.mid, MessageType(cursor.number(4))
            proxy.receive_datagram(encode(answer), origin, now)
        else:
            message = _message(cursor, _METHODS)
            message.type, message.mid, message.token = MessageType(cursor.number(2)), cursor.number(8), cursor.bytes(1)
            source = _CLIENTS[cursor.number(len(_CLIENTS))]
            datagram = encode(message)
            received += len(datagram) * (source == _CLIENTS[1])
            proxy.receive_datagram(datagram, source, now)
        now += _TIMES[cursor.number(len(_TIMES))]
        proxy.run(now)
        for datagram, destination in proxy.datagrams_to_send(now):
            ensure(destination in (*_CLIENTS, *_ORIGINS), f"something went to {destination}")
            sent += len(datagram) * (destination == _CLIENTS[1])
            if destination in _ORIGINS:
                asked = [*asked[-5:], (decode(datagram), destination)]
        ensure(sent <= 3 * received, "a client that may be forged got more than three times what it sent")
        held = proxy.held
        ensure(max(held["waiting"], held["observers"]) <= _CONFIG.limits.max_requests, "too many requests wait")
        ensure(held["cached"] <= 3 and held["cached_bytes"] <= 3000, "too much is cached")
        ensure(held["addresses"] <= 2, "too many addresses are remembered")


def _message(cursor: Cursor, codes: tuple[Code, ...]) -> Message:
    options = []
    for number in sorted({int(_MENU[cursor.number(len(_MENU))]) for _ in range(cursor.number(5))}):
        if number in _NAMED:
            value = _NAMES[cursor.number(len(_NAMES))]
        elif number == OptionNumber.PROXY_URI:
            value = _URIS[cursor.number(len(_URIS))]
        else:
            row = OPTIONS[number]
            value = cursor.bytes(row.min_size + cursor.number(1 + min(row.max_size, 6) - row.min_size))
        options.append((number, value))
    return Message(codes[cursor.number(len(codes))], options=options, payload=bytes(cursor.number(5) * 300))


TARGETS = (Target("proxy", _relay, (bytes(40), bytes(range(120)), b"\x00\x02\x00\x01\x05\x03" * 20)),)
