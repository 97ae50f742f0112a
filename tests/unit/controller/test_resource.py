"""What each path asks of which plane: handlers that say no in CoAP's words, and change nothing before."""

import asyncio
from typing import Any

import pytest

from tests.unit.controller.planes import JumpingClock
from tests.unit.domain.things import a_thing
from tests.unit.endpoint import ladder
from thingstead.controller.resource import (
    bootstrapping,
    collecting,
    content,
    credential_status,
    granting,
    update_report,
)
from thingstead.endpoint.event import ExchangeId, RequestReceived
from thingstead.endpoint.resource import Call, Resources
from thingstead.errors import (
    AuthenticationError,
    DecodeError,
    ForbiddenError,
    PolicyError,
    StateError,
    StorageError,
)
from thingstead.planes.identity.status_list import CredentialStatus
from thingstead.protocols.cbor import codec
from thingstead.protocols.coap.message import Message, request
from thingstead.protocols.coap.registry import Code, ContentFormat, OptionNumber
from thingstead.protocols.profile.grant import Grant, decode_granted

THING = a_thing()
MESSAGE_1 = b"\xf5message_1"
GRANT = Grant(b"token", b"granted", b"credential", b"issuer")


def call(payload=b"", *, is_fresh=True, peer: Any = THING.id):
    message = request(Code.POST, "/x", payload=payload)
    event = RequestReceived(ExchangeId(1), message, ladder.THING, None, None, None, None, is_fresh, False)
    return Call(message, event, peer, 7.0)


class Server:
    """Runs deferred work to its end at once; remembers who was challenged or vouched for."""

    def __init__(self):
        self.resources = Resources(lambda _event: None)
        self.said = []

    def deferred(self, work):
        return lambda asked: asyncio.run(work(asked))

    def challenge(self, _call):
        self.said.append("challenge")

    def vouch(self, _call):
        self.said.append("vouch")

    def locate(self, recipient_id, source):
        self.said.append((recipient_id, source))


class Handshakes:
    """A `Bootstrap` that answers as it is told."""

    def __init__(self, outcome, *, is_reachable=True):
        self.outcome = outcome
        self.reachable = is_reachable
        self.asked = []

    def is_reachable(self, payload, source, now):
        if isinstance(self.reachable, Exception):
            raise self.reachable
        return self.reachable

    async def answer(self, payload, source, *, now, at):
        self.asked.append((payload, source, now, at))
        if isinstance(self.outcome, Exception):
            raise self.outcome
        return self.outcome


def edhoc(outcome=b"message_2", *, is_fresh=True, payload=MESSAGE_1, **handshakes):
    bootstrap: Any = Handshakes(outcome, **handshakes)
    server: Any = Server()
    handler = bootstrapping(bootstrap, server, clock=JumpingClock())
    return bootstrap, server, lambda: handler(call(payload, is_fresh=is_fresh))


@pytest.mark.spec("RFC 9175 2.3")
def test_in_a_crowd_a_source_is_challenged_and_nothing_is_begun():
    bootstrap, server, ask = edhoc(is_fresh=False, is_reachable=False)
    assert ask() is None
    assert (server.said, bootstrap.asked) == (["challenge"], [])


@pytest.mark.spec("RFC 9528 6")
@pytest.mark.parametrize(
    ("error", "has_body"),
    [
        (AuthenticationError("no"), True),
        (PolicyError("held", reason="held"), True),
        (StorageError("no space left"), True),
        (StateError("nobody waits"), True),
    ],
)
def test_a_handshake_that_fails_is_counted_and_tells_no_more_than_an_edhoc_error(error, has_body):
    _, server, ask = edhoc(error)
    answer = ask()
    assert answer.code >= 0x80
    assert sum(server.resources.refused.values()) == 1
    assert str(error).encode() not in answer.payload or error.reason == "held"


def test_what_is_no_edhoc_is_refused_before_it_is_begun():
    bootstrap, _, ask = edhoc(is_fresh=False, is_reachable=DecodeError("no"))
    with pytest.raises(DecodeError):
        ask()
    assert bootstrap.asked == []


@pytest.mark.parametrize(("is_fresh", "said"), [(True, []), (False, ["vouch"])])
def test_a_source_that_showed_itself_is_answered(is_fresh, said):
    bootstrap, server, ask = edhoc(is_fresh=is_fresh)
    answer = ask()
    assert (answer.code, answer.payload, server.said) == (Code.CHANGED, b"message_2", said)
    assert answer.uint_option(OptionNumber.CONTENT_FORMAT) == ContentFormat.EDHOC_CBOR_SEQ
    assert bootstrap.asked == [(MESSAGE_1, ladder.THING, 7.0, JumpingClock().utc())]


@pytest.mark.requirement("R-68")
@pytest.mark.parametrize("outcome", [b"message_4", PolicyError("no", reason="held")])
def test_whoever_finished_a_handshake_is_known_to_receive_where_it_came_from(outcome):
    _, server, ask = edhoc(outcome, payload=b"\x43abcmessage_3")
    ask()
    assert server.said == ([(b"abc", ladder.THING)] if outcome == b"message_4" else [])


class Granter:
    def grant_of(self, thing):
        if thing != THING.id:
            raise StateError("holds nothing")
        return GRANT


def test_what_a_join_granted_is_told_under_the_association_that_it_led_to():
    granter: Any = Granter()
    answer = granting(granter)(call())
    assert answer is not None
    assert decode_granted(answer.payload) == GRANT


@pytest.mark.requirement("R-35")
def test_nobody_else_is_told():
    granter: Any = Granter()
    with pytest.raises(StateError):
        granting(granter)(call(peer="somebody else"))


class Collector:
    def __init__(self):
        self.told = []

    def collect(self, thing, payload):
        if payload == b"":
            raise DecodeError("no pack")
        self.told.append((thing, payload))


def test_telemetry_that_the_collector_refuses_is_not_acknowledged():
    collector: Any = Collector()
    with pytest.raises(DecodeError):
        collecting(collector)(call())
    assert collector.told == []


def test_telemetry_is_taken_under_the_name_that_was_proven():
    collector: Any = Collector()
    assert collecting(collector)(call(b"pack")) == Message(Code.CHANGED)
    assert collector.told == [(THING.id, b"pack")]


class Authority:
    def status(self, cti):
        return CredentialStatus.VALID if cti == b"known" else CredentialStatus.UNKNOWN


def status(payload):
    authority: Any = Authority()
    answer = credential_status(authority)(call(payload))
    assert answer is not None
    return codec.decode(answer.payload)


@pytest.mark.spec("RFC 8392 3.1.7")
@pytest.mark.parametrize("cti", [b"", bytes(17), "text", 5, None, [b"known"]])
def test_what_is_no_cti_is_refused(cti):
    with pytest.raises(DecodeError):
        status(codec.encode(cti))


@pytest.mark.parametrize("payload", [b"", b"\xff", b"\x41"])
def test_what_is_no_cbor_is_refused(payload):
    with pytest.raises(DecodeError):
        status(payload)


def test_a_credential_s_status_is_one_number():
    assert status(codec.encode(b"known")) == CredentialStatus.VALID
    assert status(codec.encode(bytes(16))) == CredentialStatus.UNKNOWN


class Tracker:
    def __init__(self, error=None):
        self.error = error
        self.told = []

    async def report(self, thing, payload):
        if self.error is not None:
            raise self.error
        self.told.append((thing, payload))


@pytest.mark.parametrize("error", [StorageError("no space left"), DecodeError("no report"), ForbiddenError("retired")])
def test_a_report_that_is_not_on_disk_is_not_acknowledged(error):
    tracker: Any = Tracker(error)
    server: Any = Server()
    with pytest.raises(type(error)):
        update_report(tracker, server)(call(b"report"))
    assert tracker.told == []


def test_a_report_on_disk_is_acknowledged():
    tracker: Any = Tracker()
    server: Any = Server()
    assert update_report(tracker, server)(call(b"report")) == Message(Code.CHANGED)
    assert tracker.told == [(THING.id, b"report")]


def test_a_payload_comes_with_its_content_format():
    answer = content(b"x", ContentFormat.CBOR, Code.CREATED)
    assert (answer.code, answer.payload, answer.uint_option(OptionNumber.CONTENT_FORMAT)) == (Code.CREATED, b"x", 60)
