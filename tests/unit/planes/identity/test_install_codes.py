"""A code is open until it was used, locked or too old; each of the three is for good, and survives us."""

import asyncio
import random
from datetime import timedelta

import pytest

from tests.unit.controller.planes import JumpingClock
from tests.unit.domain.things import AT
from tests.unit.phases.test_manufacture import MAKER, MODEL
from thingstead.crypto.key import KeyType, generate
from thingstead.domain.plane import PlaneName
from thingstead.errors import DecodeError, ExpiredError, PolicyError, StorageError, UntrustedError
from thingstead.phases.manufacture import bear
from thingstead.planes.identity.install_codes import MAX_TRIES, CodeState, InstallCodes
from thingstead.protocols.edhoc.error import UnknownCredentialError
from thingstead.protocols.profile.install_code import key_of, kid_of, make_code
from thingstead.storage.memory import MemoryStore
from thingstead.storage.records import PlaneRecords

pytestmark = pytest.mark.requirement("R-28")
CODE = make_code(random.Random(1).randbytes)
KID = kid_of(CODE)
WEEK = timedelta(days=7)


def identity(serial="A0001"):
    key = generate(KeyType.P256).public
    born = bear(MAKER, MODEL, serial, thing_key=key, domain_key=key, at=AT, voucher_expires=AT + WEEK)
    return born.maker_identity


class Domain:
    """A store that outlives its codes' keeper."""

    def __init__(self):
        self.store = MemoryStore()
        self.clock = JumpingClock()
        self.restart()

    def restart(self):
        records = PlaneRecords(PlaneName.IDENTITY, self.store, prefix="code/")
        self.codes = InstallCodes(records, clock=self.clock)

    def add(self, code=CODE, serial="A0001", validity=WEEK):
        return asyncio.run(self.codes.add(code, serial, validity=validity, by="owner"))

    def attempt(self, kid=KID):
        return asyncio.run(self.codes.attempt(kid))

    def introduce(self, encoded, kid=KID):
        asyncio.run(self.codes.introduce(kid, encoded))

    def settle(self, encoded):
        asyncio.run(self.codes.settle(encoded))

    @property
    def standing(self):
        (one,) = self.codes.standings()
        return one.state, one.tries


@pytest.fixture
def domain():
    return Domain()


def test_without_a_code_nothing_is_open(domain):
    assert not domain.codes.has_open()
    assert domain.codes.standings() == []
    with pytest.raises(UnknownCredentialError):
        domain.attempt()


def test_a_code_gives_its_key_to_whoever_names_it_and_is_used_once(domain):
    domain.add()
    assert domain.attempt().psk == key_of(CODE)
    encoded = identity()
    domain.introduce(encoded)
    assert domain.standing == (CodeState.BOUND, 1)
    assert encoded in domain.codes
    domain.settle(encoded)
    assert domain.standing == (CodeState.USED, 1)
    assert encoded in domain.codes
    assert not domain.codes.has_open()
    for again in (domain.attempt, lambda: domain.introduce(encoded)):
        with pytest.raises(UntrustedError, match="was used"):
            again()


@pytest.mark.requirement("R-34")
@pytest.mark.parametrize("restarts", [False, True])
def test_until_it_has_joined_the_one_that_came_by_a_code_comes_again_and_nobody_else(domain, restarts):
    domain.add()
    domain.attempt()
    first, second = identity(), identity()
    domain.introduce(first)
    if restarts:
        domain.restart()
    assert domain.codes.has_open()
    assert domain.attempt().psk == key_of(CODE)
    domain.introduce(first)
    with pytest.raises(UntrustedError, match="used by another"):
        domain.introduce(second)
    assert second not in domain.codes
    assert domain.standing == (CodeState.BOUND, 2)


def test_one_that_comes_again_too_often_finds_its_code_used(domain):
    domain.add()
    encoded = identity()
    for _ in range(MAX_TRIES):
        domain.attempt()
        domain.introduce(encoded) if domain.standing[1] < MAX_TRIES else None
    with pytest.raises(UntrustedError, match="was used"):
        domain.attempt()
    assert encoded in domain.codes


@pytest.mark.requirement("R-24")
def test_a_key_is_kept_no_longer_than_somebody_may_come_by_it(domain):
    def kept():
        return any(key_of(CODE).reveal() in document for document in domain.codes._records.load().values())

    domain.add()
    asyncio.run(domain.codes.tidy())
    assert kept()
    encoded = identity()
    domain.attempt()
    domain.introduce(encoded)
    domain.settle(identity())
    assert kept()
    domain.settle(encoded)
    assert not kept()


@pytest.mark.requirement("R-24")
@pytest.mark.parametrize("end", ["locked", "expired", "bound and expired"])
def test_the_key_of_a_code_that_ended_otherwise_goes_too(domain, end):
    domain.add()
    for _ in range(MAX_TRIES if end == "locked" else 1):
        domain.attempt()
    if end.startswith("bound"):
        domain.introduce(identity())
    if end != "locked":
        domain.clock.seconds += WEEK.total_seconds()
    before = domain.standing
    asyncio.run(domain.codes.tidy())
    assert domain.standing == before
    assert not any(key_of(CODE).reveal() in document for document in domain.codes._records.load().values())


def test_of_two_who_use_a_code_at_once_one_does(domain):
    domain.add()
    domain.attempt()
    domain.attempt()
    first, second = identity(), identity()
    domain.introduce(first)
    with pytest.raises(UntrustedError):
        domain.introduce(second)
    assert second not in domain.codes


@pytest.mark.parametrize("restarts", [False, True])
def test_tries_lock_it_for_good(domain, restarts):
    domain.add()
    for _ in range(MAX_TRIES):
        domain.attempt()
        if restarts:
            domain.restart()
    with pytest.raises(UntrustedError, match="was locked"):
        domain.attempt()
    assert domain.standing == (CodeState.LOCKED, MAX_TRIES)
    with pytest.raises(PolicyError, match="was locked"):
        domain.add()


def test_the_last_try_may_succeed(domain):
    domain.add()
    for _ in range(MAX_TRIES):
        domain.attempt()
    domain.introduce(identity())
    assert domain.standing == (CodeState.USED, MAX_TRIES)


def test_adding_it_again_gives_no_tries_back(domain):
    domain.add()
    domain.attempt()
    domain.add()
    assert domain.standing == (CodeState.OPEN, 1)


@pytest.mark.parametrize("restarts", [False, True])
def test_an_expired_code_is_closed_also_between_try_and_use(domain, restarts):
    domain.add()
    domain.attempt()
    domain.clock.seconds += WEEK.total_seconds()
    if restarts:
        domain.restart()
    assert domain.standing == (CodeState.EXPIRED, 1)
    with pytest.raises(ExpiredError):
        domain.attempt()
    with pytest.raises(ExpiredError):
        domain.introduce(identity())


def test_a_try_that_cannot_be_noted_is_none(domain):
    domain.add()

    async def full(*_args, **_kwargs):
        raise StorageError("no space left")

    domain.codes._records.write = full
    with pytest.raises(StorageError):
        domain.attempt()
    assert domain.standing == (CodeState.OPEN, 0)


@pytest.mark.requirement("R-34")
def test_a_code_that_is_taken_back_between_try_and_use_brings_nobody(domain):
    domain.add()
    domain.attempt()
    asyncio.run(domain.codes.remove("A0001", by="owner"))
    with pytest.raises(UntrustedError, match="taken back"):
        domain.introduce(identity())
    assert identity() not in domain.codes


@pytest.mark.requirement("R-34")
def test_a_code_is_for_one_serial_number(domain):
    domain.add()
    domain.attempt()
    with pytest.raises(UntrustedError, match="not of 'A0002'"):
        domain.introduce(identity("A0002"))
    assert domain.standing == (CodeState.OPEN, 1)


@pytest.mark.parametrize("encoded", [b"", b"\xff", b"\xa0", bytes(40)])
def test_what_is_no_identity_uses_nothing_up(domain, encoded):
    domain.add()
    domain.attempt()
    with pytest.raises(DecodeError):
        domain.introduce(encoded)
    assert domain.standing == (CodeState.OPEN, 1)


@pytest.mark.parametrize(
    ("serial", "validity"), [("", WEEK), ("x" * 129, WEEK), ("a\nb", WEEK), ("A0001", timedelta(0))]
)
def test_what_cannot_be_is_not_added(domain, serial, validity):
    with pytest.raises(PolicyError):
        domain.add(serial=serial, validity=validity)
    assert not domain.codes.has_open()


def test_a_removed_code_is_gone_and_a_used_one_stays(domain):
    domain.add()
    asyncio.run(domain.codes.remove("A0001", by="owner"))
    domain.restart()
    assert domain.codes.standings() == []
    domain.add()
    domain.attempt()
    domain.introduce(identity())
    with pytest.raises(PolicyError, match="waits to be used"):
        asyncio.run(domain.codes.remove("A0001", by="owner"))


@pytest.mark.requirement("R-24")
def test_a_used_code_leaves_no_key_behind_and_a_restart_knows_whom_it_brought(domain):
    domain.add()
    domain.attempt()
    encoded = identity()
    domain.introduce(encoded)
    domain.settle(encoded)
    documents = dict(domain.store.documents(PlaneName.IDENTITY))
    assert all(key_of(CODE).reveal() not in document for document in documents.values())
    domain.restart()
    assert encoded in domain.codes


def test_a_damaged_document_is_refused():
    store = MemoryStore()
    records = PlaneRecords(PlaneName.IDENTITY, store, prefix="code/")
    asyncio.run(records.write({KID.hex(): b"\x80"}))
    with pytest.raises(DecodeError):
        InstallCodes(records, clock=JumpingClock())
