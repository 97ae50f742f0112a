import pytest

from thingstead.endpoint.client_exchange import ClientExchange
from thingstead.errors import DecodeError
from thingstead.protocols.coap.block import BERT, Block, Pieces
from thingstead.protocols.coap.message import Message, MessageType, request
from thingstead.protocols.coap.registry import Code, OptionNumber

BLOCK1, BLOCK2 = OptionNumber.BLOCK1, OptionNumber.BLOCK2
PEER = ("192.0.2.2", 5683)


_USUAL = Pieces(6)


def exchange(code=Code.PUT, payload=b"", *, pieces=_USUAL, is_reliable=False, options=()):
    asked = Message(code, options=list(options), payload=payload)
    return ClientExchange(1, asked, PEER, None, pieces=pieces, is_reliable=is_reliable)


def said(code, num=None, *, more=False, szx=0):
    options = [] if num is None else [(int(BLOCK1), Block(num, more, szx).encode())]
    return Message(code, options=options)


def sent(one):
    message = one.compose(b"t", 1)
    value = message.option(BLOCK1)
    return None if value is None else (int.from_bytes(value, "big") >> 4, len(message.payload))


@pytest.mark.spec("RFC 7959 2.5")
def test_a_body_goes_out_block_by_block_with_its_size_and_one_tag():
    one = exchange(payload=bytes(40), pieces=Pieces(0))
    tags, sizes, blocks = set(), [], []
    for num, more in ((0, True), (1, True), (2, False)):
        message = one.compose(b"t", 1)
        tags.add(message.option(OptionNumber.REQUEST_TAG))
        sizes.append(message.uint_option(OptionNumber.SIZE1))
        blocks.append(sent(one))
        assert one.wants_block(said(Code.CONTINUE if more else Code.CHANGED, num, more=more)) is more
    assert (blocks, sizes, tags) == ([(0, 16), (1, 16), (2, 8)], [40, None, None], {b"\x01"})


@pytest.mark.spec("RFC 7959 2.10")
def test_only_the_first_block_says_that_there_must_be_nothing_yet():
    one = exchange(payload=bytes(40), pieces=Pieces(0), options=[(OptionNumber.IF_NONE_MATCH, b"")])
    said_so = []
    for num, more in ((0, True), (1, True), (2, False)):
        said_so.append(one.compose(b"t", 1).option(OptionNumber.IF_NONE_MATCH) is not None)
        one.wants_block(said(Code.CONTINUE if more else Code.CHANGED, num, more=more))
    assert said_so == [True, False, False]


@pytest.mark.spec("RFC 7959 2.3")
def test_a_server_that_acts_on_each_block_alone_gets_them_all():
    one = exchange(payload=bytes(40), pieces=Pieces(0))
    assert one.wants_block(said(Code.CHANGED, 0))
    assert one.wants_block(said(Code.CHANGED, 1))
    assert not one.wants_block(said(Code.CHANGED, 2))


@pytest.mark.spec("RFC 7959 2.3")
@pytest.mark.parametrize("code", [Code.CHANGED, Code.CREATED, Code.CONTENT, Code.CONTINUE])
def test_a_success_that_takes_a_part_for_the_whole_is_an_error(code):
    with pytest.raises(DecodeError):
        exchange(payload=bytes(40), pieces=Pieces(0)).wants_block(said(code))


@pytest.mark.spec("RFC 7959 2.5")
@pytest.mark.parametrize(
    "response",
    [said(Code.CONTINUE, 1), said(Code.CONTINUE, 0, szx=1), said(Code.CHANGED, 2), said(Code.CONTINUE, 0, szx=6)],
    ids=["next", "larger", "other", "largest"],
)
def test_an_acknowledgement_of_something_else_is_refused(response):
    with pytest.raises(DecodeError):
        exchange(payload=bytes(40), pieces=Pieces(0)).wants_block(response)


@pytest.mark.spec("RFC 7959 2.9.1")
def test_a_continue_behind_the_last_block_is_refused():
    one = exchange(payload=bytes(17), pieces=Pieces(0))
    one.wants_block(said(Code.CONTINUE, 0, more=True))
    with pytest.raises(DecodeError):
        one.wants_block(said(Code.CONTINUE, 1))


@pytest.mark.spec("RFC 7959 2.9.3")
def test_a_body_refused_as_too_large_begins_again_in_the_blocks_that_are_wanted():
    one = exchange(payload=bytes(100))
    assert sent(one) is None
    assert one.wants_block(said(Code.REQUEST_ENTITY_TOO_LARGE, 0, szx=1))
    assert sent(one) == (0, 32)
    assert one.wants_block(said(Code.REQUEST_ENTITY_TOO_LARGE, 0, szx=0))
    assert sent(one) == (0, 16)


@pytest.mark.spec("RFC 7959 2.9.3")
@pytest.mark.parametrize(
    "response",
    [
        said(Code.REQUEST_ENTITY_TOO_LARGE),
        said(Code.REQUEST_ENTITY_TOO_LARGE, 0, szx=2),
        said(Code.REQUEST_ENTITY_TOO_LARGE, 0, szx=6),
    ],
    ids=["no hint", "no smaller", "larger"],
)
def test_a_body_that_no_smaller_block_would_help_is_given_up(response):
    assert not exchange(payload=bytes(100), pieces=Pieces(2)).wants_block(response)


@pytest.mark.requirement("R-51")
@pytest.mark.parametrize("response", [said(Code.REQUEST_ENTITY_INCOMPLETE), said(Code.REQUEST_ENTITY_TOO_LARGE, 0)])
def test_a_server_cannot_make_us_begin_again_forever(response):
    one = exchange(payload=bytes(200), pieces=Pieces(3))
    assert sum(one.wants_block(response) for _ in range(100)) <= 3


@pytest.mark.spec("RFC 7959 2.4")
@pytest.mark.parametrize(
    ("szx", "value"), [(0, Block(0, False, 0).encode()), (5, Block(0, False, 5).encode()), (6, None)]
)
def test_smaller_blocks_than_usual_are_asked_for_early(szx, value):
    assert exchange(Code.GET, pieces=Pieces(szx)).compose(b"t", 1).option(BLOCK2) == value


@pytest.mark.spec("RFC 8323 6")
def test_over_a_reliable_transport_several_blocks_go_in_one_message():
    one = exchange(payload=bytes(5000), pieces=Pieces(BERT, 4), is_reliable=True)
    assert sent(one) == (0, 4096)
    assert one.wants_block(said(Code.CONTINUE, 0, more=True, szx=BERT))
    assert sent(one) == (4, 904)


@pytest.mark.spec("RFC 7967 2")
@pytest.mark.parametrize(("value", "may"), [(b"\x1a", True), (b"\x02", True), (b"", False)])
def test_a_request_may_ask_for_no_response(value, may):
    assert exchange(options=[(int(OptionNumber.NO_RESPONSE), value)]).may_stay_unanswered() is may


@pytest.mark.spec("RFC 8323 7.1")
def test_over_a_reliable_transport_notifications_are_in_order_whatever_their_number():
    notification = Message(Code.CONTENT, options=[(int(OptionNumber.OBSERVE), b"")])
    one = exchange(Code.GET, is_reliable=True)
    assert [one.is_in_order(notification, 0.0) for _ in range(3)] == [True, True, True]
    one = exchange(Code.GET)
    assert [one.is_in_order(notification, 0.0) for _ in range(3)] == [True, False, False]


@pytest.mark.parametrize("kind", [MessageType.ACK, MessageType.NON])
def test_a_plain_request_is_refused_by_no_error_of_this_kind(kind):
    assert not exchange().is_refused_by(Message(Code.UNAUTHORIZED, kind))


def test_what_the_endpoint_sets_is_not_taken_from_the_application():
    asked = [(int(BLOCK1), b"\x0e"), (int(OptionNumber.OBSERVE), b""), (11, b"a")]
    one = exchange(Code.GET, options=asked, pieces=Pieces(2))
    assert one.compose(b"t", 1).options == [(11, b"a"), (int(BLOCK2), b"\x02")]
    assert request(Code.GET, "/a").options == [(11, b"a")]


@pytest.mark.spec("RFC 7959 2.4")
@pytest.mark.parametrize("szx", [2, 6])
def test_an_application_that_names_a_block_asks_for_that_one(szx):
    wanted = Block(5, False, 6).encode()
    one = exchange(Code.GET, pieces=Pieces(szx), options=[(int(BLOCK2), wanted)])
    one.echo = b"echo"
    assert one.is_piece
    assert one.compose(b"t", 1).option_values(BLOCK2) == [wanted]
