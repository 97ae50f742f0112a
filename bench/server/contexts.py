"""Print the resident bytes that each of COUNT associations costs an endpoint: unused, and after one request each.

``python -m bench.server.contexts COUNT``
"""

from __future__ import annotations

import gc
import os
import random
import sys
from pathlib import Path

from thingstead.endpoint.association import Association
from thingstead.endpoint.config import EndpointConfig
from thingstead.endpoint.endpoint import Endpoint
from thingstead.endpoint.event import AssociationId, RequestReceived
from thingstead.protocols.coap import message
from thingstead.protocols.coap.registry import Code
from thingstead.protocols.oscore.context import SecurityContext
from thingstead.protocols.oscore.protection import protect_request
from thingstead.secret import Secret

_PAGE = os.sysconf("SC_PAGE_SIZE")
_WARM_UP = 1000
_LATER = 3600.0


def main(count: int) -> None:
    endpoint = Endpoint(EndpointConfig(), random_bytes=random.Random(1).randbytes)
    last = count + _WARM_UP
    _install(endpoint, range(count, last + 1))
    _use(endpoint, range(count, last), 0.0)
    before = _resident()
    _install(endpoint, range(count))
    unused = _resident()
    _use(endpoint, range(count), 1.0)
    # A request so much later has the exchanges before it forgotten.
    _use(endpoint, range(last, last + 1), _LATER)
    used = _resident()
    print((unused - before) / count, (used - before) / count, flush=True)


def _install(endpoint: Endpoint, numbers: range) -> None:
    for number in numbers:
        kid = number.to_bytes(3, "big")
        context = SecurityContext.derive(Secret(number.to_bytes(16, "big")), sender_id=b"c", recipient_id=kid)
        endpoint.install(Association(AssociationId(f"{number:06}"), context, address=("::1", 5683)))


def _use(endpoint: Endpoint, numbers: range, now: float) -> None:
    for number in numbers:
        kid = number.to_bytes(3, "big")
        thing = SecurityContext.derive(Secret(number.to_bytes(16, "big")), sender_id=kid, recipient_id=b"c")
        data = message.encode(protect_request(message.request(Code.GET, "/h"), context=thing)[0])
        endpoint.receive_datagram(data, ("::1", 5683), now)
        event = endpoint.next_event()
        assert isinstance(event, RequestReceived)
        endpoint.send_response(event.exchange, message.Message(Code.CONTENT), now)
        endpoint.datagrams_to_send(now)


def _resident() -> int:
    gc.collect()
    return int(Path("/proc/self/statm").read_text().split()[1]) * _PAGE


main(int(sys.argv[1]))
