from datetime import UTC, date, datetime, timedelta

import pytest

from thingstead.analysis.sunset import effect, own_dates
from thingstead.domain.crypto_asset import AssetKind, CryptoAsset
from thingstead.domain.crypto_policy import CryptoPolicy, crypto_policy
from thingstead.domain.plane import PlaneName
from thingstead.identifier import ThingId

pytestmark = pytest.mark.requirement("R-76")

LAMP, SENSOR = ThingId("thing-aaaaaaaaaaaaaaaa"), ThingId("thing-bbbbbbbbbbbbbbbb")
CCM, LAST = "AES-CCM-16-64-128", date(2029, 12, 31)
AFTER = LAST + timedelta(days=1)
CONTEXT = CryptoAsset(
    AssetKind.CONTEXT, "OSCORE association", ("ECDH P-256", CCM, "SHA-256"), (LAMP,), replaceable=True
)
TOKEN = CryptoAsset(AssetKind.TOKEN, "access token", ("ESP256",), (LAMP,), replaceable=True)
KEY = CryptoAsset(AssetKind.KEY, "key of the access plane", ("ESP256",), (LAMP, SENSOR))
GROUP = CryptoAsset(AssetKind.CONTEXT, "keys of group lamps", (CCM,), (SENSOR,))
HELD = [(PlaneName.ACCESS, one) for one in (CONTEXT, TOKEN, KEY)]


def ends(*names, day=AFTER, held=HELD, suites=(2, 3, 5)):
    return effect(held, crypto_policy(dict.fromkeys(names, LAST)), day, suites=suites)


def dates(policy, today, held=lambda: HELD):
    return list(own_dates(held, policy, today=today, suites=(2, 3, 5)))


def test_who_has_another_suite_moves_and_nobody_is_isolated():
    found = ends(CCM)
    assert (found.moves, found.isolates) == ({LAMP: ("OSCORE association",)}, {})


def test_who_has_no_other_suite_is_isolated():
    found = ends(CCM, suites=(2, 3))
    assert (found.moves, found.isolates) == ({}, {LAMP: ("OSCORE association",)})


def test_keys_of_a_group_are_of_one_kind_and_their_members_are_isolated():
    found = ends(CCM, held=[*HELD, (PlaneName.GROUPS, GROUP)])
    assert found.moves == {LAMP: ("OSCORE association",)}
    assert found.isolates == {SENSOR: ("keys of group lamps",)}


def test_a_token_is_replaced_but_not_the_key_that_signs_it():
    found = ends("ESP256")
    assert found.moves == {}
    assert found.isolates == {LAMP: ("key of the access plane",), SENSOR: ("key of the access plane",)}


@pytest.mark.parametrize("day", [LAST, date(2026, 11, 23)])
def test_on_the_last_day_and_before_it_nothing_happens(day):
    assert ends(CCM, day=day) == ends(day=day)
    assert not ends(CCM, day=day).moves


def test_without_a_date_of_the_owners_nothing_happens_when_a_guidelines_has_passed():
    found = effect(HELD, CryptoPolicy(), date(2040, 1, 1), suites=(2, 3, 5))
    assert not found.moves
    assert not found.isolates


def test_the_calendar_is_told_whom_each_date_strands_from_half_a_year_before_on():
    policy = crypto_policy({CCM: LAST, "ESP256": LAST})
    moved, stranding = dates(policy, LAST)
    assert (moved.what, moved.strands) == (f"algorithm {CCM}, by the owner's policy", ())
    assert stranding.strands == (LAMP, SENSOR)
    assert moved.at == datetime(2030, 1, 1, tzinfo=UTC)
    assert moved.warning == timedelta(days=180)


def test_a_date_that_is_over_is_in_no_calendar_and_nothing_is_listed_for_it():
    def nobody():
        raise AssertionError

    assert dates(CryptoPolicy(), LAST, nobody) == []
    assert dates(crypto_policy({CCM: LAST}), AFTER, nobody) == []
