"""Area cose-pq: the examples of RFC 9964: {priv, key, sign1, raw_to_be_signed, raw_public_key, ...} in hex."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

from tests.conformance.outcome import ManifestEntry, Outcome, failed, not_covered, passed
from thingstead.crypto.key import private_key
from thingstead.errors import ProtocolError, SecurityError
from thingstead.protocols.cose import key as cose_key
from thingstead.protocols.cose import sign1, structure
from thingstead.secret import Secret

__all__ = ["run"]

_FIELDS = ("priv", "key", "sign1", "raw_to_be_signed", "raw_public_key")


def run(file: Path, entry: ManifestEntry) -> Iterator[Outcome]:
    """The one outcome of the file."""
    fields = json.loads(file.read_bytes())
    case = {name: bytes.fromhex(fields[name]) for name in _FIELDS if name in fields}
    if not {"key", "sign1"} <= case.keys():
        yield not_covered(file.stem, "no COSE_Key and COSE_Sign1 in the file")
        return
    try:
        problem = _problem(case)
    except (ProtocolError, SecurityError) as error:
        problem = str(error)
    yield failed(file.stem, problem) if problem else passed(file.stem)


def _problem(case: dict[str, bytes]) -> str:
    key = cose_key.decode(case["key"])
    public = key.require_public()
    if key.alg is None or public.x != case.get("raw_public_key", public.x):
        return "the key is not the one noted"
    if key.kid and key.kid != cose_key.thumbprint(public):
        return "the kid is not the thumbprint of the key (RFC 9679)"
    if "priv" in case and private_key(public.type, Secret(case["priv"])).public != public:
        return "the seed does not make the public key"
    proved = sign1.authenticate(case["sign1"], public, accept=frozenset({key.alg}))
    covered = structure.sig_structure(body_protected=proved.headers.encoded, external_aad=b"", payload=proved.payload)
    return "" if covered == case.get("raw_to_be_signed", covered) else "the covered bytes are not those noted"
