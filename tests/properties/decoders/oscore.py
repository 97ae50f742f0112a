"""OSCORE between two parties and in groups, from the option to a whole message."""

from typing import Any

from tests.properties.decoder import Decoder
from tests.unit.protocols.group_oscore import group
from thingstead.protocols.coap import message
from thingstead.protocols.group_oscore import protection as group_protection
from thingstead.protocols.oscore import option, protection, rederivation
from thingstead.protocols.oscore.context import SecurityContext
from thingstead.secret import Secret

_REQUEST = "44025d1f00003974396c6f63616c686f7374620914ff612f1092f1776f1c1668b3825e"


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
    Decoder(
        "group_oscore.protection.unprotect_group_request",
        _unprotect_group_request,
        _group_requests(),
        ("group-oscore",),
    ),
    Decoder("oscore.option.decode_option", option.decode_option, ("0914", "19140837cbf3210017a2d3", ""), ("oscore",)),
    Decoder("oscore.option.decode_partial_iv", option.decode_partial_iv, ("00", "14", "ffffffffff")),
    Decoder("oscore.rederivation.id_context_of", rederivation.id_context_of, ("480102030405060708",)),
    Decoder("oscore.protection.unprotect_request", _unprotect_request, (_REQUEST,), ("oscore",)),
)
