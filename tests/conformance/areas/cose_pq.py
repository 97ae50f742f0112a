"""Area cose-pq: the examples of RFC 9964: {priv, key, sign1, raw_to_be_signed, raw_public_key, ...} in hex."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

from tests.conformance.outcome import ManifestEntry, Outcome, failed, passed
from thingstead.crypto.key import private_key
from thingstead.errors import ProtocolError, SecurityError
from thingstead.protocols.cose import key as cose_key
from thingstead.protocols.cose import sign1, structure
from thingstead.secret import Secret

__all__ = ["run"]


def run(file: Path, entry: ManifestEntry) -> Iterator[Outcome]:
    """The one outcome of the file."""
    case = {name: bytes.fromhex(value) for name, value in json.loads(file.read_bytes()).items() if "diag" not in name}
    try:
        problem = _problem(case)
    except (ProtocolError, SecurityError) as error:
        problem = str(error)
    yield failed(file.stem, problem) if problem else passed(file.stem)


def _problem(case: dict[str, bytes]) -> str:
    key = cose_key.decode(case["key"])
    public = key.require_public()
    if key.alg is None or public.x != case["raw_public_key"]:
        return "the key is not the one noted"
    if key.kid != cose_key.thumbprint(public):
        return "the kid is not the thumbprint of the key (RFC 9679)"
    if private_key(public.type, Secret(case["priv"])).public != public:
        return "the seed does not make the public key"
    proved = sign1.authenticate(case["sign1"], public, accept=frozenset({key.alg}))
    covered = structure.sig_structure(body_protected=proved.headers.encoded, external_aad=b"", payload=proved.payload)
    return "" if covered == case["raw_to_be_signed"] else "the covered bytes are not those noted"
