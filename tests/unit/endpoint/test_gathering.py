"""Whose pieces are put together before anything of them is verified: who was seen to receive, and nobody else's."""

import pytest

from tests.unit.endpoint.ladder import THING, events
from tests.unit.endpoint.test_fragment import BLOCK1, BLOCK2, ECHO, GET, STRANGER, piece, protected, said, server
from thingstead.protocols.coap.registry import Code, OptionNumber


@pytest.mark.requirement("R-49")
@pytest.mark.parametrize("number", [BLOCK1, BLOCK2])
def test_nothing_is_held_for_a_source_that_has_not_shown_itself(number):
    side, whole = server(), protected()
    reply = said(side, piece(whole, 0, number=number), STRANGER)
    assert (reply.code, len(reply.option(ECHO))) == (Code.UNAUTHORIZED, 12)
    assert said(side, piece(whole, 1), THING).code == Code.REQUEST_ENTITY_INCOMPLETE


@pytest.mark.spec("RFC 9175 2.3")
def test_a_proxy_that_brings_an_outer_echo_value_back_may_send_pieces():
    side, whole = server(), protected(GET.with_options((int(OptionNumber.URI_QUERY), bytes(90))))
    echo = (ECHO, said(side, piece(whole, 0), STRANGER).option(ECHO))
    codes = [said(side, piece(whole, num, mid=10 + num, options=[echo]), STRANGER).code for num in range(2)]
    assert codes == [Code.CONTINUE, Code.CHANGED]
    assert said(side, piece(whole, 0, mid=20, options=[echo]), ("203.0.113.9", 2)).code == Code.UNAUTHORIZED
    assert side.counters == {"echo-unauthenticated": 1}


def test_a_piece_by_multicast_is_dropped():
    side, whole = server(), protected()
    data = bytearray(piece(whole, 0))
    data[0] |= 0x10
    side.receive_datagram(bytes(data), THING, 0.0, multicast=True)
    assert (events(side), side.datagrams_to_send(0.0)) == ([], [])
