"""message_3 and the first request in one message, between two endpoints that hold what EDHOC gave them."""

import pytest

from tests.unit.endpoint.ladder import CONTROLLER, SECURED, THING, Ladder, answered, context, endpoint, events
from thingstead.endpoint.association import Association
from thingstead.endpoint.combined import part
from thingstead.endpoint.event import RequestReceived
from thingstead.errors import AuthenticationError, DecodeError
from thingstead.protocols.cbor import codec
from thingstead.protocols.coap.message import Message, MessageType, decode, encode_as, request
from thingstead.protocols.coap.registry import Code, ContentFormat, OptionNumber
from thingstead.protocols.edhoc.coap_carriage import parse_request
from thingstead.protocols.edhoc.combined_request import combine, is_combined
from thingstead.protocols.oscore.protection import protect_request, unprotect_response

pytestmark = pytest.mark.spec("RFC 9668 3.3.1")
EDHOC = "/.well-known/edhoc"
MESSAGE_3 = codec.encode(bytes(range(19)))
HELLO = request(Code.GET, "/hello")


class Server:
    """A responder whose application answers at once, or when it is told to."""

    def __init__(self, *, path=EDHOC, **changes):
        self.endpoint = endpoint(2, edhoc_path=path, **changes)
        self.now = 0.0

    def take(self, message, *, mid=1, multicast=False, source=THING):
        data = encode_as(message, MessageType.CON, mid, b"\x01")
        self.endpoint.receive_datagram(data, source, self.now, multicast=multicast)
        return events(self.endpoint)

    def install(self):
        self.endpoint.install(Association(SECURED, context(mirrored=True)))

    def answer(self, event, message):
        self.endpoint.send_response(event.exchange, message, self.now)
        return events(self.endpoint)

    def sent(self):
        return [decode(data) for data, _ in self.endpoint.datagrams_to_send(self.now)]


def combined(message_3=MESSAGE_3, inner=HELLO):
    protected, binding = protect_request(inner, context=context())
    return combine(protected, message_3), binding


def test_message_3_comes_as_if_by_itself_and_the_request_once_it_was_taken():
    server = Server()
    message, binding = combined()
    (first,) = server.take(message)
    assert (first.message.code, first.message.path, first.association) == (Code.POST, EDHOC, None)
    assert first.message.uint_option(OptionNumber.CONTENT_FORMAT) == ContentFormat.CID_EDHOC_CBOR_SEQ
    assert parse_request(first.message.payload) == (b"\x01", MESSAGE_3)
    server.install()
    assert server.sent() == []
    (second,) = server.answer(first, answered(Code.CHANGED, b"message_4, which nobody gets"))
    assert (second.message.path, second.association) == ("/hello", SECURED)
    server.answer(second, answered(payload=b"welcome"))
    (response,) = server.sent()
    assert (response.type, response.mid) == (MessageType.ACK, 1)
    assert unprotect_response(response, binding=binding).payload == b"welcome"


def test_a_refusal_of_message_3_is_the_answer_to_all_and_nothing_of_the_request_is_looked_at():
    server = Server()
    (first,) = server.take(combined()[0])
    server.install()
    error = Message(Code.BAD_REQUEST, payload=b"\x01\x67refused")
    assert server.answer(first, error) == []
    (response,) = server.sent()
    assert (response.code, response.payload) == (Code.BAD_REQUEST, error.payload)
    assert response.option(OptionNumber.OSCORE) is None
    assert server.answer(first, answered()) == []


def test_a_request_that_does_not_verify_after_message_3_is_refused_as_any_is():
    server = Server()
    message, _ = combined()
    message.payload = message.payload[:-1] + bytes([message.payload[-1] ^ 1])
    (first,) = server.take(message)
    server.install()
    assert server.answer(first, answered(Code.CHANGED)) == []
    (response,) = server.sent()
    assert (response.code, response.payload) == (Code.BAD_REQUEST, b"")


def test_a_request_whose_context_was_not_installed_is_refused():
    server = Server()
    (first,) = server.take(combined()[0])
    assert server.answer(first, answered(Code.CHANGED)) == []
    (response,) = server.sent()
    assert response.code == Code.UNAUTHORIZED


@pytest.mark.requirement("R-15")
def test_a_combined_request_that_comes_twice_is_taken_once():
    server = Server()
    message, _ = combined()
    (first,) = server.take(message)
    assert server.take(message) == []
    server.install()
    (second,) = server.answer(first, answered(Code.CHANGED))
    assert server.take(message) == []
    server.answer(second, answered())
    (response,) = server.sent()
    assert server.take(message) == []
    assert [again.payload for again in server.sent()] == [response.payload]


def test_an_application_that_takes_its_time_has_the_request_acknowledged_and_answers_apart():
    server = Server()
    message, binding = combined()
    (first,) = server.take(message)
    server.now = 1.0
    assert [(sent.code, sent.mid) for sent in server.sent()] == [(Code.EMPTY, 1)]
    server.install()
    (second,) = server.answer(first, answered(Code.CHANGED))
    server.answer(second, answered(payload=b"late"))
    (response,) = server.sent()
    assert response.type is MessageType.CON
    assert unprotect_response(response, binding=binding).payload == b"late"


@pytest.mark.spec("RFC 9668 3.3.1")
@pytest.mark.parametrize(
    "payload",
    [b"", MESSAGE_3, b"\xff" + MESSAGE_3, b"\x01" + MESSAGE_3, b"\x58\xff", b"\x58\x01\x00\x00", b"\xf5\x41\x00\x00"],
    ids=bytes.hex,
)
def test_a_payload_that_is_not_message_3_and_a_ciphertext_is_bad(payload):
    server = Server()
    message, _ = combined()
    message.payload = payload
    assert server.take(message) == []
    assert [sent.code for sent in server.sent()] == [Code.BAD_REQUEST]


@pytest.mark.spec("RFC 9668 3.3.1")
def test_the_option_without_oscore_is_bad_and_without_us_serving_it_not_understood():
    message = request(Code.POST, "/hello", payload=MESSAGE_3 + b"\x00").with_options((OptionNumber.EDHOC, b""))
    for path, code in ((EDHOC, Code.BAD_REQUEST), ("", Code.BAD_OPTION)):
        server = Server(path=path)
        assert server.take(message) == []
        assert [sent.code for sent in server.sent()] == [code]


def test_where_no_resource_takes_message_3_no_combined_request_is_taken():
    server = Server(path="")
    server.install()
    assert server.take(combined()[0]) == []
    assert [sent.code for sent in server.sent()] == [Code.BAD_REQUEST]


@pytest.mark.spec("RFC 9668 3.1")
def test_a_value_of_the_option_is_ignored():
    message, _ = combined()
    message.options = [
        (number, b"\x07" if number == OptionNumber.EDHOC else value) for number, value in message.options
    ]
    assert len(Server().take(message)) == 1


@pytest.mark.spec("RFC 9668 3.1")
def test_the_option_twice_is_not_understood():
    message, _ = combined()
    server = Server()
    assert server.take(message.with_options((OptionNumber.EDHOC, b""))) == []
    assert [sent.code for sent in server.sent()] == [Code.BAD_OPTION]


def test_to_a_group_nothing_is_combined():
    server = Server()
    assert server.take(combined()[0], multicast=True) == []
    assert server.sent() == []


def test_a_kid_is_needed():
    message, _ = combined()
    message.options = [(number, b"" if number == OptionNumber.OSCORE else value) for number, value in message.options]
    with pytest.raises(DecodeError):
        part(message, path=EDHOC)


@pytest.mark.requirement("R-49")
def test_strangers_share_one_bound():
    server = Server()
    taken = sum(len(server.take(combined()[0], mid=mid)) for mid in range(400))
    assert taken == server.endpoint._layer.strangers.max_open
    server.now = 300.0
    server.sent()
    assert not server.endpoint._layer.strangers.open


def ladder(respond):
    return Ladder(secured=True, respond=respond, edhoc_path=EDHOC)


@pytest.mark.spec("RFC 9668 3.2.1")
def test_a_client_sends_message_3_with_the_first_message_and_with_no_other():
    def respond(event):
        if event.association is None:
            rungs.controller.locate(b"\x01", THING)
            return answered(Code.CHANGED)
        return answered(payload=bytes(3000))

    rungs = ladder(respond)
    rungs.ask(HELLO, message_3=MESSAGE_3)
    rungs.run()
    assert [(event.message.path, event.association) for event in rungs.requests] == [(EDHOC, None), ("/hello", SECURED)]
    assert rungs.response.payload == bytes(3000)
    assert [is_combined(message) for message in rungs.sent(THING)] == [True, False, False]


@pytest.mark.spec("RFC 9668 3.3.1")
def test_a_client_learns_that_its_message_3_was_refused():
    rungs = ladder(lambda _event: answered(Code.BAD_REQUEST, b"\x01\x67refused"))
    rungs.ask(HELLO, message_3=MESSAGE_3)
    rungs.run()
    assert isinstance(rungs.failure, AuthenticationError)


@pytest.mark.spec("RFC 9668 3.2.2")
def test_what_is_too_long_for_one_message_is_not_begun():
    side = endpoint(1)
    side.install(Association(SECURED, context()))
    with pytest.raises(ValueError, match="RFC 9668"):
        side.send_request(HELLO, CONTROLLER, 0.0, association=SECURED, message_3=codec.encode(bytes(1100)))
    assert side.datagrams_to_send(0.0) == []
    assert not isinstance(side.next_event(), RequestReceived)
