"""A delegation counts while the owner wants it to, and not one moment longer, also over a restart."""

import asyncio
import random
from datetime import timedelta
from typing import Any

import pytest

from tests.unit.controller.planes import JumpingClock
from tests.unit.domain.things import AT
from thingstead.controller.installers import Installers
from thingstead.crypto.key import KeyType, generate
from thingstead.crypto.keystore import MemoryKeyStore
from thingstead.domain.ledger import entry
from thingstead.domain.ledger.entry import Kind
from thingstead.domain.plane import PlaneName
from thingstead.domain.role import Operator, Role
from thingstead.errors import (
    AuthenticationError,
    ConfigError,
    DecodeError,
    ExpiredError,
    ForbiddenError,
    StorageError,
)
from thingstead.identifier import KeyId
from thingstead.protocols.cose import key as cose_key
from thingstead.protocols.profile import delegation
from thingstead.storage.memory import MemoryStore
from thingstead.storage.records import PlaneRecords

pytestmark = pytest.mark.requirement("R-03")

BEN_KEY, CARLA = generate(KeyType.P256), generate(KeyType.P256).public
BEN = BEN_KEY.public


class Disk(MemoryStore):
    is_full = False

    async def commit(self, unit):
        if self.is_full:
            raise StorageError("no space left")
        return await super().commit(unit)


class Site:
    """Installers that can be forgotten and read again from what was kept; `approvals` is told what to take back."""

    def __init__(self, approvals=None, clock=None):
        self.approvals: Any = approvals or self
        self.clock, self.store, self.keys, self.retracted = clock or JumpingClock(), Disk(), MemoryKeyStore(), []
        self.forgotten: list[bytes] = []
        self.records = PlaneRecords(PlaneName.IDENTITY, self.store, prefix="installer/")
        self.restart()

    async def retract(self, approver, *, by):
        self.retracted.append((approver, by))

    def let_in(self, _delegation):
        return 3

    async def forget(self, delegation):
        self.forgotten.append(delegation)

    def restart(self):
        self.installers = Installers(
            self.records,
            self.keys,
            approvals=self.approvals,
            domain="home",
            clock=self.clock,
            random_bytes=random.Random(3).randbytes,
        )

    def add(self, name="ben", public=BEN, days=1.0, zones=("floor-1",), classes=(2,), **bounds):
        expires = self.clock.utc() + timedelta(days=days)
        adding = self.installers.add(name, public, zones=zones, classes=classes, expires=expires, by="owner", **bounds)
        return asyncio.run(adding)

    def revoke(self, name="ben"):
        return asyncio.run(self.installers.revoke(name, by="owner"))

    def counts(self, name="ben"):
        return name in [one.installer for one in self.installers]

    def entries(self):
        return [entry.decode(leaf) for leaf in self.store.leaves()]


@pytest.mark.parametrize(
    ("said", "error"),
    [
        ({"name": ""}, ConfigError),
        ({"name": "ben smith"}, ConfigError),
        ({"name": "ben:owner"}, ConfigError),
        ({"name": "b" * 65}, ConfigError),
        ({"name": "carla"}, ConfigError),
        ({"public": CARLA}, ConfigError),
        ({"zones": ()}, DecodeError),
        ({"classes": (7,)}, DecodeError),
        ({"days": 0.0}, ExpiredError),
    ],
)
def test_what_cannot_be_delegated_is_refused_and_nothing_counts(said, error):
    site = Site()
    site.add("carla", CARLA)
    with pytest.raises(error):
        site.add(**said)
    assert [one.installer for one in site.installers] == ["carla"]
    assert len(site.entries()) == 1


def test_what_the_disk_does_not_keep_was_neither_given_nor_taken():
    site = Site()
    site.store.is_full = True
    with pytest.raises(StorageError):
        site.add()
    assert not site.counts()
    site.store.is_full = False
    site.add()
    site.store.is_full = True
    with pytest.raises(StorageError):
        site.revoke()
    assert site.counts()


def test_a_delegation_ends_by_itself():
    site = Site()
    site.add()
    site.clock.seconds = timedelta(days=1).total_seconds()
    assert not site.counts()
    assert site.installers.identify(cose_key.thumbprint(BEN)) is None
    ended = site.installers.delegation("installer:ben")
    assert ended is not None
    with pytest.raises(ForbiddenError):
        ended.require(zone="floor-1", device_class=2, at=site.clock.utc())
    site.restart()
    with pytest.raises(ForbiddenError, match="no installer here"):
        site.installers.delegation("installer:ben")


def test_what_was_revoked_stays_so_and_takes_its_approvals_with_it():
    site = Site()
    site.add()
    site.revoke()
    for _ in range(2):
        assert not site.counts()
        with pytest.raises(ForbiddenError):
            site.installers.delegation("installer:ben")
        assert site.installers.identify(cose_key.thumbprint(BEN)) is None
        site.restart()
    assert site.retracted == [("installer:ben", "owner")]
    with pytest.raises(ConfigError, match="there are: none"):
        site.revoke()
    assert [one.cause for one in site.entries()] == ["delegated", "revoked"]


def test_what_lasts_over_a_restart_is_verified_anew():
    site = Site()
    site.add()
    site.restart()
    assert site.counts()
    site.keys.delete(KeyId("owner"))
    site.keys.create(KeyId("owner"), KeyType.P256)
    with pytest.raises(AuthenticationError):
        site.restart()


def test_there_is_a_bound_and_those_that_ended_make_room():
    site = Site()
    for number in range(256):
        site.add(f"i{number}", generate(KeyType.P256).public)
    with pytest.raises(ConfigError, match="at most 256"):
        site.add()
    site.clock.seconds = timedelta(days=1).total_seconds()
    site.add()
    site.restart()
    assert [one.installer for one in site.installers] == ["ben"]


def test_the_ledger_holds_what_anybody_can_verify_offline():
    site = Site()
    site.add()
    (said,) = site.entries()
    assert (said.kind, said.actor, said.cause) == (Kind.DELEGATION, "owner", "delegated")
    public = site.keys.handle(KeyId("owner")).public
    verified = delegation.authenticate(said.details["delegation"], public, domain="home", at=AT)
    assert (verified.installer, verified.public) == ("ben", BEN)


def test_an_owner_needs_no_delegation_and_a_key_says_whose_it_is():
    site = Site()
    site.add()
    assert site.installers.delegation("owner") is None
    assert site.installers.delegation("installer:ben") == next(iter(site.installers))
    found = site.installers.identify(cose_key.thumbprint(BEN))
    assert found == (BEN, Operator(Role.INSTALLER, "ben"))
    assert site.installers.identify(cose_key.thumbprint(CARLA)) is None
