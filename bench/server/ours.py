"""Our server for the bench: the endpoint on [::1], drained as the product's UDP adapter drains it; GET /h.

``python -m bench.server.ours PORT CONTEXT_FOLDER``; prints one line when it listens.
"""

from __future__ import annotations

import contextlib
import json
import os
import select
import socket
import sys
import time
from pathlib import Path

from thingstead import __version__
from thingstead.endpoint.association import Association
from thingstead.endpoint.config import EndpointConfig
from thingstead.endpoint.endpoint import Endpoint
from thingstead.endpoint.event import AssociationId, RequestReceived, SequenceNeeded
from thingstead.protocols.coap.code import Code
from thingstead.protocols.coap.message import Message
from thingstead.protocols.oscore.context import SecurityContext
from thingstead.secret import Secret

_BATCH = 64


def _context(folder: Path) -> SecurityContext:
    settings = {
        name: bytes.fromhex(value) for name, value in json.loads((folder / "settings.json").read_text()).items()
    }
    return SecurityContext.derive(
        Secret(settings["secret_hex"]),
        master_salt=settings["salt_hex"],
        sender_id=settings["sender-id_hex"],
        recipient_id=settings["recipient-id_hex"],
    )


def _answer(endpoint: Endpoint, now: float) -> None:
    while (event := endpoint.next_event()) is not None:
        match event:
            case RequestReceived(message=request):
                found = request.code == Code.GET and request.path == "/h"
                response = Message(Code.CONTENT, payload=b"Hello World!") if found else Message(Code.NOT_FOUND)
                endpoint.send_response(event.exchange, response, now)
            case SequenceNeeded():
                endpoint.sequence_reserved(event.association, event.upto)


def _serve(port: int, folder: Path) -> None:
    endpoint = Endpoint(EndpointConfig(), random_bytes=os.urandom)  # noqa: TID251  a composition root
    endpoint.install(Association(AssociationId("bench"), _context(folder)))
    with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as server:
        server.bind(("::1", port))
        server.setblocking(False)
        print("thingstead", __version__, flush=True)
        while True:
            deadline = endpoint.next_deadline()
            patience = None if deadline is None else max(0.0, deadline - time.monotonic())
            select.select([server], [], [], patience)
            now = time.monotonic()
            with contextlib.suppress(BlockingIOError):
                for _ in range(_BATCH):
                    data, source = server.recvfrom(2048)
                    endpoint.receive_datagram(data, source[:2], now)
            _answer(endpoint, now)
            for data, destination in endpoint.datagrams_to_send(now):
                server.sendto(data, destination)


_serve(int(sys.argv[1]), Path(sys.argv[2]))
