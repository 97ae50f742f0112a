"""libcoap's own example server, for the bench: ``python bench/peer/libcoap_server.py COAP_SERVER PORT FOLDER``.

This process becomes it, so that its CPU time is the server's; a child puts twelve bytes at /h and 256 KiB at /b, and
then says that it is there.
"""

from __future__ import annotations

import json
import os
import socket
import sys
import time
from pathlib import Path

from thingstead.protocols.coap.block import Block
from thingstead.protocols.coap.message import Message, decode, encode, request
from thingstead.protocols.coap.registry import Code, OptionNumber

_BLOCKS = 256
_TRIES = 100
_PAUSE = 0.1


def main(program: str, port: int, folder: Path) -> None:
    if os.fork() == 0:
        _fill(port)
        print("libcoap 4.3.5", flush=True)
        os._exit(0)
    arguments = ["-A", "::1", "-p", str(port), "-d", "10", "-v", "0", "-E", f"{_context(folder)},{folder / 'sequence'}"]
    os.execv(program, [program, *arguments])


def _context(folder: Path) -> Path:
    settings = json.loads((folder / "settings.json").read_text())
    names = {
        "master_secret": "secret_hex",
        "master_salt": "salt_hex",
        "sender_id": "sender-id_hex",
        "recipient_id": "recipient-id_hex",
    }
    lines = [f'{name},hex,"{settings[key]}"\n' for name, key in names.items()]
    # The driver's requests are made beforehand: none could bring an Echo value back.
    (folder / "context").write_text("".join([*lines, "rfc8613_b_1_2,bool,false\n"]))
    return folder / "context"


def _fill(port: int) -> None:
    with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as sock:
        sock.settimeout(_PAUSE)
        sock.connect(("::1", port))
        _put(sock, request(Code.PUT, "/h", payload=b"Hello World!"))
        for number in range(_BLOCKS):
            block = (int(OptionNumber.BLOCK1), Block(number, number < _BLOCKS - 1, 6).encode())
            piece = request(Code.PUT, "/b", payload=bytes(1024)).with_options(block)
            piece.mid, piece.token = number + 1, b"b"
            _put(sock, piece)


def _put(sock: socket.socket, asked: Message) -> None:
    for _ in range(_TRIES):
        try:
            sock.send(encode(asked))
            answer = decode(sock.recv(2048))
        except (TimeoutError, ConnectionRefusedError):
            time.sleep(_PAUSE)
            continue
        if answer.code in (Code.CREATED, Code.CHANGED, Code.CONTINUE):
            return
    raise SystemExit("libcoap's server does not take what is put there")


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), Path(sys.argv[3]))
