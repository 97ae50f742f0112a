"""Area eat: the examples beside RFC 9711, as diagnostic notation: Claims-Sets, and CoSWID tags that they carry.

Each Claims-Set decodes, and is refused with a nonce that is none; JSON-encoded ones are said to be out of reach.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.conformance import edn
from tests.conformance.outcome import ManifestEntry, Outcome, failed, not_covered, passed
from thingstead.errors import DecodeError
from thingstead.protocols.cbor import codec
from thingstead.protocols.coswid import tag as coswid
from thingstead.protocols.eat import claims

__all__ = ["run"]

_JSON = "JSON-encoded EAT: things and verifier here speak CBOR alone"


def run(file: Path, entry: ManifestEntry) -> Iterator[Outcome]:
    """The one outcome of the file."""
    if file.suffix != ".diag":
        yield not_covered(file.name, _JSON)
        return
    value = edn.parse(file.read_text("utf-8"))
    problem = _coswid_problem(value) if isinstance(value, codec.Tag) else _claims_problem(value)
    yield failed(file.name, problem) if problem else passed(file.name)


def _coswid_problem(value: Any) -> str:
    found = coswid.decode(codec.encode(value))
    return "" if found.name and found.parties else "no name, or nobody who made it"


def _claims_problem(value: dict[Any, Any]) -> str:
    found = claims.decode(codec.encode(value))
    if found.nonces != (value[10],):
        return "another nonce than is shown"
    # What these manifests wrap has integers for their text, and so decodes in part only: their bytes are compared.
    shown = [tuple(one) for one in value.get(272, [])]
    if list(found.values.get(272, ())) != shown or found.submodules.keys() != value.get(266, {}).keys():
        return "other manifests or submodules than are shown"
    try:
        claims.decode(codec.encode({**value, 10: value[10][:7]}))
    except DecodeError:
        return ""
    return "a nonce of 7 bytes is taken"
