import pytest

from tests.unit.endpoint.ladder import THING
from tests.unit.endpoint.ladder import Ladder as Exchange
from thingstead.endpoint.drawing import Ladder, code_text, describe
from thingstead.protocols.coap.message import Message, MessageType, decode, request
from thingstead.protocols.coap.registry import Code, ContentFormat, OptionNumber


@pytest.mark.parametrize(
    ("code", "text"),
    [(Code.GET, "GET"), (0x1E, "0.30"), (Code.NOT_FOUND, "4.04 Not Found"), (0xBF, "5.31"), (Code.EMPTY, "0.00 Empty")],
)
def test_a_code_is_told_in_words(code, text):
    assert code_text(code) == text


@pytest.mark.parametrize(
    ("message", "text"),
    [
        (request(Code.GET, "/a/b", query=("x=1", "y")), "CON GET /a/b?x=1&y [0000]"),
        (Message(0, MessageType.ACK, 0x7D3A), "ACK [7d3a]"),
        (
            Message(
                Code.CONTENT,
                MessageType.ACK,
                1,
                b"\xab",
                [(OptionNumber.CONTENT_FORMAT, bytes([ContentFormat.CBOR])), (OptionNumber.BLOCK2, b"\x1e")],
                b"x" * 1024,
            ),
            "ACK 2.05 Content, Content-Format application/cbor, Block2 1/1/1024, 1024 bytes [0001, token ab]",
        ),
        (
            Message(Code.GET, options=[(OptionNumber.OSCORE, bytes.fromhex("090501"))]),
            "CON GET /, OSCORE kid 01 number 5 [0000]",
        ),
        (
            Message(Code.GET, options=[(OptionNumber.URI_HOST, b"h"), (OptionNumber.OBSERVE, b"")]),
            "CON GET /, Uri-Host h, Observe 0 [0000]",
        ),
    ],
)
def test_a_message_is_one_line(message, text):
    assert describe(message) == text


def test_what_a_peer_wrote_moves_no_cursor_and_breaks_no_line():
    hostile = [
        (3, b"\x1b[2J"),
        (OptionNumber.URI_PATH, "a\n\u202eb".encode()),
        (OptionNumber.CONTENT_FORMAT, b"12345"),
        (65000, b"?"),
    ]
    text = describe(Message(Code.GET, options=hostile))
    assert text.isprintable()
    assert "Content-Format malformed" in text
    assert "option 65000 3f" in text


def test_a_path_that_is_none_is_said():
    assert "none" in describe(Message(Code.GET, options=[(OptionNumber.URI_PATH, b"\xff")]))


def test_over_tcp_there_is_neither_type_nor_message_id():
    assert describe(Message(Code.CONTENT, token=b"\x01"), reliable=True) == "2.05 Content [token 01]"


@pytest.mark.spec("RFC 8323 5.2")
def test_the_options_of_a_signal_are_not_those_of_a_request():
    assert (
        describe(Message(Code.CSM, options=[(2, b"\x01"), (4, b"")]), reliable=True)
        == "7.01 CSM, option 2 01, option 4"
    )


def test_an_exchange_is_drawn_with_its_directions():
    exchange = Exchange(secured=True)
    exchange.ask(request(Code.GET, "/light"))
    exchange.pump()
    drawing = Ladder("thing", "controller")
    rungs = [drawing.rung(0.0, data, rightward=source == THING) for source, _, data in exchange.wire]
    assert drawing.head().index("│") == rungs[0].index("│") == rungs[1].index("│")
    assert rungs[0].endswith("▶│")
    assert "◀" in rungs[1]
    assert "light" not in "".join(rungs)
    assert "OSCORE kid 01 number 0" in rungs[0]
    assert {len(rung) for rung in rungs} == {len(rungs[0])}


def test_what_is_no_message_has_its_rung_too():
    assert "3 bytes that are no CoAP message" in Ladder("a", "b").rung(0.0, b"\x40\x01\x00", rightward=True)
    assert decode(bytes.fromhex("40010001")).code == Code.GET
