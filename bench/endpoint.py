"""What the endpoint alone costs for one request handled, in one process and without a socket.

Request in, event out, response in, datagram out; de-duplication, counters and bounds included.
"""

from __future__ import annotations

import gc
import random
import time
from collections.abc import Iterator

from bench.figure import Figure
from thingstead.endpoint.association import Association
from thingstead.endpoint.config import EndpointConfig
from thingstead.endpoint.endpoint import Endpoint
from thingstead.endpoint.event import AssociationId, RequestReceived
from thingstead.protocols.coap import message
from thingstead.protocols.coap.registry import Code
from thingstead.protocols.oscore.context import SecurityContext
from thingstead.protocols.oscore.protection import protect_request
from thingstead.secret import Secret

_COUNT = 20_000
_ROUNDS = 5
_SOURCE = ("::1", 5683)


def figures() -> Iterator[Figure]:
    """The best of five rounds each, which is the least disturbed one."""
    for kind, is_protected in (("plain", False), ("OSCORE", True)):
        best = min(_round(is_protected=is_protected) for _ in range(_ROUNDS))
        yield Figure(f"endpoint CPU for one request, {kind} (no socket)", "us", round(best, 2))


def _round(*, is_protected: bool) -> float:
    endpoint = Endpoint(EndpointConfig(), random_bytes=random.Random(1).randbytes)
    endpoint.install(Association(AssociationId("a"), _context(b"\x01", b"\x00"), address=_SOURCE))
    datagrams = _datagrams(is_protected=is_protected)
    gc.collect()
    started = time.process_time()
    serve(endpoint, datagrams)
    return (time.process_time() - started) / len(datagrams) * 1e6


def serve(endpoint: Endpoint, datagrams: list[bytes]) -> None:
    """Answer each datagram as an adapter and an application would."""
    now = 0.0
    for data in datagrams:
        now += 0.0001
        endpoint.receive_datagram(data, _SOURCE, now)
        event = endpoint.next_event()
        assert isinstance(event, RequestReceived)
        assert event.message.path == "/h"
        endpoint.send_response(event.exchange, message.Message(Code.CONTENT, payload=b"Hello World!"), now)
        assert len(endpoint.datagrams_to_send(now)) == 1
        endpoint.next_deadline()


def _context(sender_id: bytes, recipient_id: bytes) -> SecurityContext:
    return SecurityContext.derive(Secret(bytes(16)), sender_id=sender_id, recipient_id=recipient_id)


def _datagrams(*, is_protected: bool) -> list[bytes]:
    context = _context(b"\x00", b"\x01")
    datagrams = []
    for number in range(_COUNT):
        request = message.request(Code.GET, "/h")
        request.mid = number & 0xFFFF
        request.token = number.to_bytes(4, "big")
        datagrams.append(message.encode(protect_request(request, context=context)[0] if is_protected else request))
    return datagrams
