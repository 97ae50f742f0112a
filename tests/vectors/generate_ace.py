"""Make our ACE vectors: ``python -m tests.vectors.generate_ace`` rewrites the file.

All bytes come out the same each time but the token's ECDSA signature: the one that the file holds is kept.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from thingstead.crypto.algorithm import AlgorithmId
from thingstead.crypto.key import KeyType, private_key
from thingstead.errors import PolicyError
from thingstead.protocols.ace import aif, exi, revocation, sealed_token, token, token_endpoint, token_upload
from thingstead.protocols.ace.aif import Bounds, Scope
from thingstead.protocols.ace.creation_hints import CreationHints
from thingstead.protocols.ace.input_material import InputMaterial
from thingstead.protocols.ace.revocation import Change, Limits, UpdateCollection
from thingstead.protocols.ace.token_endpoint import TokenRequest, TokenResponse
from thingstead.protocols.ace.token_upload import TokenUpload, UploadAnswer
from thingstead.protocols.cbor import codec
from thingstead.protocols.profile import peer
from thingstead.secret import Secret

__all__ = ["AT", "CLIENT", "FILE", "ISSUER", "NAMES", "SCOPE", "SERVER", "build", "issue"]

FILE = Path(__file__).parent / "ace.json"
AT = datetime(2026, 11, 23, 12, tzinfo=UTC)
ISSUER, CLIENT, SERVER = (private_key(KeyType.P256, Secret(bytes(31) + bytes([number]))) for number in (5, 6, 7))
NAMES = {"issuer": "home", "subject": "thing-aaaaaaaaaaaaaaaa", "audience": "thing-bbbbbbbbbbbbbbbb"}
SCOPE = Scope({"/light": 5, "/light/level": 4})
BOUNDED = Scope({"/light": 5, "/light/level": 4}, {"/light/level": Bounds(10, 60, 6)})
MATERIAL = InputMaterial(b"\x01", Secret(bytes(range(16, 32))), bytes(range(8)))
TOKEN_KEY = sealed_token.token_key(Secret(bytes(range(16))), master_salt=bytes(range(8)), digest_id=-16)
_LIMITS = Limits(max_n=4, max_diff_batch=2, max_index=9)
_QUERIES = (
    "",
    "diff=0",
    "diff=1",
    "diff=3",
    "diff=0&cursor=1",
    "diff=0&cursor=8",
    "cursor=1",
    "diff=x",
    "diff=1&cursor=99",
)


def issue() -> bytes:
    """The token; another signature each time."""
    return token.issue(
        CLIENT.public,
        ISSUER,
        issuer=NAMES["issuer"],
        subject=NAMES["subject"],
        audience=NAMES["audience"],
        scope=SCOPE,
        at=AT,
        expires=AT + timedelta(hours=24),
        cti=bytes(range(8)),
        signature_id=AlgorithmId.ESP256,
        cnonce=b"cnonce",
    )


def build(kept: bytes) -> dict[str, Any]:
    """Everything, around a token."""
    request = TokenRequest(NAMES["audience"], SCOPE, CLIENT.public, b"cnonce")
    collection = UpdateCollection(_LIMITS)
    hashes = [b"\x01" + bytes([number]) * 32 for number in range(12)]
    for number, one in enumerate(hashes):
        collection.add(Change(added=(one,), removed=(hashes[number - 1],) if number % 3 == 2 else ()))
    listed = hashes[8:]
    answers = {query: revocation.answer(query.split("&"), listed, collection, _LIMITS) for query in _QUERIES}
    upload = TokenUpload(kept, bytes(range(8)), b"\x16\x45")
    answer = UploadAnswer(bytes(range(8, 16)), b"\x00\x00\x01")
    context = MATERIAL.context(
        nonce_1=bytes(range(8)), nonce_2=answer.nonce, sender_id=answer.recipient_id, recipient_id=b"\x16\x45"
    )
    return {
        "scope (RFC 9237)": aif.encode(SCOPE).hex(),
        "scope with bounds (RFC 9237 §2, bounded-rest-method-set)": aif.encode(BOUNDED).hex(),
        "token key of master secret 00..0f and salt 0001020304050607": TOKEN_KEY.reveal().hex(),
        "sealed token (RFC 8392 §7.1, RFC 9203 §3.2)": sealed_token.seal(kept, TOKEN_KEY, nonce=bytes(range(13))).hex(),
        "OSCORE_Input_Material (RFC 9203 §3.2.1)": codec.encode(MATERIAL.as_map()).hex(),
        "upload (RFC 9203 §4.1)": upload.encode().hex(),
        "answer to it (RFC 9203 §4.2)": answer.encode().hex(),
        "first protected bytes of the client (RFC 9203 §4.3)": context.sender.aead.encrypt(
            context.sender.nonce(0), b"\x01", context.sender.aad(b"\x00")
        ).hex(),
        "hints (RFC 9200 §5.3)": CreationHints("coap://192.0.2.1:5683/token", cnonce=bytes(12)).encode().hex(),
        "cti with exi (RFC 9200 §5.10.3)": exi.token_id(NAMES["audience"], 7).hex(),
        "request for another token (RFC 9203 §3.1)": TokenRequest(NAMES["audience"], kid=MATERIAL.id).encode().hex(),
        "response with a secret (RFC 9203 §3.2)": TokenResponse(
            kept, 86400, SCOPE, profile=token_upload.PROFILE, material=MATERIAL
        )
        .encode()
        .hex(),
        "token (RFC 9200 §5.8.2, RFC 8392)": kept.hex(),
        "token hash (RFC 9770 §4)": token.token_hash(kept).hex(),
        "token request (RFC 9200 §5.8.1)": request.encode().hex(),
        "token response (RFC 9200 §5.8.2)": TokenResponse(
            kept, 86400, SCOPE, peer.credential(SERVER.public, NAMES["audience"]).cred, series=b"series"
        )
        .encode()
        .hex(),
        "refusal (RFC 9200 §5.8.3)": token_endpoint.refusal(PolicyError("no", reason="invalid_scope"))[1].hex(),
        "client's credential (draft-ietf-ace-edhoc-oscore-profile-11)": peer.credential(
            CLIENT.public, NAMES["subject"]
        ).cred.hex(),
        "revocation list of 4 changes after 12, MAX_DIFF_BATCH 2, MAX_INDEX 9 (RFC 9770 §7, §9)": {
            query: f"{told.code:#04x} {told.payload.hex()}" for query, told in answers.items()
        },
    }


def main() -> None:
    """Rewrite the file."""
    held = json.loads(FILE.read_text()) if FILE.exists() else {}
    kept = bytes.fromhex(held.get("token (RFC 9200 §5.8.2, RFC 8392)", "")) or issue()
    FILE.write_text(json.dumps(build(kept), indent=1, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main()
