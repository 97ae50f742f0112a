from datetime import UTC, date, datetime

import pytest

from thingstead.analysis.crypto_inventory import Exposure, inventory
from thingstead.crypto.judgement import Status
from thingstead.domain.crypto_asset import AssetKind, CryptoAsset
from thingstead.domain.crypto_policy import CryptoPolicy, crypto_policy
from thingstead.domain.plane import PlaneName
from thingstead.errors import UnsupportedError
from thingstead.identifier import ThingId

pytestmark = pytest.mark.requirement("R-86")

AT = datetime(2026, 11, 23, tzinfo=UTC)
LAMP, SENSOR = ThingId("thing-aaaaaaaaaaaaaaaa"), ThingId("thing-bbbbbbbbbbbbbbbb")
DATES = CryptoPolicy()


def token(thing, until):
    return (PlaneName.ACCESS, CryptoAsset(AssetKind.TOKEN, "access token", ("ESP256",), (thing,), AT, until, True))


def context(*algorithms):
    return (PlaneName.ACCESS, CryptoAsset(AssetKind.CONTEXT, "OSCORE association", algorithms, (LAMP,)))


def key(*algorithms, until=None):
    return (PlaneName.SOFTWARE, CryptoAsset(AssetKind.KEY, "update key of acme", algorithms, (LAMP,), None, until))


def only(held, policy=DATES, *, at=AT, year=2035):
    (row,) = inventory([held], policy, at=at, year=year)
    return row


def test_what_is_of_one_sort_is_one_row_with_everybody_who_depends_and_the_first_end():
    first, second = datetime(2027, 1, 1, tzinfo=UTC), datetime(2027, 2, 1, tzinfo=UTC)
    (row,) = inventory([token(LAMP, second), token(SENSOR, first)], DATES, at=AT, year=2035)
    assert (row.count, row.things, row.since, row.until) == (2, (LAMP, SENSOR), AT, first)
    assert (row.sunset, row.status) == (date(2035, 12, 31), Status.RECOMMENDED)


@pytest.mark.parametrize(("year", "exposure"), [(2034, Exposure.NONE), (2035, Exposure.READ), (2050, Exposure.READ)])
def test_what_goes_under_an_elliptic_curve_is_read_from_the_owners_year_on(year, exposure):
    assert only(context("ECDH P-256", "AES-CCM-16-64-128"), year=year).exposure is exposure


def test_what_two_lattices_agree_on_is_never_read():
    assert only(context("ML-KEM-1024", "A256GCM"), year=2100).exposure is Exposure.NONE


def test_an_update_key_that_is_still_used_then_is_forged_and_one_that_ended_is_not():
    assert only(key("ESP256")).exposure is Exposure.FORGED
    assert only(key("ESP256", until=datetime(2034, 12, 31, tzinfo=UTC))).exposure is Exposure.NONE
    assert only(key("ML-DSA-44")).exposure is Exposure.NONE


def test_the_worst_of_its_algorithms_is_what_is_thought_of_an_asset():
    policy = crypto_policy({"AES-CCM-16-64-128": date(2026, 1, 1)})
    row = only(context("ECDH P-256", "AES-CCM-16-64-128"), policy)
    assert (row.status, row.sunset, row.source) == (Status.FORBIDDEN, date(2026, 1, 1), "the owner's policy")
    later = datetime(2033, 1, 1, tzinfo=UTC)
    assert only(context("ECDH P-256", "AES-CCM-16-64-128"), at=later).status is Status.DEPRECATED


def test_the_worst_comes_first():
    policy = crypto_policy({"ESP256": date(2026, 1, 1)})
    first, *_ = inventory([context("ECDH P-256"), key("ESP256"), key("ML-DSA-44")], policy, at=AT, year=2035)
    assert first.algorithms == ("ESP256",)


def test_an_algorithm_that_nobody_judged_is_not_passed_over():
    with pytest.raises(UnsupportedError):
        only(key("ROT13"))


def test_no_assets_are_no_rows():
    assert inventory([], DATES, at=AT, year=2035) == ()
