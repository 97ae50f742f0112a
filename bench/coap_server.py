"""CPU time of a CoAP server process for one request, plain and OSCORE, beside aiocoap's in the same run.

Both answer a GET with twelve bytes over UDP on [::1]; the client prepares every datagram before the clock starts.
Ours is the whole controller: six planes, store on disk, pump, de-duplication, limits, counters, and the decision
under the scope of the thing's token. aiocoap's is a site with one resource behind its OSCORE wrapper, which decides
nothing. The telemetry request ends in the data plane's store.
"""

from __future__ import annotations

import json
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from statistics import median

from bench.figure import Figure
from bench.load import Server, drive, serving
from thingstead.protocols.coap import message
from thingstead.protocols.coap.code import Code
from thingstead.protocols.oscore.context import SecurityContext
from thingstead.protocols.oscore.protection import protect_request
from thingstead.protocols.profile import path
from thingstead.protocols.senml.pack import render_cbor
from thingstead.protocols.senml.record import Record
from thingstead.secret import Secret

_ROOT = Path(__file__).resolve().parents[1]
_PEER_PYTHON = _ROOT / "build" / "peers" / "python" / "bin" / "python"
# The vector keys of RFC 8613 appendix C.1: published, they protect nothing.
_SECRET, _SALT, _CLIENT_ID, _SERVER_ID = bytes(range(1, 17)), bytes.fromhex("9e7ca92223786340"), b"\x00", b"\x01"
_ROUNDS = 7
_OURS, _PEER = ("ours", 56_830, 6_000), ("peer", 56_831, 1_500)


@dataclass(frozen=True, slots=True)
class _Kind:
    """What is asked, and whether under OSCORE."""

    request: Callable[[], message.Message]
    is_protected: bool


@dataclass(frozen=True, slots=True)
class _Contender:
    """A server, the requests of each kind it is still to get, and how many make a round."""

    server: Server
    requests: Mapping[str, Iterator[bytes]]
    round: int

    def microseconds(self, kind: str) -> float:
        """CPU of one request, in one round."""
        requests = list(islice(self.requests[kind], self.round))
        return drive(self.server, requests) / len(requests) * 1e6


def figures() -> Iterator[Figure]:
    """Medians of rounds that alternate between the contenders; the first round warms up and does not count."""
    with ExitStack() as running:
        ours = _start(running, *_OURS, [sys.executable, "-m", "bench.server.ours"], _OUR_KINDS)
        peer = None
        if _PEER_PYTHON.exists():
            peer = _start(running, *_PEER, [str(_PEER_PYTHON), "bench/peer/aiocoap_server.py"], _PEER_KINDS)
        else:
            print("ABSENT: build/peers; no figures beside aiocoap (make peers)", file=sys.stderr)
        for kind in _OUR_KINDS:
            beside = peer if kind in _PEER_KINDS else None
            mine, theirs = [], []
            for _ in range(_ROUNDS + 1):
                mine.append(ours.microseconds(kind))
                if beside is not None:
                    theirs.append(beside.microseconds(kind))
            named = (round(median(theirs[1:]), 2), beside.server.name) if beside is not None else (None, "")
            yield Figure(f"server CPU for one request, {kind}", "us", round(median(mine[1:]), 2), *named)


def _start(
    running: ExitStack, side: str, port: int, count: int, command: list[str], kinds: Mapping[str, _Kind]
) -> _Contender:
    folder = Path(running.enter_context(tempfile.TemporaryDirectory(prefix=f"bench-{side}-")))
    _write_context(folder)
    environment = {"PYTHONPATH": f"{_ROOT / 'src'}:{_ROOT}"}
    server = running.enter_context(serving([*command, str(port), str(folder)], port=port, environment=environment))
    context = SecurityContext.derive(Secret(_SECRET), master_salt=_SALT, sender_id=_CLIENT_ID, recipient_id=_SERVER_ID)
    numbers = iter(range(1 << 32))
    return _Contender(server, {name: _datagrams(kind, context, numbers) for name, kind in kinds.items()}, count)


def _datagrams(kind: _Kind, context: SecurityContext, numbers: Iterator[int]) -> Iterator[bytes]:
    for number in numbers:
        request = kind.request()
        request.mid = number & 0xFFFF
        request.token = number.to_bytes(4, "big")
        yield message.encode(protect_request(request, context=context)[0] if kind.is_protected else request)


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
