import pytest

from tests.unit.protocols.edhoc import rfc9529 as rfc
from tests.unit.protocols.edhoc.party import until_message_2
from thingstead.errors import AuthenticationError, DecodeError, ReplayError, StateError
from thingstead.protocols.cbor import codec
from thingstead.protocols.coap import message as coap
from thingstead.protocols.coap.message import Message, MessageType, request
from thingstead.protocols.coap.registry import Code, OptionNumber
from thingstead.protocols.edhoc.combined_request import combine, is_combined, split
from thingstead.protocols.edhoc.message import Limits
from thingstead.protocols.edhoc.pending import PendingSessions
from thingstead.protocols.edhoc.responder import WaitingForMessage3
from thingstead.protocols.oscore.context import SecurityContext
from thingstead.protocols.oscore.protection import (
    protect_request,
    protect_response,
    read_option,
    unprotect_request,
    unprotect_response,
)

pytestmark = pytest.mark.spec("RFC 9668 3")

EDHOC, OSCORE = int(OptionNumber.EDHOC), int(OptionNumber.OSCORE)
MESSAGE_3 = bytes.fromhex("52d5535f3147e85f1cfacd9e78abf9e0a81bbf")
CIPHERTEXT = bytes.fromhex("612f1092f1776f1c1668b3825e")
EXAMPLE = bytes.fromhex("44025d1f0000397493090001c0ff") + MESSAGE_3 + CIPHERTEXT


def context(parameters):
    return SecurityContext.derive(
        parameters.master_secret,
        master_salt=parameters.master_salt,
        sender_id=parameters.sender_id,
        recipient_id=parameters.recipient_id,
        aead_id=parameters.aead_id,
        digest_id=parameters.digest_id,
    )


class Server:
    """A Responder that takes message_3 in front of a request."""

    def __init__(self, waiting):
        self.pending = PendingSessions[WaitingForMessage3]()
        self.pending.add(waiting, source="thing", now=0.0)
        self.context = None

    def serve(self, arrived):
        """Steps 1 to 9 of RFC 9668 §3.3.1."""
        parts = split(arrived)
        c_r = read_option(arrived).kid or b""
        received = self.pending.find(c_r, now=1.0).receive(parts.message_3)
        self.pending.discard(c_r)
        completed = received.authenticate(rfc.CREDENTIAL_I).complete_without_message_4()
        self.context = context(completed.oscore())
        inner, binding = unprotect_request(parts.request, context=self.context, option=read_option(parts.request))
        return inner, protect_response(Message(Code.CONTENT, payload=b"21.5"), binding=binding)


def prepared(payload=b""):
    """A client that has message_2, and the server that waits."""
    _message_2, received_2, waiting_3 = until_message_2()
    message_3, waiting_4 = received_2.authenticate(rfc.CREDENTIAL_R).message_3()
    client = context(waiting_4.complete_unconfirmed().oscore())
    protected, binding = protect_request(request(Code.POST, "/temperature", payload=payload), context=client)
    return combine(protected, message_3), binding, Server(waiting_3)


def wire(message):
    return coap.decode(coap.encode(message))


def test_the_example_of_the_standard_comes_apart_and_together():
    message = coap.decode(EXAMPLE)
    assert is_combined(message)
    parts = split(message)
    assert (parts.message_3, parts.request.payload) == (MESSAGE_3, CIPHERTEXT)
    assert parts.request.options == [(OSCORE, bytes.fromhex("090001"))]
    assert coap.encode(combine(parts.request, parts.message_3)) == EXAMPLE


@pytest.mark.spec("RFC 9668 3.3.1")
@pytest.mark.parametrize("payload", [b"", b"on", bytes(600)])
def test_one_message_completes_the_handshake_and_is_served(payload):
    combined, binding, server = prepared(payload)
    inner, response = server.serve(wire(combined))
    assert (inner.code, inner.path, inner.payload) == (Code.POST, "/temperature", payload)
    assert not is_combined(inner)
    assert unprotect_response(response, binding=binding).payload == b"21.5"


def test_it_counts_once():
    combined, _binding, server = prepared()
    server.serve(wire(combined))
    with pytest.raises(StateError):
        server.serve(wire(combined))
    with pytest.raises(ReplayError):
        unprotect_request(split(combined).request, context=server.context, option=read_option(combined))


def test_message_3_that_does_not_verify_sets_up_no_context_and_leaves_the_session():
    combined, _binding, server = prepared()
    forged = wire(combined)
    forged.payload = bytes([forged.payload[0], forged.payload[1] ^ 1]) + forged.payload[2:]
    with pytest.raises(AuthenticationError):
        server.serve(forged)
    assert server.context is None
    server.serve(wire(combined))


def test_a_request_that_does_not_verify_is_not_served():
    combined, _binding, server = prepared()
    combined.payload = combined.payload[:-1] + bytes([combined.payload[-1] ^ 1])
    with pytest.raises(AuthenticationError):
        server.serve(combined)


def test_message_3_in_front_of_the_request_of_another_session_serves_nothing():
    combined, _binding, server = prepared()
    other, _other_binding, _other_server = prepared(b"another")
    combined.payload = split(combined).message_3 + split(other).request.payload[:-1] + b"\x00"
    with pytest.raises(AuthenticationError):
        server.serve(combined)


def test_a_value_of_the_option_is_ignored():
    message = coap.decode(EXAMPLE)
    valued = message.with_options((EDHOC, b"\x01"), without=frozenset({EDHOC}))
    assert split(valued) == split(message)


@pytest.mark.spec("RFC 9668 3.3.1")
@pytest.mark.parametrize(
    "payload",
    [
        "",
        "40",
        "ff",
        "01ff",
        "6161ff",
        "8141ffff",
        "52d5",
        "5801ffaa",  # not in its shortest form
        "5f41ffffaa",  # of indefinite length
        "5bffffffffffffffffaa",
        MESSAGE_3.hex(),
    ],
)
def test_a_payload_in_another_form_is_refused(payload):
    message = coap.decode(EXAMPLE)
    message.payload = bytes.fromhex(payload)
    with pytest.raises(DecodeError):
        split(message)


def test_message_3_over_the_limit_is_refused():
    message = coap.decode(EXAMPLE)
    message.payload = codec.encode(bytes(64)) + CIPHERTEXT
    split(message)
    with pytest.raises(DecodeError):
        split(message, limits=Limits(max_message=65))


@pytest.mark.parametrize("missing", [EDHOC, OSCORE])
def test_either_option_alone_is_refused(missing):
    with pytest.raises(DecodeError):
        split(coap.decode(EXAMPLE).with_options(without=frozenset({missing})))


def test_a_response_is_no_combined_request():
    message = coap.decode(EXAMPLE)
    answer = Message(Code.CONTENT, MessageType.ACK, 1, b"", message.options, message.payload)
    with pytest.raises(DecodeError):
        split(answer)
    with pytest.raises(ValueError, match="once"):
        combine(answer, MESSAGE_3)


def test_message_3_goes_in_front_of_one_protected_request_that_fits():
    plain = request(Code.GET, "/temperature")
    with pytest.raises(ValueError, match="under OSCORE"):
        combine(plain, MESSAGE_3)
    protected = split(coap.decode(EXAMPLE)).request
    with pytest.raises(ValueError, match="once"):
        combine(combine(protected, MESSAGE_3), MESSAGE_3)
    with pytest.raises(ValueError, match="send message_3 first"):
        combine(protected, MESSAGE_3, max_payload=31)
    combine(protected, MESSAGE_3, max_payload=32)
