"""Our server for the bench: GET /h over CoAP and OSCORE on [::1]. So far the protocols over a bare socket:
de-duplication, retransmission and the access decision are not in it.

``python -m bench.server.ours PORT CONTEXT_FOLDER``; prints one line when it listens.
"""

from __future__ import annotations

import json
import socket
import sys
from pathlib import Path

from thingstead import __version__
from thingstead.protocols.coap import message
from thingstead.protocols.coap.code import Code
from thingstead.protocols.coap.message import Message, MessageType
from thingstead.protocols.coap.option import OptionNumber
from thingstead.protocols.oscore.context import SecurityContext
from thingstead.protocols.oscore.protection import protect_response, unprotect_request
from thingstead.secret import Secret


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


def _answer(request: Message) -> Message:
    found = request.code == Code.GET and request.path == "/h"
    return Message(Code.CONTENT if found else Code.NOT_FOUND, payload=b"Hello World!" if found else b"")


def _respond(data: bytes, context: SecurityContext) -> bytes:
    request = message.decode(data)
    if request.option(OptionNumber.OSCORE) is None:
        response = _answer(request)
    else:
        inner, binding = unprotect_request(request, context=context)
        response = protect_response(_answer(inner), binding=binding)
    response.type, response.mid, response.token = MessageType.ACK, request.mid, request.token
    return message.encode(response)


def _serve(port: int, folder: Path) -> None:
    context = _context(folder)
    with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as server:
        server.bind(("::1", port))
        print("thingstead", __version__, flush=True)
        while True:
            data, source = server.recvfrom(2048)
            server.sendto(_respond(data, context), source)


_serve(int(sys.argv[1]), Path(sys.argv[2]))
