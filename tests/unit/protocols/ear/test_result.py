from datetime import UTC, datetime
from typing import Any

import pytest

from thingstead.errors import DecodeError
from thingstead.protocols.cbor import codec
from thingstead.protocols.ear import result
from thingstead.protocols.ear.result import Aspect, Claim, Result, Tier, tier_of

AT = datetime(2026, 11, 23, tzinfo=UTC)
GOOD = Result("thing-1", Tier.AFFIRMING, AT, {Aspect.EXECUTABLES: Claim.APPROVED_BOOT}, ("urn:x",))
PLAIN: dict[int, Any] = {
    265: result.PROFILE,
    6: 1,
    1004: {0: "a", 1: "b"},
    266: {"thing-1": {1000: 32, 1001: {2: 33}}},
}


@pytest.mark.spec("draft-ietf-rats-ear 3")
def test_a_result_survives_encoding():
    assert result.decode(result.encode(GOOD)) == GOOD
    assert result.decode(codec.encode(PLAIN)).vector == {Aspect.EXECUTABLES: 33}


def test_a_thing_may_be_judged_worse_than_its_vector_and_not_better():
    worse = Result("thing-1", Tier.CONTRAINDICATED, AT, {Aspect.EXECUTABLES: Claim.UNRECOGNIZED})
    assert result.decode(result.encode(worse)).status is Tier.CONTRAINDICATED
    with pytest.raises(DecodeError, match="no better"):
        result.encode(Result("thing-1", Tier.AFFIRMING, AT, {Aspect.EXECUTABLES: Claim.UNRECOGNIZED}))


@pytest.mark.parametrize(
    ("claim", "tier"),
    [(0, Tier.NONE), (1, Tier.NONE), (-1, Tier.NONE), (2, Tier.AFFIRMING), (31, Tier.AFFIRMING), (33, Tier.WARNING),
     (-33, Tier.WARNING), (96, Tier.CONTRAINDICATED), (99, Tier.CONTRAINDICATED)],
)  # fmt: skip
def test_a_claim_has_a_tier(claim, tier):
    assert tier_of(claim) is tier


@pytest.mark.parametrize(
    "changes",
    [
        {265: "tag:github.com,2023:veraison/ear"},
        {6: -1},
        {6: "now"},
        {1004: {0: "a"}},
        {266: {}},
        {266: {"a": {1000: 2}, "b": {1000: 2}}},
        {266: {"a": {}}},
        {266: {"a": {1000: 3}}},
        {266: {"a": {1000: 96, 1001: {}}}},
        {266: {"a": {1000: 96, 1001: {8: 2}}}},
        {266: {"a": {1000: 96, 1001: {2: 200}}}},
        {266: {"a": {1000: 2, 1001: {2: 96}}}},
        {266: {"a": {1000: 2, 1003: []}}},
    ],
)
def test_a_result_outside_its_grammar_is_refused(changes):
    with pytest.raises(DecodeError):
        result.decode(codec.encode({**PLAIN, **changes}))


@pytest.mark.parametrize("missing", [6, 265, 266, 1004])
def test_a_result_without_a_claim_is_refused(missing):
    with pytest.raises(DecodeError):
        result.decode(codec.encode({key: value for key, value in PLAIN.items() if key != missing}))
