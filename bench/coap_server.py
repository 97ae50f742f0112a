"""CPU time of a CoAP server process for one request, plain and OSCORE, beside aiocoap's in the same run.

Both answer GET /h with twelve bytes over UDP on [::1]; the client prepares every datagram before the clock starts.
"""

from __future__ import annotations

import json
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from bench.figure import Figure
from bench.load import Server, drive, serving
from thingstead.protocols.coap import message
from thingstead.protocols.coap.code import Code
from thingstead.protocols.oscore.context import SecurityContext
from thingstead.protocols.oscore.protection import protect_request
from thingstead.secret import Secret

_ROOT = Path(__file__).resolve().parents[1]
_PEER_PYTHON = _ROOT / "build" / "peers" / "bin" / "python"
# The vector keys of RFC 8613 appendix C.1: published, they protect nothing.
_SECRET, _SALT, _CLIENT_ID, _SERVER_ID = bytes(range(1, 17)), bytes.fromhex("9e7ca92223786340"), b"\x00", b"\x01"
_WARM_UP = 500
_COUNTS = {"ours": 40_000, "peer": 8_000}
_PORTS = {"ours": 56_830, "peer": 56_831}


def figures() -> Iterator[Figure]:
    """Two figures; the peer is left out, loudly, where its environment is absent."""
    ours = _measure("ours", [sys.executable, "-m", "bench.server.ours"])
    peer = _measure("peer", [str(_PEER_PYTHON), "bench/peer/aiocoap_server.py"]) if _PEER_PYTHON.exists() else None
    if peer is None:
        print("ABSENT: build/peers; no figures beside aiocoap (make peers)", file=sys.stderr)
    for kind in ("plain", "OSCORE"):
        beside = (peer[1][kind], peer[0]) if peer else (None, "")
        yield Figure(f"server CPU for one request, {kind}", "us", ours[1][kind], *beside)


def _measure(side: str, command: list[str]) -> tuple[str, dict[str, float]]:
    with tempfile.TemporaryDirectory() as folder:
        _write_context(Path(folder))
        environment = {"PYTHONPATH": f"{_ROOT / 'src'}:{_ROOT}"}
        with serving([*command, str(_PORTS[side]), folder], port=_PORTS[side], environment=environment) as server:
            return server.name, {
                "plain": _microseconds(server, _plain(_WARM_UP + _COUNTS[side])),
                "OSCORE": _microseconds(server, _protected(_WARM_UP + _COUNTS[side])),
            }


def _microseconds(server: Server, requests: list[bytes]) -> float:
    drive(server, requests[:_WARM_UP])
    return round(drive(server, requests[_WARM_UP:]) / (len(requests) - _WARM_UP) * 1e6, 2)


def _request(number: int) -> message.Message:
    request = message.request(Code.GET, "/h")
    request.mid = number & 0xFFFF
    request.token = number.to_bytes(4, "big")
    return request


def _plain(count: int) -> list[bytes]:
    return [message.encode(_request(number)) for number in range(count)]


def _protected(count: int) -> list[bytes]:
    context = SecurityContext.derive(Secret(_SECRET), master_salt=_SALT, sender_id=_CLIENT_ID, recipient_id=_SERVER_ID)
    return [message.encode(protect_request(_request(number), context=context)[0]) for number in range(count)]


def _write_context(folder: Path) -> None:
    """The server's side of the security context, in the form that aiocoap reads."""
    settings = {
        "sender-id_hex": _SERVER_ID.hex(),
        "recipient-id_hex": _CLIENT_ID.hex(),
        "secret_hex": _SECRET.hex(),
        "salt_hex": _SALT.hex(),
    }
    (folder / "settings.json").write_text(json.dumps(settings))
