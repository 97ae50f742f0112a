"""Versions are ordered as their ecosystem says, or not at all."""

from itertools import pairwise

import pytest

from thingstead.analysis.version_order import ORDERS, debian_key, semver_key
from thingstead.errors import DecodeError


def test_semantic_versions_are_ordered():
    row = ["0.9", "1.0.0-alpha", "1.0.0-alpha.1", "1.0.0-alpha.beta", "1.0.0-beta.2", "1.0.0-beta.11", "1.0.0-rc.1"]
    row += ["1.0.0", "v1.9", "1.10.0", "2"]
    assert all(semver_key(one) < semver_key(other) for one, other in pairwise(row))
    assert semver_key("1.0.0+build") == semver_key("v1.0.0")


def test_debian_versions_are_ordered():
    row = ["1.0~~", "1.0~", "1.0~rc1", "1.0", "1.0-1", "1.0-1.1", "1.0a-1", "1.0+b", "1.0.1", "1.2", "1.10", "9", "10"]
    row += ["1:0.1", "2:0~"]
    assert all(debian_key(one) < debian_key(other) for one, other in pairwise(row))
    assert debian_key("1.0") == debian_key("0:1.0-0")


@pytest.mark.parametrize("text", ["", "one", "1.2.3.4", "01.2", "1.2.3-", "1" * 300, "1.2\n"])
def test_what_is_no_semantic_version_is_refused(text):
    with pytest.raises(DecodeError):
        semver_key(text)


@pytest.mark.parametrize("text", ["", "1 2", "x:1", "1_2", "1" * 300, "1\n"])
def test_what_is_no_version_of_debian_is_refused(text):
    with pytest.raises(DecodeError):
        debian_key(text)


def test_an_ecosystem_whose_order_we_do_not_know_has_none():
    assert {"npm", "crates.io", "go", "debian"} <= ORDERS.keys()
    assert not {"pypi", "maven", "oss-fuzz"} & ORDERS.keys()
