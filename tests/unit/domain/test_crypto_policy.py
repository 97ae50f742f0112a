from datetime import date

import pytest

from thingstead.crypto.judgement import Status
from thingstead.domain.crypto_policy import (
    HYBRID_AGREEMENT,
    QUANTUM_YEAR,
    CryptoPolicy,
    Hybrid,
    agreement_of,
    algorithms_of,
    crypto_policy,
    secrecy_of,
    suites_of_joins,
)
from thingstead.errors import ConfigError, UnsupportedError
from thingstead.protocols.edhoc.suite import HYBRID, SUITES

CCM = "AES-CCM-16-64-128"


@pytest.mark.requirement("R-76")
def test_an_owner_ends_an_algorithm_before_the_registry_does():
    policy = crypto_policy({CCM: date(2029, 12, 31), "ESP256": date(2030, 1, 1)})
    assert policy.takes(CCM, date(2029, 12, 31))
    assert not policy.takes(CCM, date(2030, 1, 1))
    assert policy.status("ESP256", date(2030, 1, 2)) is Status.FORBIDDEN
    assert policy.sunset("ESP256") == date(2030, 1, 1)


@pytest.mark.requirement("R-76")
@pytest.mark.parametrize(
    ("name", "last", "why"),
    [
        ("ESP256", date(2036, 1, 1), "or earlier"),
        ("ECDH P-256", date.max, "or earlier"),
        ("sha1WithRSAEncryption", date(2020, 1, 1), "forbidden already"),
        ("DES", date(2030, 1, 1), "expected an algorithm"),
        ("", date(2030, 1, 1), "expected an algorithm"),
    ],
)
def test_no_line_of_an_owners_brings_an_algorithm_back(name, last, why):
    with pytest.raises(ConfigError, match=why):
        crypto_policy({name: last})


@pytest.mark.parametrize("year", [0, 2025, 2201, -1])
def test_a_year_out_of_reach_is_refused(year):
    with pytest.raises(ConfigError, match="quantum_year"):
        crypto_policy({}, year)


def test_without_an_owners_word_the_registry_speaks():
    policy = CryptoPolicy()
    assert policy.sunset("ESP256") == date(2035, 12, 31)
    assert policy.sunset(CCM) is None
    assert policy.takes(CCM, date(2100, 1, 1))
    with pytest.raises(UnsupportedError):
        policy.takes("DES", date(2030, 1, 1))


@pytest.mark.requirement("R-86")
def test_a_quantum_computer_undoes_elliptic_curves_from_the_owners_year_on_and_nothing_else():
    assert QUANTUM_YEAR == 2035
    policy = crypto_policy({}, 2030)
    assert policy.breaks("ECDH P-256", 2030)
    assert policy.breaks("ESP256", 2031)
    assert not policy.breaks("ECDH P-256", 2029)
    assert not policy.breaks("ML-DSA-44", 2099)
    assert not policy.breaks(CCM, 2099)


@pytest.mark.requirement("R-76")
def test_a_guidelines_date_is_told_and_switches_nothing_off():
    policy, after = CryptoPolicy(), date(2036, 1, 1)
    assert policy.status("ESP256", after) is Status.FORBIDDEN
    assert policy.takes("ESP256", after)
    assert not policy.takes("sha1WithRSAEncryption", date(2026, 1, 1))


DAY = date(2027, 1, 1)


@pytest.mark.requirement("R-87")
@pytest.mark.parametrize(
    ("hybrid", "suites"),
    [(Hybrid.OFF, (2, 3)), (Hybrid.OFFERED, (HYBRID, 2, 3)), (Hybrid.REQUIRED, (HYBRID,))],
)
def test_joins_are_taken_as_the_owner_says(hybrid, suites):
    assert suites_of_joins(crypto_policy({}, hybrid=hybrid), (2, 3), DAY) == suites


@pytest.mark.requirement("R-87")
@pytest.mark.parametrize("name", ["P256MLKEM1024", "ECDH P-256", "A256GCM", "SHA-512"])
def test_the_hybrid_suite_ends_with_any_of_its_algorithms(name):
    assert name in algorithms_of(HYBRID)
    ended = crypto_policy({name: date(2026, 12, 31)}, hybrid=Hybrid.REQUIRED)
    assert suites_of_joins(ended, (2, 3), DAY) == ()


@pytest.mark.requirement("R-86")
def test_what_is_recorded_of_a_hybrid_join_rests_on_no_curve_alone():
    assert "ECDH P-256" not in secrecy_of(HYBRID)
    assert {*secrecy_of(HYBRID), "ECDH P-256"} == {*algorithms_of(HYBRID)}
    assert all(secrecy_of(number) == algorithms_of(number) for number in (2, 3, 5))


@pytest.mark.requirement("R-86")
def test_what_an_association_comes_of_is_told_by_its_algorithms():
    assert agreement_of(3, -44, "ECDH P-256") == HYBRID_AGREEMENT
    others = [(one.application_aead, one.application_digest) for one in SUITES.values()]
    assert {agreement_of(*one, "ECDH P-256") for one in others} == {"ECDH P-256"}
    assert not CryptoPolicy().breaks(HYBRID_AGREEMENT, 2100)
