import random
from dataclasses import replace

import pytest

from tests.unit.endpoint.ladder import (
    CONTROLLER,
    OBSERVE,
    SECURED,
    THING,
    Ladder,
    answered,
    context,
    endpoint,
    events,
)
from thingstead.endpoint.association import Association
from thingstead.endpoint.config import EndpointConfig, Retention
from thingstead.endpoint.endpoint import Endpoint
from thingstead.endpoint.event import (
    AssociationId,
    ContextNeeded,
    ExchangeFailed,
    RenewalNeeded,
    RequestReceived,
    SequenceNeeded,
)
from thingstead.errors import AuthenticationError, StateError, UntrustedError
from thingstead.protocols.coap import block
from thingstead.protocols.coap.message import Message, MessageType, decode, encode, request
from thingstead.protocols.coap.registry import Code, OptionNumber
from thingstead.protocols.coap.reliability import TransmissionParameters
from thingstead.protocols.oscore.context import SecurityContext, SequenceNumbers
from thingstead.protocols.oscore.protection import protect_request, protect_response, unprotect_request
from thingstead.protocols.oscore.replay import ReplayWindow
from thingstead.secret import Secret

GET = request(Code.GET, "/a")
LONG = bytes(range(250)) * 10


def server(**changes):
    side = endpoint(2, **changes)
    side.install(Association(SECURED, context(mirrored=True), peer="thing-1", scope="scope-1", address=THING))
    return side


def protected(client, inner=GET, *, mid=1, kind=MessageType.CON, token=b"t"):
    outer, _ = protect_request(replace(inner, mid=mid, type=kind, token=token), context=client)
    return encode(outer)


def sent(side, now=0.0):
    return [decode(data) for data, _ in side.datagrams_to_send(now)]


@pytest.mark.spec("RFC 8613 8.2")
def test_a_verified_request_names_its_association():
    ladder = Ladder(secured=True)
    ladder.ask(GET)
    ladder.run()
    (event,) = ladder.requests
    assert (event.association, event.message.path) == (SECURED, "/a")
    assert ladder.response.payload == b"/a"
    assert b"/a" not in b"".join(data for _, _, data in ladder.wire)


def test_the_application_finds_whose_association_it_is():
    side = server()
    assert (side.association(SECURED).peer, side.association(SECURED).scope) == ("thing-1", "scope-1")
    assert side.association(AssociationId("b")) is None


@pytest.mark.spec("RFC 7959 2.5")
@pytest.mark.spec("RFC 8613 4.1.3.4.1")
def test_long_bodies_travel_in_inner_blocks_both_ways():
    ladder = Ladder(secured=True, respond=lambda event: answered(Code.CHANGED, event.message.payload[::-1] * 2))
    ladder.ask(request(Code.POST, "/a", payload=LONG))
    ladder.run()
    assert ladder.response.payload == LONG[::-1] * 2
    assert ladder.requests[0].message.payload == LONG
    assert {number for message in ladder.sent(THING) for number, _ in message.options} == {OptionNumber.OSCORE}


@pytest.mark.spec("RFC 9175 3.3")
def test_two_uploads_of_one_thing_to_one_resource_do_not_mix():
    ladder = Ladder(secured=True, transmission=TransmissionParameters(nstart=2))
    bodies = [b"a" * 3000, b"b" * 3000]
    for body in bodies:
        ladder.ask(request(Code.POST, "/a", payload=body))
    ladder.run()
    assert sorted(event.message.payload for event in ladder.requests) == bodies


@pytest.mark.spec("RFC 7252 4.5")
def test_a_retransmission_gets_the_stored_reply_and_not_a_replay_error():
    side, data = server(), protected(context())
    side.receive_datagram(data, THING, 0.0)
    side.send_response(events(side)[0].exchange, answered(payload=b"x"), 0.0)
    first = side.datagrams_to_send(0.0)
    side.receive_datagram(data, THING, 1.0)
    assert side.datagrams_to_send(1.0) == first
    assert (events(side), side.counters) == ([], {"duplicate": 1})


@pytest.mark.requirement("R-15")
@pytest.mark.spec("RFC 8613 7.4")
def test_a_replay_from_elsewhere_is_refused_and_changes_no_address():
    side, data = server(), protected(context())
    side.receive_datagram(data, THING, 0.0)
    side.receive_datagram(data, ("203.0.113.9", 1), 0.0)
    assert len(events(side)) == 1
    assert (side.association(SECURED).address, side.counters) == (THING, {"replay": 1})
    assert [message.code for message in sent(side)] == [Code.UNAUTHORIZED]


@pytest.mark.spec("RFC 8613 8.2")
@pytest.mark.parametrize(
    ("change", "code", "reason"),
    [
        (lambda data: data[:-1] + bytes([data[-1] ^ 1]), Code.BAD_REQUEST, "unauthenticated"),
        (lambda data: data.replace(b"\x09\x00\x01", b"\x09\x00\x07"), Code.UNAUTHORIZED, "context"),
        (lambda data: data.replace(b"\x93\x09", b"\x93\xc9"), Code.BAD_OPTION, "malformed"),
    ],
    ids=["tag", "kid", "option"],
)
@pytest.mark.parametrize("kind", [MessageType.CON, MessageType.NON])
def test_a_request_that_does_not_verify_gets_the_answer_of_the_standard(change, code, reason, kind):
    side = server()
    original = protected(context(), kind=kind)
    data = change(original)
    assert data != original
    side.receive_datagram(data, THING, 0.0)
    (reply,) = sent(side)
    assert (reply.code, reply.uint_option(OptionNumber.MAX_AGE), reply.option(OptionNumber.OSCORE)) == (code, 0, None)
    assert (events(side), side.counters) == ([], {reason: 1})
    assert side.association(SECURED).address == THING
    assert len(encode(reply)) <= 3 * len(data)


@pytest.mark.spec("RFC 8613 8.2")
def test_a_request_that_does_not_verify_is_not_answered_to_a_group():
    side = server()
    data = protected(context(), kind=MessageType.NON)
    side.receive_datagram(data[:-1] + b"\x00", THING, 0.0, multicast=True)
    assert (sent(side), side.counters) == ([], {"unauthenticated": 1})


@pytest.mark.requirement("R-36")
def test_refusals_are_bounded_in_rate():
    side = server(refusals_per_second=5.0)
    client = context()
    for mid in range(100):
        side.receive_datagram(protected(client, mid=mid)[:-1] + b"\x00", THING, 0.0)
    assert len(sent(side)) == 10
    side.receive_datagram(protected(client, mid=200)[:-1] + b"\x00", THING, 1.0)
    assert len(sent(side)) == 1


def test_a_verified_request_with_a_critical_option_unknown_to_us_is_refused_protected():
    side = server()
    side.receive_datagram(protected(context(), Message(Code.GET, options=[(65001, b"")])), THING, 0.0)
    (reply,) = sent(side)
    assert reply.option(OptionNumber.OSCORE) is not None
    assert events(side) == []


@pytest.mark.requirement("R-64")
def test_a_response_may_come_from_where_the_peer_has_moved_to():
    ladder = Ladder(secured=True)
    ladder.ask(GET)
    ladder.controller.receive_datagram(ladder.thing.datagrams_to_send(0.0)[0][0], THING, 0.0)
    ladder.controller.send_response(events(ladder.controller)[0].exchange, answered(payload=b"x"), 0.0)
    data = ladder.controller.datagrams_to_send(0.0)[0][0]
    ladder.thing.receive_datagram(data, ("198.51.100.7", 40000), 0.0)
    (event,) = events(ladder.thing)
    assert (event.message.payload, event.source) == (b"x", ("198.51.100.7", 40000))


@pytest.mark.spec("RFC 8613 Appendix B.1.2")
def test_after_a_restart_the_first_request_is_asked_to_come_again_and_the_client_does_so():
    ladder = Ladder(secured=True)
    ladder.ask(GET)
    ladder.run()
    ladder.restart_controller()
    for _ in range(2):
        ladder.ask(GET)
        ladder.run()
    assert len(ladder.results()) == 3
    assert len(ladder.sent(THING)) == 4
    assert ladder.controller.counters == {"freshness": 1}


@pytest.mark.requirement("R-15")
@pytest.mark.spec("RFC 8613 Appendix B.1.2")
def test_after_a_restart_nothing_recorded_before_it_gets_in():
    client = context()
    recorded = [protected(client, mid=mid) for mid in range(5)]
    side = endpoint(3)
    side.install(Association(SECURED, context(mirrored=True, window=ReplayWindow(valid=False))))
    for data in recorded:
        side.receive_datagram(data, ("203.0.113.9", 1), 0.0)
    assert not [event for event in events(side) if isinstance(event, RequestReceived)]
    assert all(reply.option(OptionNumber.OSCORE)[:1] == b"\x01" for reply in sent(side))


@pytest.mark.spec("RFC 8613 Appendix B.1.2")
def test_an_echo_value_does_not_outlive_the_installation_that_gave_it():
    ladder = Ladder(secured=True)
    ladder.restart_controller()
    ladder.ask(GET)
    ladder.run()
    accepted = [data for source, _, data in ladder.wire if source == THING][-1]
    lost = context(mirrored=True, window=ReplayWindow(valid=False), sequence=SequenceNumbers(5000))
    ladder.controller.install(Association(SECURED, lost))
    ladder.controller.receive_datagram(accepted, ("203.0.113.9", 1), ladder.now)
    assert not [event for event in events(ladder.controller) if isinstance(event, RequestReceived)]
    assert ladder.controller.counters["echo-unauthenticated"] == 1


@pytest.mark.spec("RFC 8613 8.4")
def test_a_client_believes_no_unprotected_success():
    side = endpoint()
    side.install(Association(SECURED, context()))
    side.send_request(GET, CONTROLLER, 0.0, association=SECURED)
    ask = sent(side)[0]
    side.receive_datagram(encode(Message(Code.CONTENT, MessageType.ACK, ask.mid, ask.token)), CONTROLLER, 0.0)
    assert (events(side), side.counters) == ([], {"unprotected": 1})


@pytest.mark.spec("RFC 8613 8.2")
@pytest.mark.parametrize(
    ("code", "error"), [(Code.UNAUTHORIZED, UntrustedError), (Code.BAD_REQUEST, AuthenticationError)]
)
def test_an_unprotected_refusal_ends_the_exchange_when_it_acknowledges_it(code, error):
    side = endpoint()
    side.install(Association(SECURED, context()))
    side.send_request(GET, CONTROLLER, 0.0, association=SECURED)
    ask = sent(side)[0]
    side.receive_datagram(encode(Message(code, MessageType.NON, ask.mid, ask.token)), CONTROLLER, 0.0)
    assert events(side) == []
    side.receive_datagram(encode(Message(code, MessageType.ACK, ask.mid, ask.token)), CONTROLLER, 0.0)
    (event,) = events(side)
    assert (type(event), type(event.error)) == (ExchangeFailed, error)


def test_a_forged_protected_response_changes_nothing():
    side = endpoint()
    side.install(Association(SECURED, context()))
    side.send_request(GET, CONTROLLER, 0.0, association=SECURED)
    ask = sent(side)[0]
    deadline = side.next_deadline()
    forged = Message(Code.CHANGED, MessageType.ACK, ask.mid, ask.token, [(OptionNumber.OSCORE, b"")], bytes(20))
    side.receive_datagram(encode(forged), CONTROLLER, 0.0)
    assert (events(side), side.counters, side.next_deadline()) == ([], {"unauthenticated": 1}, deadline)


@pytest.mark.spec("RFC 8613 4.1.3.5.2")
def test_notifications_are_protected_and_in_order():
    ladder = Ladder(secured=True, respond=lambda event: answered(Code.CONTENT, b"first", OBSERVE))
    name = ladder.ask(GET, observe=True)
    ladder.pump()
    for number in range(3):
        ladder.controller.send_response(
            ladder.requests[0].exchange, answered(Code.CONTENT, b"%d" % number, OBSERVE), ladder.now
        )
        ladder.pump()
    assert [event.message.payload for event in ladder.results()] == [b"first", b"0", b"1", b"2"]
    ladder.thing.cancel(name, ladder.now)
    ladder.pump()
    assert len(ladder.ended) == 1


@pytest.mark.spec("RFC 8613 7.4.1")
@pytest.mark.parametrize("start", [0, 1 << 23])
def test_a_first_notification_without_partial_iv_is_the_oldest(start):
    side = endpoint()
    side.install(Association(SECURED, context()))
    side.send_request(GET, CONTROLLER, 0.0, association=SECURED, observe=True)
    (asked,) = sent(side)
    server = context(mirrored=True, sequence=SequenceNumbers(start))
    server.sender.sequence.limit = server.sender.sequence.reserved = 1 << 40  # aiocoap knows no limits of keys
    _, binding = unprotect_request(asked, context=server)
    # 2.05 with an empty Observe, under the request's nonce: ours never takes that for a notification, aiocoap does.
    first = server.sender.aead.encrypt(binding.nonce, b"\x45\x60\xfffirst", binding.aad)
    options = [OBSERVE, (int(OptionNumber.OSCORE), b"")]
    answers = [Message(Code.CONTENT, MessageType.ACK, asked.mid, asked.token, options, first)]
    for mid, payload in enumerate((b"second", b"third")):
        notification = Message(Code.CONTENT, MessageType.NON, mid, asked.token, [OBSERVE], payload)
        answers.append(protect_response(notification, binding=binding))
    for answer in answers:
        side.receive_datagram(encode(answer), CONTROLLER, 1.0)
    assert [event.message.payload for event in events(side)] == [b"first", b"second", b"third"]


def test_an_observation_ends_with_an_error_as_its_last_word():
    ladder = Ladder(secured=True, respond=lambda event: answered(Code.CONTENT, b"", OBSERVE))
    ladder.ask(GET, observe=True)
    ladder.pump()
    for _ in range(2):
        ladder.controller.send_response(ladder.requests[0].exchange, answered(Code.NOT_FOUND), ladder.now)
    ladder.pump()
    assert [event.is_last for event in ladder.results()] == [False, True]


@pytest.mark.requirement("R-57")
@pytest.mark.spec("RFC 9200 5.10.3")
def test_who_is_dismissed_gets_a_last_word_for_each_observation_and_the_association_stays():
    ladder = Ladder(secured=True, respond=lambda event: answered(Code.CONTENT, b"", OBSERVE))
    ladder.ask(GET, observe=True)
    ladder.pump()
    ladder.controller.dismiss(ladder.requests[0].association, answered(Code.UNAUTHORIZED), ladder.now)
    ladder.controller.dismiss(ladder.requests[0].association, answered(Code.UNAUTHORIZED), ladder.now)
    ladder.pump()
    assert [(event.message.code, event.is_last) for event in ladder.results()][1:] == [(Code.UNAUTHORIZED, True)]
    ladder.controller.send_response(ladder.requests[0].exchange, answered(Code.CONTENT, b"more"), ladder.now)
    ladder.ask(GET)
    ladder.pump()
    assert ladder.results()[-1].message.code == Code.CONTENT


@pytest.mark.parametrize("association", ["nobody", ""])
def test_nobody_else_is_dismissed(association):
    ladder = Ladder(secured=True, respond=lambda event: answered(Code.CONTENT, b"", OBSERVE))
    ladder.ask(GET, observe=True)
    ladder.pump()
    ladder.controller.dismiss(association, answered(Code.UNAUTHORIZED), ladder.now)
    ladder.pump()
    assert [event.is_last for event in ladder.results()] == [False]


@pytest.mark.spec("RFC 8613 Appendix B.1.1")
def test_nothing_is_sent_beyond_the_reserved_sequence_numbers():
    side = endpoint(sequence_stride=4)
    client = context(sequence=SequenceNumbers(reserved=0))
    side.install(Association(SECURED, client))
    side.send_request(GET, CONTROLLER, 0.0, association=SECURED)
    assert side.datagrams_to_send(0.0) == []
    (event,) = events(side)
    assert event == SequenceNeeded(SECURED, 4)
    side.sequence_reserved(SECURED, 4)
    assert len(side.datagrams_to_send(0.0)) == 1
    assert client.sender.sequence.next == 1


@pytest.mark.spec("RFC 8613 Appendix B.1.1")
def test_numbers_are_asked_for_before_they_run_out_and_once():
    side = endpoint(sequence_stride=4, transmission=TransmissionParameters(nstart=4))
    side.install(Association(SECURED, context(sequence=SequenceNumbers(reserved=4))))
    asked = []
    for _ in range(4):
        side.send_request(GET, CONTROLLER, 0.0, association=SECURED, confirmable=False)
        asked.append(events(side))
    assert asked == [[], [], [SequenceNeeded(SECURED, 8)], []]
    assert len(side.datagrams_to_send(0.0)) == 4


def test_a_notification_waits_for_its_number():
    ladder = Ladder(secured=True, respond=lambda event: None)
    ladder.controller.install(Association(SECURED, context(mirrored=True, sequence=SequenceNumbers(reserved=0))))
    ladder.ask(GET, observe=True)
    ladder.pump()
    ladder.controller.send_response(ladder.requests[0].exchange, answered(Code.CONTENT, b"x", OBSERVE), 0.0)
    assert ladder.controller.datagrams_to_send(0.0) == []
    ladder.pump()
    assert ladder.response.payload == b"x"


@pytest.mark.spec("RFC 8613 B.1.1")
def test_the_first_request_of_all_waits_for_its_number_as_long_as_any():
    ladder = Ladder(secured=True)
    ladder.now = 10_000.0
    ladder.thing.install(Association(SECURED, context(sequence=SequenceNumbers(0, reserved=0))))
    ladder.ask(request(Code.GET, "/x"))
    ladder.pump()
    assert ladder.response.payload == b"/x"


@pytest.mark.spec("RFC 8613 7.2.1")
def test_a_context_without_numbers_left_sends_no_more():
    side = endpoint()
    side.install(Association(SECURED, context(sequence=SequenceNumbers(1 << 40))))
    side.send_request(GET, CONTROLLER, 0.0, association=SECURED)
    worn, event = events(side)
    assert (worn, event.error.reason, side.datagrams_to_send(0.0)) == (RenewalNeeded(SECURED), "sequence", [])


def test_requests_that_wait_for_numbers_are_bounded():
    side = endpoint(max_parked=1)
    side.install(Association(SECURED, context(sequence=SequenceNumbers(reserved=0))))
    for _ in range(2):
        side.send_request(GET, CONTROLLER, 0.0, association=SECURED)
    assert [type(event) for event in events(side)] == [SequenceNeeded, ExchangeFailed]


def test_a_context_that_is_not_there_is_asked_for_and_the_request_goes_on():
    side = endpoint(2, lazy_contexts=True)
    side.receive_datagram(protected(context()), THING, 0.0)
    assert (events(side), side.datagrams_to_send(0.0)) == ([ContextNeeded(b"\x01", None, THING)], [])
    side.install(Association(SECURED, context(mirrored=True)))
    assert [event.association for event in events(side)] == [SECURED]


def test_a_context_that_nobody_knows_is_refused():
    side = endpoint(2, lazy_contexts=True)
    side.receive_datagram(protected(context()), THING, 0.0)
    side.context_unknown(b"\x01", None)
    side.context_unknown(b"\x01", None)
    assert [message.code for message in sent(side)] == [Code.UNAUTHORIZED]


def test_a_question_for_a_context_that_nobody_answers_is_forgotten():
    side = endpoint(2, lazy_contexts=True)
    side.receive_datagram(protected(context()), THING, 0.0)
    side.datagrams_to_send(300.0)
    side.install(Association(SECURED, context(mirrored=True)))
    assert [type(event) for event in events(side)] == [ContextNeeded]


@pytest.mark.requirement("R-36")
def test_questions_for_contexts_are_bounded_in_number_and_rate():
    side = endpoint(2, lazy_contexts=True, max_held=3, contexts_per_second=2.0)
    for kid in range(20):
        stranger = SecurityContext.derive(Secret(bytes(16)), sender_id=bytes([kid, 1]), recipient_id=b"\xff")
        side.receive_datagram(protected(stranger, mid=kid), THING, 0.0)
    assert len([event for event in events(side) if isinstance(event, ContextNeeded)]) == 3


@pytest.mark.requirement("R-09")
def test_an_association_that_ends_takes_everything_with_it():
    ladder = Ladder(secured=True, respond=lambda event: answered(Code.CONTENT, b"", OBSERVE))
    ladder.ask(GET, observe=True)
    ladder.pump()
    waiting = ladder.controller.send_request(GET, THING, ladder.now, association=SECURED)
    ladder.controller.end(SECURED)
    failed = [event for event in events(ladder.controller) if isinstance(event, ExchangeFailed)]
    assert [(event.exchange, event.error.reason) for event in failed] == [(waiting, "ended")]
    ladder.controller.datagrams_to_send(ladder.now)
    ladder.controller.send_response(ladder.requests[0].exchange, answered(Code.CONTENT, b"late", OBSERVE), ladder.now)
    ladder.controller.receive_datagram(ladder.wire[0][2], THING, ladder.now)
    assert [message.code for message in sent(ladder.controller, ladder.now)] == [Code.UNAUTHORIZED]
    with pytest.raises(StateError):
        ladder.controller.send_request(GET, THING, ladder.now, association=SECURED)


def test_two_associations_with_one_kid_are_told_apart_by_their_keys():
    side = server()
    other = SecurityContext.derive(Secret(bytes(16)), sender_id=b"\x02", recipient_id=b"\x01")
    side.install(Association(AssociationId("b"), other))
    mirrored = SecurityContext.derive(Secret(bytes(16)), sender_id=b"\x01", recipient_id=b"\x02")
    side.receive_datagram(protected(mirrored), THING, 0.0)
    assert [event.association for event in events(side)] == ["b"]
    side.end(AssociationId("b"))
    side.receive_datagram(protected(context()), THING, 0.0)
    assert [event.association for event in events(side)] == [SECURED]


def test_strangers_push_nothing_of_an_association_out():
    small = Retention(max_duplicates=2, uploads=block.Limits(max_bodies=1))
    side = server(strangers=small)
    data = protected(context())
    side.receive_datagram(data, THING, 0.0)
    side.send_response(events(side)[0].exchange, answered(), 0.0)
    first = side.datagrams_to_send(0.0)
    for mid in range(50):
        side.receive_datagram(encode(Message(Code.GET, MessageType.CON, mid, b"t")), THING, 0.0)
    side.datagrams_to_send(0.0)
    side.receive_datagram(data, THING, 0.0)
    assert side.datagrams_to_send(0.0) == first


@pytest.mark.spec("RFC 7959 2.9.2")
def test_an_upload_that_the_server_lost_starts_again():
    ladder = Ladder(
        secured=True,
        transmission=TransmissionParameters(nstart=2),
        known=Retention(uploads=block.Limits(max_bodies_per_peer=1)),
    )
    bodies = [b"a" * 3000, b"b" * 1030]
    for body in bodies:
        ladder.ask(request(Code.POST, "/a", payload=body))
    ladder.run()
    assert sorted(event.message.payload for event in ladder.requests) == bodies


@pytest.mark.parametrize("code", [Code.POST, Code.FETCH])
def test_a_block_of_a_lost_response_is_no_second_request(code):
    side = server()
    lost = Message(code, options=[(OptionNumber.BLOCK2, b"\x16")])
    side.receive_datagram(protected(context(), lost), THING, 0.0)
    assert events(side) == []


@pytest.mark.parametrize("seed", range(6))
def test_a_lossy_wire_that_repeats_and_reorders_delivers_each_request_once(seed):
    many = block.Limits(max_bodies_per_peer=12)
    ladder = Ladder(
        secured=True,
        seed=seed,
        loss=0.2,
        duplication=0.2,
        disorder=0.3,
        respond=lambda event: answered(Code.CHANGED, event.message.payload),
        transmission=TransmissionParameters(max_retransmit=10),
        response_timeout=10000.0,
        known=Retention(uploads=many, representations=many),
    )
    bodies = [bytes([number]) * 300 * number for number in range(12)]
    names = [ladder.ask(request(Code.POST, f"/{number}", payload=body)) for number, body in enumerate(bodies)]
    ladder.run(until=20000.0)
    assert {event.exchange: event.message.payload for event in ladder.results()} == dict(
        zip(names, bodies, strict=True)
    )
    assert sorted(event.message.payload for event in ladder.requests) == sorted(bodies)


@pytest.mark.requirement("R-35")
@pytest.mark.parametrize("method", [Code.GET, Code.FETCH])
def test_no_further_block_of_an_answer_goes_out_once_the_right_to_it_has_ended(method):
    grants = iter([True, False])
    refused: list[RequestReceived] = []

    def respond(_event):
        return answered(Code.FORBIDDEN) if refused else answered(payload=bytes(5000))

    def permits(event):
        if permitted := next(grants):
            return True
        refused.append(event)
        return permitted

    ladder = Ladder(secured=True, respond=respond)
    ladder.controller = Endpoint(EndpointConfig(), random_bytes=random.Random(2).randbytes, permits=permits)
    ladder.sides[CONTROLLER] = ladder.controller
    ladder.controller.install(Association(SECURED, context(mirrored=True), address=THING))
    ladder.ask(request(method, "/image"))
    ladder.run()
    assert ladder.response.code == Code.FORBIDDEN
    assert len(ladder.requests) == 2


@pytest.mark.requirement("R-36")
def test_forgeries_from_elsewhere_do_not_wear_a_key_out():
    """Whoever has seen a kid may send what does not verify, from anywhere and for ever; the peer goes on."""
    client, side = context(), server()
    side.locate(client.sender.id, THING)
    genuine = protected(client, mid=0)
    forged = bytearray(protected(client, mid=1))
    tag = forged[-1]
    for number in range(20_000):
        forged[2:4] = number.to_bytes(2)
        forged[-1] = tag ^ 1 + number % 255
        side.receive_datagram(bytes(forged), ("192.0.2.77", 1000 + number % 64), number / 10_000)
    side.receive_datagram(genuine, THING, 2.0)
    (event,) = events(side)
    assert event.association == SECURED
    assert side.counters["tries"] > 19_900


@pytest.mark.spec("RFC 8613 Appendix B.1.2")
def test_a_request_replayed_after_a_loss_of_state_does_not_use_the_key_up():
    client, side, numbers = context(), endpoint(2), SequenceNumbers()
    lost = context(mirrored=True, window=ReplayWindow(valid=False), sequence=numbers)
    side.install(Association(SECURED, lost))
    recorded = bytearray(protected(client, kind=MessageType.NON))
    for number in range(1000):
        recorded[2:4] = number.to_bytes(2)
        side.receive_datagram(bytes(recorded), ("192.0.2.77", number + 1), number / 100)
    assert len(sent(side, 10.0)) == numbers.next <= 13
    side.receive_datagram(protected(client, mid=2), THING, 10.0)
    assert len(sent(side, 10.0)) == 1


@pytest.mark.requirement("R-15")
@pytest.mark.spec("RFC 8613 Appendix B.1.2")
def test_what_is_replayed_in_one_name_keeps_nobody_else_from_coming_back():
    """Theirs is an older request that is under way still: they repeat that one until it is heard."""
    client, side = context(), endpoint(2)
    side.install(Association(SECURED, context(mirrored=True, window=ReplayWindow(valid=False))))
    theirs = SecurityContext.derive(Secret(b"another secret !"), sender_id=b"o", recipient_id=b"s")
    ours = SecurityContext.derive(
        Secret(b"another secret !"), sender_id=b"s", recipient_id=b"o", window=ReplayWindow(valid=False)
    )
    side.install(Association(AssociationId("other"), ours))
    recorded, older = bytearray(protected(theirs, kind=MessageType.NON)), protected(client, mid=0)
    for number in range(1000):
        recorded[2:4] = number.to_bytes(2)
        side.receive_datagram(bytes(recorded), ("192.0.2.77", number + 1), number / 100)
    side.receive_datagram(protected(client, mid=1), THING, 10.0)
    side.datagrams_to_send(10.0)
    side.receive_datagram(older, THING, 10.0)
    assert len(sent(side, 10.0)) == 1


def test_after_a_forgery_a_peer_whose_path_was_never_verified_is_served_as_before():
    client, side = context(), endpoint(2)
    side.install(Association(SECURED, context(mirrored=True)))
    forged = bytearray(protected(client, mid=1))
    forged[-1] ^= 1
    side.receive_datagram(protected(client, mid=0), THING, 0.0)
    side.receive_datagram(bytes(forged), ("192.0.2.77", 1000), 0.0)
    for number in range(50):
        side.receive_datagram(protected(client, mid=2 + number), THING, 0.1 * number)
    assert len([event for event in events(side) if isinstance(event, RequestReceived)]) == 51


def test_after_a_forgery_a_peer_that_moves_is_still_heard():
    client, side = context(), server()
    side.locate(client.sender.id, THING)
    forged = bytearray(protected(client, mid=1))
    forged[-1] ^= 1
    side.receive_datagram(bytes(forged), ("192.0.2.77", 1000), 0.0)
    side.receive_datagram(protected(client, mid=2), ("192.0.2.78", 5683), 1.0)
    (event,) = events(side)
    assert (event.association, event.source) == (SECURED, ("192.0.2.78", 5683))
