"""Area suit-manifest-spec: the draft's examples as text; signed envelopes must verify, bare ones must not."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

from tests.conformance.areas.suit import DRAFT_KEY
from tests.conformance.outcome import ManifestEntry, Outcome, failed, not_covered, passed
from tests.conformance.published import envelopes_in
from thingstead.crypto.algorithm import AlgorithmId
from thingstead.errors import AuthenticationError
from thingstead.protocols.suit import envelope
from thingstead.protocols.suit.authentication import AuthenticationPolicy, Signer, authenticate
from thingstead.protocols.suit.manifest import decode_manifest, open_manifest

__all__ = ["run"]

_ANCHORS = {b"example": DRAFT_KEY}
_POLICY = AuthenticationPolicy((Signer(b"example", AlgorithmId.ES256), Signer(b"example", AlgorithmId.ESP256)), 1)


def run(file: Path, entry: ManifestEntry) -> Iterator[Outcome]:
    """One outcome for all envelopes dumped in one example; the JSON beside it, where there is one, says its number."""
    dumps = envelopes_in(file.read_bytes())
    if not dumps:
        yield not_covered(file.name, "a text without an envelope in hex")
        return
    noted = file.with_suffix(".json")
    expected = json.loads(noted.read_bytes()).get("manifest-sequence-number") if noted.is_file() else None
    problems = [problem for dump in dumps if (problem := _problem(dump, expected))]
    yield failed(file.name, "; ".join(problems)) if problems else passed(file.name)


def _problem(dump: bytes, expected: int | None) -> str:
    received = envelope.decode(dump)
    if envelope.encode(received) != dump:
        return "encodes as other bytes"
    sequence_number = decode_manifest(received).sequence_number
    if expected not in {None, sequence_number}:
        return f"expected sequence number {expected}, got {sequence_number}"
    try:
        authentic = authenticate(received, _ANCHORS, _POLICY)
    except AuthenticationError as error:
        return "" if not received.blocks else str(error)
    if not received.blocks:
        return "an unsigned envelope is authentic"
    return "" if open_manifest(authentic).content.sequence_number == sequence_number else "opens as another manifest"
