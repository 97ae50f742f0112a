"""The OSCORE option and what stands behind it."""

from __future__ import annotations

from tests.fuzz.target import Target, ensure
from tests.unit.endpoint.ladder import context
from thingstead.errors import DecodeError, ThingsteadError
from thingstead.protocols.coap.message import decode, encode, request
from thingstead.protocols.coap.registry import Code
from thingstead.protocols.oscore.context import SecurityContext
from thingstead.protocols.oscore.option import decode_option, encode_option
from thingstead.protocols.oscore.protection import protect_request, unprotect_request
from thingstead.secret import Secret

_SERVER = context(mirrored=True)


def _option(data: bytes) -> None:
    """There is one encoding of an option, and it decodes to what it was made from."""
    try:
        option = decode_option(data)
    except DecodeError:
        return
    ensure(encode_option(option) == data, "an option has two encodings")


def _protected(data: bytes) -> None:
    """Nothing that is not ours to verify is taken for verified, and nothing of a forgery moves the replay window."""
    before = _SERVER.recipient.window.newest
    try:
        message = decode(data)
        unprotect_request(message, context=_SERVER)
    except ThingsteadError:
        ensure(_SERVER.recipient.window.newest == before, "a refused message moved the replay window")
        return
    raise AssertionError("a forgery was verified")


def _seeds() -> tuple[bytes, ...]:
    """What somebody with another key sent: right in all but the tag, which the fuzzer cannot guess."""
    stranger = SecurityContext.derive(Secret(b"\xff" * 16), sender_id=b"\x01", recipient_id=b"\x02")
    return tuple(
        encode(protect_request(asked, context=stranger)[0])
        for asked in (request(Code.GET, "/a"), request(Code.POST, "/a", payload=b"1"))
    )


TARGETS = (
    Target("oscore option", _option, (bytes.fromhex("0914 01"), bytes.fromhex("190503 010203 42"), b"")),
    Target("oscore message", _protected, _seeds()),
)
