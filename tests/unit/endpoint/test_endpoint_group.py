import pytest

from tests.unit.endpoint.ladder import answered, endpoint, events
from tests.unit.protocols.group_oscore.group import context
from thingstead.endpoint.association import Group
from thingstead.endpoint.event import (
    ExchangeEnded,
    ExchangeFailed,
    GroupId,
    RequestReceived,
    ResponseReceived,
    SequenceNeeded,
)
from thingstead.errors import StateError
from thingstead.protocols.coap.block import Block
from thingstead.protocols.coap.message import MessageType, decode, request
from thingstead.protocols.coap.registry import Code, OptionNumber
from thingstead.protocols.oscore.replay import ReplayWindow

LAMPS = GroupId("lamps")
ALL = ("ff02::fd", 5683)
ADDRESSES = {"switch": ("fe80::1", 5683), "hall": ("fe80::2", 5683), "stairs": ("fe80::3", 5683)}
ON = request(Code.PUT, "/light", payload=b"on")


class Lights:
    """A switch and two lamps on one link."""

    def __init__(self, members=tuple(ADDRESSES), windows=None, **options):
        self.now = 0.0
        self.sides = {name: endpoint(number, leisure=1.0) for number, name in enumerate(members)}
        for name, side in self.sides.items():
            side.install_group(Group(LAMPS, context(name, members, windows=(windows or {}).get(name), **options)))
        self.wire = []

    def ask(self, message=ON):
        return self.sides["switch"].send_request(message, ALL, self.now, group=LAMPS)

    def flood(self, sender):
        for data, destination in self.sides[sender].datagrams_to_send(self.now):
            self.wire.append((sender, data))
            for name, side in self.sides.items():
                if name != sender and destination in (ALL, ADDRESSES[name]):
                    side.receive_datagram(data, ADDRESSES[sender], self.now, multicast=destination == ALL)

    def answer(self, name, response):
        found = events(self.sides[name])
        for event in found:
            self.sides[name].send_response(event.exchange, response, self.now)
        self.now += 1.0
        self.flood(name)
        return found

    def result(self):
        self.now += 20.0
        found = events(self.sides["switch"])
        self.sides["switch"].datagrams_to_send(self.now)
        return found + events(self.sides["switch"])


@pytest.mark.spec("RFC 10021 6")
def test_one_message_reaches_all_members_and_each_answer_is_an_event():
    lights = Lights()
    name = lights.ask()
    lights.flood("switch")
    for lamp in ("hall", "stairs"):
        (event,) = lights.answer(lamp, answered(Code.CHANGED))
        assert (event.group, event.member, event.message.payload) == (LAMPS, b"sw", b"on")
        assert (event.association, event.is_multicast) == (None, True)
    first, second, end = lights.result()
    assert {first.member, second.member} == {b"ha", b"st"}
    assert (first.exchange, second.exchange, end) == (name, name, ExchangeEnded(name))
    assert decode(lights.wire[0][1]).type is MessageType.NON
    assert b"on" not in lights.wire[0][1]


def test_a_group_that_stays_silent_is_a_failure():
    lights = Lights()
    lights.ask()
    lights.flood("switch")
    (event,) = lights.result()
    assert (type(event), event.error.reason) == (ExchangeFailed, "no-response")


@pytest.mark.spec("RFC 7252 8.2")
def test_an_error_is_not_answered_to_the_group():
    lights = Lights()
    lights.ask()
    lights.flood("switch")
    lights.answer("hall", answered(Code.NOT_FOUND))
    assert len(lights.wire) == 1


@pytest.mark.requirement("R-63")
@pytest.mark.spec("RFC 10021 12.2")
def test_after_a_rekey_the_evicted_lamp_reads_nothing_more():
    lights = Lights()
    for name in ("switch", "hall"):
        rekeyed = context(name, ("switch", "hall"), gid=b"g2", secret=bytes(range(16)))
        lights.sides[name].install_group(Group(LAMPS, rekeyed))
    lights.ask()
    lights.flood("switch")
    assert [isinstance(event, RequestReceived) for event in events(lights.sides["hall"])] == [True]
    assert events(lights.sides["stairs"]) == []
    assert lights.sides["stairs"].counters == {"context": 1}


@pytest.mark.requirement("R-63")
def test_after_a_rekey_the_evicted_lamp_commands_nobody():
    lights = Lights()
    rekeyed = context("hall", ("switch", "hall"), gid=b"g2", secret=bytes(range(16)))
    lights.sides["hall"].install_group(Group(LAMPS, rekeyed))
    lights.sides["stairs"].send_request(ON, ALL, 0.0, group=LAMPS)
    lights.flood("stairs")
    assert events(lights.sides["hall"]) == []


@pytest.mark.requirement("R-65")
def test_a_message_changed_on_the_way_reaches_nobody():
    lights = Lights()
    lights.ask()
    data = lights.sides["switch"].datagrams_to_send(0.0)[0][0]
    for at in range(len(data) - 70, len(data)):
        forged = data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]
        lights.sides["hall"].receive_datagram(forged, ADDRESSES["switch"], 0.0, multicast=True)
    assert events(lights.sides["hall"]) == []
    assert lights.sides["hall"].datagrams_to_send(0.0) == []


@pytest.mark.requirement("R-15")
def test_a_replayed_group_message_is_refused():
    lights = Lights()
    lights.ask()
    data = lights.sides["switch"].datagrams_to_send(0.0)[0][0]
    for source in (ADDRESSES["switch"], ("fe80::9", 1)):
        lights.sides["hall"].receive_datagram(data, source, 0.0, multicast=True)
    assert len(events(lights.sides["hall"])) == 1
    assert lights.sides["hall"].counters == {"replay": 1}


def test_a_response_is_taken_once_and_from_members_alone():
    lights = Lights()
    lights.ask()
    lights.flood("switch")
    lights.answer("hall", answered(Code.CHANGED))
    response = lights.wire[-1][1]
    for data in (response, response[:-1] + bytes([response[-1] ^ 1])):
        lights.sides["switch"].receive_datagram(data, ("fe80::9", 1), lights.now)
    assert [type(event) for event in events(lights.sides["switch"])] == [ResponseReceived]
    assert sum(lights.sides["switch"].counters.values()) == 2


@pytest.mark.spec("RFC 10021 5.4")
def test_a_lamp_that_lost_its_window_asks_and_gets_the_command_again():
    lights = Lights(windows={"hall": {"switch": ReplayWindow(valid=False)}})
    lights.ask()
    lights.flood("switch")
    assert events(lights.sides["hall"]) == []
    lights.now += 1.0
    lights.flood("hall")
    lights.flood("switch")
    (event,) = lights.answer("hall", answered(Code.CHANGED))
    assert (event.message.payload, event.is_fresh) == (b"on", True)
    assert [type(event) for event in lights.result()] == [ResponseReceived, ExchangeEnded]


def test_nothing_goes_to_the_group_beyond_the_reserved_numbers():
    switch = endpoint()
    keys = context("switch")
    keys.own.sequence.reserved = 0
    switch.install_group(Group(LAMPS, keys))
    switch.send_request(ON, ALL, 0.0, group=LAMPS)
    assert switch.datagrams_to_send(0.0) == []
    assert events(switch) == [SequenceNeeded(LAMPS, 256)]
    switch.sequence_reserved(LAMPS, 256)
    assert len(switch.datagrams_to_send(0.0)) == 1


def test_a_rekey_ends_what_is_out_under_the_old_keys():
    lights = Lights()
    name = lights.ask()
    lights.flood("switch")
    lights.sides["switch"].end_group(LAMPS)
    lights.sides["switch"].end_group(LAMPS)
    (event,) = events(lights.sides["switch"])
    assert (event.exchange, event.error.reason) == (name, "ended")
    with pytest.raises(StateError):
        lights.ask()


def test_a_response_in_blocks_is_not_taken_for_a_whole_one():
    lights = Lights()
    lights.ask()
    lights.flood("switch")
    part = (int(OptionNumber.BLOCK2), Block(0, True, 0).encode())
    lights.answer("hall", answered(Code.CONTENT, bytes(16), part))
    assert lights.sides["switch"].counters == {"unsupported": 1}


def test_a_cancelled_request_collects_no_more():
    lights = Lights()
    name = lights.ask()
    lights.flood("switch")
    lights.sides["switch"].cancel(name, 0.0)
    lights.answer("hall", answered(Code.CHANGED))
    assert events(lights.sides["switch"]) == []
    assert lights.sides["switch"].next_deadline() is None


def test_a_body_that_does_not_fit_into_one_datagram_is_not_sent_to_a_group():
    with pytest.raises(ValueError, match="1024"):
        Lights().ask(request(Code.PUT, "/light", payload=bytes(1025)))


def test_requests_to_the_group_go_out_as_far_as_numbers_reach():
    switch = endpoint(max_parked=3)
    keys = context("switch")
    keys.own.sequence.reserved = 0
    switch.install_group(Group(LAMPS, keys))
    for _ in range(3):
        switch.send_request(ON, ALL, 0.0, group=LAMPS)
    with pytest.raises(StateError):
        switch.send_request(ON, ALL, 0.0, group=LAMPS)
    switch.sequence_reserved(LAMPS, 1)
    assert len(switch.datagrams_to_send(0.0)) == 1
    switch.sequence_reserved(LAMPS, 9)
    assert len(switch.datagrams_to_send(0.0)) == 2


def test_requests_to_groups_are_bounded():
    switch = endpoint(max_requests=1)
    switch.install_group(Group(LAMPS, context("switch")))
    switch.send_request(ON, ALL, 0.0, group=LAMPS)
    with pytest.raises(StateError):
        switch.send_request(ON, ALL, 0.0, group=LAMPS)
