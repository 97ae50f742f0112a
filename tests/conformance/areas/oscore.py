"""Area oscore: files laid out like rfc8613_app_c.json, {name: {MASTER_SECRET, SENDER_ID, COAP_REQ, OSCORE_REQ, ...}}.

An identifier or salt that a case leaves out is empty. Each case is played from both ends: whoever's kid is in the
protected request is the client, and the numbers on the wire say where its sequence stands.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.conformance.outcome import ManifestEntry, Outcome, failed, not_covered, passed
from thingstead.crypto.algorithm import AlgorithmId
from thingstead.errors import ThingsteadError
from thingstead.protocols.coap import message
from thingstead.protocols.coap.message import Message
from thingstead.protocols.oscore.binding import RequestBinding
from thingstead.protocols.oscore.context import SecurityContext, SequenceNumbers
from thingstead.protocols.oscore.derivation import KeyDerivation
from thingstead.protocols.oscore.option import OscoreOption, decode_partial_iv
from thingstead.protocols.oscore.protection import (
    protect_request,
    protect_response,
    read_option,
    unprotect_request,
    unprotect_response,
)
from thingstead.secret import Secret

__all__ = ["run"]

_READ = (
    *("MASTER_SECRET", "MASTER_SALT", "ID_CONTEXT", "SENDER_ID", "RECIPIENT_ID"),
    *("SENDER_KEY", "RECIPIENT_KEY", "COMMON_IV"),
    *("COAP_REQ", "OSCORE_REQ", "COAP_RESPONSE", "OSCORE_RESP", "COAP_ACK"),
)
_CHECKED = {"SENDER_KEY", "RECIPIENT_KEY", "COMMON_IV", "OSCORE_REQ", "OSCORE_RESP", "COAP_ACK"}


def run(file: Path, entry: ManifestEntry) -> Iterator[Outcome]:
    """One outcome for each named case."""
    for name, fields in json.loads(file.read_bytes()).items():
        try:
            case = {key: bytes.fromhex(fields[key]) for key in _READ if key in fields}
            if not _CHECKED & case.keys():
                yield not_covered(name, "the case has no field that is checked")
                continue
            problem = _problem(case)
        except (ThingsteadError, AttributeError, KeyError, TypeError, ValueError) as error:
            problem = f"{type(error).__name__}: {error}"
        yield failed(name, problem) if problem else passed(name)


def _problem(case: dict[str, bytes]) -> str:
    for key, derived in _derived_keys(case) if "MASTER_SECRET" in case else ():
        if key in case and case[key] != derived:
            return f"{key}: expected {case[key].hex()}, got {derived.hex()}"
    if "COAP_ACK" in case:
        empty = message.decode(case["COAP_ACK"])
        if empty.code or message.encode(empty) != case["COAP_ACK"]:
            return "expected an Empty message, which OSCORE leaves as it is"
    return _play(case) if "OSCORE_REQ" in case else ""


def _derived_keys(case: dict[str, bytes]) -> Iterator[tuple[str, bytes]]:
    derivation = KeyDerivation(
        Secret(case["MASTER_SECRET"]),
        master_salt=case.get("MASTER_SALT", b""),
        id_context=case.get("ID_CONTEXT"),
        digest_id=AlgorithmId.SHA_256,
    )
    rows = (
        ("SENDER_KEY", "Key", case.get("SENDER_ID", b""), 16),
        ("RECIPIENT_KEY", "Key", case.get("RECIPIENT_ID", b""), 16),
        ("COMMON_IV", "IV", b"", 13),
    )
    for field, label, id_, size in rows:
        yield field, derivation.derive(label, id_=id_, algorithm_id=AlgorithmId.AES_CCM_16_64_128, size=size)


@dataclass(frozen=True, slots=True)
class _Ends:
    """The two ends of a case: whose bindings must agree."""

    client: RequestBinding
    server: RequestBinding


def _play(case: dict[str, bytes]) -> str:
    outer = message.decode(case["OSCORE_REQ"])
    option = read_option(outer)
    ours, peers = case.get("SENDER_ID", b""), case.get("RECIPIENT_ID", b"")
    client_id, server_id = (ours, peers) if option.kid == ours else (peers, ours)
    inner, server = unprotect_request(outer, context=_context(case, server_id, client_id, 0))
    if "COAP_REQ" not in case:
        return ""
    problem = _compare("COAP_REQ", case, inner)
    if problem:
        return problem
    context = _context(case, client_id, server_id, _number(option))
    again, client = protect_request(
        message.decode(case["COAP_REQ"]), context=context, with_kid_context=option.kid_context is not None
    )
    return _compare("OSCORE_REQ", case, again) or _respond(case, _Ends(client, server))


def _respond(case: dict[str, bytes], ends: _Ends) -> str:
    if "OSCORE_RESP" not in case:
        return ""
    outer = message.decode(case["OSCORE_RESP"])
    inner = unprotect_response(outer, binding=ends.client)
    if "COAP_RESPONSE" not in case:
        return ""
    problem = _compare("COAP_RESPONSE", case, inner)
    if problem:
        return problem
    option = read_option(outer)
    if option.partial_iv is not None:
        ends.server.take_nonce()
        ends.server.context.sender.sequence.next = _number(option)
    return _compare("OSCORE_RESP", case, protect_response(message.decode(case["COAP_RESPONSE"]), binding=ends.server))


def _context(case: dict[str, bytes], sender_id: bytes, recipient_id: bytes, start: int) -> SecurityContext:
    return SecurityContext.derive(
        Secret(case["MASTER_SECRET"]),
        master_salt=case.get("MASTER_SALT", b""),
        sender_id=sender_id,
        recipient_id=recipient_id,
        id_context=case.get("ID_CONTEXT"),
        sequence=SequenceNumbers(start),
    )


def _number(option: OscoreOption) -> int:
    return decode_partial_iv(option.partial_iv or b"\0")


def _compare(field: str, case: dict[str, bytes], came: Message) -> str:
    data = message.encode(came)
    return "" if data == case[field] else f"{field}: expected {case[field].hex()}, got {data.hex()}"
