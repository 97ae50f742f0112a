"""Print the resident bytes that each of N joined, idle things costs: ``python -m bench.server.idle N``.

A thing is its record and its association in the endpoint, after one protected request whose exchange is forgotten.
Resident size, not Python's own count, so that what the libraries below hold is in it.
"""

from __future__ import annotations

import gc
import os
import sys
from datetime import UTC, datetime
from pathlib import Path

from thingstead.domain.lifecycle import LifecycleState, Restriction
from thingstead.domain.thing import KeyRow, Thing
from thingstead.endpoint.association import Association
from thingstead.endpoint.config import EndpointConfig
from thingstead.endpoint.endpoint import Endpoint
from thingstead.endpoint.event import AssociationId, RequestReceived, SequenceNeeded
from thingstead.identifier import thing_id_from_random
from thingstead.protocols.coap import message
from thingstead.protocols.coap.code import Code
from thingstead.protocols.oscore.context import SecurityContext
from thingstead.protocols.oscore.protection import protect_request
from thingstead.secret import Secret

_AT = datetime(2026, 11, 23, tzinfo=UTC)
_PAGE = os.sysconf("SC_PAGE_SIZE")


def _resident() -> int:
    gc.collect()
    return int(Path("/proc/self/statm").read_text().split()[1]) * _PAGE


def _thing(number: int) -> Thing:
    return Thing(
        id=thing_id_from_random(number.to_bytes(10, "big")),
        version=3,
        state=LifecycleState.OPERATIONAL,
        restriction=Restriction.NONE,
        maker="lamps.example",
        model=f"lamp-{number % 3}",
        serial=f"L-{number:06}",
        device_class=2,
        mud_url=f"https://lamps.example/lamp-{number % 3}.json",
        zone="floor-1",
        support_end=_AT,
        keys=(KeyRow(number.to_bytes(32, "big"), "maker", _AT), KeyRow(number.to_bytes(32, "little"), "domain", _AT)),
        joined_at=_AT,
    )


def _speak(endpoint: Endpoint, number: int, now: float) -> None:
    """Join by installing both ends of a context, and let the thing send one request."""
    secret, kid = Secret(number.to_bytes(16, "big")), number.to_bytes(3, "big")
    thing = SecurityContext.derive(secret, sender_id=kid, recipient_id=b"c")
    association = SecurityContext.derive(secret, sender_id=b"c", recipient_id=kid)
    endpoint.install(Association(AssociationId(kid.hex()), association))
    request, _binding = protect_request(message.request(Code.POST, "/t", payload=b"x"), context=thing)
    request.mid = number & 0xFFFF
    endpoint.receive_datagram(message.encode(request), ("::1", number & 0xFFFF), now)
    while (event := endpoint.next_event()) is not None:
        match event:
            case RequestReceived():
                endpoint.send_response(event.exchange, message.Message(Code.CHANGED), now)
            case SequenceNeeded():
                endpoint.sequence_reserved(event.association, event.upto)
    endpoint.datagrams_to_send(now)


def _measure(count: int) -> float:
    endpoint = Endpoint(EndpointConfig(), random_bytes=os.urandom)  # noqa: TID251  a composition root
    _speak(endpoint, 1 << 20, 0.0)
    before = _resident()
    records = {}
    for number in range(count):
        records[number] = _thing(number)
        _speak(endpoint, number, float(number))
    endpoint.datagrams_to_send(count + 3600.0)
    return (_resident() - before) / len(records)


print(_measure(int(sys.argv[1])))
