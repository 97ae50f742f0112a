"""Area mud: a file is read and compiled; a signature is verified over the file of its name, or any other beside it.

No authority was published with the signed pair, so the signer that the signature names is pinned: the outcome
proves the signature over the bytes, not the trust in its signer.
"""

from __future__ import annotations

import base64
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from tests.conformance.outcome import ManifestEntry, Outcome, failed, passed
from thingstead.errors import ProtocolError, SecurityError
from thingstead.protocols.mud.rule import compile_rules
from thingstead.protocols.mud.signature import AdmissionPolicy, admit, claimed_signer

__all__ = ["run"]

_AT = datetime(2026, 11, 23, tzinfo=UTC)
_MAX_CANDIDATES, _MAX_BYTES = 100, 1 << 20
_UNSIGNED = AdmissionPolicy("vectors", insecure_unsigned=True)


def run(file: Path, entry: ManifestEntry) -> Iterator[Outcome]:
    """One outcome per file; the companion of a signature is read with it."""
    if entry.cases == 0:
        return
    data = file.read_bytes()
    if data.startswith((b"\x30", b"-----BEGIN")):
        yield _verify(file, data)
        return
    rules = compile_rules(admit(data, None, policy=_UNSIGNED, at=_AT))
    unexplained = [finding for finding in rules.findings if not (finding.place and finding.spec)]
    if not rules.rules or unexplained:
        yield failed(file.name, f"expected rules, and findings with place and clause; got {unexplained}")
    else:
        yield passed(file.name)


def _verify(file: Path, signature: bytes) -> Outcome:
    if signature.startswith(b"-"):
        signature = base64.b64decode(b"".join(signature.split(b"-----")[2].split()))
    policy = AdmissionPolicy("vectors", anchors=(claimed_signer(signature),))
    signed = [data for data in _candidates(file) if _is_signed(data, signature, policy)]
    if not signed:
        return failed(file.name, "no file beside it verifies")
    is_fooled = _is_signed(signed[0] + b" ", signature, policy)
    return failed(file.name, "a changed file verifies") if is_fooled else passed(file.name)


def _candidates(file: Path) -> Iterator[bytes]:
    beside = [path for path in file.parent.iterdir() if path.is_file() and path.suffix != file.suffix]
    for path in sorted(beside, key=lambda path: (path.stem != file.stem, path.name))[:_MAX_CANDIDATES]:
        if path.stat().st_size <= _MAX_BYTES:
            yield path.read_bytes()


def _is_signed(data: bytes, signature: bytes, policy: AdmissionPolicy) -> bool:
    try:
        admit(data, signature, policy=policy, at=_AT)
    except (ProtocolError, SecurityError):
        return False
    return True
