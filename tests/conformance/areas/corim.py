"""Area corim: the examples of the draft's repository, as diagnostic notation.

A CoRIM or CoMID passes when it decodes, and encodes as it was shown; what is outside them says why in its reason. The
grammar beside the examples (``cddl/``) has no cases of its own.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from tests.conformance import edn
from tests.conformance.outcome import ManifestEntry, Outcome, failed, not_covered, passed
from thingstead.errors import DecodeError
from thingstead.protocols.cbor import codec
from thingstead.protocols.corim import comid, rim, signed
from thingstead.protocols.cose import header
from thingstead.protocols.coswid.tag import Coswid

__all__ = ["run"]

_INTERNAL = "what a verifier holds between its steps (§8.3.2): on no wire, and so in none of our decoders"
_BROKEN = "its first CoRIM has one measurement-map where reference-triple-record has an array of them"
_SHOWN = 80
_GRAMMAR = "a rule of the grammar, not an example of it"


def run(file: Path, entry: ManifestEntry) -> Iterator[Outcome]:
    """The one outcome of the file."""
    if file.suffix == ".cddl":
        yield not_covered(file.name, _GRAMMAR)
        return
    value = edn.parse(file.read_text("utf-8"))
    if file.name.startswith("intrep-"):
        yield not_covered(file.name, _INTERNAL)
        return
    if isinstance(value, Mapping) and "__cmwc_t" in value:
        yield _collection(file.name, value)
        return
    problem = _problem(value)
    yield failed(file.name, problem) if problem else passed(file.name)


def _problem(value: Any) -> str:
    if isinstance(value, codec.Tag):
        found = rim.decode(codec.encode(value))
        return "" if found.comids else "no CoMID in it"
    if 4 in value and isinstance(value[4], Mapping):
        found_mid = comid.decode(codec.encode(value))
        return "" if found_mid.triples and _refuses_altered(value) else "an altered example decodes too"
    name = signed.read_signer(header.decode(codec.encode(value), {})).name
    return "" if name == "ACME Ltd." else f"signed by {name}"


def _collection(name: str, value: Mapping[str, Any]) -> Outcome:
    """A CMW collection of two CoRIMs, of which the first breaks the draft's own grammar; the second has to decode."""
    broken, sound = [record[1] for member, record in value.items() if member != "__cmwc_t"]
    if not isinstance(rim.decode(sound).tags[0], Coswid):
        return failed(name, "the second CoRIM holds no CoSWID")
    try:
        rim.decode(broken)
    except DecodeError as error:
        return not_covered(name, f"{_BROKEN}; refused: {error.message[:_SHOWN]}")
    return failed(name, "a measurement-map where the grammar has an array of them decodes")


def _refuses_altered(value: Mapping[Any, Any]) -> bool:
    """Without its name, or with a triple that is none, it is refused."""
    for altered in ({**value, 1: {}}, {**value, 4: {0: [[{}, []]]}}, {**value, 4: {}}):
        try:
            comid.decode(codec.encode(altered))
        except DecodeError:
            continue
        return False
    return True
