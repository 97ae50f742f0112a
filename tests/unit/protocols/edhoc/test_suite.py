import pytest

from thingstead.crypto.key import KeyType
from thingstead.errors import UnsupportedError
from thingstead.protocols.edhoc.error import WrongSuiteError
from thingstead.protocols.edhoc.suite import (
    EXPERIMENTAL_SUITES,
    HYBRID,
    SUITES,
    accept_suite,
    choose_suite,
    cipher_suite,
    offer_suites,
)
from thingstead.protocols.profile import join


@pytest.mark.spec("RFC 9528 10.2")
@pytest.mark.parametrize(
    ("number", "array"),
    [
        (0, [10, -16, 8, 10, -16]),
        (1, [30, -16, 16, 10, -16]),
        (2, [10, -16, 8, 10, -16]),
        (3, [30, -16, 16, 10, -16]),
        (4, [24, -16, 16, 24, -16]),
        (5, [24, -16, 16, 24, -16]),
        (6, [1, -16, 16, 1, -16]),
        (24, [3, -43, 16, 3, -43]),
    ],
)
def test_rows_are_those_of_the_registry(number, array):
    row = SUITES[number]
    assert [row.aead, row.digest, row.mac_size, row.application_aead, row.application_digest] == array
    assert cipher_suite(number) is row


@pytest.mark.parametrize("number", [25, 23, 7, -24, -23, 1 << 70])
def test_suites_that_we_do_not_have_are_refused(number):
    with pytest.raises(UnsupportedError):
        cipher_suite(number)


@pytest.mark.spec("draft-ietf-lake-pqsuites-01 6.2")
def test_the_quantum_resistant_suite_is_that_of_the_draft_and_no_part_of_a_join():
    row = EXPERIMENTAL_SUITES[-21]
    array = [row.aead, row.digest, row.mac_size, row.curve.name, row.signature, row.application_aead]
    assert [*array, row.application_digest] == [3, -43, 16, "ML_KEM_1024", -50, 3, -43]
    assert cipher_suite(row.number) is row
    assert not row.agrees
    assert EXPERIMENTAL_SUITES.keys().isdisjoint({*SUITES, *join.SUITES})


@pytest.mark.requirement("R-87")
@pytest.mark.spec("RFC 9528 10.2")
def test_the_hybrid_suite_is_of_the_numbers_for_private_use_and_its_keys_have_256_bits():
    row = cipher_suite(HYBRID)
    assert row.number in range(-24, -20)
    assert (row.agrees, row.kem, row.coordinate_size, row.point_size) == (True, KeyType.ML_KEM_1024, 32, 1600)
    assert (row.key_size, row.application_key_size, row.hash_size) == (32, 32, 48)
    assert all(one.coordinate_size == one.point_size for one in SUITES.values())


@pytest.mark.parametrize(
    ("number", "hash_size", "key_size", "nonce_size", "identifier_size"),
    [(2, 32, 16, 13, 7), (24, 48, 32, 12, 6), (4, 32, 32, 12, 6)],
)
def test_sizes_follow_from_the_algorithms(number, hash_size, key_size, nonce_size, identifier_size):
    row = cipher_suite(number)
    assert (row.hash_size, row.key_size, row.nonce_size) == (hash_size, key_size, nonce_size)
    assert (row.application_key_size, row.identifier_size) == (key_size, identifier_size)


@pytest.mark.spec("RFC 9528 5.2.2")
def test_offer_ends_with_the_selected_suite():
    assert offer_suites((5, 6, 7, 8, 9), 8) == (5, 6, 7, 8)
    assert offer_suites((2, 3), 2) == (2,)


def test_selecting_what_is_not_preferred_is_misuse():
    with pytest.raises(ValueError, match="not in"):
        offer_suites((2, 3), 0)


@pytest.mark.spec("RFC 9528 5.2.3")
@pytest.mark.parametrize(("offered", "supported"), [((2,), (2, 3)), ((3, 2), (2,)), ((6, 25, 3), (3, 2))])
def test_first_common_suite_is_accepted(offered, supported):
    assert accept_suite(offered, supported).number == offered[-1]


@pytest.mark.spec("RFC 9528 6.3")
@pytest.mark.requirement("R-27")
@pytest.mark.parametrize(
    ("offered", "supported"),
    [((6,), (2,)), ((3, 2), (2, 3)), ((5, 6), (8, 9)), ((2, 6), (2,)), ((2, 2), (2,)), ((2, 3, 25), (3,))],
)
def test_a_preferred_suite_that_was_passed_over_is_noticed(offered, supported):
    with pytest.raises(WrongSuiteError) as refusal:
        accept_suite(offered, supported)
    assert refusal.value.suites == supported


@pytest.mark.spec("RFC 9528 6.3.1")
def test_own_order_decides_after_an_error():
    assert choose_suite((5, 6, 7, 8, 9), (9, 8)) == 8


def test_nothing_in_common_is_refused():
    with pytest.raises(UnsupportedError):
        choose_suite((2, 3), (0, 25))
