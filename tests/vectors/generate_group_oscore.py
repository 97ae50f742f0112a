"""Make our Group OSCORE vectors (RFC 10021): ``python -m tests.vectors.generate_group_oscore`` rewrites the file.

Ed25519 and the pairwise mode give the same bytes each time. Messages countersigned with ECDSA do not: those that
the file holds already are kept.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tests.conformance.areas.group_oscore import external_aads_of, group_of, inner_request, inner_response, keys_of
from thingstead.crypto.key import KeyType, private_key
from thingstead.protocols.cbor import codec
from thingstead.protocols.coap.code import code_name, is_request
from thingstead.protocols.coap.message import Message
from thingstead.protocols.coap.registry import CODES, OptionNumber
from thingstead.protocols.group_oscore.protection import (
    protect_group_request,
    protect_group_response,
    unprotect_group_request,
)
from thingstead.secret import Secret

__all__ = ["FILES", "build"]

FOLDER = Path(__file__).parent
FILES = {KeyType.ED25519: "group_oscore_ed25519.json", KeyType.P256: "group_oscore_p256.json"}
_NAMES = {"client": "01", "server": "", "other": "0203"}
_MODES = ("group/group", "group/pairwise", "pairwise/pairwise")
_CCM, _CTR, _GCM, _CHACHA = "AES-CCM-16-64-128", "A128CTR", "A256GCM", "ChaCha20/Poly1305"
_SIGNATURES = {KeyType.ED25519: ("Ed25519", "EdDSA(Ed25519)"), KeyType.P256: ("ESP256", "ES256")}
# AEAD Algorithm, Group Encryption Algorithm, hash, modes.
_SUITES: tuple[tuple[str | None, str | None, str, tuple[str, ...]], ...] = (
    (_CCM, _CCM, "sha256", _MODES),
    (_CCM, _CTR, "sha256", _MODES),
    (_GCM, _CTR, "sha512", _MODES),
    (_CHACHA, _CCM, "sha256", _MODES),
    (None, _CHACHA, "sha256", _MODES[:1]),
    (_CCM, None, "sha256", _MODES[2:]),
)
_SEQUENCE_NUMBERS = (0, 255, 256, 2**40 - 1)


def build(key_type: KeyType, *, kept: dict[str, Any] | None = None) -> dict[str, Any]:
    """The whole file for one type of key.

    Args:
        key_type: Ed25519 or P-256.
        kept: an earlier file, whose ECDSA messages are taken over.
    """
    group = _group(key_type)
    earlier = {case["id"]: case for case in kept["cases"]} if kept else {}
    for signature in _SIGNATURES[key_type]:
        # A suite without group mode has no signature, so it comes once.
        suites = [suite for suite in _SUITES if suite[1] or signature == _SIGNATURES[key_type][0]]
        for aead, group_encryption, digest, modes in suites:
            for mode in modes:
                number = len(group["cases"]) + 1
                case = {
                    "id": number,
                    "alg_aead": aead,
                    "alg_group_enc": group_encryption,
                    "hkdf": digest,
                    "alg_signature": signature if group_encryption else None,
                    "alg_pairwise": f"ECDH-SS+HKDF-{digest[3:]}" if aead else None,
                    "mode": mode,
                    "sender_seq": _SEQUENCE_NUMBERS[number % len(_SEQUENCE_NUMBERS)],
                }
                group["cases"].append(_exchange(group, case, earlier.get(number)))
    return group


def _group(key_type: KeyType) -> dict[str, Any]:
    group: dict[str, Any] = {
        "note": "RFC 10021. Made by Thingstead with tests/vectors/generate_group_oscore.py; free to use (Apache-2.0).",
        "master_secret": bytes(range(0x20, 0x30)).hex(),
        "master_salt": b"thingstead".hex(),
        "gid": b"lamps".hex(),
        "gm_cred": codec.encode({2: "group manager"}).hex(),
    }
    for number, (name, sender_id) in enumerate(_NAMES.items(), start=1):
        seed = bytes([number]) * 32
        public = private_key(key_type, Secret(seed)).public
        crv: dict[int, Any] = {1: 1, -1: 6, -2: public.x}
        if key_type is KeyType.P256:
            crv = {1: 2, -1: 1, -2: public.x, -3: public.y}
        credential = codec.encode({2: name, 8: {1: crv}})
        group[name] = {"id": sender_id, "private": seed.hex(), "cred": credential.hex()}
    return group | {"cases": []}


def _exchange(group: dict[str, Any], case: dict[str, Any], earlier: dict[str, Any] | None) -> dict[str, Any]:
    case["request"] = {"code": "PUT", "uri_path": ["light", str(case["id"])], "payload": b"on".hex()}
    case["keys"] = keys_of(group, case)
    case["response"] = {"code": "2.04 Changed", "payload": b"lit".hex() if case["id"] % 2 else ""}
    client, server = (group_of(group, case, name) for name in ("client", "server"))
    request_mode, response_mode = case["mode"].split("/")
    to = server.own.sender_id if request_mode == "pairwise" else None
    outer, _ = protect_group_request(inner_request(case), context=client, to=to)
    case["protected_request"] = _keep(earlier, "protected_request", request_mode, case) or _published(outer)
    _, binding = unprotect_group_request(outer, context=server)
    response = protect_group_response(inner_response(case), binding=binding, pairwise=response_mode == "pairwise")
    case["protected_response"] = _keep(earlier, "protected_response", response_mode, case) or _published(response)
    case["external_aad"] = external_aads_of(group, case)
    return case


def _keep(earlier: dict[str, Any] | None, what: str, mode: str, case: dict[str, Any]) -> dict[str, str] | None:
    if earlier is None or mode == "pairwise" or case["alg_signature"] not in _SIGNATURES[KeyType.P256]:
        return None
    kept: dict[str, str] = earlier[what]
    return kept


def _published(message: Message) -> dict[str, str]:
    name = CODES[message.code].name
    return {
        "outer_code": name if is_request(message.code) else f"{code_name(message.code)} {name.capitalize()}",
        "oscore_option": (message.option(OptionNumber.OSCORE) or b"").hex(),
        "payload": message.payload.hex(),
    }


def _main() -> None:
    for key_type, name in FILES.items():
        file = FOLDER / name
        kept = json.loads(file.read_bytes()) if file.exists() else None
        file.write_text(json.dumps(build(key_type, kept=kept), indent=1) + "\n")


if __name__ == "__main__":
    _main()
