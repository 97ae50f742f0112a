"""CPU time of a CoAP server process for one request, plain and OSCORE, beside aiocoap's in the same run.

Both answer a GET with twelve bytes over UDP on [::1]; the client prepares every datagram before the clock starts.
Ours is the whole controller: six planes, store on disk, pump, de-duplication, limits, counters, and the decision
under the scope of the thing's token. aiocoap's is a site with one resource behind its OSCORE wrapper, which decides
nothing, over the transport that it takes by itself and with contexts in files, as its documentation has it. The
telemetry request ends in the data plane's store. The same server with more associations loaded, of which one speaks, is
measured beside the one with this association alone.
"""

from __future__ import annotations

import json
import socket
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from bench.figure import Figure
from bench.load import Server, client, drive, serving
from thingstead.protocols.coap import message
from thingstead.protocols.coap.registry import Code
from thingstead.protocols.oscore.context import SecurityContext
from thingstead.protocols.oscore.protection import protect_request
from thingstead.protocols.profile import path
from thingstead.protocols.senml.pack import render_cbor
from thingstead.protocols.senml.record import Record
from thingstead.secret import Secret

__all__ = ["Contender", "aiocoap", "figures", "libcoap", "ours"]

_ROOT = Path(__file__).resolve().parents[1]
_LIBCOAP = _ROOT / "build" / "peers" / "libcoap" / "coap-server"
_PEER_PYTHON = _ROOT / "build" / "peers" / "python" / "bin" / "python"
# The vector keys of RFC 8613 appendix C.1: published, they protect nothing.
_SECRET, _SALT, _CLIENT_ID, _SERVER_ID = bytes(range(1, 17)), bytes.fromhex("9e7ca92223786340"), b"\x00", b"\x01"
_ROUNDS = 7
_OURS, _PEER = 6_000, 1_500
_LOADED = (1_000, 100_000)
_WINDOWS = {1: "one at a time", 64: "64 at once"}
_CLIENT_PORT = 100  # above the server's


@dataclass(frozen=True, slots=True)
class _Kind:
    """What is asked, and whether under OSCORE."""

    request: Callable[[], message.Message]
    is_protected: bool


@dataclass(frozen=True, slots=True)
class Contender:
    """A server and a client of it.

    Attributes:
        server: its process.
        socket: towards it.
        kinds: what it is asked.
        round: how many requests make a round.
        context: the client's side of the association.
        numbers: what message IDs and tokens are made of.
    """

    server: Server
    socket: socket.socket
    kinds: Mapping[str, _Kind]
    round: int
    context: SecurityContext
    numbers: Iterator[int]

    def microseconds(self, kind: str, *, window: int = 16) -> float:
        """CPU of one request, in one round with at most `window` of them unanswered."""
        requests = self.requests(kind, self.round)
        return drive(self.server, self.socket, requests, window=window) / len(requests) * 1e6

    def requests(self, kind: str, count: int) -> list[bytes]:
        """The next datagrams of a kind."""
        asked = self.kinds[kind]
        return [self.datagram(asked.request(), is_protected=asked.is_protected) for _ in range(count)]

    def datagram(self, request: message.Message, *, is_protected: bool) -> bytes:
        """A request as it goes out, with a message ID and a token of its own."""
        number = next(self.numbers)
        request.mid = number & 0xFFFF
        request.token = number.to_bytes(4, "big")
        return message.encode(protect_request(request, context=self.context)[0] if is_protected else request)


def figures() -> Iterator[Figure]:
    """Medians of rounds that alternate between the contenders; the first round warms up and does not count."""
    with ExitStack() as running:
        mine = ours(running, 56_830)
        peer = aiocoap(running, 56_831)
        floor = _start(running, 56_839, _OURS, [sys.executable, "-m", "bench.server.echo"], _PEER_KINDS)
        yield _figure("server CPU for one datagram returned, no CoAP", "plain", floor, None, "")
        bare = _start(running, 56_842, _OURS, [sys.executable, "-m", "bench.server.bare"], _PEER_KINDS)
        yield _figure(
            "server CPU for one OSCORE exchange by hand, no server around it", "OSCORE", bare, peer, "aiocoap"
        )
        for kind in _OUR_KINDS:
            beside = peer if kind in _PEER_KINDS else None
            yield _figure(
                f"server CPU for one request, {kind}", kind, mine, beside, beside.server.name if beside else ""
            )
        for number, (window, said) in enumerate(_WINDOWS.items()):
            # A new one each time: its message IDs must not come round, or it answers duplicates.
            peer = aiocoap(running, 56_840 + number)
            for kind in _PEER_KINDS:
                name = peer.server.name if peer else ""
                yield _figure(f"the same, {kind}, {said}", kind, mine, peer, name, window=window)
        other = libcoap(running, 56_838)
        if other is not None:
            for kind in _PEER_KINDS:
                yield _figure(f"the same, {kind}, beside libcoap", kind, mine, other, other.server.name)
        for number, count in enumerate(_LOADED):
            full = ours(running, 56_832 + number, options=[f"--contexts={count}"])
            yield _figure(f"the same, OSCORE, {count:,} contexts loaded", "OSCORE", full, mine, "one context")


def _figure(
    name: str, kind: str, first: Contender, second: Contender | None, second_name: str, *, window: int = 16
) -> Figure:
    mine, theirs = [], []
    for _ in range(_ROUNDS + 1):
        mine.append(first.microseconds(kind, window=window))
        if second is not None:
            theirs.append(second.microseconds(kind, window=window))
    beside = round(median(theirs[1:]), 2) if theirs else None
    return Figure(name, "us", round(median(mine[1:]), 2), beside, second_name)


def ours(running: ExitStack, port: int, *, options: Sequence[str] = ()) -> Contender:
    """Our server, with options of `bench.server.ours`, until the stack is left."""
    command = [sys.executable, "-m", "bench.server.ours", f"--client={port + _CLIENT_PORT}", *options]
    return _start(running, port, _OURS, command, _OUR_KINDS)


def aiocoap(running: ExitStack, port: int) -> Contender | None:
    """The peer, where it is installed."""
    if not _PEER_PYTHON.exists():
        print("ABSENT: build/peers; no figures beside aiocoap (make peers)", file=sys.stderr)
        return None
    return _start(running, port, _PEER, [str(_PEER_PYTHON), "bench/peer/aiocoap_server.py"], _PEER_KINDS)


def libcoap(running: ExitStack, port: int) -> Contender | None:
    """libcoap's example server, where it is built; it decides nothing either."""
    if not _LIBCOAP.exists():
        print("ABSENT: build/peers; no figures beside libcoap (make peers)", file=sys.stderr)
        return None
    return _start(running, port, _OURS, [sys.executable, "-m", "bench.peer.libcoap_server", str(_LIBCOAP)], _PEER_KINDS)


def _start(running: ExitStack, port: int, count: int, command: list[str], kinds: Mapping[str, _Kind]) -> Contender:
    folder = Path(running.enter_context(tempfile.TemporaryDirectory(prefix="bench-")))
    _write_context(folder)
    environment = {"PYTHONPATH": f"{_ROOT / 'src'}:{_ROOT}"}
    server = running.enter_context(serving([*command, str(port), str(folder)], port=port, environment=environment))
    peer = running.enter_context(client(server, port=port + _CLIENT_PORT))
    context = SecurityContext.derive(Secret(_SECRET), master_salt=_SALT, sender_id=_CLIENT_ID, recipient_id=_SERVER_ID)
    return Contender(server, peer, kinds, count, context, iter(range(1 << 32)))


def _write_context(folder: Path) -> None:
    """The server's side of the security context, in the form that aiocoap reads."""
    settings = {
        "sender-id_hex": _SERVER_ID.hex(),
        "recipient-id_hex": _CLIENT_ID.hex(),
        "secret_hex": _SECRET.hex(),
        "salt_hex": _SALT.hex(),
    }
    (folder / "settings.json").write_text(json.dumps(settings))


_READINGS = [Record(f"value-{number}", 1_795_435_200.0, 20.5 + number) for number in range(2)]
_OUR_KINDS = {
    "plain": _Kind(lambda: message.request(Code.GET, "/p"), is_protected=False),
    "OSCORE": _Kind(lambda: message.request(Code.GET, "/h"), is_protected=True),
    "OSCORE, telemetry of two values": _Kind(
        lambda: message.request(Code.POST, path.TELEMETRY, payload=render_cbor(_READINGS)), is_protected=True
    ),
}
_PEER_KINDS = {
    "plain": _Kind(lambda: message.request(Code.GET, "/h"), is_protected=False),
    "OSCORE": _Kind(lambda: message.request(Code.GET, "/h"), is_protected=True),
}
