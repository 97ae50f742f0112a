"""The three questions of RFC 8576 §5.4 are answered in numbers, and an unsafe plan is called one."""

from datetime import date

import pytest

from thingstead.analysis.agility import Load, questions
from thingstead.analysis.airtime import transfer
from thingstead.analysis.link_profile import DEVICE_CLASSES, LINKS, DeviceClass
from thingstead.crypto.algorithm import AlgorithmId
from thingstead.domain.crypto_policy import CryptoPolicy

pytestmark = [pytest.mark.requirement("R-75"), pytest.mark.spec("RFC 8576 5.4")]
BIG = (DeviceClass("big", 1 << 20, 1 << 24),)
TODAY = date(2026, 11, 23)
CLASSIC, QUANTUM = int(AlgorithmId.ESP256), int(AlgorithmId.ML_DSA_44)


def answers(load, *, crypto=None, day=TODAY, links=("BLE",), classes=BIG, most=3600):
    found = questions(
        load,
        classes=classes,
        transfers=[transfer(load.image, LINKS[name]) for name in links],
        crypto=crypto or CryptoPolicy(),
        day=day,
        max_seconds=most,
    )
    return {number: [one for one in found if one.question == number] for number in (1, 2, 3)}


LOAD = Load(30_000, 3_000, (CLASSIC, QUANTUM), (CLASSIC,))


def test_a_plan_that_rests_on_what_holds_is_safe():
    found = answers(LOAD)
    assert all(one.is_safe for rows in found.values() for one in rows)
    (first,) = found[1]
    assert first.about == "ESP256"
    assert f"{(date(2035, 12, 31) - TODAY).days} days are left until 2035-12-31" in first.said


def test_it_is_unsafe_to_install_what_no_thing_can_verify():
    (first,) = answers(Load(30_000, 3_000, (QUANTUM,), (CLASSIC,)))[1]
    assert not first.is_safe


def test_it_is_unsafe_to_rest_on_what_has_ended():
    early = CryptoPolicy({"ESP256": date(2026, 1, 1)})
    assert [one.is_safe for one in answers(LOAD, crypto=early)[1]] == [False]
    assert [one.is_safe for one in answers(LOAD, day=date(2036, 1, 1))[1]] == [False]
    both = Load(30_000, 3_000, (CLASSIC, QUANTUM), (CLASSIC, QUANTUM))
    assert [one.is_safe for one in answers(both, crypto=early)[1]] == [True, True]


@pytest.mark.spec("RFC 7228 3")
def test_two_images_must_fit_the_flash_and_an_envelope_the_memory():
    c0, c1, c2 = answers(LOAD, classes=DEVICE_CLASSES)[2]
    assert [one.is_safe for one in (c0, c1, c2)] == [False, True, True]
    assert "63000 of 102400 octets of flash" in c1.said
    large = answers(Load(200_000, 3_000, (CLASSIC,), (CLASSIC,)), classes=DEVICE_CLASSES)[2]
    assert [one.is_safe for one in large] == [False, False, False]
    wide = answers(Load(1_000, 12_000, (CLASSIC,), (CLASSIC,)), classes=DEVICE_CLASSES)[2]
    assert [one.is_safe for one in wide] == [False, False, True]


def test_an_update_must_not_take_a_link_for_longer_than_the_owner_allows():
    fast, slow = answers(Load(100_000, 3_000, (CLASSIC,), (CLASSIC,)), links=("BLE", "LoRaWAN DR0"), most=86_400)[3]
    assert (fast.is_safe, slow.is_safe) == (True, False)
    assert "s on the air" in slow.said
