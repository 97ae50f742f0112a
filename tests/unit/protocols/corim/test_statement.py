import pytest

from tests.unit.protocols.corim.rims import CLASS, MEASUREMENT, REFERENCE
from thingstead.errors import DecodeError
from thingstead.protocols.cbor.codec import Tag
from thingstead.protocols.corim.registry import Triple
from thingstead.protocols.corim.statement import (
    ClaimsTriple,
    ConditionalTriple,
    DomainTriple,
    Environment,
    KeyTriple,
    Measurement,
    SeriesTriple,
    TagTriple,
    read_environment,
    read_measurement,
    read_tag_id,
    read_triples,
)

KEY = Tag(554, "key")
PLACE = Environment(Tag(37, bytes(16)), "Acme", "lamp")
FOUND = Measurement("firmware", {0: {0: "1.0.0"}, 2: {1: bytes(32)}})
CLAIMS = ClaimsTriple(PLACE, (FOUND,))


def test_an_environment_is_a_class_an_instance_or_a_group():
    assert read_environment(CLASS) == PLACE
    assert read_environment({1: Tag(550, bytes(7)), 2: Tag(560, b"g")}) == Environment(
        instance=Tag(550, bytes(7)), group=Tag(560, b"g")
    )


@pytest.mark.parametrize(
    ("kind", "value", "expected"),
    [
        (Triple.REFERENCE, REFERENCE, CLAIMS),
        (Triple.ENDORSED, REFERENCE, CLAIMS),
        (Triple.IDENTITY, [CLASS, [KEY]], KeyTriple(PLACE, (KEY,))),
        (Triple.ATTEST_KEY, [CLASS, [KEY], {0: 1, 1: [KEY]}], KeyTriple(PLACE, (KEY,), 1, (KEY,))),
        (Triple.MEMBERSHIP, [CLASS, [CLASS]], DomainTriple(PLACE, (PLACE,))),
        (Triple.TRUST_DEPENDENCY, [CLASS, [CLASS]], DomainTriple(PLACE, (PLACE,))),
        (Triple.COSWID, [CLASS, ["a", bytes(16)]], TagTriple(PLACE, ("a", bytes(16)))),
        (Triple.CONDITIONAL, [[REFERENCE], [REFERENCE]], ConditionalTriple((CLAIMS,), (CLAIMS,))),
        (
            Triple.CONDITIONAL_SERIES,
            [[CLASS, [], [KEY]], [[[MEASUREMENT], [MEASUREMENT]]]],
            SeriesTriple(ClaimsTriple(PLACE, (), (KEY,)), (((FOUND,), (FOUND,)),)),
        ),
    ],
)
def test_every_kind_of_triple_is_read(kind, value, expected):
    assert read_triples({int(kind): [value]}) == {kind: (expected,)}


@pytest.mark.parametrize(
    "value",
    [
        {},
        {0: []},
        {0: [[CLASS]]},
        {0: [[CLASS, []]]},
        {0: [[CLASS, MEASUREMENT]]},
        {0: [[{}, [MEASUREMENT]]]},
        {0: [[{0: {}}, [MEASUREMENT]]]},
        {0: [[{0: {5: 1}}, [MEASUREMENT]]]},
        {0: [[{0: {3: -1}}, [MEASUREMENT]]]},
        {0: [[{3: 1}, [MEASUREMENT]]]},
        {3: [[CLASS, []]]},
        {3: [[CLASS, [KEY], {}]]},
        {5: [[CLASS, []]]},
        {6: [[CLASS, [b"short"]]]},
        {8: [[[CLASS, []], []]]},
        {10: [[[], [REFERENCE]]]},
    ],
)
def test_triples_outside_their_grammar_are_refused(value):
    with pytest.raises(DecodeError):
        read_triples(value)


@pytest.mark.parametrize("value", [{0: "a"}, {1: {}}, {1: {2: [[1, bytes(32)]]}, 3: 1}, {0: -1, 1: {11: "a"}}])
def test_a_measurement_of_nothing_is_refused(value):
    with pytest.raises(DecodeError):
        read_measurement(value)


def test_a_tag_is_named_by_text_or_uuid():
    assert read_tag_id("a") == "a"
    with pytest.raises(DecodeError):
        read_tag_id(bytes(15))
