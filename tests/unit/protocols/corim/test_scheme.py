import pytest

from thingstead.errors import DecodeError, UnsupportedError
from thingstead.protocols.cbor.codec import Tag
from thingstead.protocols.corim.comid import Comid
from thingstead.protocols.corim.registry import Triple
from thingstead.protocols.corim.rim import Corim
from thingstead.protocols.corim.scheme import PSA, Scheme, require, unnamed
from thingstead.protocols.corim.statement import ClaimsTriple, Environment, KeyTriple, Measurement

PLACE = Environment(Tag(560, bytes(32)))
INSTANCE = Environment(Tag(560, bytes(32)), vendor="Acme", instance=Tag(550, bytes(33)))
VALUES = {2: {1: bytes(32)}, 13: (Tag(560, b"signer"),)}
KEY = Tag(554, "key")
SCHEMES = {PSA.profile: PSA}


def corim(environment=PLACE, element="psa.software-component", values=VALUES, keys=(KEY,), instance=INSTANCE):
    triples = {
        Triple.REFERENCE: (ClaimsTriple(environment, (Measurement(element, values),)),),
        Triple.ATTEST_KEY: (KeyTriple(instance, keys),),
    }
    return Corim("an id", (Comid("a", triples),), PSA.profile)


def test_what_keeps_its_profile_passes():
    assert require(corim(), SCHEMES) is PSA


@pytest.mark.parametrize(
    "changes",
    [
        {"environment": INSTANCE},
        {"environment": Environment(vendor="Acme")},
        {"environment": Environment(Tag(560, bytes(31)))},
        {"environment": Environment(Tag(37, bytes(32)))},
        {"environment": Environment(Tag(560, bytes(32)), layer=1)},
        {"element": 6},
        {"element": None},
        {"element": "psa.other"},
        {"values": {13: (KEY,)}},
        {"values": {2: {1: bytes(32)}}},
        {"keys": (KEY, KEY)},
        {"keys": (Tag(555, "certificate"),)},
        {"instance": PLACE},
        {"instance": Environment(Tag(560, bytes(32)), instance=Tag(37, bytes(16)))},
    ],
)
def test_what_breaks_its_profile_is_refused(changes):
    with pytest.raises(DecodeError) as refused:
        require(corim(**changes), SCHEMES)
    assert refused.value.reason == "profile"


@pytest.mark.parametrize("profile", [None, b"\x55", "tag:other.example,2026:x"])
def test_a_profile_that_nobody_knows_is_refused(profile):
    with pytest.raises(UnsupportedError, match="known profile"):
        require(Corim("an id", (), profile), SCHEMES)


def test_a_profile_may_measure_one_thing_without_a_name():
    scheme = Scheme("a:b", {}, unnamed(2))
    assert scheme.elements(None) == frozenset({2})
    assert scheme.elements("named") is None
