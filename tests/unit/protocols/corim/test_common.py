from datetime import UTC, datetime, timedelta

import pytest

from thingstead.errors import DecodeError, ExpiredError
from thingstead.protocols.cbor.codec import Tag
from thingstead.protocols.corim.common import Validity, read_profile, read_uri, read_validity

AT = datetime(2026, 11, 23, tzinfo=UTC)
HOUR = timedelta(hours=1)


def test_a_uri_is_tagged_or_plain_and_a_profile_may_be_an_oid():
    assert read_uri(Tag(32, "a:b")) == read_uri("a:b") == read_profile("a:b") == "a:b"
    assert read_profile(Tag(111, b"\x55")) == b"\x55"


@pytest.mark.parametrize("value", [Tag(33, "a:b"), 1, Tag(111, "a"), None])
def test_what_names_no_profile_is_refused(value):
    with pytest.raises(DecodeError):
        read_profile(value)


def test_a_validity_has_an_end_and_perhaps_a_beginning():
    assert read_validity({1: Tag(1, AT.timestamp())}) == Validity(None, AT)
    found = read_validity({0: Tag(1, 0), 1: Tag(1, AT.timestamp())})
    found.require(AT)


@pytest.mark.parametrize(
    "value",
    [{}, {0: Tag(1, 0)}, {1: 5}, {1: Tag(1, -1)}, {1: Tag(1, 1 << 60)}, {1: Tag(0, 5)}, {1: Tag(1, float("nan"))}],
)
def test_a_validity_outside_its_grammar_is_refused(value):
    with pytest.raises(DecodeError):
        read_validity(value)


@pytest.mark.parametrize("at", [AT - 2 * HOUR, AT + HOUR])
def test_another_time_is_refused(at):
    with pytest.raises(ExpiredError):
        Validity(AT - HOUR, AT).require(at)
