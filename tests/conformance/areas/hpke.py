"""Area hpke: known answers of RFC 9180, and of a draft with lattices: {mode, kem_id, skRm, encryptions, ...} in hex."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.conformance.outcome import ManifestEntry, Outcome, failed, not_covered, passed
from thingstead.crypto.hpke import NO_PSK, Psk, Suite, open_sealed, seal
from thingstead.crypto.key import private_key
from thingstead.errors import ProtocolError, SecurityError, UnsupportedError
from thingstead.secret import Secret

__all__ = ["run"]

_MODES = {0, 1}


def run(file: Path, entry: ManifestEntry) -> Iterator[Outcome]:
    """One outcome for each suite and mode."""
    for case in json.loads(file.read_bytes()):
        numbers = (case["kem_id"], case["kdf_id"], case["aead_id"])
        name = f"{file.stem}-{case['mode']}-{'-'.join(map(str, numbers))}"
        if case["mode"] not in _MODES:
            yield not_covered(name, "the sender's own key in the schedule: COSE-HPKE has no such mode")
            continue
        try:
            suite = Suite(*numbers)
        except UnsupportedError:
            yield not_covered(name, "export-only, or a KEM or KDF of a draft: no algorithm of COSE-HPKE has it")
            continue
        try:
            problem = _problem(case, suite)
        except (ProtocolError, SecurityError) as error:
            problem = str(error)
        yield failed(name, problem) if problem else passed(name)


def _problem(case: dict[str, Any], suite: Suite) -> str:
    octets = {key: bytes.fromhex(value) for key, value in case.items() if isinstance(value, str)}
    recipient, sender = (private_key(suite.curve, Secret(octets[name])) for name in ("skRm", "skEm"))
    psk = Psk(Secret(octets["psk"]), octets["psk_id"]) if case["mode"] else NO_PSK
    first = {key: bytes.fromhex(case["encryptions"][0][key]) for key in ("aad", "ct", "pt")}
    sealed = seal(
        first["pt"],
        recipient.public,
        suite,
        info=octets["info"],
        aad=first["aad"],
        psk=psk,
        ephemeral=lambda _curve: sender,
    )
    if sealed != (octets["enc"], first["ct"]):
        return "we seal it otherwise"
    opened = open_sealed(*sealed, recipient, suite, info=octets["info"], aad=first["aad"], psk=psk)
    return "" if opened == first["pt"] else "we open it otherwise"
