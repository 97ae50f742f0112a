"""What is told of credentials; the authority's own tests show the rest of it."""

from datetime import timedelta

import pytest

from tests.unit.controller.planes import JumpingClock
from tests.unit.domain.things import AT, a_thing
from thingstead.domain.plane import Standing
from thingstead.planes.identity.status_list import CredentialStanding, CredentialStatus, StatusList

THING = a_thing().id
VALID = CredentialStanding(b"one", CredentialStatus.VALID, AT + timedelta(days=1))


def a_list(*standings):
    statuses = StatusList(JumpingClock())
    for standing in standings:
        statuses.keep(THING, standing)
    return statuses


def test_one_credential_counts_per_thing():
    statuses = a_list(VALID, CredentialStanding(b"two", CredentialStatus.VALID, AT + timedelta(days=1)))
    assert statuses.status(b"one") is CredentialStatus.UNKNOWN
    assert statuses.status(b"two") is CredentialStatus.VALID


@pytest.mark.parametrize("expires", [None, AT])
def test_one_that_ended_is_told_as_revoked(expires):
    assert a_list(CredentialStanding(b"one", CredentialStatus.VALID, expires)).status(b"one") is (
        CredentialStatus.REVOKED
    )


@pytest.mark.requirement("R-09")
def test_what_is_suspended_is_not_told_as_valid_and_what_is_revoked_stays_so():
    statuses = a_list(VALID)
    statuses.suspend(THING)
    assert statuses.status(b"one") is CredentialStatus.SUSPENDED
    assert statuses.probe(THING).standing is Standing.REFUSED
    revoked = a_list(CredentialStanding(b"one", CredentialStatus.REVOKED, None))
    revoked.suspend(THING)
    assert revoked.status(b"one") is CredentialStatus.REVOKED
    a_list().suspend(THING)


def test_a_probe_is_no_peer_that_relied_on_the_answer():
    statuses = a_list(VALID)
    assert statuses.probe(THING).last_acceptance is None
    statuses.status(b"one")
    assert statuses.probe(THING).last_acceptance == AT
