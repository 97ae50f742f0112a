"""Area mud: a file is read and compiled; a ``.p7s`` is verified over the ``.json`` beside it.

No authority was published with the signed pair, so the signer that the signature names is pinned: the outcome
proves the signature over the bytes, not the trust in its signer.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from tests.conformance.outcome import ManifestEntry, Outcome, failed, passed
from thingstead.errors import AuthenticationError
from thingstead.protocols.mud.rule import compile_rules
from thingstead.protocols.mud.signature import AdmissionPolicy, admit, claimed_signer

__all__ = ["run"]

_AT = datetime(2026, 11, 23, tzinfo=UTC)
_UNSIGNED = AdmissionPolicy("vectors", insecure_unsigned=True)


def run(file: Path, entry: ManifestEntry) -> Iterator[Outcome]:
    """One outcome per file; the companion of a signature is read with it."""
    if entry.cases == 0:
        return
    if file.suffix == ".p7s":
        yield _verify(file)
        return
    rules = compile_rules(admit(file.read_bytes(), None, policy=_UNSIGNED, at=_AT))
    unexplained = [finding for finding in rules.findings if not (finding.place and finding.spec)]
    if not rules.rules or unexplained:
        yield failed(file.name, f"expected rules, and findings with place and clause; got {unexplained}")
    else:
        yield passed(file.name)


def _verify(file: Path) -> Outcome:
    data, signature = file.with_suffix(".json").read_bytes(), file.read_bytes()
    policy = AdmissionPolicy("vectors", anchors=(claimed_signer(signature),))
    admit(data, signature, policy=policy, at=_AT)
    try:
        admit(data + b" ", signature, policy=policy, at=_AT)
    except AuthenticationError:
        return passed(file.name)
    return failed(file.name, "a changed file verifies")
