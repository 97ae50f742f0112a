"""Whose a name is: by the list that registries and companies keep together."""

import pytest

from thingstead.domain.name import Holder
from thingstead.storage.public_suffix import PublicSuffixes, _suffixes


@pytest.fixture(scope="module")
def holder():
    return PublicSuffixes().holder


@pytest.mark.parametrize(
    ("name", "owner"),
    [
        ("cloud.maker.com", "maker.com"),
        ("a.b.maker.co.uk", "maker.co.uk"),
        ("maker.co.uk", "maker.co.uk"),
        ("time.maker.de", "maker.de"),
        ("cloud.maker.invalid", "maker.invalid"),
        ("cloud.xn--mnchen-3ya.de", "xn--mnchen-3ya.de"),
    ],
)
def test_a_name_is_whose_who_registered_it(holder, name, owner):
    assert holder(name) == Holder(owner)


@pytest.mark.spec("RFC 9726 4.3")
@pytest.mark.parametrize(
    ("name", "owner", "landlord"),
    [
        ("d1.cloudfront.net", "d1.cloudfront.net", "cloudfront.net"),
        ("a.maker.herokuapp.com", "maker.herokuapp.com", "herokuapp.com"),
        ("s3.amazonaws.com", "s3.amazonaws.com", "s3.amazonaws.com"),
    ],
)
def test_under_a_company_s_suffix_each_name_is_a_customer_s(holder, name, owner, landlord):
    assert holder(name) == Holder(owner, landlord)


def test_two_makers_under_one_registry_are_two(holder):
    assert holder("cloud.one.co.uk").owner != holder("cloud.two.co.uk").owner


@pytest.mark.parametrize("name", ["co.uk", "com", "", ".", "..", "a..b", "*", "\\000.", "a" * 300])
def test_what_nobody_can_have_is_its_own(holder, name):
    read = holder(name)
    assert (read.landlord, isinstance(read.owner, str)) == ("", True)


def test_it_is_read_once_for_all_who_ask():
    PublicSuffixes().read()
    before = _suffixes.cache_info().misses
    PublicSuffixes().holder("cloud.maker.com")
    assert _suffixes.cache_info().misses == before
