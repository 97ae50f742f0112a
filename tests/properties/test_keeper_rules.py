"""Invariant: a keeper's rule passes what it is given, or refuses it as forbidden, whatever it is given."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.keeper.test_rule import AT, MADE, Rules
from thingstead.errors import ForbiddenError


@pytest.mark.parametrize("plane", Rules.of)
@given(made=st.sampled_from(sorted(MADE)), place=st.integers(0, 400), put=st.binary(max_size=6), cut=st.integers(0, 6))
def test_changed_bytes_are_passed_or_forbidden(plane, made, place, put, cut):
    data = MADE[made]
    at = place % (len(data) + 1)
    with suppress(ForbiddenError):
        Rules.of[plane][0]().check_signature(data[:at] + put + data[at + cut :], AT)


@pytest.mark.parametrize("plane", Rules.of)
@given(data=st.binary(max_size=200))
def test_any_bytes_are_passed_or_forbidden(plane, data):
    with suppress(ForbiddenError):
        Rules.of[plane][0]().check_signature(data, AT)
