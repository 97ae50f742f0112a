"""A person's permit is a token like any: written down first, bound to a key, for one thing, and taken back at once."""

import asyncio
import random
from datetime import timedelta

import pytest

from tests.unit.controller.planes import JumpingClock
from tests.unit.domain.things import a_thing
from tests.unit.planes.access.test_authorization_server import SlowRecords
from thingstead.crypto.algorithm import AlgorithmId
from thingstead.crypto.key import KeyType, generate
from thingstead.errors import DecodeError, StateError, ThingsteadError
from thingstead.planes.access.issued_tokens import IssuedTokens
from thingstead.planes.access.permits import Permits
from thingstead.protocols.ace import token
from thingstead.protocols.cbor import codec
from thingstead.protocols.cose import key as cose_key
from thingstead.protocols.profile.maintenance import MAINTAINER, Task, rights

pytestmark = pytest.mark.requirement("R-07")
LAMP, OTHER = a_thing(1).id, a_thing(2).id
KEY, BEN, EVE = (generate(KeyType.P256) for _ in range(3))


class Desk:
    def __init__(self):
        self.clock = JumpingClock()
        self.records, self.trl = SlowRecords(), SlowRecords()
        self.tokens = IssuedTokens(self.trl, clock=self.clock)
        self.permits = self.again()

    def again(self):
        return Permits(
            self.tokens, self.records, KEY, domain="home", clock=self.clock, random_bytes=random.Random(1).randbytes
        )

    def issue(self, *, key=BEN, thing=LAMP, tasks=tuple(Task), hours=1.0):
        lifetime = timedelta(hours=hours)
        asked = self.permits.issue("ben", key.public, thing, tasks=tasks, lifetime=lifetime, by="owner")
        return asyncio.run(asked)

    def verify(self, encoded, *, audience=LAMP, presenter=BEN):
        return token.authenticate(
            encoded,
            KEY.public,
            accept=frozenset({int(AlgorithmId.ESP256)}),
            at=self.clock.utc(),
            issuer="home",
            audience=audience,
            presenter=presenter.public,
        )


@pytest.fixture
def desk():
    return Desk()


def test_a_permit_is_a_token_for_its_tasks(desk):
    encoded, permit = desk.issue(tasks=[Task.DIAGNOSE])
    valid = desk.verify(encoded)
    assert (valid.subject, valid.scope) == (f"{MAINTAINER}ben", rights([Task.DIAGNOSE]))
    assert valid.expires == permit.expires
    assert desk.tokens.find(token.token_hash(encoded)) is not None
    (found,) = desk.permits.of(LAMP, cose_key.thumbprint(BEN.public))
    assert found == permit
    assert [one.thing for one in desk.permits] == [LAMP]


@pytest.mark.parametrize("bent", [{"audience": OTHER}, {"presenter": EVE}])
def test_it_is_for_one_thing_and_one_key(desk, bent):
    encoded, _ = desk.issue()
    with pytest.raises(ThingsteadError):
        desk.verify(encoded, **bent)
    assert desk.permits.of(OTHER, cose_key.thumbprint(BEN.public)) == ()
    assert desk.permits.of(LAMP, cose_key.thumbprint(EVE.public)) == ()


@pytest.mark.parametrize(
    ("task", "minutes", "objection"),
    [
        (Task.DIAGNOSE, 0, ""),
        (Task.DIAGNOSE, 59, ""),
        (Task.DIAGNOSE, 60, "expired"),
        (Task.DIAGNOSE, -1, "expired"),
        (Task.RESTART, 0, "task"),
    ],
)
def test_what_was_done_is_held_against_it(desk, task, minutes, objection):
    _, permit = desk.issue(tasks=[Task.DIAGNOSE])
    assert desk.permits.objection(permit, task, permit.issued_at + timedelta(minutes=minutes)) == objection


def test_one_that_is_taken_back_counts_for_what_was_done_before_over_a_restart_too(desk):
    encoded, permit = desk.issue()
    desk.clock.seconds += 600
    assert asyncio.run(desk.permits.withdraw("ben", by="owner")) == 1
    issued = desk.tokens.find(token.token_hash(encoded))
    assert issued is not None
    assert issued.is_revoked
    assert list(desk.permits) == []
    for permits in (desk.permits, desk.again()):
        (found,) = permits.of(LAMP, cose_key.thumbprint(BEN.public))
        assert permits.objection(found, Task.BEGIN, permit.issued_at + timedelta(seconds=599)) == ""
        assert permits.objection(found, Task.BEGIN, permit.issued_at + timedelta(seconds=600)) == "revoked"
        assert permits.objection(found, Task.BEGIN, permit.issued_at + timedelta(seconds=601)) == "revoked"
    with pytest.raises(StateError):
        asyncio.run(desk.permits.withdraw("ben", by="owner"))


def test_one_whose_token_was_revoked_alone_counts_for_nothing(desk):
    encoded, permit = desk.issue()
    asyncio.run(desk.tokens.revoke({token.token_hash(encoded): desk.tokens.find(token.token_hash(encoded))}))
    assert desk.permits.objection(permit, Task.BEGIN, permit.issued_at) == "revoked"


def test_nobody_holds_more_than_can_be_revoked(desk):
    for _ in range(64):
        desk.issue()
    with pytest.raises(StateError):
        desk.issue()


def test_what_a_disk_gives_back_is_a_permit_or_nothing(desk):
    desk.issue()
    (name,) = desk.records.documents
    desk.records.documents[name] = codec.encode([1])
    with pytest.raises(DecodeError):
        desk.again()
