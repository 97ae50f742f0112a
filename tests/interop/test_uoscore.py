"""OSCORE against uOSCORE (C), which converts messages and sends none: what one end protects, the other opens."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.interop.keys import Keys
from thingstead.errors import AuthenticationError, ReplayError
from thingstead.protocols.coap.message import Message, MessageType, decode, encode
from thingstead.protocols.coap.registry import Code, OptionNumber
from thingstead.protocols.oscore.context import SequenceNumbers
from thingstead.protocols.oscore.protection import (
    protect_request,
    protect_response,
    unprotect_request,
    unprotect_response,
)

pytestmark = [pytest.mark.uoscore, pytest.mark.interop, pytest.mark.slow, pytest.mark.spec("RFC 8613 8")]

SCRIPT = Path(__file__).parent / "uoscore_party.py"
PLAIN, NAMED = Keys(), Keys(id_context=b"\x37\xcb\xf3\x21")
TOKEN = b"\x4a\x1f"
PATH = (OptionNumber.URI_PATH, b"sensors")
REQUESTS = {
    "GET": (Code.GET, [PATH, (OptionNumber.URI_QUERY, b"unit=K"), (OptionNumber.ACCEPT, b"\x3c")], b""),
    "PUT": (Code.PUT, [PATH, (OptionNumber.CONTENT_FORMAT, b"\x3c")], b"\xa1\x01\x02"),
    "POST": (Code.POST, [PATH], b"x" * 900),
    "DELETE": (Code.DELETE, [(OptionNumber.IF_MATCH, b"etag"), PATH], b""),
}
RESPONSES = {
    "2.05": (Code.CONTENT, [(OptionNumber.ETAG, b"etag"), (OptionNumber.MAX_AGE, b"\x05")], b"293.15"),
    "2.04": (Code.CHANGED, [], b""),
    "4.04": (Code.NOT_FOUND, [], b"no such sensor"),
}
OBSERVE = (OptionNumber.OBSERVE, b"")


class RefusedError(Exception):
    """uOSCORE returned an error, named by its number."""


class Uoscore:
    def __init__(self, library):
        command = [sys.executable, SCRIPT, library]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.requests, self.answers = self.process.stdin, self.process.stdout

    def begin(self, keys):
        self._ask("begin", *keys.as_uoscore())

    def protect(self, message):
        return decode(self._ask("protect", encode(message)))

    def unprotect(self, message):
        return decode(self._ask("unprotect", encode(message)))

    def _ask(self, function, *arguments):
        self.requests.write(json.dumps([function, [argument.hex() for argument in arguments]]).encode() + b"\n")
        self.requests.flush()
        outcome, value = json.loads(self.answers.readline())
        if outcome != "ok":
            raise RefusedError(value)
        return bytes.fromhex(value)


@pytest.fixture
def uoscore(uoscore_library):
    peer = Uoscore(uoscore_library)
    peer.begin(PLAIN)
    yield peer
    peer.requests.close()
    peer.process.wait(timeout=10)
    peer.answers.close()


def asked(name="GET", *options, kind=MessageType.CON):
    code, known, payload = REQUESTS[name]
    return Message(code, kind, 7, TOKEN, sorted([*known, *options]), payload)


def said(name="2.05", *options):
    code, known, payload = RESPONSES[name]
    return Message(code, MessageType.ACK, 7, TOKEN, sorted([*known, *options]), payload)


def content(message):
    """What a response says beside Observe, whose value OSCORE makes anew (RFC 8613 §4.1.3.5)."""
    return (message.code, message.payload, [pair for pair in message.options if pair[0] != OptionNumber.OBSERVE])


def changed(message):
    return Message(
        message.code,
        message.type,
        message.mid,
        TOKEN,
        message.options,
        bytes([message.payload[0] ^ 1]) + message.payload[1:],
    )


def naming_kid(response):
    """The same response with the kid, which it may leave out (RFC 8613 §5.2), but uOSCORE takes its nonce from it."""
    value = response.option(OptionNumber.OSCORE)
    option = (OptionNumber.OSCORE, bytes([value[0] | 0x08]) + value[1:] + Keys().as_uoscore()[3])
    return response.with_options(option, without=frozenset({OptionNumber.OSCORE}))


@pytest.mark.parametrize("response", RESPONSES)
@pytest.mark.parametrize("request_", REQUESTS)
@pytest.mark.parametrize("keys", [PLAIN, NAMED], ids=["plain", "id-context"])
def test_uoscore_opens_our_request_and_we_its_response(uoscore, keys, request_, response):
    uoscore.begin(keys)
    protected, binding = protect_request(
        asked(request_), context=keys.ours(sequence=SequenceNumbers()), with_kid_context=keys is NAMED
    )
    assert uoscore.unprotect(protected) == asked(request_)
    assert unprotect_response(uoscore.protect(said(response)), binding=binding) == said(response)


@pytest.mark.parametrize("response", RESPONSES)
@pytest.mark.parametrize("request_", REQUESTS)
@pytest.mark.parametrize("keys", [PLAIN, NAMED], ids=["plain", "id-context"])
def test_we_open_a_request_of_uoscore_and_it_our_response(uoscore, keys, request_, response):
    uoscore.begin(keys)
    opened, binding = unprotect_request(uoscore.protect(asked(request_)), context=keys.ours())
    assert opened == asked(request_)
    assert uoscore.unprotect(protect_response(said(response), binding=binding)) == said(response)


def test_uoscore_numbers_that_take_three_bytes_are_opened(uoscore):
    ours = PLAIN.ours(sequence=SequenceNumbers(0x012345))
    protected, binding = protect_request(asked(), context=ours)
    assert uoscore.unprotect(protected) == asked()
    assert unprotect_response(uoscore.protect(said()), binding=binding) == said()


@pytest.mark.spec("RFC 8613 4.1.3.5")
def test_we_observe_uoscore(uoscore):
    protected, binding = protect_request(asked("GET", OBSERVE), context=PLAIN.ours(sequence=SequenceNumbers()))
    assert uoscore.unprotect(protected) == asked("GET", OBSERVE)
    for number in range(1, 6):
        notification = said("2.05", (OptionNumber.OBSERVE, bytes([number])))
        opened = unprotect_response(uoscore.protect(notification), binding=binding)
        assert content(opened) == content(notification)
        assert opened.option(OptionNumber.OBSERVE) is not None


@pytest.mark.spec("RFC 8613 4.1.3.5")
def test_uoscore_observes_us_where_notifications_name_their_kid(uoscore):
    context = PLAIN.ours(sequence=SequenceNumbers())
    opened, binding = unprotect_request(uoscore.protect(asked("GET", OBSERVE)), context=context)
    assert opened == asked("GET", OBSERVE)
    for number in range(1, 6):
        notification = said("2.05", (OptionNumber.OBSERVE, bytes([number])))
        received = uoscore.unprotect(naming_kid(protect_response(notification, binding=binding)))
        assert content(received) == content(notification)
        assert received.option(OptionNumber.OBSERVE) == b""


@pytest.mark.requirement("R-24")
@pytest.mark.spec("RFC 8613 7.4")
def test_we_refuse_a_replayed_request_of_uoscore(uoscore):
    context = PLAIN.ours()
    protected = uoscore.protect(asked())
    unprotect_request(protected, context=context)
    with pytest.raises(ReplayError):
        unprotect_request(protected, context=context)


@pytest.mark.spec("RFC 8613 7.4")
def test_uoscore_refuses_a_replayed_request_of_ours(uoscore):
    protected, _ = protect_request(asked(), context=PLAIN.ours(sequence=SequenceNumbers()))
    uoscore.unprotect(protected)
    with pytest.raises(RefusedError):
        uoscore.unprotect(protected)


@pytest.mark.spec("RFC 8613 8.2")
@pytest.mark.parametrize("change", ["key", "payload", "partial IV"])
def test_we_refuse_a_request_of_uoscore_that_does_not_verify(uoscore, change):
    protected = uoscore.protect(asked())
    if change == "payload":
        protected = changed(protected)
    if change == "partial IV":
        protected = protected.with_options(
            (OptionNumber.OSCORE, b"\x09\x05\x02"), without=frozenset({OptionNumber.OSCORE})
        )
    context = PLAIN.wrong().ours() if change == "key" else PLAIN.ours()
    with pytest.raises(AuthenticationError):
        unprotect_request(protected, context=context)


@pytest.mark.spec("RFC 8613 8.2")
@pytest.mark.parametrize("change", ["key", "payload"])
def test_uoscore_refuses_a_request_of_ours_that_does_not_verify(uoscore, change):
    keys = PLAIN.wrong() if change == "key" else PLAIN
    protected, _ = protect_request(asked(), context=keys.ours(sequence=SequenceNumbers()))
    with pytest.raises(RefusedError):
        uoscore.unprotect(changed(protected) if change == "payload" else protected)


@pytest.mark.spec("RFC 8613 8.4")
def test_we_refuse_a_response_of_uoscore_to_another_request(uoscore):
    context = PLAIN.ours(sequence=SequenceNumbers())
    _, earlier = protect_request(asked(), context=context)
    protected, _ = protect_request(asked(), context=context)
    uoscore.unprotect(protected)
    with pytest.raises(AuthenticationError):
        unprotect_response(uoscore.protect(said()), binding=earlier)
