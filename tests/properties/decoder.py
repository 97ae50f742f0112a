"""The table of every decoder that bytes from the network, a file or a peer reach."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.unit.domain.things import AT, a_thing
from tests.unit.protocols.edhoc import rfc9529
from tests.unit.protocols.group_oscore import group
from tests.unit.protocols.mud.fixture import bent as mud_file
from thingstead.domain import thing
from thingstead.domain.ledger import entry
from thingstead.domain.ledger.entry import Draft, Kind
from thingstead.protocols.cbor import codec
from thingstead.protocols.coap import message
from thingstead.protocols.edhoc import message as edhoc
from thingstead.protocols.edhoc.coap_carriage import parse_request
from thingstead.protocols.edhoc.error import decode_error
from thingstead.protocols.group_oscore import protection as group_protection
from thingstead.protocols.mud import parser as mud_parser
from thingstead.protocols.oscore import option, protection
from thingstead.protocols.oscore.context import SecurityContext
from thingstead.protocols.receipts import receipt
from thingstead.secret import Secret

__all__ = ["DECODERS", "Decoder", "harvest"]


@dataclass(frozen=True, slots=True)
class Decoder:
    """One row.

    Attributes:
        name: the function, as in the code.
        decode: takes the bytes; contexts and times are bound in the row.
        seeds: valid inputs of our own, in hex.
        areas: areas of the shared vectors whose byte strings are seeds as well.
    """

    name: str
    decode: Callable[[bytes], Any]
    seeds: tuple[str, ...]
    areas: tuple[str, ...]


_CBOR = (
    "a26161016162820203",
    "d8184568656c6c6f",
    "fb3ff199999999999a",
    "9f018202039f0405ffff",
    "c249010000000000000000",
)
_COAP = ("44015d1f00003974396c6f63616c686f737483747631", "64455d1f00003974ff48656c6c6f", "60004569", "40010001")

_OSCORE = ("44025d1f00003974396c6f63616c686f7374620914ff612f1092f1776f1c1668b3825e",)

_LEAF = entry.encode(Draft(AT, Kind.RECEIPT, "plane:data", a_thing().id, "retired", {"n": 1}).numbered(7)).hex()
_RECEIPT = codec.encode(
    codec.Tag(
        18,
        [codec.encode({1: -9, 395: 1}), {396: {-1: [codec.encode([2, 0, [bytes(32)]])]}}, None, bytes(64)],
    )
).hex()


def _unprotect_request(data: bytes) -> Any:
    context = SecurityContext.derive(
        Secret(bytes(range(1, 17))),
        master_salt=bytes.fromhex("9e7ca92223786340"),
        sender_id=b"\x01",
        recipient_id=b"",
    )
    return protection.unprotect_request(message.decode(data), context=context)


def _unprotect_group_request(data: bytes) -> Any:
    return group_protection.unprotect_group_request(message.decode(data), context=group.context("stairs"))


def _group_requests() -> tuple[str, ...]:
    inner = message.Message(1, options=[(11, b"light")])
    made = [
        group_protection.protect_group_request(inner, context=group.context("switch"), to=to)[0] for to in (None, b"st")
    ]
    return tuple(message.encode(one).hex() for one in made)


DECODERS = (
    Decoder("cbor.codec.decode", codec.decode, _CBOR, ("cbor", "cose", "suit", "edhoc")),
    Decoder("cbor.codec.decode_sequence", codec.decode_sequence, _CBOR, ("cbor", "edhoc")),
    Decoder("cbor.codec.decode_deterministic", codec.decode_deterministic, _CBOR[:3], ("cbor", "cose-pq")),
    Decoder("coap.message.decode", message.decode, _COAP, ("oscore", "group-oscore")),
    Decoder("coap.message.Message.path", lambda data: message.decode(data).path, _COAP, ("oscore",)),
    Decoder("oscore.option.decode_option", option.decode_option, ("0914", "19140837cbf3210017a2d3", ""), ("oscore",)),
    Decoder("oscore.protection.unprotect_request", _unprotect_request, _OSCORE, ("oscore",)),
    Decoder("group_oscore.protection", _unprotect_group_request, _group_requests(), ("group-oscore",)),
    Decoder("edhoc.message.decode_message_1", edhoc.decode_message_1, (rfc9529.MESSAGE_1.hex(),), ("edhoc",)),
    Decoder(
        "edhoc.message.decode_plaintext_2",
        lambda data: edhoc.decode_plaintext_2(data, proof_size=8),
        (rfc9529.PLAINTEXT_2.hex(),),
        ("edhoc",),
    ),
    Decoder("edhoc.error.decode_error", decode_error, (rfc9529.ERROR.hex(), "03f5", "01626e6f"), ("edhoc",)),
    Decoder("edhoc.coap_carriage.parse_request", parse_request, ("f5" + rfc9529.MESSAGE_1.hex(),), ("edhoc",)),
    Decoder("receipts.receipt.decode", receipt.decode, (_RECEIPT,), ("cose-receipts",)),
    Decoder("domain.ledger.entry.decode", entry.decode, (_LEAF,), ()),
    Decoder("domain.thing.decode", thing.decode, (thing.encode(a_thing()).hex(),), ()),
    Decoder("mud.parser.parse", mud_parser.parse, (mud_file().hex(),), ("mud",)),
)


def harvest(vectors: Path, areas: tuple[str, ...]) -> list[bytes]:
    """Every byte string of the shared vectors of `areas`: hex in JSON, hex lines in text, and binary files whole."""
    manifest = json.loads((vectors / "MANIFEST.json").read_bytes())
    files = [vectors / row["file"] for row in manifest if row["area"] in areas and row["cases"]]
    return sorted({seed for file in files for seed in _seeds(file) if 2 <= len(seed) <= 8192})


def _seeds(file: Path) -> Iterator[bytes]:
    content = file.read_bytes()
    if file.suffix == ".json":
        yield content
        yield from _strings(json.loads(content))
    elif file.suffix in {".md", ".txt"}:
        for block in content.decode("utf-8", "replace").split("~~~~~~~~" if file.suffix == ".md" else "\n\n"):
            yield from _hex("".join(line for line in block.splitlines() if "(" not in line).replace(" ", ""))
    else:
        yield content


def _strings(value: Any) -> Iterator[bytes]:
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list):
        for item in value:
            yield from _strings(item)
    elif isinstance(value, str):
        yield from _hex(value)


def _hex(text: str) -> Iterator[bytes]:
    try:
        yield bytes.fromhex(text)
    except ValueError:
        return
