import asyncio
from itertools import count

import pytest

from tests.unit.controller.planes import JumpingClock
from tests.unit.domain.things import a_thing
from thingstead.crypto.key import KeyType, generate
from thingstead.domain.ledger import entry
from thingstead.domain.ledger.entry import Kind
from thingstead.domain.plane import PlaneName
from thingstead.errors import ReplayError
from thingstead.planes.software.attestation import Standing
from thingstead.planes.software.reference import Reference
from thingstead.planes.software.release import ClassKey
from thingstead.planes.software.verifier import Verifier
from thingstead.protocols.profile import attestation, reference_values
from thingstead.protocols.profile.attestation import FIRMWARE, State
from thingstead.storage.memory import MemoryStore
from thingstead.storage.records import PlaneRecords

pytestmark = pytest.mark.requirement("R-22")
KEY, OTHER = generate(KeyType.P256), generate(KeyType.P256)
LAMP, PUMP = a_thing(1), a_thing(2)
VENDOR, CLASS = bytes(16), bytes([1]) * 16


def image(number):
    return bytes([number]) * 32


def manifest(number):
    return bytes([100 + number]) * 32


def reference(number):
    values = reference_values.encode(
        vendor_id=VENDOR, class_id=CLASS, version=f"{number}.0", sequence_number=number, image_digest=image(number)
    )
    return Reference(ClassKey(VENDOR, CLASS), "acme", manifest(number), values)


def running(number, *, named=None, **others):
    named = number if named is None else named
    return State(VENDOR, others.get("class_id", CLASS), {FIRMWARE: image(number)}, manifest(named) if named else b"")


class Bench:
    """A verifier, and one thing that answers it."""

    def __init__(self, *published):
        self.clock, self.store = JumpingClock(), MemoryStore()
        self.published, self.reported = [reference(one) for one in published], -1
        self._numbers = count(1)
        self.aborted = set()
        self.verifier = self.again()

    def again(self):
        records = PlaneRecords(PlaneName.IDENTITY, self.store, prefix="attestation/")
        return Verifier(
            records,
            references=lambda _thing: self.published,
            reported=lambda _thing: self.reported,
            clock=self.clock,
            random_bytes=lambda size: next(self._numbers).to_bytes(size, "big"),
            is_aborted=self.aborted.__contains__,
        )

    def attest(self, state, *, key=KEY, nonce=None):
        asked = self.verifier.challenge(LAMP.id)
        evidence = attestation.sign_state(state, key, nonce=asked if nonce is None else nonce)
        return self.answer(evidence)

    def answer(self, evidence, thing=LAMP.id):
        return asyncio.run(self.verifier.answer(thing, evidence, KEY.public))

    def entries(self, kind):
        return [one for one in map(entry.decode, self.store.leaves()) if one.kind is kind]


def names(appraisal):
    return [one.name for one in appraisal.findings]


def test_a_release_that_was_taken_back_is_not_good_however_new_and_makes_room_for_the_one_before():
    bench = Bench(1, 2, 3)
    bench.aborted.add(reference(3).manifest_digest)
    found = bench.attest(running(3))
    assert (found.standing, "aborted" in names(found), found.passes) == (Standing.OLD, True, True)
    assert [bench.attest(running(number)).standing for number in (2, 1)] == [Standing.GOOD, Standing.GOOD]


def test_the_newest_release_and_the_one_before_are_good_and_the_agents_word_is_said_to_be_no_more():
    bench = Bench(1, 2, 3)
    for number in (3, 2):
        found = bench.attest(running(number))
        assert (found.standing, found.sequence_number, names(found)) == (Standing.GOOD, number, ["software-measured"])
    assert bench.attest(running(1)).standing is Standing.OLD
    assert bench.verifier.appraised[Standing.GOOD] == 2


def test_an_image_counts_whoever_installed_it():
    assert Bench(1).attest(running(1, named=0)).standing is Standing.GOOD
    assert Bench(1).attest(running(1, named=7)).standing is Standing.GOOD


def test_what_a_newcomer_came_with_is_unknown_and_raises_no_alarm():
    bench = Bench(2)
    found = bench.attest(running(9, named=0))
    assert (found.standing, names(found)[0]) == (Standing.UNKNOWN, "no-reference")
    assert not bench.entries(Kind.ALARM)
    assert Bench().attest(running(9)).standing is Standing.UNKNOWN


@pytest.mark.parametrize(
    ("state", "reported", "finding"),
    [
        (running(9, named=2), -1, "measurement"),
        (running(9), 2, "unpublished"),
        (running(1), 2, "rollback"),
        (running(2, class_id=VENDOR), -1, "class"),
        (State(VENDOR, CLASS, {FIRMWARE: image(2), "implant": image(9)}, manifest(2)), -1, "measurement"),
        (State(VENDOR, CLASS, {}, manifest(2)), -1, "measurement"),
    ],
)
def test_an_exchanged_added_missing_or_older_image_is_bad_and_told_once(state, reported, finding):
    bench = Bench(1, 2)
    bench.reported = reported
    for _ in range(3):
        found = bench.attest(state)
    assert (found.standing, found.passes) == (Standing.BAD, False)
    assert finding in names(found)
    assert len(bench.entries(Kind.ALARM)) == len(bench.entries(Kind.APPRAISAL)) == 1


def test_every_finding_is_collected():
    bench = Bench(2)
    bench.reported = 2
    assert set(names(bench.attest(running(9, named=2)))) == {"measurement", "unpublished", "software-measured"}


@pytest.mark.parametrize(
    "forged",
    [
        lambda nonce: attestation.sign_state(running(1), OTHER, nonce=nonce),
        lambda nonce: attestation.sign_state(running(1), KEY, nonce=nonce)[:-1] + b"\x00",
        lambda _nonce: attestation.sign_state(running(1), KEY, nonce=bytes([7]) * 16),
        lambda _nonce: b"",
        lambda _nonce: b"\xd2" * 40000,
        lambda nonce: nonce,
    ],
)
def test_forged_stale_missing_and_overlong_evidence_is_bad(forged):
    bench = Bench(1)
    found = bench.answer(forged(bench.verifier.challenge(LAMP.id)))
    assert found.standing is Standing.BAD
    assert names(found) in (["evidence"], ["no-evidence"])


def test_a_nonce_counts_once_for_one_thing_and_for_a_minute():
    bench = Bench(1)
    nonce = bench.verifier.challenge(LAMP.id)
    evidence = attestation.sign_state(running(1), KEY, nonce=nonce)
    with pytest.raises(ReplayError):
        bench.answer(evidence, PUMP.id)
    assert bench.answer(evidence).passes
    with pytest.raises(ReplayError):
        bench.answer(evidence)
    nonce = bench.verifier.challenge(LAMP.id)
    bench.clock.seconds += 60.0
    with pytest.raises(ReplayError):
        bench.answer(attestation.sign_state(running(1), KEY, nonce=nonce))


def test_only_the_last_nonce_counts_and_open_ones_are_bounded():
    bench = Bench(1)
    first = bench.verifier.challenge(LAMP.id)
    bench.verifier.challenge(LAMP.id)
    assert not bench.answer(attestation.sign_state(running(1), KEY, nonce=first)).passes
    bench.verifier.challenge(LAMP.id)
    for number in range(4096):
        bench.verifier.challenge(a_thing(number + 10).id)
    with pytest.raises(ReplayError):
        bench.answer(b"")


def test_what_was_found_outlives_a_restart_until_it_is_forgotten():
    bench = Bench(1)
    found = bench.attest(running(1))
    assert bench.again().of(LAMP.id) == found
    asyncio.run(bench.verifier.forget(LAMP.id))
    asyncio.run(bench.verifier.forget(LAMP.id))
    assert bench.again().of(LAMP.id) is bench.verifier.of(LAMP.id) is None
