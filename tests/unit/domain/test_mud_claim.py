from datetime import UTC, datetime, timedelta

import pytest

from thingstead.domain.mud_claim import TRUST, Claim, Claims, ClaimSource, ClaimState, decode
from thingstead.errors import DecodeError, PolicyError
from thingstead.protocols.cbor import codec

AT = datetime(2026, 11, 23, tzinfo=UTC)
LATER = AT + timedelta(hours=1)
ONE, TWO, EVIL = (f"https://{host}.example/lamp.json" for host in ("one", "two", "evil"))


def heard(claims, source, url, *, counts=ONE, at=AT):
    found = claims.heard(source, url, counts=counts, at=at)
    assert found is not None
    return found


def states(claims):
    return {one.source.value: one.state.value for one in claims.rows}


@pytest.mark.spec("RFC 8520 16")
def test_another_url_waits_and_changes_nothing():
    claims = heard(Claims(), ClaimSource.DHCPV4, TWO)
    assert claims.waiting == (Claim(ClaimSource.DHCPV4, TWO, AT, ClaimState.WAITING),)
    assert claims.in_force(TWO) is None


def test_a_source_that_agrees_is_known_to_agree():
    claims = heard(heard(Claims(), ClaimSource.LLDP, ONE), ClaimSource.CREDENTIAL, ONE)
    found = claims.in_force(ONE)
    assert (claims.waiting, found and found.source) == ((), ClaimSource.CREDENTIAL)


def test_the_first_url_of_a_thing_that_had_none_waits_too():
    assert len(heard(Claims(), ClaimSource.LLDP, ONE, counts="").waiting) == 1


def test_the_same_word_again_is_nothing_new_whatever_came_of_it():
    claims = heard(Claims(), ClaimSource.DHCPV4, TWO)
    for settled in (claims, claims.refused(TWO), claims.approved(TWO)):
        assert settled.heard(ClaimSource.DHCPV4, TWO, counts=ONE, at=LATER) is None


def test_who_says_something_else_each_time_is_heard_once_in_a_while():
    claims = heard(Claims(), ClaimSource.DHCPV4, TWO)
    assert claims.heard(ClaimSource.DHCPV4, EVIL, counts=ONE, at=AT + timedelta(minutes=9)) is None
    assert [one.url for one in heard(claims, ClaimSource.DHCPV4, EVIL, at=LATER).waiting] == [EVIL]


def test_what_is_approved_counts_and_what_counted_has_passed():
    claims = heard(heard(Claims(), ClaimSource.CREDENTIAL, ONE), ClaimSource.DHCPV4, TWO).approved(TWO)
    assert states(claims) == {"credential": "passed", "dhcpv4": "in force"}
    assert claims.heard(ClaimSource.CREDENTIAL, ONE, counts=TWO, at=LATER) is None


def test_what_is_refused_waits_no_more_until_its_source_says_something_else():
    claims = heard(Claims(), ClaimSource.DHCPV4, TWO).refused(TWO)
    assert (claims.waiting, states(claims)) == ((), {"dhcpv4": "refused"})
    assert heard(claims, ClaimSource.DHCPV4, EVIL, at=LATER).waiting


@pytest.mark.parametrize("decide", [Claims.approved, Claims.refused])
def test_nobody_decides_on_what_does_not_wait(decide):
    waiting = heard(Claims(), ClaimSource.DHCPV4, TWO)
    for claims, url in ((Claims(), TWO), (waiting, EVIL), (waiting.refused(TWO), TWO)):
        with pytest.raises(PolicyError, match="nothing waits"):
            decide(claims, url)


def test_what_the_owner_says_counts_at_once():
    claims = heard(heard(Claims(), ClaimSource.CREDENTIAL, ONE), ClaimSource.DHCPV4, TWO)
    claims = claims.said(ClaimSource.LABEL, TWO, at=AT)
    assert states(claims) == {"credential": "passed", "label": "in force", "dhcpv4": "in force"}


def test_each_source_says_what_it_proves():
    assert set(TRUST) == set(ClaimSource)
    assert TRUST[ClaimSource.DHCPV4] != TRUST[ClaimSource.CREDENTIAL]


def test_claims_are_read_back_as_they_were_written():
    claims = heard(heard(Claims(), ClaimSource.LLDP, TWO), ClaimSource.CREDENTIAL, ONE)
    assert decode(claims.encode()) == claims
    assert [one.source for one in claims.rows] == [ClaimSource.CREDENTIAL, ClaimSource.LLDP]


@pytest.mark.parametrize(
    "value", [1, [1], [["dhcpv4", ONE, 1]], [["owner", 1, 1, "waiting"]], [["owner", ONE, "1", "waiting"]],
              [["nobody", ONE, 1, "waiting"]], [["owner", ONE, 1, "maybe"]]],
)  # fmt: skip
def test_what_is_no_document_of_ours_is_refused(value):
    with pytest.raises(DecodeError):
        decode(codec.encode(value))
