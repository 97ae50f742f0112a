import pytest

from thingstead.crypto.algorithm import REGISTRY, AlgorithmId
from thingstead.crypto.judgement import Quantum
from thingstead.crypto.key import KeyType
from thingstead.crypto.lifetime import AGREEMENTS, JUDGEMENTS, SIGNATURES, judgement, name_of
from thingstead.errors import UnsupportedError
from thingstead.protocols.edhoc.suite import EXPERIMENTAL_SUITES, SUITES


@pytest.mark.requirement("R-76")
def test_every_algorithm_has_a_judgement_with_its_source():
    assert {row.name for row in REGISTRY.values()} <= set(JUDGEMENTS)
    assert all(one.source for one in JUDGEMENTS.values())


@pytest.mark.requirement("R-76")
def test_every_key_type_and_every_suite_is_made_of_algorithms_that_are_judged():
    assert set(KeyType) == set(AGREEMENTS) | set(SIGNATURES)
    for name in (*AGREEMENTS.values(), *SIGNATURES.values()):
        judgement(name)
    for suite in (*SUITES.values(), *EXPERIMENTAL_SUITES.values()):
        judgement(AGREEMENTS[suite.curve])
        for number in (suite.aead, suite.digest, suite.signature, suite.application_aead, suite.application_digest):
            judgement(name_of(number))


@pytest.mark.requirement("R-86")
def test_what_rests_on_elliptic_curves_is_read_or_forged_and_nothing_symmetric_is():
    assert {judgement(AGREEMENTS[KeyType.P256]).quantum, judgement("X25519").quantum} == {Quantum.READ}
    assert {judgement(name).quantum for name in ("ESP256", "ES384", "Ed25519")} == {Quantum.FORGED}
    for name in ("ML-DSA-44", "HSS-LMS", "ML-KEM-1024", "A128GCM", "SHA-256"):
        assert judgement(name).quantum is Quantum.RESISTANT


@pytest.mark.parametrize("name", ["", "esp256", "ESP256 ", "P-256", "-9", "rot13", "x" * 10_000])
def test_a_name_that_is_none_is_refused(name):
    with pytest.raises(UnsupportedError, match="expected an algorithm"):
        judgement(name)


@pytest.mark.parametrize("number", [0, 999, -1])
def test_a_number_that_is_none_is_refused(number):
    with pytest.raises(UnsupportedError):
        name_of(number)


def test_a_number_has_its_name():
    assert name_of(AlgorithmId.AES_CCM_16_64_128) == "AES-CCM-16-64-128"
