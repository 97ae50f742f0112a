import asyncio

import pytest

from tests.unit.controller.planes import JumpingClock
from tests.unit.domain.things import a_thing
from tests.unit.planes.identity.authority import HOLDER, KEY, authority
from thingstead.domain.lifecycle import LifecycleState, Restriction
from thingstead.domain.plane import PlaneName, Standing
from thingstead.domain.unit import PlaneRecord, Unit
from thingstead.errors import DecodeError, StateError
from thingstead.planes.identity.status_list import CredentialStatus
from thingstead.protocols.cbor import codec
from thingstead.protocols.cwt.credential import authenticate_domain_credential
from thingstead.storage.memory import MemoryStore

_THING = a_thing()
_QUARANTINED = _THING.evolve(restriction=Restriction.QUARANTINED)
_RETIRED = _THING.evolve(state=LifecycleState.DECOMMISSIONED)
_CTI = (1).to_bytes(8, "big")


def _do(demand, thing=_THING):
    return asyncio.run(demand(thing, cause="tested", transition_id=thing.transition_id))


def _issued(store=None, clock=None):
    plane = authority(store, clock)
    plane.prove(_THING.id, HOLDER)
    _do(plane.admit)
    return plane


def test_nothing_is_issued_to_who_has_proven_nothing():
    plane = authority()
    assert "join" in _do(plane.admit).detail
    with pytest.raises(StateError):
        plane.credential_of(_THING.id)


def test_a_credential_names_the_thing_and_the_key_that_it_proved():
    plane = _issued()
    credential = authenticate_domain_credential(
        plane.credential_of(_THING.id), KEY.public, accept=frozenset({-9}), domain="home", at=JumpingClock().utc()
    )
    assert (credential.thing, credential.public, credential.cti) == (_THING.id, HOLDER, _CTI)
    assert plane.status(_CTI) is CredentialStatus.VALID


def test_a_proof_is_good_for_one_credential():
    plane = _issued()
    _do(plane.withdraw, _RETIRED)
    _do(plane.admit)
    with pytest.raises(StateError):
        plane.credential_of(_THING.id)


def test_what_nobody_issued_is_unknown():
    assert _issued().status(bytes(8)) is CredentialStatus.UNKNOWN


def test_a_suspended_credential_is_told_so_and_not_handed_out_until_it_is_lifted():
    plane = _issued()
    _do(plane.restrict, _QUARANTINED)
    assert plane.status(_CTI) is CredentialStatus.SUSPENDED
    with pytest.raises(StateError):
        plane.credential_of(_THING.id)
    _do(plane.admit)
    assert plane.status(_CTI) is CredentialStatus.VALID


def test_an_expired_credential_is_not_relied_on():
    clock = JumpingClock()
    plane = _issued(clock=clock)
    clock.seconds = 91 * 86400.0
    assert plane.status(_CTI) is CredentialStatus.REVOKED


@pytest.mark.requirement("R-09")
def test_what_was_revoked_stays_revoked_over_restart_lifting_and_restore():
    store = MemoryStore()
    plane = _issued(store)
    backup = plane.snapshot()
    _do(plane.withdraw, _RETIRED)
    again = authority(store)
    asyncio.run(again.restore(backup))
    _do(again.admit)
    assert again.status(_CTI) is CredentialStatus.REVOKED
    assert again.expiries() == []


@pytest.mark.requirement("R-09")
def test_a_backup_lifts_no_suspension():
    plane = _issued()
    backup = plane.snapshot()
    _do(plane.restrict, _QUARANTINED)
    asyncio.run(plane.restore(backup))
    assert plane.status(_CTI) is CredentialStatus.SUSPENDED


def test_a_restart_changes_nothing():
    store = MemoryStore()
    before = _issued(store)
    after = authority(store)
    assert after.credential_of(_THING.id) == before.credential_of(_THING.id)
    assert [one.strands for one in after.expiries()] == [(_THING.id,)]


def test_the_probe_s_own_question_is_no_acceptance():
    plane = _issued()
    probe = asyncio.run(plane.probe(_THING))
    assert (probe.standing, probe.last_acceptance) == (Standing.ACCEPTED, None)
    plane.status(_CTI)
    asyncio.run(plane.probe(_THING))
    assert asyncio.run(plane.probe(_THING)).last_acceptance == JumpingClock().utc()


@pytest.mark.parametrize("document", [codec.encode([]), codec.encode([b"cti", 1, b"\x00"]), b"\xff"])
def test_a_damaged_record_is_told_at_the_start(document):
    store = MemoryStore()
    asyncio.run(store.commit(Unit(records=(PlaneRecord(PlaneName.IDENTITY, _THING.id, document),))))
    with pytest.raises(DecodeError):
        authority(store)


@pytest.mark.requirement("R-09")
def test_an_older_credential_does_not_count_again_with_its_successor():
    plane = _issued()
    _do(plane.withdraw, _RETIRED)
    assert plane.status(_CTI) is CredentialStatus.REVOKED
    plane.prove(_THING.id, HOLDER)
    _do(plane.admit)
    assert plane.status((2).to_bytes(8, "big")) is CredentialStatus.VALID
    assert plane.status(_CTI) is CredentialStatus.UNKNOWN


@pytest.mark.parametrize(
    "forget", [lambda plane: _do(plane.restrict, _QUARANTINED), lambda plane: plane.disprove(_THING.id)]
)
def test_a_key_proven_in_a_join_that_came_to_nothing_is_issued_for_by_no_later_admission(forget):
    plane = authority()
    plane.prove(_THING.id, HOLDER)
    forget(plane)
    _do(plane.admit)
    with pytest.raises(StateError):
        plane.credential_of(_THING.id)
