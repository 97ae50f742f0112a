"""Area oscore: a map of cases that give the inputs of RFC 8613 appendix C and some of what comes of them.

An absent identifier or salt is the empty one. Who we are, client or server, shows in the kid of OSCORE_REQ.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

from tests.conformance.outcome import ManifestEntry, Outcome, failed, passed
from thingstead.crypto.algorithm import AlgorithmId
from thingstead.errors import DecodeError, ThingsteadError
from thingstead.protocols.coap import message as coap
from thingstead.protocols.oscore.context import SecurityContext, SequenceNumbers
from thingstead.protocols.oscore.derivation import KeyDerivation
from thingstead.protocols.oscore.option import decode_partial_iv
from thingstead.protocols.oscore.protection import (
    protect_request,
    protect_response,
    read_option,
    unprotect_request,
    unprotect_response,
)
from thingstead.secret import Secret

__all__ = ["run"]


def run(file: Path, entry: ManifestEntry) -> Iterator[Outcome]:
    """One outcome for each case."""
    for name, row in json.loads(file.read_bytes()).items():
        try:
            problems = list(_problems({key: bytes.fromhex(value) for key, value in row.items()}))
        except (KeyError, ValueError, ThingsteadError) as error:
            problems = [repr(error)]
        yield failed(name, "; ".join(problems)) if problems else passed(name)


def _problems(case: dict[str, bytes]) -> Iterator[str]:
    yield from _keys(case)
    if "OSCORE_REQ" in case:
        yield from _exchange(case)
    if "COAP_ACK" in case:
        yield from _unprotected(case["COAP_ACK"])


def _keys(case: dict[str, bytes]) -> Iterator[str]:
    derivation = KeyDerivation(
        Secret(case["MASTER_SECRET"]),
        master_salt=case.get("MASTER_SALT", b""),
        id_context=case.get("ID_CONTEXT"),
        digest_id=AlgorithmId.SHA_256,
    )
    wanted = {
        "SENDER_KEY": ("Key", case.get("SENDER_ID", b""), 16),
        "RECIPIENT_KEY": ("Key", case.get("RECIPIENT_ID", b""), 16),
        "COMMON_IV": ("IV", b"", 13),
    }
    for name, (label, id_, size) in wanted.items():
        if name in case and derivation.derive(label, id_=id_, algorithm_id=10, size=size) != case[name]:
            yield f"{name} differs"


def _exchange(case: dict[str, bytes]) -> Iterator[str]:
    outer, inner = coap.decode(case["OSCORE_REQ"]), coap.decode(case["COAP_REQ"])
    option = read_option(outer)
    context = SecurityContext.derive(
        Secret(case["MASTER_SECRET"]),
        master_salt=case.get("MASTER_SALT", b""),
        sender_id=case.get("SENDER_ID", b""),
        recipient_id=case.get("RECIPIENT_ID", b""),
        id_context=case.get("ID_CONTEXT"),
        sequence=SequenceNumbers(decode_partial_iv(option.partial_iv or b"")),
    )
    response = coap.decode(case["COAP_RESPONSE"])
    if option.kid == context.sender.sender_id:
        message, binding = protect_request(inner, context=context)
        if coap.encode(message) != case["OSCORE_REQ"]:
            yield "the protected request differs"
        if unprotect_response(coap.decode(case["OSCORE_RESP"]), binding=binding) != response:
            yield "the response differs"
        return
    request, binding = unprotect_request(outer, context=context)
    if request != inner:
        yield "the request differs"
    if coap.encode(protect_response(response, binding=binding)) != case["OSCORE_RESP"]:
        yield "the protected response differs"


def _unprotected(data: bytes) -> Iterator[str]:
    try:
        read_option(coap.decode(data))
    except DecodeError:
        return
    yield "an Empty message was taken for an OSCORE message"
