from datetime import UTC, datetime, timedelta, timezone

import pytest

from thingstead.errors import DecodeError, ExpiredError
from thingstead.protocols.cbor import codec
from thingstead.protocols.cwt import claims
from thingstead.protocols.cwt.claims import Claim

AT = datetime(2026, 11, 23, 12, tzinfo=UTC)
NONE = timedelta(0)


def decoded(values):
    return claims.decode(codec.encode(values))


@pytest.mark.spec("RFC 8392 3.1")
@pytest.mark.parametrize(
    "values",
    [
        [],
        {b"": 1},
        {1.0: "iss"},
        {True: "iss"},
        {1: b"iss"},
        {2: 1},
        {3: 1},
        {3: ["a", 1]},
        {4: "now"},
        {4: True},
        {4: -1},
        {4: float("nan")},
        {5: float("inf")},
        {6: 253402300800},
        {4: codec.Tag(1, 1)},
        {7: "cti"},
        {8: [1]},
        {9: ["read"]},
        {259: "model"},
        {-65537: "2"},
    ],
)
def test_a_claims_set_outside_the_grammar_is_refused(values):
    with pytest.raises(DecodeError):
        decoded(values)


@pytest.mark.spec("RFC 8392 1.1")
def test_a_claim_twice_is_refused():
    with pytest.raises(DecodeError):
        claims.decode(bytes.fromhex("a20161610161 62"))


def test_unknown_claims_are_carried():
    assert decoded({"mine": [1], -70000: None}).values == {"mine": [1], -70000: None}


def test_a_date_is_written_as_whole_seconds_and_read_as_utc():
    east = datetime(2026, 11, 23, 14, 0, 0, 999, tzinfo=timezone(timedelta(hours=2)))
    assert claims.decode(claims.encode({Claim.EXP.value: east})).required_date(Claim.EXP) == AT


def test_a_date_without_a_zone_is_our_mistake():
    with pytest.raises(ValueError, match="aware"):
        claims.encode({Claim.EXP.value: AT.replace(tzinfo=None)})
    with pytest.raises(ValueError, match="aware"):
        claims.check_validity(decoded({}), at=AT.replace(tzinfo=None), leeway=NONE)


def test_claims_do_not_change_once_they_are_read():
    with pytest.raises(TypeError):
        decoded({1: "iss"}).values[1] = "other"


def test_what_decode_refuses_is_not_encoded():
    with pytest.raises(DecodeError):
        claims.encode({Claim.ISS.value: 1})


@pytest.mark.spec("RFC 8392 3.1.4")
def test_a_token_expires_at_its_last_second_not_after_it():
    values = decoded({4: int(AT.timestamp())})
    claims.check_validity(values, at=AT - timedelta(microseconds=1), leeway=NONE)
    with pytest.raises(ExpiredError, match="expired at 2026-11-23T12:00:00") as caught:
        claims.check_validity(values, at=AT, leeway=NONE)
    assert caught.value.reason == "expired"
    claims.check_validity(values, at=AT, leeway=timedelta(seconds=1))
    with pytest.raises(ExpiredError):
        claims.check_validity(values, at=AT + timedelta(seconds=1), leeway=timedelta(seconds=1))


@pytest.mark.spec("RFC 8392 3.1.5")
@pytest.mark.parametrize("claim", [Claim.NBF, Claim.IAT])
def test_a_token_is_not_valid_before_it_begins(claim):
    values = decoded({int(claim): int(AT.timestamp())})
    claims.check_validity(values, at=AT, leeway=NONE)
    with pytest.raises(ExpiredError) as caught:
        claims.check_validity(values, at=AT - timedelta(seconds=1), leeway=NONE)
    assert caught.value.reason == "premature"
    claims.check_validity(values, at=AT - timedelta(seconds=1), leeway=timedelta(seconds=1))


def test_fractions_of_a_second_count():
    with pytest.raises(ExpiredError):
        claims.check_validity(decoded({4: AT.timestamp() - 0.5}), at=AT, leeway=NONE)


@pytest.mark.spec("RFC 8392 3.1.3")
def test_an_audience_is_one_name_or_many():
    assert decoded({3: "a"}).audience == ("a",)
    assert decoded({3: ["a", "b"]}).audience == ("a", "b")
    assert decoded({}).audience == ()


@pytest.mark.parametrize("text", ["", "a\nb", "\x1b[2J", "a" * 256])
def test_text_that_would_be_shown_is_printable_and_bounded(text):
    with pytest.raises(DecodeError, match="printable"):
        decoded({2: text}).text(Claim.SUB)


def test_an_absent_claim_that_must_be_there_is_named():
    with pytest.raises(DecodeError, match="expected the claim sub"):
        decoded({}).text(Claim.SUB)
    with pytest.raises(DecodeError, match="expected the claim exp"):
        decoded({}).required_date(Claim.EXP)


@pytest.mark.spec("RFC 8392 9.1")
def test_our_own_claims_stand_in_the_private_range_and_every_row_names_its_source():
    for key, row in claims.REGISTRY.items():
        assert key == row.claim
        assert ("private use" in row.source) == (key < -65536)
    assert set(claims.REGISTRY) == set(Claim)
