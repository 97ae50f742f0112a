"""Area group-oscore: one group, its members, and exchanges in every mode, each side run from the same inputs.

The shared cases were generated at draft -23; what RFC 10021 changed since does not touch them. An ECDSA signature is
another one each time, so those messages are verified, not made again.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any

from tests.conformance.outcome import ManifestEntry, Outcome, failed, not_covered, passed
from thingstead.crypto.algorithm import REGISTRY, AlgorithmId
from thingstead.crypto.key import KeyType, private_key
from thingstead.errors import ThingsteadError
from thingstead.protocols.coap.message import Message
from thingstead.protocols.coap.registry import Code, OptionNumber
from thingstead.protocols.group_oscore.algorithms import GroupAlgorithms
from thingstead.protocols.group_oscore.context import Credential, GroupContext, OwnIdentity
from thingstead.protocols.group_oscore.envelope import Envelope, external_aad
from thingstead.protocols.group_oscore.protection import (
    protect_group_request,
    protect_group_response,
    unprotect_group_request,
    unprotect_group_response,
)
from thingstead.protocols.oscore.context import SequenceNumbers
from thingstead.protocols.oscore.derivation import KeyDerivation
from thingstead.protocols.oscore.option import encode_partial_iv
from thingstead.secret import Secret

__all__ = ["external_aads_of", "group_of", "inner_request", "inner_response", "keys_of", "run"]

_NUMBERS: dict[str | None, int | None] = {None: None, **{row.name: row.id for row in REGISTRY.values()}}
_SIGNATURES = {
    "EdDSA(Ed25519)": AlgorithmId.EDDSA,
    "Ed25519": AlgorithmId.ED25519,
    "ESP256": AlgorithmId.ESP256,
    "ES256": AlgorithmId.ES256,
    None: None,
}
_ECDSA = (AlgorithmId.ESP256, AlgorithmId.ES256)
_HASHES = {"sha256": AlgorithmId.SHA_256, "sha512": AlgorithmId.SHA_512}
_AGREEMENTS = {
    "ECDH-SS+HKDF-256": AlgorithmId.ECDH_SS_HKDF_256,
    "ECDH-SS+HKDF-512": AlgorithmId.ECDH_SS_HKDF_512,
    None: None,
}
_ALGORITHMS: dict[str, Collection[str | None]] = {
    "alg_aead": _NUMBERS,
    "alg_group_enc": _NUMBERS,
    "alg_signature": _SIGNATURES,
    "alg_pairwise": _AGREEMENTS,
    "hkdf": _HASHES,
}
_OSCORE = OptionNumber.OSCORE
_DOTTED_CODE = re.compile(r"([0-7])\.([0-3]\d)\b.*")


def run(file: Path, entry: ManifestEntry) -> Iterator[Outcome]:
    """One outcome for each exchange."""
    group = json.loads(file.read_bytes())
    for number, case in enumerate(group["cases"]):
        try:
            unknown = [case[field] for field, known in _ALGORITHMS.items() if case[field] not in known]
            if unknown:
                yield not_covered(case["id"], f"no algorithm {', '.join(map(str, unknown))}")
                continue
            problems = list(_problems(group, case))
        except (AttributeError, KeyError, TypeError, ValueError, ThingsteadError) as error:
            problems = [repr(error)]
        name = case["id"] if isinstance(case, dict) and "id" in case else number
        yield failed(name, "; ".join(problems)) if problems else passed(name)


def group_of(group: dict[str, Any], case: dict[str, Any], name: str) -> GroupContext:
    """The context of the member `name`, which knows all the others."""
    names = [key for key, value in group.items() if isinstance(value, dict) and "cred" in value]
    key_type = KeyType.P256 if _SIGNATURES[case["alg_signature"]] in _ECDSA else KeyType.ED25519
    keys = {n: private_key(key_type, Secret(bytes.fromhex(group[n]["private"]))) for n in names}
    credentials = {n: Credential(bytes.fromhex(group[n]["cred"]), keys[n].public) for n in names}
    start = case["sender_seq"] if name == "client" else 0
    own = OwnIdentity(bytes.fromhex(group[name]["id"]), credentials[name], keys[name], SequenceNumbers(start))
    context = GroupContext(
        bytes.fromhex(group["gid"]),
        master_secret=Secret(bytes.fromhex(group["master_secret"])),
        master_salt=bytes.fromhex(group["master_salt"]),
        gm_credential=bytes.fromhex(group["gm_cred"]),
        algorithms=GroupAlgorithms(
            aead_id=_NUMBERS[case["alg_aead"]],
            group_encryption_id=_NUMBERS[case["alg_group_enc"]],
            signature_id=_SIGNATURES[case["alg_signature"]],
            agreement_id=_AGREEMENTS[case["alg_pairwise"]],
            digest_id=_HASHES[case["hkdf"]],
        ),
        own=own,
    )
    for n in names:
        if n != name:
            context.add_member(bytes.fromhex(group[n]["id"]), credentials[n])
    return context


def inner_request(case: dict[str, Any]) -> Message:
    """The request of a case before it is protected."""
    return Message(
        _code(case["request"]["code"]),
        options=[(int(OptionNumber.URI_PATH), part.encode()) for part in case["request"]["uri_path"]],
        payload=bytes.fromhex(case["request"]["payload"]),
    )


def inner_response(case: dict[str, Any]) -> Message:
    """The response of a case before it is protected."""
    return Message(_code(case["response"]["code"]), payload=bytes.fromhex(case["response"]["payload"]))


def keys_of(group: dict[str, Any], case: dict[str, Any]) -> dict[str, str]:
    """The keys of a case by the names that the files give them, in hex."""
    algorithms = group_of(group, case, "client").algorithms
    derivation = KeyDerivation(
        Secret(bytes.fromhex(group["master_secret"])),
        master_salt=bytes.fromhex(group["master_salt"]),
        id_context=bytes.fromhex(group["gid"]),
        digest_id=algorithms.digest_id,
    )
    number = algorithms.derivation_id
    size = REGISTRY[number].key_size
    rows = {
        "client_sender_key": ("Key", bytes.fromhex(group["client"]["id"]), size),
        "server_sender_key": ("Key", bytes.fromhex(group["server"]["id"]), size),
        "common_iv": ("IV", b"", algorithms.nonce_sizes[-1]),
        "signature_encryption_key": ("SEKey", b"", size),
    }
    return {
        name: derivation.derive(label, id_=id_, algorithm_id=number, size=length).hex()
        for name, (label, id_, length) in rows.items()
    }


def external_aads_of(group: dict[str, Any], case: dict[str, Any]) -> dict[str, str]:
    """The external_aad of both messages of a case, in hex."""
    client, server = (group_of(group, case, name) for name in ("client", "server"))
    piv = encode_partial_iv(case["sender_seq"])
    aads = {}
    for name, context in (("request", client), ("response", server)):
        envelope = Envelope(
            context,
            request_kid=client.own.sender_id,
            request_piv=piv,
            request_kid_context=context.gid,
            option=bytes.fromhex(case[f"protected_{name}"]["oscore_option"]),
            piv=piv,
            id_piv=client.own.sender_id,
            is_request=name == "request",
        )
        aads[name] = external_aad(envelope, context.own.credential).hex()
    return aads


def _problems(group: dict[str, Any], case: dict[str, Any]) -> Iterator[str]:
    client, server = (group_of(group, case, name) for name in ("client", "server"))
    if "keys" in case and not case["keys"].items() <= keys_of(group, case).items():
        yield "the keys differ"
    if "external_aad" in case and case["external_aad"] != external_aads_of(group, case):
        yield "an external_aad differs"
    request_mode, response_mode = case["mode"].split("/")
    inner, answer = inner_request(case), inner_response(case)
    to = server.own.sender_id if request_mode == "pairwise" else None
    outer, client_binding = protect_group_request(inner, context=client, to=to)
    is_ecdsa = client.algorithms.signature_id in _ECDSA
    if not (is_ecdsa and request_mode == "group"):
        yield from _differences("request", outer, case["protected_request"])
    request, binding = unprotect_group_request(_published(case["protected_request"]), context=server)
    if request != inner:
        yield "the request that came out differs"
    response = protect_group_response(answer, binding=binding, pairwise=response_mode == "pairwise")
    if not (is_ecdsa and response_mode == "group"):
        yield from _differences("response", response, case["protected_response"])
    received, sender = unprotect_group_response(_published(case["protected_response"]), binding=client_binding)
    if received != answer or sender.kid != server.own.sender_id:
        yield "the response that came out differs"


def _published(row: dict[str, str]) -> Message:
    option, payload = bytes.fromhex(row["oscore_option"]), bytes.fromhex(row["payload"])
    return Message(_code(row["outer_code"]), options=[(int(_OSCORE), option)], payload=payload)


def _differences(what: str, message: Message, wanted: dict[str, str]) -> Iterator[str]:
    if message.code != _code(wanted["outer_code"]):
        yield f"the outer code of the {what} differs"
    if (message.option(_OSCORE) or b"").hex() != wanted["oscore_option"]:
        yield f"the option of the {what} differs"
    if message.payload.hex() != wanted["payload"]:
        yield f"the payload of the {what} differs"


def _code(text: str) -> int:
    dotted = _DOTTED_CODE.fullmatch(text)
    return int(dotted[1]) << 5 | int(dotted[2]) if dotted else int(Code[text.upper()])
