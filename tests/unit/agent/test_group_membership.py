"""A thing's place in its groups: what its token does not name it neither asks for nor keeps."""

import asyncio
import random
from datetime import timedelta

import pytest

from tests.unit.controller.planes import JumpingClock
from tests.unit.domain.things import AT, a_thing
from tests.unit.endpoint import ladder
from tests.unit.planes.groups.parties import MAY_COMMAND, MAY_JOIN, Domain
from thingstead.agent.group_membership import GROUP_STORY, GroupMembership
from thingstead.agent.story import Wait
from thingstead.crypto.algorithm import AlgorithmId
from thingstead.crypto.key import KeyType, generate
from thingstead.crypto.keystore import MemoryKeyStore
from thingstead.endpoint.event import AssociationId, ExchangeId, GroupId, RequestReceived
from thingstead.endpoint.resource import Call, Resources
from thingstead.errors import DecodeError, ForbiddenError, StateError, TransportError
from thingstead.protocols.ace import token
from thingstead.protocols.ace.aif import Scope
from thingstead.protocols.coap.message import Message, request
from thingstead.protocols.coap.registry import Code
from thingstead.protocols.cwt import token as cwt
from thingstead.protocols.cwt.claims import Claim
from thingstead.protocols.profile.standing import StandingQuestion, thumbprint
from thingstead.simulator.virtual.memory import Fate, HomeLife

pytestmark = pytest.mark.spec("RFC 9594 4.3.1")
THING = a_thing(1)
ISSUER, HOLDER = generate(KeyType.P256), generate(KeyType.P256)


def access_token(scope=MAY_JOIN):
    return token.issue(
        HOLDER.public,
        ISSUER,
        issuer="home",
        subject=THING.id,
        audience="home",
        scope=scope,
        at=AT,
        expires=AT + timedelta(days=30),
        cti=b"12345678",
        signature_id=AlgorithmId.ESP256,
    )


class Member:
    """A thing's groups, and the Group Manager that it asks by `answer`."""

    def __init__(self, disk=None, keys=None, scope=MAY_JOIN):
        self.disk = {} if disk is None else disk
        self.keys = keys or MemoryKeyStore()
        self.clock = JumpingClock()
        self.endpoint = ladder.endpoint(1)
        self.domain = Domain()
        self.scope = scope
        self.groups = GroupMembership(
            HomeLife(self.disk, Fate()),
            self.keys,
            self.endpoint,
            utc=self.clock.utc,
            random_bytes=random.Random(3).randbytes,
            interval=60.0,
            retry=2.0,
        )
        self.resources = Resources(lambda _event: None)
        self.groups.serve(self.resources)
        self.groups.entitle(access_token(scope))
        asyncio.run(self._prepare())

    async def _prepare(self):
        await self.domain.manager.create("lamps")
        await self.domain.admitted(THING, self.scope)

    def answer(self, message):
        """What the Group Manager answers to a request of the thing."""
        name, manager = message.path.rpartition("/")[2], self.domain.manager
        try:
            if message.code == Code.GET:
                return Message(Code.CONTENT, payload=asyncio.run(manager.keys(THING.id, name)))
            if not message.payload:
                return Message(Code.BAD_REQUEST, payload=asyncio.run(manager.challenge(THING.id, name)))
            return Message(Code.CREATED, payload=asyncio.run(manager.join(THING.id, name, message.payload)))
        except ForbiddenError:
            return Message(Code.FORBIDDEN)

    def round(self, story=None, alter=lambda _message, answer: answer):
        """One round of the story, to its next wait; `alter` may change an answer, or be an error to throw."""
        story = story or self.groups.story()
        wanted = next(story)
        while not isinstance(wanted, Wait):
            answer = alter(wanted.message, self.answer(wanted.message))
            wanted = story.throw(answer) if isinstance(answer, Exception) else story.send(answer)
        assert wanted.name == GROUP_STORY
        return wanted.seconds

    def joined(self):
        assert self.round() == 60.0
        return self

    def call(self, code, path, payload=b"", *, by_domain=True):
        message = request(code, path, payload=payload)
        known = AssociationId("domain") if by_domain else None
        event = RequestReceived(ExchangeId(1), message, ladder.THING, known, None, None, None, True, False)
        return self.resources._handlers[path][code](Call(message, event, "domain", 0.0))

    def grant(self, kid, group="group-lamps"):
        message = request(Code.PUT, "/light")
        event = RequestReceived(ExchangeId(1), message, ladder.THING, None, kid, GroupId(group), None, True, True)
        return self.groups.grant(event)

    def standing(self, credential, group="lamps"):
        return self.groups.standing(StandingQuestion(group, thumbprint(credential)))

    @property
    def manager_peer(self):
        return self.domain.live.keys["lamps"].own()


# --- what it may ask for


@pytest.mark.parametrize("damaged", [b"", b"\xff", access_token()[:-70]])
def test_a_token_that_cannot_be_read_changes_no_right(damaged):
    member = Member().joined()
    with pytest.raises(DecodeError):
        member.groups.entitle(damaged)
    assert member.groups.epochs() == {"lamps": 2}


def test_groups_that_the_token_does_not_name_any_more_are_given_up():
    member = Member().joined()
    member.groups.entitle(access_token(Scope({})))
    assert member.groups.epochs() == {}
    assert not any(name.startswith("group-") for name in member.disk)
    assert member.grant(member.manager_peer.sender_id) is None


def test_a_right_that_ends_between_challenge_and_request_ends_the_attempt_and_not_the_thing():
    member = Member()

    def alter(message, answer):
        member.groups.entitle(access_token(Scope({})))
        return answer

    assert member.round(alter=alter) == 4.0
    assert member.groups.epochs() == {}


# --- joining


@pytest.mark.parametrize(
    "alter",
    [
        lambda _message, _answer: TransportError("silence"),
        lambda _message, _answer: Message(Code.FORBIDDEN),
        lambda _message, _answer: Message(Code.BAD_REQUEST, payload=b"\xff"),
        lambda message, answer: Message(Code.FORBIDDEN) if message.payload else answer,
        lambda message, answer: Message(Code.CREATED, payload=b"\xa0") if message.payload else answer,
        lambda message, answer: Message(Code.CREATED, payload=answer.payload[:-1]) if message.payload else answer,
    ],
    ids=["silence", "refused", "no challenge", "refused late", "no keys", "cut keys"],
)
def test_a_join_that_fails_leaves_nothing_and_is_tried_again_ever_more_slowly(alter):
    member = Member()
    story = member.groups.story()
    assert [member.round(story, alter) for _ in range(6)] == [4.0, 8.0, 16.0, 32.0, 60.0, 60.0]
    assert (member.groups.epochs(), member.disk) == ({}, {})


def test_a_manager_that_does_not_prove_its_key_is_not_believed():
    member, other = Member(), Domain()

    def alter(message, answer):
        if not message.payload:
            return answer
        at = answer.payload.rindex(b"\x58\x40") + 2
        forged = bytearray(answer.payload)
        forged[at] ^= 1
        return Message(Code.CREATED, payload=bytes(forged))

    assert member.round(alter=alter) == 4.0
    assert (member.groups.epochs(), other.disk.documents) == ({}, {})


# --- keeping up


@pytest.mark.parametrize("answer", [Message(Code.FORBIDDEN), Message(Code.NOT_FOUND)])
def test_who_was_put_out_reads_no_more_and_asks_to_come_in_again(answer):
    member = Member().joined()
    assert member.round(alter=lambda _message, _answer: answer) == 4.0
    assert member.groups.epochs() == {}
    assert member.round() == 60.0


@pytest.mark.parametrize("answer", [Message(Code.SERVICE_UNAVAILABLE), TransportError("silence")])
def test_a_manager_that_is_busy_costs_no_membership(answer):
    member = Member().joined()
    assert member.round(alter=lambda _message, _answer: answer) == 4.0
    assert member.groups.epochs() == {"lamps": 2}


def test_keys_that_have_run_out_are_given_up_and_the_group_is_joined_anew():
    member = Member().joined()
    member.clock.seconds = timedelta(days=25).total_seconds()
    assert member.grant(member.manager_peer.sender_id) is None
    assert not member.standing(member.manager_peer.credential).accepts
    member.round()
    assert member.groups.epochs() == {"lamps": 3}


def test_newer_keys_are_taken_when_they_are_asked_for():
    member = Member().joined()
    asyncio.run(member.domain.manager.rekey("lamps"))
    assert member.round() == 60.0
    assert member.groups.epochs() == {"lamps": 3}


# --- what it serves


def test_a_member_of_a_group_does_not_rekey_it():
    member = Member().joined()
    with pytest.raises(ForbiddenError):
        member.call(Code.PUT, "/group-keys", by_domain=False)


def test_keys_of_a_group_that_the_token_does_not_name_are_refused():
    member = Member(scope=Scope({}))
    with pytest.raises(ForbiddenError, match="does not name group lamps"):
        member.call(Code.PUT, "/group-keys", asyncio.run(Member().joined().domain.manager.keys(THING.id, "lamps")))


def test_older_keys_under_another_gid_do_not_replace_newer_ones():
    member = Member().joined()
    older = asyncio.run(member.domain.manager.keys(THING.id, "lamps"))
    asyncio.run(member.domain.manager.rekey("lamps"))
    newer = asyncio.run(member.domain.manager.keys(THING.id, "lamps"))
    for _ in range(2):
        assert member.call(Code.PUT, "/group-keys", newer).code == Code.CHANGED
    with pytest.raises(StateError, match="newer keys are here"):
        member.call(Code.PUT, "/group-keys", older)
    assert member.groups.epochs() == {"lamps": 3}


@pytest.mark.parametrize("kid", [None, b"nobody"])
def test_who_is_no_member_has_no_right(kid):
    member = Member().joined()
    assert member.grant(kid) is None
    assert member.grant(member.manager_peer.sender_id, group="group-doors") is None


def test_a_member_s_right_is_granted_and_its_acceptance_told():
    member = Member().joined()
    peer = member.manager_peer
    assert member.standing(peer.credential).last_acceptance is None
    granted = member.grant(peer.sender_id)
    assert granted is not None
    assert set(granted[1].grants) == {"/light"}
    told = member.standing(peer.credential)
    assert (told.accepts, told.num, told.last_acceptance) == (True, 2, AT)
    assert not member.standing(b"stranger").accepts
    assert member.standing(peer.credential, group="doors").num == 0


# --- over restarts


def test_after_a_restart_it_goes_on_with_the_keys_it_has_on_numbers_not_spent():
    first = Member().joined()
    first.groups.reserve("group-lamps", 512)
    first.groups.reserve("group-doors", 512)
    second = Member(first.disk, first.keys)
    second.groups.resume()
    assert second.groups.epochs() == {"lamps": 2}
    assert second.groups._live["lamps"].group.context.own.sequence.next == 512


@pytest.mark.parametrize("damage", ["keys", "key"])
def test_what_cannot_be_used_any_more_is_forgotten_with_its_key(damage):
    first = Member().joined()
    if damage == "keys":
        first.disk["group-lamps"] = b"\x80"
    else:
        for name in first.keys.ids():
            first.keys.delete(name)
    second = Member(first.disk, first.keys)
    second.groups.resume()
    assert (second.groups.epochs(), first.disk, first.keys.ids()) == ({}, {}, frozenset())


def test_keys_that_ran_out_while_it_was_off_are_not_taken_up():
    first = Member().joined()
    second = Member(first.disk, first.keys)
    second.clock.seconds = timedelta(days=25).total_seconds()
    second.groups.resume()
    assert second.groups.epochs() == {}


def test_who_leaves_is_in_no_group_and_joins_none():
    member = Member(scope=MAY_COMMAND).joined()
    member.groups.leave()
    assert (member.groups.epochs(), member.round()) == ({}, 60.0)


def test_a_token_with_a_scope_in_another_form_is_refused():
    encoded = cwt.issue({int(Claim.SCOPE): "/light"}, ISSUER, signature_id=AlgorithmId.ESP256)
    with pytest.raises(DecodeError, match="expected a scope of AIF"):
        Member().groups.entitle(encoded)
