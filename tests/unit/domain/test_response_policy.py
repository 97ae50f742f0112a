"""An alarm does by itself what the owner said, and never to all at once."""

import pytest

from thingstead.domain.response_policy import Extent, ResponsePolicy, Severity

ROOM = Extent(0, 100)


@pytest.mark.parametrize("policy", [ResponsePolicy(), ResponsePolicy(Severity.NOTICE)])
def test_what_is_bad_enough_cuts_off(policy):
    assert policy.objection("scan-vertical", Severity.ALARM) == ""


@pytest.mark.parametrize(
    ("policy", "severity", "because"),
    [
        (ResponsePolicy(), Severity.INCIDENT, "incident is less"),
        (ResponsePolicy(quarantine_from=None), Severity.ALARM, "says never"),
        (ResponsePolicy(never=("dns", "scan-*")), Severity.ALARM, "scan-*"),
    ],
)
def test_what_the_owner_did_not_name_cuts_nobody_off(policy, severity, because):
    assert because in policy.objection("scan-vertical", severity)


@pytest.mark.parametrize(("cut", "of"), [(0, 0), (0, 1), (24, 100), (0, 3)])
def test_a_share_may_be_cut_off(cut, of):
    assert ResponsePolicy().bound(zone=Extent(cut, of), domain=ROOM, begun=9) == ""


@pytest.mark.requirement("R-38")
@pytest.mark.parametrize(
    ("zone", "domain", "begun", "because"),
    [
        (Extent(25, 100), ROOM, 0, "its zone"),
        (Extent(1, 3), ROOM, 0, "its zone"),
        (Extent(1, 7), ROOM, 0, "its zone"),
        (Extent(0, 4), Extent(25, 100), 0, "the domain"),
        (Extent(0, 4), ROOM, 10, "per_hour is 10"),
        (Extent(1, 1), Extent(1, 1), 0, "its zone"),
    ],
)
def test_more_than_that_is_withheld(zone, domain, begun, because):
    assert because in ResponsePolicy().bound(zone=zone, domain=domain, begun=begun)
