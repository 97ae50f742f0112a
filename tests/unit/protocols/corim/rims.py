"""A small CoRIM to alter."""

from typing import Any

from thingstead.protocols.cbor import codec
from thingstead.protocols.cbor.codec import Tag

DIGEST: list[Any] = [1, bytes(32)]
CLASS: dict[int, Any] = {0: {0: Tag(37, bytes(16)), 1: "Acme", 2: "lamp"}}
MEASUREMENT: dict[int, Any] = {0: "firmware", 1: {0: {0: "1.0.0"}, 2: [DIGEST]}}
REFERENCE: list[Any] = [CLASS, [MEASUREMENT]]
COMID: dict[int, Any] = {1: {0: "a name", 1: 3}, 4: {0: [REFERENCE]}}
CORIM: dict[int, Any] = {0: "an id", 1: [Tag(506, codec.encode(COMID))], 3: Tag(32, "tag:acme.example,2026:lamp")}


def encoded(**changes):
    """The CoRIM, with members under other values: ``m4={...}``."""
    return codec.encode(Tag(501, {**CORIM, **{int(name[1:]): value for name, value in changes.items()}}))
