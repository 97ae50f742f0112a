"""Who sent a protected request is certain, where it came from is not until an Echo value has come back from there."""

import pytest

from tests.unit.endpoint.ladder import OBSERVE, SECURED, THING, Ladder, answered, context, endpoint, events
from thingstead.endpoint.association import Association
from thingstead.endpoint.event import AssociationId, RequestReceived
from thingstead.errors import StateError
from thingstead.protocols.coap.message import Message, MessageType, decode, encode, request
from thingstead.protocols.coap.registry import Code, OptionNumber
from thingstead.protocols.oscore.protection import protect_request, unprotect_response

GET, PUT = request(Code.GET, "/a"), request(Code.PUT, "/a", payload=b"on")
REGISTER = GET.with_options((int(OptionNumber.OBSERVE), b""))
ELSEWHERE = ("198.51.100.7", 40000)
ECHO = int(OptionNumber.ECHO)
ACTING = [Code.POST, Code.PUT, Code.DELETE, Code.PATCH, Code.IPATCH]


class Peer:
    """A thing that sends from wherever it is told, and reads what comes back."""

    def __init__(self):
        self.context = context()
        self.count = 0

    def datagram(self, message, *, kind=MessageType.CON):
        self.count += 1
        named = Message(message.code, kind, self.count, bytes([self.count]), list(message.options), message.payload)
        outer, binding = protect_request(named, context=self.context)
        return encode(outer), binding

    def ask(self, side, message, source, *, now=0.0, payload=b"", kind=MessageType.CON):
        """What the server says to a request, which its application answers with `payload`; None if nothing."""
        data, binding = self.datagram(message, kind=kind)
        side.receive_datagram(data, source, now)
        for event in events(side):
            if isinstance(event, RequestReceived):
                side.send_response(event.exchange, answered(payload=payload), now)
        sent = side.datagrams_to_send(now)
        assert [destination for _, destination in sent] == [source] * len(sent)
        assert source == THING or sum(len(reply) for reply, _ in sent) <= 3 * len(data)
        return unprotect_response(decode(sent[0][0]), binding=binding) if sent else None


def server(*, address=THING, **changes):
    side = endpoint(2, **changes)
    side.install(Association(SECURED, context(mirrored=True), address=address))
    return side


def echoed(message, challenge):
    return message.with_options((ECHO, challenge.option(ECHO)))


@pytest.mark.requirement("R-64")
@pytest.mark.requirement("R-68")
def test_a_thing_that_moves_keeps_its_association_once_it_has_shown_where_it_is():
    side, peer = server(), Peer()
    challenge = peer.ask(side, PUT, ELSEWHERE)
    assert (challenge.code, side.association(SECURED).address) == (Code.UNAUTHORIZED, THING)
    assert peer.ask(side, echoed(PUT, challenge), ELSEWHERE).code == Code.CONTENT
    side.send_request(GET, None, 0.0, association=SECURED)
    assert side.datagrams_to_send(0.0)[0][1] == ELSEWHERE


@pytest.mark.requirement("R-64")
def test_an_endpoint_whose_client_moves_goes_on_by_itself():
    ladder = Ladder(secured=True)
    ladder.controller.install(Association(SECURED, context(mirrored=True), address=ELSEWHERE))
    ladder.ask(PUT)
    ladder.run()
    assert (ladder.response.payload, len(ladder.requests)) == (b"/a", 1)
    assert ladder.controller.association(SECURED).address == THING


@pytest.mark.requirement("R-64")
def test_a_small_answer_needs_no_round_trip():
    assert Peer().ask(server(), GET, ELSEWHERE, payload=b"21").payload == b"21"


@pytest.mark.requirement("R-68")
@pytest.mark.parametrize("address", [THING, None], ids=["moved", "never seen"])
@pytest.mark.parametrize("code", ACTING)
def test_what_acts_from_an_unverified_address_does_not_reach_the_application(code, address):
    side, peer = server(address=address), Peer()
    data, _ = peer.datagram(request(code, "/a"))
    side.receive_datagram(data, ELSEWHERE, 0.0)
    assert (events(side), side.counters) == ([], {"path": 1})
    assert side.association(SECURED).address == address


@pytest.mark.requirement("R-68")
def test_a_large_answer_waits_for_the_path():
    side, peer = server(), Peer()
    challenge = peer.ask(side, GET, ELSEWHERE, payload=bytes(1000))
    assert (challenge.code, challenge.payload) == (Code.UNAUTHORIZED, b"")
    assert peer.ask(side, GET, ELSEWHERE, payload=bytes(1000)).code == Code.UNAUTHORIZED
    data, _ = peer.datagram(echoed(GET, challenge))
    side.receive_datagram(data, ELSEWHERE, 0.0)
    (event,) = events(side)
    side.send_response(event.exchange, answered(payload=bytes(1000)), 0.0)
    assert len(side.datagrams_to_send(0.0)[0][0]) > 1000


@pytest.mark.requirement("R-68")
def test_a_large_answer_that_took_its_time_waits_for_the_path_too():
    side, peer = server(), Peer()
    data, binding = peer.datagram(GET)
    side.receive_datagram(data, ELSEWHERE, 0.0)
    (event,) = events(side)
    assert decode(side.datagrams_to_send(1.0)[0][0]).code == Code.EMPTY
    side.send_response(event.exchange, answered(payload=bytes(1000)), 1.0)
    ((late, _),) = side.datagrams_to_send(1.0)
    assert unprotect_response(decode(late), binding=binding).option(ECHO) is not None


@pytest.mark.spec("RFC 9175 2.4")
def test_a_challenge_for_the_path_is_not_repeated():
    side, peer = server(), Peer()
    data, _ = peer.datagram(GET)
    side.receive_datagram(data, ELSEWHERE, 0.0)
    (event,) = events(side)
    side.datagrams_to_send(1.0)
    side.send_response(event.exchange, answered(payload=bytes(1000)), 1.0)
    assert [decode(late).type for late, _ in side.datagrams_to_send(1.0)] == [MessageType.NON]
    assert side.datagrams_to_send(100.0) == []


@pytest.mark.requirement("R-68")
def test_an_observation_waits_for_the_path():
    side, peer = server(), Peer()
    assert peer.ask(side, REGISTER, ELSEWHERE).code == Code.UNAUTHORIZED


@pytest.mark.requirement("R-64")
def test_an_observation_follows_a_thing_that_moves():
    ladder = Ladder(secured=True, respond=lambda event: answered(Code.CONTENT, b"", OBSERVE))
    ladder.ask(GET, observe=True)
    ladder.pump()
    controller = ladder.controller
    mover = Peer()
    mover.context = ladder.thing.association(SECURED).context
    challenge = mover.ask(controller, PUT, ELSEWHERE)
    mover.ask(controller, echoed(PUT, challenge), ELSEWHERE)
    controller.send_response(ladder.requests[0].exchange, answered(Code.CONTENT, b"x", OBSERVE), 0.0)
    assert controller.datagrams_to_send(0.0)[0][1] == ELSEWHERE


@pytest.mark.requirement("R-68")
@pytest.mark.spec("RFC 9175 2.3")
def test_an_echo_value_is_good_for_the_address_that_it_was_sent_to_only():
    side, peer = server(), Peer()
    challenge = peer.ask(side, PUT, ELSEWHERE)
    stolen = peer.ask(side, echoed(PUT, challenge), ("203.0.113.9", 1))
    assert stolen.code == Code.UNAUTHORIZED
    assert side.association(SECURED).address == THING
    assert side.counters == {"path": 2, "echo-unauthenticated": 1}


@pytest.mark.requirement("R-68")
def test_an_echo_value_that_is_too_old_proves_no_path():
    side, peer = server(), Peer()
    challenge = peer.ask(side, PUT, ELSEWHERE)
    assert peer.ask(side, echoed(PUT, challenge), ELSEWHERE, now=100.0).code == Code.UNAUTHORIZED


@pytest.mark.requirement("R-68")
def test_an_overtaken_proof_does_not_move_the_association_back():
    side, peer = server(), Peer()
    challenge = peer.ask(side, PUT, ELSEWHERE)
    late, _ = peer.datagram(echoed(PUT, challenge))
    peer.ask(side, GET, THING)
    side.receive_datagram(late, ELSEWHERE, 0.0)
    assert len(events(side)) == 1
    assert side.association(SECURED).address == THING


@pytest.mark.requirement("R-37")
@pytest.mark.parametrize("size", [0, 1, 30, 60, 100, 500, 1024, 5000])
@pytest.mark.parametrize("kind", [MessageType.CON, MessageType.NON])
def test_no_address_gets_more_than_three_times_what_came_from_it(size, kind):
    peer = Peer()
    for message in (GET, PUT, REGISTER):
        peer.ask(server(), message, ELSEWHERE, payload=bytes(size), kind=kind)


def test_nothing_is_sent_on_our_part_before_the_peer_was_seen_to_receive():
    side, peer = server(address=None), Peer()
    peer.ask(side, GET, ELSEWHERE)
    with pytest.raises(StateError):
        side.send_request(PUT, None, 0.0, association=SECURED)


def test_a_peer_that_a_handshake_has_seen_needs_to_show_nothing():
    side = server(address=None)
    side.locate(b"\x01", ELSEWHERE)
    assert Peer().ask(side, PUT, ELSEWHERE).code == Code.CONTENT


def test_an_address_is_given_to_nobody_where_a_name_is_shared():
    side = server(address=None)
    side.locate(b"\x07", ELSEWHERE)
    side.install(Association(AssociationId("b"), context(mirrored=True)))
    side.locate(b"\x01", ELSEWHERE)
    assert [side.association(AssociationId(name)).address for name in "ab"] == [None, None]


@pytest.mark.requirement("R-64")
def test_a_response_may_come_from_where_the_peer_has_moved_to():
    ladder = Ladder(secured=True)
    ladder.ask(GET)
    ladder.controller.receive_datagram(ladder.thing.datagrams_to_send(0.0)[0][0], THING, 0.0)
    ladder.controller.send_response(events(ladder.controller)[0].exchange, answered(payload=b"x"), 0.0)
    data = ladder.controller.datagrams_to_send(0.0)[0][0]
    ladder.thing.receive_datagram(data, ELSEWHERE, 0.0)
    (event,) = events(ladder.thing)
    assert (event.message.payload, event.source) == (b"x", ELSEWHERE)
    assert ladder.thing.association(SECURED).address is None


@pytest.mark.requirement("R-36")
def test_a_source_is_known_from_where_its_peer_receives_until_the_association_ends():
    side = server(address=None)
    side.install(Association(AssociationId("b"), context(mirrored=True), address=THING))
    assert (side.is_known(THING), side.is_known(ELSEWHERE)) == (True, False)
    side.install(Association(AssociationId("b"), context(mirrored=True), address=ELSEWHERE))
    assert (side.is_known(THING), side.is_known(ELSEWHERE)) == (False, True)
    side.install(Association(AssociationId("c"), context(mirrored=True), address=ELSEWHERE))
    side.end(AssociationId("b"))
    assert side.is_known(ELSEWHERE)
    side.end(AssociationId("c"))
    assert not side.is_known(ELSEWHERE)
