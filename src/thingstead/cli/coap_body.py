"""Payloads of CoAP on the command line: typed in, and shown, as their content format says."""

from __future__ import annotations

import json
import sys
from argparse import ArgumentTypeError
from collections.abc import Callable
from dataclasses import dataclass, fields
from datetime import UTC, datetime
from typing import Any

from thingstead.cli.action import Session
from thingstead.cli.console import View
from thingstead.cli.input import read_file
from thingstead.endpoint.drawing import code_text
from thingstead.errors import ConfigError, DecodeError, ProtocolError
from thingstead.protocols.cbor import codec, diagnostic
from thingstead.protocols.coap.content_format import media_type
from thingstead.protocols.coap.problem import decode_problem
from thingstead.protocols.coap.registry import CONTENT_FORMATS, OPTIONS, ContentFormat
from thingstead.protocols.link_format import link
from thingstead.protocols.link_format.link import Link
from thingstead.protocols.senml import pack
from thingstead.protocols.senml.record import Record

__all__ = ["Body", "content_format", "links", "read", "shown"]

_MAX_PAYLOAD = 4 << 20
_STDIN = "-"
_MAX_FORMAT = 0xFFFF
_CBOR_LIMITS = codec.Limits(max_bytes=_MAX_PAYLOAD, max_items=4096)
_LINKS = View((("resource", "target"), ("attributes", "attributes")), empty="it serves nothing that it tells you of")
_RECORDS = View((("name", "name"), ("value", "value"), ("unit", "unit"), ("time", "time")), empty="no records")
_SHORT = {row.name.lower().replace("_", "-"): int(row) for row in ContentFormat} | {
    "text": int(ContentFormat.TEXT_PLAIN)
}


@dataclass(frozen=True, slots=True)
class Body:
    """A payload in a form to look at.

    Attributes:
        value: for programs.
        text: for people; None where `view` shows the value as a table.
        view: of a table.
        note: what is odd about it.
    """

    value: Any
    text: str | None = None
    view: View | None = None
    note: str = ""


def content_format(text: str) -> int:
    """A content format by number, media type or short name such as ``senml-cbor``.

    Raises:
        ArgumentTypeError: there is none of that name.
    """
    if text.isdecimal() and int(text) <= _MAX_FORMAT:
        return int(text)
    if text in _SHORT:
        return _SHORT[text]
    wanted = text.lower().replace(" ", "")
    for number, row in CONTENT_FORMATS.items():
        if wanted in {row.title.replace(" ", ""), row.title.partition(";")[0]}:
            return number
    raise ArgumentTypeError(
        f"expected a number up to {_MAX_FORMAT}, a media type or a name like cbor, got {text[:60]!r}"
    )


def read(session: Session) -> bytes:
    """The payload that a command line names: an argument, ``--file``, or standard input for ``-``.

    An argument of a format that is CBOR is diagnostic notation; what comes from elsewhere goes out as it is.

    Raises:
        ConfigError: two of them, a file that is not there, or an argument that is no diagnostic notation.
    """
    text, file = session.options.get("payload"), session.options.get("file")
    if not text and not file:
        return b""
    if text and file:
        raise ConfigError("expected a payload or --file, got both")
    if file:
        return read_file(session.path("file"), max_bytes=_MAX_PAYLOAD)
    if text == _STDIN:
        return sys.stdin.buffer.read(_MAX_PAYLOAD)
    number = session.options["content_format"]
    if number is None or not _is_cbor(number):
        return str(text).encode()
    try:
        return codec.encode(diagnostic.parse(str(text)))
    except (DecodeError, ValueError) as error:
        raise ConfigError(f"a payload of {media_type(number)} is typed in diagnostic notation: {error}") from error


def shown(payload: bytes, number: int | None, *, at: datetime) -> Body:
    """A payload as its format says; in hexadecimal, with a note, where it is not what it says.

    Args:
        payload: of a peer, whatever it holds.
        number: content format; None where the peer did not say.
        at: when it came, for times that are relative.
    """
    reader = _unknown if number is None else _READERS.get(number, _cbor if _is_cbor(number) else _unknown)
    try:
        return reader(payload, at)
    except ProtocolError as error:
        note = f"not the {media_type(number or 0)} that it says: {error}"
        return Body(payload.hex(), payload.hex(" "), note=note)


def links(found: list[Link]) -> Body:
    """A list of links as a table."""
    rows = [
        {"target": one.target, "attributes": {name: value or "" for name, value in one.attributes}} for one in found
    ]
    return Body(rows, view=_LINKS)


def _is_cbor(number: int) -> bool:
    """COSE and CWT are CBOR too, and do not say so in their names."""
    name = media_type(number).partition(";")[0]
    return name.endswith(("cbor", "+cose")) or name in {"application/cose", "application/cwt"}


def _unknown(payload: bytes, _at: datetime) -> Body:
    """Text if it is some, else bytes that are nobody's but the reader's."""
    try:
        text = payload.decode("utf-8")
    except UnicodeDecodeError:
        return Body(payload.hex())
    is_text = all(one.isprintable() or one.isspace() for one in text)
    return Body(text, text) if is_text else Body(payload.hex())


def _plain(payload: bytes, _at: datetime) -> Body:
    text = payload.decode("utf-8", "replace")
    return Body(text, text)


def _json(payload: bytes, _at: datetime) -> Body:
    try:
        value = json.loads(payload)
    except (ValueError, RecursionError) as error:
        raise DecodeError(f"expected JSON: {error}", spec="RFC 8259") from error
    return Body(value, json.dumps(value, indent=2, ensure_ascii=False))


def _cbor(payload: bytes, _at: datetime) -> Body:
    text = diagnostic.render(codec.decode(payload, limits=_CBOR_LIMITS))
    return Body(text, text)


def _cbor_sequence(payload: bytes, _at: datetime) -> Body:
    items = [diagnostic.render(item) for item in codec.decode_sequence(payload, limits=_CBOR_LIMITS)]
    return Body(items, "\n".join(items))


def _links(payload: bytes, _at: datetime) -> Body:
    return links(link.parse(payload))


def _senml_cbor(payload: bytes, at: datetime) -> Body:
    return _records(pack.parse_cbor(payload, at=at))


def _senml_json(payload: bytes, at: datetime) -> Body:
    return _records(pack.parse_json(payload, at=at))


def _problem(payload: bytes, _at: datetime) -> Body:
    """What a peer says of an error, a line for each part of it (RFC 9290)."""
    problem = decode_problem(payload)
    said = {field.name: getattr(problem, field.name) for field in fields(problem)}
    said["response_code"] = None if problem.response_code is None else code_text(problem.response_code)
    numbers = problem.unprocessed_options
    said["unprocessed_options"] = ", ".join(OPTIONS[one].title if one in OPTIONS else str(one) for one in numbers)
    said["custom"] = diagnostic.render(dict(problem.custom)) if problem.custom else None
    told = {name: value for name, value in said.items() if value not in (None, "")}
    return Body(told, "\n".join(f"{name.replace('_', ' ')}: {value}" for name, value in told.items()))


def _records(records: list[Record]) -> Body:
    rows = [
        {
            "name": one.name,
            "value": one.value.hex() if isinstance(one.value, bytes) else one.value,
            "unit": one.unit,
            "time": datetime.fromtimestamp(one.time, UTC).isoformat(timespec="milliseconds"),
        }
        for one in records
    ]
    return Body(rows, view=_RECORDS)


_READERS: dict[int, Callable[[bytes, datetime], Body]] = {
    ContentFormat.TEXT_PLAIN: _plain,
    ContentFormat.XML: _plain,
    ContentFormat.JSON: _json,
    ContentFormat.LINK_FORMAT: _links,
    ContentFormat.SENML_JSON: _senml_json,
    ContentFormat.SENML_CBOR: _senml_cbor,
    ContentFormat.CONCISE_PROBLEM_DETAILS_CBOR: _problem,
    ContentFormat.CBOR_SEQ: _cbor_sequence,
    ContentFormat.EDHOC_CBOR_SEQ: _cbor_sequence,
    ContentFormat.CID_EDHOC_CBOR_SEQ: _cbor_sequence,
}
"""What reads a format; all other CBOR is shown as one item, and all else by its looks."""
