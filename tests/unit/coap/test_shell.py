"""One endpoint on one socket: what fails reaches whoever waits, and what nobody takes is bounded."""

import asyncio

import pytest

from tests.unit.coap.party import PARAMETERS
from thingstead.clock import SystemClock
from thingstead.coap.shell import DatagramShell, Exchange
from thingstead.endpoint.association import Association
from thingstead.endpoint.config import EndpointConfig
from thingstead.endpoint.event import AssociationId, ExchangeId, RenewalNeeded, ResponseReceived
from thingstead.errors import StorageError, UnreachableError
from thingstead.protocols.coap.message import Message, request
from thingstead.protocols.coap.registry import Code
from thingstead.protocols.oscore.context import SequenceNumbers
from thingstead.protocols.oscore.replay import ReplayWindow
from thingstead.transport.udp import open_socket

HERE = ("127.0.0.1", 5683)
PEER = AssociationId("peer")


def shell(**options):
    return DatagramShell(open_socket("127.0.0.1", 0), EndpointConfig(), clock=SystemClock(), **options)


def run(story, **options):
    async def whole():
        async with asyncio.timeout(5):
            made = shell(**options)
            try:
                return await story(made)
            finally:
                made.close()

    return asyncio.run(whole())


@pytest.mark.spec("RFC 8613 B.1.1")
def test_a_disk_that_keeps_no_number_fails_the_request_and_sends_nothing():
    def full(_association, _upto):
        raise StorageError("no space left")

    sent = []

    async def story(made):
        made.install(Association(PEER, PARAMETERS.derive(SequenceNumbers(0, reserved=0), ReplayWindow())))
        await made.ask(request(Code.GET, "/"), HERE, association=PEER).outcome()

    with pytest.raises(StorageError, match="no space"):
        run(story, reserve=full, watch=lambda now, data, peer, out: sent.append(data))
    assert sent == []


def test_keys_that_are_nearly_used_up_are_told_of(caplog):
    async def story(made):
        made._endpoint._events.append(RenewalNeeded(PEER))
        made.run(0.0)

    run(story, reserve=lambda association, upto: None)
    assert "the OSCORE keys of peer are nearly used up" in caplog.text


def test_who_serves_nothing_says_not_found_to_everybody():
    async def story(made):
        other = shell(reserve=lambda association, upto: None)
        try:
            answer = await made.ask(request(Code.GET, "/"), other._pump._sockets[0].getsockname()).outcome()
        finally:
            other.close()
        return answer.message.code

    assert run(story, reserve=lambda association, upto: None) == Code.NOT_FOUND


def test_what_nobody_can_be_sent_fails_only_there():
    async def story(made):
        with open_socket("127.0.0.1", 0) as probe:
            nobody = probe.getsockname()
        with open_socket("127.0.0.1", 0) as deaf:
            waiting = made.ask(request(Code.GET, "/"), deaf.getsockname())
            with pytest.raises(UnreachableError, match=f"port {nobody[1]}"):
                await made.ask(request(Code.GET, "/"), nobody).outcome()
            return waiting._outcomes.qsize()

    assert run(story, reserve=lambda association, upto: None) == 0


@pytest.mark.spec("RFC 7641 1.3")
def test_notifications_that_nobody_takes_give_way_to_newer_ones():
    async def story():
        exchange = Exchange(ExchangeId(1), HERE)
        for number in range(1000):
            message = Message(Code.CONTENT, payload=b"%d" % number)
            exchange.hand_over(ResponseReceived(ExchangeId(1), message, HERE, None, None, is_last=False))
        return [int((await exchange.outcome()).message.payload) for _ in range(64)]

    assert asyncio.run(story()) == list(range(936, 1000))
