"""Send to a CoAP server on [::1] as fast as one core can, and print how many datagrams went out.

``python -m bench.server.strangers PORT SECONDS CORE``
"""

from __future__ import annotations

import os
import random
import socket
import sys
import time
from contextlib import ExitStack
from itertools import cycle

from thingstead.protocols.coap import message
from thingstead.protocols.coap.message import Message
from thingstead.protocols.coap.registry import Code, OptionNumber

_SOCKETS = 64
_DATAGRAMS = 4096
_BETWEEN_LOOKS = 256


def main(port: int, seconds: float, core: int) -> None:
    os.sched_setaffinity(0, [core])
    source = random.Random(1)
    with ExitStack() as opened:
        sockets = [opened.enter_context(socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)) for _ in range(_SOCKETS)]
        for sock in sockets:
            sock.connect(("::1", port))
            sock.setblocking(False)
        senders = cycle([sock.send for sock in sockets])
        datagrams = cycle([_datagram(source, number) for number in range(_DATAGRAMS)])
        count, end = 0, time.monotonic() + seconds
        while time.monotonic() < end:
            for _ in range(_BETWEEN_LOOKS):
                try:
                    next(senders)(next(datagrams))
                    count += 1
                except OSError:
                    continue
        print(count)


def _datagram(source: random.Random, number: int) -> bytes:
    """A public request, one of a kid that nobody has, or one of a thing's kid with a wrong tag."""
    token = number.to_bytes(2, "big")
    if number % 3 == 0:
        request = message.request(Code.GET, "/p")
        request.token = token
    else:
        kid = b"\x00" if number % 3 == 1 else source.randbytes(3)
        option = (int(OptionNumber.OSCORE), b"\x0a" + (0x4000 + number).to_bytes(2, "big") + kid)
        request = Message(Code.POST, token=token, options=[option], payload=source.randbytes(12))
    request.mid = number
    return message.encode(request)


main(int(sys.argv[1]), float(sys.argv[2]), int(sys.argv[3]))
