"""CPU of Group OSCORE from datagram to datagram, both modes, beside aiocoap's: two members of a group, no sockets.

One protects and encodes, the other decodes and verifies; AES-CCM-16-64-128, ECDSA and ECDH with P-256. For each
pairwise request aiocoap derives the keys anew, as its site does; ours keeps them with the member. Medians over turns
that alternate; the peer runs in its own environment.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from statistics import median
from time import process_time_ns

from bench.figure import Figure
from thingstead.crypto.key import KeyType, SoftwareKey, generate
from thingstead.protocols.coap.message import Message, MessageType, decode, encode, request
from thingstead.protocols.coap.registry import Code
from thingstead.protocols.cwt import ccs
from thingstead.protocols.group_oscore.algorithms import GroupAlgorithms
from thingstead.protocols.group_oscore.binding import GroupBinding
from thingstead.protocols.group_oscore.context import Credential, GroupContext, OwnIdentity
from thingstead.protocols.group_oscore.protection import (
    protect_group_request,
    protect_group_response,
    unprotect_group_request,
    unprotect_group_response,
)
from thingstead.protocols.oscore.context import SequenceNumbers
from thingstead.secret import Secret

__all__ = ["figures"]

_ROOT = Path(__file__).resolve().parents[1]
_PEER = _ROOT / "build" / "peers" / "python" / "bin" / "python"
_TURNS, _ROUNDS, _WARM_UP = 5, 120, 20
_STEPS = {
    "group request": "request of the group mode",
    "pairwise request": "request of the pairwise mode",
    "pairwise response": "response of the pairwise mode",
}
_CLIENT, _SERVER = b"a", b"b"


def figures() -> Iterator[Figure]:
    """Microseconds of both ends together for one message, by kind."""
    keys = {kid: generate(KeyType.P256) for kid in (_CLIENT, _SERVER)}
    pair = _member(_CLIENT, keys), _member(_SERVER, keys)
    ours: dict[str, list[int]] = {step: [] for step in _STEPS}
    theirs: dict[str, list[int]] = {step: [] for step in _STEPS}
    for _ in range(_TURNS):
        _round(pair, ours)
        for step, taken in _aiocoap().items():
            theirs[step] += taken[_WARM_UP:]
    for step, shown in _STEPS.items():
        beside = round(median(theirs[step]) / 1000, 1) if theirs[step] else None
        mine = round(median(ours[step]) / 1000, 1)
        yield Figure(f"Group OSCORE, {shown}, both ends", "us", mine, beside, "aiocoap 0.4.17" if beside else "")


def _round(pair: tuple[GroupContext, GroupContext], taken: dict[str, list[int]]) -> None:
    for number in range(_ROUNDS):
        started = process_time_ns()
        _ask(pair, number, to=None)
        asked = process_time_ns()
        sent, arrived = _ask(pair, number, to=_SERVER)
        asked_pairwise = process_time_ns()
        protected = protect_group_response(Message(Code.CHANGED), binding=arrived)
        unprotect_group_response(_carried(protected, number), binding=sent)
        answered = process_time_ns()
        if number >= _WARM_UP:
            taken["group request"].append(asked - started)
            taken["pairwise request"].append(asked_pairwise - asked)
            taken["pairwise response"].append(answered - asked_pairwise)


def _ask(
    pair: tuple[GroupContext, GroupContext], number: int, *, to: bytes | None
) -> tuple[GroupBinding, GroupBinding]:
    client, server = pair
    protected, sent = protect_group_request(request(Code.PUT, "/light", payload=b"on"), context=client, to=to)
    _, arrived = unprotect_group_request(_carried(protected, number), context=server)
    return sent, arrived


def _carried(message: Message, number: int) -> Message:
    message.mid, message.type, message.token = number & 0xFFFF, MessageType.NON, b"t"
    return decode(encode(message))


def _member(own: bytes, keys: dict[bytes, SoftwareKey]) -> GroupContext:
    credentials = {kid: Credential(ccs.encode(key.public, kid=kid), key.public) for kid, key in keys.items()}
    context = GroupContext(
        b"g1",
        master_secret=Secret(bytes(16)),
        master_salt=b"salt",
        gm_credential=credentials[_CLIENT].original,
        algorithms=GroupAlgorithms(),
        own=OwnIdentity(own, credentials[own], keys[own], SequenceNumbers()),
    )
    for kid in keys.keys() - {own}:
        context.add_member(kid, credentials[kid])
    return context


def _aiocoap() -> dict[str, list[int]]:
    if not _PEER.exists():
        print("ABSENT: build/peers; no Group OSCORE beside aiocoap (make peers)", file=sys.stderr)
        return {}
    command = [str(_PEER), "bench/peer/aiocoap_group.py", str(_ROUNDS + _WARM_UP)]
    done = subprocess.run(command, cwd=_ROOT, stdout=subprocess.PIPE, text=True, check=True)
    times: dict[str, list[int]] = json.loads(done.stdout)
    return times
