"""A proxy between clients and origins that say anything."""

from __future__ import annotations

import random
from contextlib import suppress
from dataclasses import replace
from datetime import date

from tests.fuzz.target import Cursor, Target, ensure
from tests.properties.bounds import SMALL
from thingstead.endpoint.config import EndpointConfig, StreamConfig
from thingstead.endpoint.event import Address
from thingstead.errors import StateError
from thingstead.protocols.coap import tcp
from thingstead.protocols.coap.message import Message, MessageType, decode, encode
from thingstead.protocols.coap.registry import OPTIONS, Code, OptionNumber, Scheme
from thingstead.protocols.coap.tcp import FrameReader
from thingstead.protocols.coap.tcp_signal import Csm, encode_signal
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
_OVER_TCP = replace(
    _CONFIG,
    clients=replace(_CONFIG.clients, requests_per_second=1000.0),
    origin=tuple(replace(origin, scheme=Scheme.COAP_TCP) for origin in _CONFIG.origin),
)
_BOUNDS = EndpointConfig(strangers=SMALL)
_METHODS = (Code.GET, Code.GET, Code.POST, Code.FETCH, Code.PUT)
_CODES = (Code.CONTENT, Code.VALID, Code.CHANGED, Code.NOT_FOUND, Code.CONTINUE, Code.UNAUTHORIZED)
_TIMES = (0.0, 0.1, 3.0, 61.0, 300.0)
_NAMES = (b"a", b"b", b"c", b"coap", b"coap+tcp")
_MENU = (
    *(OptionNumber.URI_HOST, OptionNumber.PROXY_SCHEME, OptionNumber.PROXY_URI, OptionNumber.URI_PATH),
    *(OptionNumber.ETAG, OptionNumber.OBSERVE, OptionNumber.OSCORE, OptionNumber.MAX_AGE, OptionNumber.HOP_LIMIT),
    *(OptionNumber.BLOCK1, OptionNumber.BLOCK2, OptionNumber.ECHO, OptionNumber.URI_PORT, OptionNumber.ACCEPT),
)
_NAMED = frozenset((OptionNumber.URI_HOST, OptionNumber.PROXY_SCHEME, OptionNumber.URI_PATH))
_URIS = (b"coap://b/x", b"coap://[::1]/", b"coaps://b/", b"//b", b"coap://c", b"coap+tcp://b/x")


def _relay(data: bytes) -> None:
    """Nothing goes anywhere but to origins and clients; what is held is bounded; forged addresses get little."""
    cursor = Cursor(data)
    proxy = Proxy(_CONFIG, random_bytes=random.Random(1).randbytes, today=lambda: date(2026, 1, 1), endpoint=_BOUNDS)
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


def _translate(data: bytes) -> None:
    """Connections with clients and origins, opened and lost at any moment, hold no more than they may."""
    cursor = Cursor(data)
    proxy = Proxy(_OVER_TCP, random_bytes=random.Random(1).randbytes, today=lambda: date(2026, 1, 1), endpoint=_BOUNDS)
    streams, now = proxy.streams, 0.0
    there: dict[Address, list[Message]] = {}
    while not cursor.is_empty:
        address = (*_CLIENTS, *_ORIGINS)[cursor.number(5)]
        if address not in there and address not in _ORIGINS:
            with suppress(StateError):
                streams.connect(address, now)
                there[address] = []
                streams.receive_bytes(tcp.encode(encode_signal(Csm())), address, now)
        elif address in there and cursor.number(8):
            message = _message(cursor, _CODES if cursor.number(2) else _METHODS)
            message.token = there[address][0].token if there[address] else cursor.bytes(1)
            streams.receive_bytes(tcp.encode(message), address, now)
        elif address in there:
            del there[address]
            streams.disconnect(address, now)
        now += _TIMES[cursor.number(len(_TIMES))]
        proxy.run(now)
        for origin in streams.wanted():
            ensure(origin in _ORIGINS, f"a connection with {origin} was wanted")
            if cursor.number(3):
                streams.connect(origin, now, is_ours=True)
                there[origin] = []
                streams.receive_bytes(tcp.encode(encode_signal(Csm())), origin, now)
            else:
                streams.on_unopened(origin, now)
        for sent, address in streams.datagrams_to_send(now):
            ensure(address in there, f"something went to {address}")
            reader = FrameReader(StreamConfig().connection.limits)
            reader.receive(sent)
            while (found := reader.next_message()) is not None:
                there[address] = [found, *there[address][:3]]
        for address in streams.connections_to_close():
            there.pop(address, None)
            streams.disconnect(address, now)
        held = proxy.held
        ensure(max(held["waiting"], held["observers"]) <= _CONFIG.limits.max_requests, "too many requests wait")
        ensure(held["connections"] <= len(there) + len(_ORIGINS), "connections are counted that are not there")


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


_SEEDS = (bytes(40), bytes(range(120)), b"\x00\x02\x00\x01\x05\x03" * 20)
TARGETS = (Target("proxy", _relay, _SEEDS), Target("proxy over TCP", _translate, _SEEDS))
