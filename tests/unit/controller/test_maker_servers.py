"""A domain asks the server that its owner named, one question at a time, and never whom a thing names."""

from __future__ import annotations

import asyncio

import pytest

from tests.unit.masa.wire import KEY, OTHER, SESSION, STRANGER, THING, VOUCHER, Wire, asked, credential
from thingstead.clock import Clock
from thingstead.controller.maker_servers import MakerServers, is_maker
from thingstead.crypto.key import KeyType, generate
from thingstead.domain.anchor import TrustAnchor
from thingstead.domain.ports import Resolution
from thingstead.endpoint.event import AssociationId
from thingstead.errors import ForbiddenError, SecurityError, ThingsteadError, TransportError
from thingstead.protocols.cbor import codec
from thingstead.protocols.coap.message import Message
from thingstead.protocols.coap.registry import Code
from thingstead.protocols.profile.maker_server import MakerServer

pytestmark = pytest.mark.requirement("R-59")

CARD = MakerServer("aurora", "coap://192.0.2.1:5699", SESSION.public, VOUCHER.public)
ANCHOR_KEY = generate(KeyType.P256).public


def anchor(server=CARD):
    return TrustAnchor("aurora", ANCHOR_KEY, (ANCHOR_KEY,), bytes(16), server=server)


class Now(Clock):
    def __init__(self):
        self.at = 100.0

    def now(self):
        return self.at

    def utc(self):
        raise AssertionError("nobody needs the date here")


class Line:
    """A domain's endpoint in front of a genuine server; `fault` or `instead` comes in the place of an answer."""

    def __init__(self, key=KEY):
        self.wire = Wire(key=key)
        self.places = []
        self.asked = 0
        self.fault: BaseException | None = None
        self.instead: Message | None = None
        self.gate: asyncio.Event | None = None
        self.at_once = self.most_at_once = 0

    async def ask(self, address, message, *, association=None, within=30.0):
        self.asked += 1
        self.places.append(address)
        self.at_once += 1
        self.most_at_once = max(self.at_once, self.most_at_once)
        try:
            if self.gate is not None:
                await self.gate.wait()
            await asyncio.sleep(0)
            if self.fault is not None:
                raise self.fault
            return self.instead or self.wire.ask(message, association=association)
        finally:
            self.at_once -= 1

    def meet(self, association):
        self.wire._client.install(association)


class Names:
    def __init__(self, *addresses):
        self.addresses = addresses

    async def resolve(self, name):
        if not self.addresses:
            raise TransportError("nobody may be asked", reason="offline")
        return Resolution(name, self.addresses, 60)


class Domain:
    def __init__(self, *anchors, line=None, names=(), own="192.0.2.9"):
        self.line = line or Line()
        self.clock = Now()
        self.anchors = anchors or (anchor(),)
        self.makers = MakerServers(
            self.line,
            credential=credential(self.line.wire.key, "home"),
            key=self.line.wire.key,
            anchors=lambda: self.anchors,
            connection_id=lambda: b"\x37",
            resolve=Names(*names),
            own=own,
            clock=self.clock,
        )

    def ask(self, thing=THING):
        return asyncio.run(self.makers.voucher("aurora", asked(thing=thing)[0]))

    def refusal(self, thing=THING):
        with pytest.raises(ThingsteadError) as refused:
            self.ask(thing)
        return refused.value.reason

    @property
    def counted(self):
        return self.makers.counted().get("aurora", {})


def test_one_session_serves_many_questions():
    domain = Domain()
    assert all(domain.ask() for _ in range(3))
    assert domain.line.asked == 2 + 3
    assert domain.counted == {"vouched": 3}
    assert set(domain.line.places) == {("192.0.2.1", 5699)}


def test_a_session_is_begun_anew_after_an_hour():
    domain = Domain()
    domain.ask()
    domain.clock.at += 3601
    domain.ask()
    assert domain.line.asked == 2 * 3


def test_a_server_that_has_forgotten_us_is_met_again_once():
    domain = Domain()
    domain.ask()
    domain.line.wire.server = Wire().server
    domain.line.wire._carry.__closure__[0].cell_contents = domain.line.wire.server
    assert domain.ask()
    assert domain.counted == {"vouched": 2}


@pytest.mark.parametrize("anchors", [(anchor(None),), (TrustAnchor("borealis", ANCHOR_KEY, (), bytes(16)),)])
def test_without_a_word_of_the_owner_nobody_is_asked(anchors):
    domain = Domain(*anchors)
    assert domain.refusal() == "no server"
    assert domain.line.asked == 0
    assert domain.makers.voucher_key("aurora") is None


def test_a_maker_that_is_trusted_no_more_is_asked_no_more():
    domain = Domain()
    domain.ask()
    domain.anchors = ()
    assert domain.refusal() == "no server"
    assert domain.line.asked == 3


def test_another_card_of_the_maker_counts_at_once():
    domain = Domain()
    domain.ask()
    domain.anchors = (anchor(MakerServer("aurora", "coap://192.0.2.2", STRANGER.public, VOUCHER.public)),)
    assert domain.refusal() == "server"
    assert domain.line.places[-1] == ("192.0.2.2", 5683)


@pytest.mark.parametrize(
    ("location", "names", "own", "place"),
    [
        ("coap://masa.example", ("192.0.2.5",), "192.0.2.9", ("192.0.2.5", 5683)),
        ("coap://masa.example", ("2001:db8::5", "192.0.2.5"), "192.0.2.9", ("192.0.2.5", 5683)),
        ("coap://masa.example:5684", ("192.0.2.5", "2001:db8::5"), "::1", ("2001:db8::5", 5684)),
        ("coap://[2001:db8::1]", (), "::", ("2001:db8::1", 5683)),
    ],
)
def test_it_goes_where_the_card_says_in_the_family_that_we_speak(location, names, own, place):
    domain = Domain(anchor(MakerServer("aurora", location, SESSION.public, VOUCHER.public)), names=names, own=own)
    assert domain.ask()
    assert set(domain.line.places) == {place}


@pytest.mark.parametrize(
    ("location", "names", "reason"),
    [
        ("coap://[2001:db8::1]", (), "no address"),
        ("coap://224.0.1.187", (), "no address"),
        ("coap://0.0.0.0", (), "no address"),
        ("coap://masa.example", ("2001:db8::5",), "no address"),
        ("coap://masa.example", (), "offline"),
    ],
)
def test_what_cannot_be_reached_is_not_tried(location, names, reason):
    domain = Domain(anchor(MakerServer("aurora", location, SESSION.public, VOUCHER.public)), names=names)
    assert domain.refusal() == reason
    assert domain.line.asked == 0
    assert domain.counted == {reason: 1}


def test_a_server_that_does_not_answer_is_left_alone_for_a_while():
    domain = Domain()
    domain.line.fault = TransportError("nobody there", reason="timeout")
    assert [domain.refusal() for _ in range(5)] == ["timeout"] * 5
    assert domain.line.asked == 1
    domain.line.fault = None
    domain.clock.at += 9
    assert domain.refusal() == "timeout"
    domain.clock.at += 2
    assert domain.ask()
    assert domain.counted == {"timeout": 6, "vouched": 1}


def test_a_no_is_no_reason_to_leave_the_server_alone():
    domain = Domain()
    assert domain.refusal(OTHER) == "not sold"
    assert domain.ask()


def test_a_refusal_is_told_apart_from_a_server_that_has_a_fault():
    domain = Domain()
    with pytest.raises(ForbiddenError):
        domain.ask(OTHER)
    domain.line.fault = SecurityError("not the server's", reason="unauthenticated")
    assert domain.refusal() == "unauthenticated"


def test_who_bought_nothing_does_not_knock_again_and_again():
    domain = Domain(line=Line(STRANGER))
    assert [domain.refusal() for _ in range(3)] == ["no customer"] * 3
    assert domain.line.asked == 2


def at_once(domain, number):
    """So many questions before the first answer comes."""

    async def story():
        gate = domain.line.gate = asyncio.Event()

        async def release():
            for _ in range(3):
                await asyncio.sleep(0)
            gate.set()

        questions = [domain.makers.voucher("aurora", asked()[0]) for _ in range(number)]
        return (await asyncio.gather(*questions, release(), return_exceptions=True))[:-1]

    return asyncio.run(story())


def test_one_question_at_a_time_and_so_many_wait():
    domain = Domain()
    results = at_once(domain, 70)
    assert sum(isinstance(one, bytes) for one in results) == 64
    assert domain.counted == {"busy": 6, "vouched": 64}
    assert domain.line.most_at_once == 1


def test_a_rate_is_kept_over_all_makers():
    domain = Domain()
    for _ in range(100):
        domain.ask()
    assert domain.refusal() == "busy"
    domain.clock.at += 1
    assert domain.ask()


def test_when_the_server_falls_silent_those_who_wait_are_not_kept():
    domain = Domain()
    domain.line.fault = TransportError("nobody there", reason="timeout")
    results = at_once(domain, 10)
    assert {one.reason for one in results if isinstance(one, TransportError)} == {"timeout"}
    assert domain.line.asked == 1


@pytest.mark.parametrize("name", ["maker aurora", "maker "])
def test_associations_with_makers_are_told_from_those_with_things(name):
    assert is_maker(AssociationId(name))
    assert not is_maker(AssociationId("01ABCDEF"))


def test_an_answer_that_is_none_of_the_draft_s_is_nobody_s_refusal():
    domain = Domain()
    domain.ask()
    domain.line.instead = Message(Code.CHANGED, payload=codec.encode([]))
    assert domain.refusal() == "malformed"
