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
from thingstead.protocols.ace import aif, revocation, token, token_endpoint
from thingstead.protocols.ace.aif import Scope
from thingstead.protocols.ace.revocation import Change, Limits, UpdateCollection
from thingstead.protocols.ace.token_endpoint import TokenRequest, TokenResponse
from thingstead.protocols.profile import peer
from thingstead.secret import Secret

__all__ = ["AT", "CLIENT", "FILE", "ISSUER", "NAMES", "SCOPE", "SERVER", "build", "issue"]

FILE = Path(__file__).parent / "ace.json"
AT = datetime(2026, 11, 23, 12, tzinfo=UTC)
ISSUER, CLIENT, SERVER = (private_key(KeyType.P256, Secret(bytes(31) + bytes([number]))) for number in (5, 6, 7))
NAMES = {"issuer": "home", "subject": "thing-aaaaaaaaaaaaaaaa", "audience": "thing-bbbbbbbbbbbbbbbb"}
SCOPE = Scope({"/light": 5, "/light/level": 4})
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
    return {
        "scope (RFC 9237)": aif.encode(SCOPE).hex(),
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
            query: f"{answer.code:#04x} {answer.payload.hex()}" for query, answer in answers.items()
        },
    }


def main() -> None:
    """Rewrite the file."""
    held = json.loads(FILE.read_text()) if FILE.exists() else {}
    kept = bytes.fromhex(held.get("token (RFC 9200 §5.8.2, RFC 8392)", "")) or issue()
    FILE.write_text(json.dumps(build(kept), indent=1, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main()
