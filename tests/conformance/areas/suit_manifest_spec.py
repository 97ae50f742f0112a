"""Area suit-manifest-spec: the draft's examples as text; signed envelopes must verify, bare ones must not."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

from tests.conformance.outcome import ManifestEntry, Outcome, failed, passed
from thingstead.crypto.algorithm import AlgorithmId
from thingstead.crypto.key import KeyType, PublicKey
from thingstead.errors import AuthenticationError
from thingstead.protocols.suit import envelope
from thingstead.protocols.suit.authentication import AuthenticationPolicy, Signer, authenticate
from thingstead.protocols.suit.manifest import decode_manifest, open_manifest

__all__ = ["run"]

_DUMP = re.compile(r"~~~\n([0-9a-f\n]+)~~~")
_KEY = PublicKey(
    KeyType.P256,
    bytes.fromhex("8496811aae0baaabd26157189eecda26beaa8bf11b6f3fe6e2b5659c85dbc0ad"),
    bytes.fromhex("3b1f2a4b6c098131c0a36dacd1d78bd381dcdfb09c052db33991db7338b4a896"),
)
"""The public key printed in the draft's Appendix B."""

_ANCHORS = {b"example": _KEY}
_POLICY = AuthenticationPolicy((Signer(b"example", AlgorithmId.ES256),))


def run(file: Path, entry: ManifestEntry) -> Iterator[Outcome]:
    """One outcome for all envelopes dumped in one example."""
    dumps = [bytes.fromhex(dump.replace("\n", "")) for dump in _DUMP.findall(file.read_text("utf-8"))]
    expected = json.loads(file.with_suffix(".json").read_bytes())["manifest-sequence-number"]
    problems = [problem for dump in dumps if (problem := _problem(dump, expected))]
    if not dumps or problems:
        yield failed(file.name, "; ".join(problems) or "no envelope in the text")
    else:
        yield passed(file.name)


def _problem(dump: bytes, sequence_number: int) -> str:
    received = envelope.decode(dump)
    if envelope.encode(received) != dump:
        return "encodes as other bytes"
    if decode_manifest(received).sequence_number != sequence_number:
        return f"expected sequence number {sequence_number}"
    try:
        authentic = authenticate(received, _ANCHORS, _POLICY)
    except AuthenticationError as error:
        return "" if not received.blocks else str(error)
    if not received.blocks:
        return "an unsigned envelope is authentic"
    return "" if open_manifest(authentic).content.sequence_number == sequence_number else "opens as another manifest"
