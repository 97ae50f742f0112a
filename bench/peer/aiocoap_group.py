"""aiocoap's Group OSCORE for the bench: runs in build/peers/python, ``python bench/peer/aiocoap_group.py ROUNDS``.

Two members of a group in one process; datagram in, datagram out. It prints the nanoseconds of each step, by step.
"""

from __future__ import annotations

import json
import sys
from time import process_time_ns
from typing import Any

from aiocoap import CHANGED, NON, PUT, Message
from aiocoap.oscore import (
    SimpleGroupContext,
    algorithms,
    algorithms_countersign,
    hashfunctions,
    verify_start,
)

_AEAD = algorithms["AES-CCM-16-64-128"]
_CURVE = algorithms_countersign["ECDSA w/ SHA-256 on P-256"]


def main(rounds: int) -> None:
    keys = {kid: _CURVE.generate_with_ccs() for kid in (b"a", b"b")}
    client, server = _member(b"a", b"b", keys), _member(b"b", b"a", keys)
    pairwise = client.pairwise_for(b"b")
    steps: dict[str, list[int]] = {"group request": [], "pairwise request": [], "pairwise response": []}
    for number in range(rounds):
        started = process_time_ns()
        _ask(client, server, number)
        asked = process_time_ns()
        answering, request_id, sent_id = _ask(pairwise, server, number)
        asked_pairwise = process_time_ns()
        _answer(answering, request_id, pairwise, sent_id, number)
        answered = process_time_ns()
        steps["group request"].append(asked - started)
        steps["pairwise request"].append(asked_pairwise - asked)
        steps["pairwise response"].append(answered - asked_pairwise)
    print(json.dumps(steps))


def _member(own: bytes, other: bytes, keys: dict[bytes, Any]) -> Any:
    return SimpleGroupContext(
        _AEAD,
        hashfunctions["sha256"],
        _CURVE,
        _AEAD,
        _CURVE,
        group_id=b"g1",
        master_secret=bytes(16),
        master_salt=b"salt",
        sender_id=own,
        private_key=keys[own][0],
        sender_auth_cred=keys[own][1],
        peers={other: keys[other][1]},
        group_manager_cred=keys[b"a"][1],
    )


def _ask(context: Any, server: Any, number: int) -> tuple[Any, Any, Any]:
    """A request, protected, carried and verified; the server finds its context as its site does."""
    message = Message(code=PUT, uri_path=["light"], payload=b"on")
    protected, sent_id = context.protect(message)
    arrived = _carried(protected, number)
    found = server.get_oscore_context_for(verify_start(arrived))
    _, request_id = found.unprotect(arrived)
    return found.context_for_response(), request_id, sent_id


def _answer(context: Any, request_id: Any, client: Any, sent_id: Any, number: int) -> None:
    protected, _ = context.protect(Message(code=CHANGED), request_id)
    arrived = _carried(protected, number)
    client.context_from_response(verify_start(arrived)).unprotect(arrived, sent_id)


def _carried(message: Any, number: int) -> Any:
    message.mid, message.mtype, message.token = number & 0xFFFF, NON, b"t"
    return Message.decode(message.encode())


main(int(sys.argv[1]))
