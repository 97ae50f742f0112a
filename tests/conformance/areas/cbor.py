"""Area cbor: files laid out like appendix_a.json, a list of {hex | cbor (base64), roundtrip, decoded | diagnostic}.

Such files date from RFC 7049. RFC 8949 §3.3 has since made simple values below 32 in two bytes not
well-formed; a case that holds one, at any depth, must be refused.
"""

from __future__ import annotations

import base64
import json
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.conformance.outcome import ManifestEntry, Outcome, failed, passed
from thingstead.errors import DecodeError
from thingstead.protocols.cbor import codec, diagnostic

__all__ = ["run"]

_ARGUMENT_SIZES = {24: 1, 25: 2, 26: 4, 27: 8}


def run(file: Path, entry: ManifestEntry) -> Iterator[Outcome]:
    """One outcome for each item of the list."""
    for number, case in enumerate(json.loads(file.read_bytes())):
        name = f"{number}: {case.get('hex', '')[:40]}" if isinstance(case, dict) else str(number)
        try:
            problem = _problem(case)
        except (KeyError, TypeError, ValueError, AttributeError, DecodeError) as error:
            problem = f"the case is not {{hex, roundtrip, decoded | diagnostic}}: {error!r}"
        yield failed(name, problem) if problem else passed(name)


def _problem(case: dict[str, Any]) -> str:
    data = bytes.fromhex(case["hex"]) if "hex" in case else base64.b64decode(case["cbor"], validate=True)
    try:
        value = codec.decode(data)
    except DecodeError as error:
        return "" if _has_short_simple(data) else f"refused: {error}"
    if _has_short_simple(data):
        return "a two-byte simple value below 32 was accepted (RFC 8949 §3.3)"
    expected = diagnostic.parse(case["diagnostic"]) if "diagnostic" in case else case["decoded"]
    if not _same(value, expected):
        return f"expected {expected!r}, got {value!r}"
    if case.get("roundtrip") and codec.encode(value) != data:
        return f"encodes as {codec.encode(value).hex()}"
    return ""


def _same(value: Any, expected: Any) -> bool:
    match value, expected:
        case codec.Tag(tag=2 | 3 as number, value=bytes(magnitude)), int():
            return (int.from_bytes(magnitude) ^ -(number - 2)) == expected
        case codec.Tag(), codec.Tag():
            return value.tag == expected.tag and _same(value.value, expected.value)
        case list(), list():
            return len(value) == len(expected) and all(map(_same, value, expected))
        case dict(), dict():
            return list(value) == list(expected) and all(map(_same, value.values(), expected.values()))
        case float(), float() if math.isnan(value):
            return math.isnan(expected)
    return type(value) is type(expected) and bool(value == expected)


def _has_short_simple(data: bytes) -> bool:
    """Walk the heads of well-formed or nearly well-formed CBOR; strings are stepped over."""
    offset = 0
    while offset < len(data):
        major, info = data[offset] >> 5, data[offset] & 31
        size = _ARGUMENT_SIZES.get(info, 0)
        argument = int.from_bytes(data[offset + 1 : offset + 1 + size]) if size else info
        if major == 7 and info == 24 and argument < 32:
            return True
        offset += 1 + size
        if major in {2, 3} and info != 31:
            offset += argument
    return False
