import asyncio
from datetime import timedelta

import pytest

from tests.unit.controller.planes import JumpingClock
from tests.unit.domain.things import a_thing
from tests.unit.planes.software.test_verifier import KEY, OTHER, Bench, reference, running
from thingstead.controller.attesting import Attesting
from thingstead.domain.attestation_policy import AttestationPolicy, Waits
from thingstead.domain.lifecycle import LifecycleState
from thingstead.domain.register import Register
from thingstead.domain.unit import Unit
from thingstead.errors import ForbiddenError, NoResponseError, ReplayError, RequestRefusedError
from thingstead.planes.software.attestation import Standing
from thingstead.protocols.coap.message import Message
from thingstead.protocols.coap.registry import Code
from thingstead.protocols.profile import attestation
from thingstead.storage.memory import MemoryStore

pytestmark = pytest.mark.requirement("R-22")
LAMP, GONE = a_thing(1), a_thing(2, state=LifecycleState.DECOMMISSIONED)
STRANGE = attestation.State(bytes(16), bytes(16), {"firmware": bytes(32)})
ALL = AttestationPolicy(frozenset(Waits), timedelta(hours=1), ("LX-*",))


class Room:
    """Attestation with one thing that answers as it is told."""

    def __init__(self, policy=ALL):
        self.policy, self.bench = policy, Bench(1)
        self.state, self.key, self.code, self.is_away, self.asked = running(1), KEY, Code.CHANGED, False, 0
        self.installed_at, self.left_behind = None, []
        store = MemoryStore()
        register = Register(store.load())
        store.listen(register.follow)
        asyncio.run(store.commit(Unit(things=(LAMP, GONE))))
        self.clock: JumpingClock = self.bench.clock
        self.attesting = Attesting(
            self.bench.verifier,
            register,
            policy=lambda: self.policy,
            ask=self.ask,
            holder=lambda _thing: KEY.public,
            accepts=lambda thing: thing == LAMP.id,
            installed_at=lambda _thing: self.installed_at,
            leave_behind=self.leave_behind,
            clock=self.clock,
        )

    async def leave_behind(self, thing):
        self.left_behind.append(thing)

    async def ask(self, _thing, message, _within):
        self.asked += 1
        if self.is_away:
            raise NoResponseError("nobody answered")
        nonce = attestation.decode_request(message.payload)
        return Message(self.code, payload=attestation.sign_state(self.state, self.key, nonce=nonce))

    def pass_(self, seconds):
        self.clock.seconds += seconds

    def attest(self):
        return asyncio.run(self.attesting.attest(LAMP.id))

    def join(self, *, key=KEY, nonce=None, state=None, evidence=None):
        asked = self.attesting.nonce() if nonce is None else nonce
        said = attestation.sign_state(state or self.state, key, nonce=asked) if evidence is None else evidence
        asyncio.run(self.attesting.join(LAMP, KEY.public, nonce=asked, evidence=said))

    def look(self):
        asyncio.run(self.attesting.look())

    def objections(self):
        return [self.attesting.objection(LAMP.id, one) for one in Waits]


def test_a_thing_that_runs_what_was_published_has_nothing_to_wait_for():
    room = Room()
    assert room.objections() == ["it has not attested"] * 3
    assert room.attest().standing is Standing.GOOD
    assert room.objections() == [""] * 3
    room.join()


@pytest.mark.parametrize(
    "said",
    [
        {"state": running(9)},
        {"key": OTHER},
        {"evidence": b""},
        {"evidence": b"x" * 40000},
        {"nonce": b""},
        {"evidence": attestation.sign_state(running(1), KEY, nonce=bytes([9]) * 16)},
    ],
)
def test_a_newcomer_without_evidence_that_passes_gets_nothing(said):
    room = Room()
    if "nonce" in said:
        said = {"nonce": b"", "evidence": attestation.sign_state(running(1), KEY, nonce=bytes(16))}
    with pytest.raises(ForbiddenError) as refused:
        room.join(**said)
    assert refused.value.reason == "attestation"


def test_where_nothing_waits_nobody_is_asked_and_nothing_is_appraised():
    room = Room(AttestationPolicy())
    assert room.attesting.nonce() == b""
    room.join(nonce=b"", evidence=b"")
    room.attesting.note(LAMP.id)
    room.look()
    assert (room.asked, room.bench.verifier.of(LAMP.id), room.objections()) == (0, None, [""] * 3)
    other = Room(AttestationPolicy(frozenset(Waits), models=("TH-*",)))
    other.join(nonce=b"", evidence=b"")
    other.look()
    assert (other.asked, other.objections()) == (0, [""] * 3)


def test_tokens_may_wait_while_groups_do_not():
    room = Room(AttestationPolicy(frozenset({Waits.GROUPS})))
    room.join(state=running(9))
    assert [bool(one) for one in room.objections()] == [False, True, False]
    with pytest.raises(ForbiddenError):
        room.attesting.require(LAMP.id, Waits.GROUPS)
    room.attesting.require(LAMP.id, Waits.TOKENS)


def test_who_installed_something_and_whose_evidence_grows_old_is_asked_again():
    room = Room()
    room.look()
    room.look()
    assert room.asked == 1
    room.attesting.note(LAMP.id)
    room.look()
    assert room.asked == 2
    room.pass_(1900.0)
    room.look()
    assert room.asked == 3
    room.is_away = True
    room.pass_(3600.0)
    room.look()
    assert room.objections()[0] == "it has not attested for too long"


def test_who_installed_something_is_asked_though_the_domain_was_restarted_meanwhile():
    room = Room()
    room.look()
    room.look()
    assert room.asked == 1
    room.pass_(10.0)
    room.installed_at = room.clock.utc()
    room.look()
    room.look()
    assert room.asked == 2


def test_what_was_unknown_is_asked_again_when_something_is_published():
    room = Room()
    room.state = running(9)
    room.look()
    room.look()
    assert room.bench.verifier.of(LAMP.id).standing is Standing.UNKNOWN
    assert room.asked == 1
    room.bench.published.append(reference(9))
    room.attesting.published()
    room.look()
    assert (room.asked, room.bench.verifier.of(LAMP.id).standing) == (2, Standing.GOOD)
    room.attesting.published()
    room.look()
    assert room.asked == 2


@pytest.mark.parametrize(
    ("policy", "state", "left"),
    [
        (ALL, running(1), 0),
        (ALL, running(9), 0),
        (ALL, STRANGE, 1),
        (AttestationPolicy(frozenset({Waits.UPDATES})), STRANGE, 0),
    ],
    ids=["good", "unknown", "bad", "groups do not wait"],
)
def test_groups_go_on_without_who_proves_bad(policy, state, left):
    room = Room(policy)
    room.state = state
    room.attest()
    assert len(room.left_behind) == left


def test_who_installed_something_and_is_away_is_asked_until_it_answers():
    room = Room()
    room.look()
    room.attesting.note(LAMP.id)
    room.is_away = True
    room.look()
    room.is_away = False
    room.state = running(9)
    room.look()
    assert room.objections()[0]
    assert room.asked == 3
    room.look()
    assert room.asked == 3


def test_who_installed_something_and_waits_for_nothing_is_asked_once():
    room = Room(AttestationPolicy(frozenset(Waits), models=("TH-*",)))
    room.is_away = True
    room.attesting.note(LAMP.id)
    room.look()
    room.look()
    assert room.asked == 1


def test_a_thing_that_left_is_forgotten_and_who_is_not_in_is_not_asked():
    room = Room()
    asyncio.run(room.bench.verifier.appraise(GONE.id, b"", KEY.public, nonce=bytes(16)))
    room.attesting.note(GONE.id)
    room.look()
    assert room.bench.verifier.of(GONE.id) is None
    assert room.asked == 1


@pytest.mark.parametrize("code", [Code.FORBIDDEN, Code.NOT_FOUND])
def test_a_thing_that_does_not_attest_is_told_apart_from_one_that_is_away(code):
    room = Room()
    room.code = code
    with pytest.raises(RequestRefusedError, match="/attestation"):
        room.attest()
    room.is_away = True
    with pytest.raises(NoResponseError):
        room.attest()


def test_an_answer_that_came_too_late_counts_no_more():
    room = Room()
    answer = room.ask

    async def late(thing, message, within):
        told = await answer(thing, message, within)
        room.pass_(61.0)
        return told

    room.attesting._ask = late
    with pytest.raises(ReplayError):
        room.attest()
