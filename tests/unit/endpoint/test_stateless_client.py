import pytest

from tests.unit.endpoint.ladder import CONTROLLER, SECURED, THING, Ladder, answered, context, endpoint, events
from tests.unit.endpoint.stream_ladder import StreamLadder, stream_endpoint
from thingstead.endpoint.association import Association
from thingstead.endpoint.event import ExchangeFailed, ResponseReceived
from thingstead.errors import StateError
from thingstead.protocols.coap import tcp
from thingstead.protocols.coap.message import Limits, Message, MessageType, decode, encode, request
from thingstead.protocols.coap.registry import Code, OptionNumber
from thingstead.protocols.coap.tcp_connection import ConnectionConfig
from thingstead.protocols.oscore.context import SequenceNumbers

GET = request(Code.GET, "/a")


class Survey(Ladder):
    """Asks without keeping anything; its first question to a peer is the trial."""

    def survey(self, state=b"x", asked=GET):
        return self.thing.send_stateless(asked, CONTROLLER, self.now, state=state, association=self.association)

    def tried(self):
        """The peer is known to take long tokens."""
        self.survey(b"trial!")
        self.pump()
        self.seen.clear()
        self.wire.clear()
        return self


def kept(side):
    return len(side._client._outstanding)


def states(ladder):
    return [event.state for event in ladder.results()]


@pytest.mark.spec("RFC 8974 3")
@pytest.mark.parametrize("secured", [False, True])
def test_a_response_brings_the_state_and_nothing_was_kept_meanwhile(secured):
    ladder = Survey(secured=secured).tried()
    assert ladder.survey(b"state") is None
    assert kept(ladder.thing) == 0
    ladder.pump()
    (event,) = ladder.results()
    assert (event.state, event.message.payload, event.exchange, event.is_last) == (b"state", b"/a", 0, True)
    assert event.association == (SECURED if secured else None)
    (asked,) = ladder.sent(THING)
    assert asked.type is MessageType.NON
    assert b"state" not in asked.token


@pytest.mark.spec("RFC 8974 2.2.2")
@pytest.mark.spec("RFC 8974 3.2")
@pytest.mark.parametrize("secured", [False, True])
def test_the_first_request_is_kept_confirmable_and_tries_a_long_token(secured):
    ladder = Survey(secured=secured)
    assert ladder.survey(b"state") is not None
    assert kept(ladder.thing) == 1
    ladder.pump()
    (asked,) = ladder.sent(THING)
    assert (asked.type, len(asked.token) > 8, states(ladder)) == (MessageType.CON, True, [b"state"])
    assert ladder.survey(b"again") is None


def test_a_longer_state_than_was_tried_is_tried_again():
    ladder = Survey().tried()
    assert ladder.survey(b"a longer one") is not None
    ladder.pump()
    assert ladder.survey(b"another long") is None


def old_server(refusal):
    """A server of before RFC 8974, or one that does not want such tokens: says `refusal` to a long one."""

    def answer(data, now):
        message = decode(data)
        if len(message.token) > 8:
            return refusal(message)
        return encode(Message(Code.CONTENT, MessageType.ACK, message.mid, message.token, [], b"old"))

    return answer


def reset(message):
    return bytes((0x70, 0)) + message.mid.to_bytes(2, "big")


def bad_request(message):
    return encode(Message(Code.BAD_REQUEST, MessageType.ACK, message.mid, message.token))


def converse(side, server, now=0.0):
    sent = []
    while datagrams := side.datagrams_to_send(now):
        for data, destination in datagrams:
            sent.append(decode(data))
            side.receive_datagram(server(data, now), destination, now)
    return sent


@pytest.mark.spec("RFC 8974 2.2.2")
@pytest.mark.parametrize("refusal", [reset, bad_request])
def test_who_does_not_take_long_tokens_is_asked_with_short_ones_for_an_hour(refusal):
    side, server = endpoint(), old_server(refusal)
    assert side.send_stateless(GET, CONTROLLER, 0.0, state=b"s") is not None
    assert [len(message.token) > 8 for message in converse(side, server)] == [True, False]
    assert [event.state for event in events(side)] == [b"s"]
    assert side.send_stateless(GET, CONTROLLER, 10.0, state=b"t") is not None
    assert [len(message.token) for message in converse(side, server, 10.0)] == [8]
    assert side.send_stateless(GET, CONTROLLER, 3700.0, state=b"u") is not None
    assert [len(message.token) > 8 for message in converse(side, server, 3700.0)] == [True, False]


@pytest.mark.spec("RFC 8974 2.2.2")
def test_a_server_that_is_busy_says_nothing_about_tokens():
    side = endpoint()

    def busy(data, now):
        message = decode(data)
        return encode(Message(Code.SERVICE_UNAVAILABLE, MessageType.ACK, message.mid, message.token))

    side.send_stateless(GET, CONTROLLER, 0.0, state=b"s")
    converse(side, busy)
    (event,) = events(side)
    assert (event.message.code, event.state) == (Code.SERVICE_UNAVAILABLE, b"s")


@pytest.mark.spec("RFC 8974 2.2.2")
@pytest.mark.parametrize("secured", [False, True])
def test_a_trial_that_nobody_answers_comes_again_with_a_short_token_and_fails_as_any_request(secured):
    ladder = Survey(loss=1.0, secured=secured)
    ladder.survey()
    ladder.run()
    sent = [decode(data) for _, _, data in ladder.wire]
    assert [len(message.token) > 8 for message in sent] == [True] * 2 + [False] * 5
    assert len({message.payload for message in sent}) == 1, "what is protected goes as it was"
    assert len(ladder.results(ExchangeFailed)) == 1


@pytest.mark.spec("RFC 8974 2.2.2")
def test_who_is_silent_to_a_long_token_and_not_to_a_short_one_is_asked_with_short_ones():
    ladder = Survey()
    ladder.survey(b"first")
    ladder.loss = 1.0
    ladder.run(until=3.5)
    ladder.loss = 0.0
    ladder.run()
    assert states(ladder) == [b"first"]


def test_of_a_request_that_nothing_is_kept_of_nobody_tells_that_it_was_lost():
    ladder = Survey().tried()
    ladder.loss = 1.0
    ladder.survey()
    ladder.run()
    assert ladder.seen == []


# --- what comes back, and should not


def response_to(ladder, state=b"s"):
    """The response to a request that nothing was kept of, still on its way."""
    ladder.survey(state)
    ((data, _),) = ladder.thing.datagrams_to_send(ladder.now)
    ladder.controller.receive_datagram(data, THING, ladder.now)
    for event in events(ladder.controller):
        ladder.controller.send_response(event.exchange, answered(payload=b"y"), ladder.now)
    ((data, _),) = ladder.controller.datagrams_to_send(ladder.now)
    return data


def with_mid(data, mid):
    return data[:2] + mid.to_bytes(2, "big") + data[4:]


@pytest.mark.spec("RFC 8974 3.1")
@pytest.mark.parametrize("secured", [False, True])
def test_a_response_that_comes_again_is_a_replay(secured):
    ladder = Survey(secured=secured).tried()
    data = response_to(ladder)
    for mid in range(3):
        ladder.thing.receive_datagram(with_mid(data, mid), CONTROLLER, ladder.now)
    assert [event.state for event in events(ladder.thing)] == [b"s"]
    assert ladder.thing.counters == {"state-replay": 2}


@pytest.mark.spec("RFC 8974 3.1")
def test_a_response_from_elsewhere_is_refused():
    ladder = Survey().tried()
    ladder.thing.receive_datagram(response_to(ladder), ("192.0.2.9", 5683), ladder.now)
    assert events(ladder.thing) == []


@pytest.mark.spec("RFC 8974 3.1")
def test_a_response_that_took_too_long_is_refused():
    ladder = Survey().tried()
    ladder.thing.receive_datagram(response_to(ladder), CONTROLLER, ladder.now + 122)
    assert (events(ladder.thing), ladder.thing.counters) == ([], {"state-age": 1})


@pytest.mark.spec("RFC 8974 5.2")
@pytest.mark.parametrize("size", [9, 13, 30, 300])
@pytest.mark.parametrize("kind", [MessageType.CON, MessageType.NON, MessageType.ACK])
def test_a_token_that_is_not_ours_is_refused_and_a_confirmable_one_rejected(kind, size):
    ladder = Survey().tried()
    forged = encode(Message(Code.CONTENT, kind, 7, bytes(size), [], b"evil"))
    ladder.thing.receive_datagram(forged, CONTROLLER, ladder.now)
    assert events(ladder.thing) == []
    sent = [data for data, _ in ladder.thing.datagrams_to_send(ladder.now)]
    assert sent == ([bytes((0x70, 0, 0, 7))] if kind is MessageType.CON else [])


@pytest.mark.spec("RFC 8613 8.4")
def test_who_sees_the_token_of_a_protected_request_neither_answers_it_nor_uses_it_up():
    ladder = Survey(secured=True).tried()
    data = response_to(ladder)
    honest = decode(data)
    plain = Message(Code.CONTENT, MessageType.NON, 7, honest.token, [], b"evil")
    forged = Message(Code.CHANGED, MessageType.NON, 8, honest.token, honest.options, bytes(20))
    for message in (plain, forged):
        ladder.thing.receive_datagram(encode(message), CONTROLLER, ladder.now)
    assert events(ladder.thing) == []
    ladder.thing.receive_datagram(data, CONTROLLER, ladder.now)
    assert [event.state for event in events(ladder.thing)] == [b"s"]


def test_a_protected_response_to_a_plain_request_is_refused():
    ladder = Survey().tried()
    honest = decode(response_to(ladder))
    protected = Message(Code.CHANGED, MessageType.NON, 8, honest.token, [(OptionNumber.OSCORE, b"")], bytes(20))
    ladder.thing.receive_datagram(encode(protected), CONTROLLER, ladder.now)
    assert events(ladder.thing) == []


def test_the_end_of_an_association_ends_what_travels_under_it():
    ladder = Survey(secured=True).tried()
    data = response_to(ladder)
    ladder.thing.end(SECURED)
    ladder.thing.receive_datagram(data, CONTROLLER, ladder.now)
    assert events(ladder.thing) == []


@pytest.mark.spec("RFC 7252 5.2.2")
def test_a_confirmable_response_is_acknowledged_and_its_repetition_too():
    ladder = Survey().tried()
    separate = decode(response_to(ladder))
    separate.type, separate.mid = MessageType.CON, 99
    for _ in range(2):
        ladder.thing.receive_datagram(encode(separate), CONTROLLER, ladder.now)
    acknowledgements = [data for data, _ in ladder.thing.datagrams_to_send(ladder.now)]
    assert acknowledgements == [bytes((0x60, 0, 0, 99))] * 2
    assert len(events(ladder.thing)) == 1


def test_a_response_with_a_critical_option_that_nobody_knows_is_refused():
    ladder = Survey().tried()
    strange = decode(response_to(ladder)).with_options((65001, b""))
    ladder.thing.receive_datagram(encode(strange), CONTROLLER, ladder.now)
    assert events(ladder.thing) == []


# --- what may be asked so


@pytest.mark.spec("RFC 8974 4.1")
@pytest.mark.parametrize(
    ("asked", "state"),
    [
        (request(Code.POST, "/a", payload=bytes(1025)), b""),
        (GET, bytes(1025)),
        (GET.with_options((OptionNumber.OBSERVE, b"")), b""),
    ],
    ids=["body", "state", "observation"],
)
def test_what_does_not_fit_one_message_or_lasts_is_kept_or_not_asked(asked, state):
    side = endpoint()
    with pytest.raises(ValueError, match=r"at most|observation"):
        side.send_stateless(asked, CONTROLLER, 0.0, state=state)
    assert (side.datagrams_to_send(0.0), kept(side)) == ([], 0)


def test_an_association_that_is_not_there_asks_nothing():
    with pytest.raises(StateError):
        endpoint().send_stateless(GET, CONTROLLER, 0.0, state=b"", association=SECURED)


@pytest.mark.spec("RFC 8974 3.3")
@pytest.mark.spec("RFC 7252 4.7")
def test_one_request_at_a_time_is_on_its_way_to_a_peer():
    ladder = Survey().tried()
    for number in range(3):
        ladder.survey(bytes([number]))
    assert len(ladder.thing.datagrams_to_send(ladder.now)) == 1


@pytest.mark.spec("RFC 8974 3.3")
def test_many_requests_are_answered_each_with_its_state():
    ladder = Survey().tried()
    for number in range(20):
        ladder.survey(bytes([number]))
    ladder.pump()
    assert states(ladder) == [bytes([number]) for number in range(20)]


@pytest.mark.spec("RFC 8613 7.2.1")
def test_without_a_sequence_number_a_request_is_kept_until_there_is_one():
    ladder = Survey(secured=True).tried()
    ladder.thing.install(Association(SECURED, context(sequence=SequenceNumbers(1000, reserved=1002))))
    names = [ladder.survey(bytes([number])) for number in range(9)]
    ladder.pump()
    assert sorted(states(ladder)) == [bytes([number]) for number in range(9)]
    assert any(name is not None for name in names)


@pytest.mark.spec("RFC 8974 2.2.2")
def test_a_server_of_ours_answers_a_token_that_is_too_long_for_it():
    ladder = Survey(message=Limits(max_token=32))
    ladder.survey(bytes(100))
    ladder.pump()
    assert [event.message.code for event in ladder.results(ResponseReceived)] == [Code.CONTENT]
    assert [len(message.token) for message in ladder.sent(THING)][-1] == 8


# --- over a connection


class StreamSurvey(StreamLadder):
    def survey(self, state):
        return self.thing.send_stateless(GET, CONTROLLER, self.now, state=state, association=self.association)


@pytest.mark.spec("RFC 8974 2.2.1")
@pytest.mark.parametrize("secured", [False, True])
@pytest.mark.parametrize(("longest", "is_kept"), [(64, False), (24, True), (8, True)])
def test_over_a_connection_the_csm_says_what_may_be_kept_in_a_token(secured, longest, is_kept):
    short = ConnectionConfig(limits=tcp.Limits(message=Limits(max_token=longest)))
    ladder = StreamSurvey(secured=secured, connections=(None, short))
    ladder.pump()
    assert (ladder.survey(b"state") is not None) is is_kept
    ladder.pump()
    assert [(event.state, event.message.payload) for event in ladder.results()] == [(b"state", b"/a")]


def test_without_a_connection_nothing_is_asked():
    with pytest.raises(StateError):
        stream_endpoint().send_stateless(GET, CONTROLLER, 0.0, state=b"")


@pytest.mark.spec("RFC 8974 2.2.2")
def test_a_forged_response_to_a_protected_trial_shows_nothing():
    ladder = Survey(secured=True)
    ladder.survey(b"s")
    ((data, _),) = ladder.thing.datagrams_to_send(0.0)
    asked = decode(data)
    oscore = [(int(OptionNumber.OSCORE), b"")]
    forged = Message(Code.CHANGED, MessageType.ACK, asked.mid, asked.token, oscore, bytes(20))
    ladder.thing.receive_datagram(encode(forged), CONTROLLER, 0.0)
    assert len(ladder.thing._stateless.support) == 0
