import pytest

from thingstead.errors import DecodeError, UnsupportedError
from thingstead.protocols.cbor import codec
from thingstead.protocols.eat import claims, measured_component
from thingstead.protocols.eat.measured_component import MeasuredComponent, components

DIGESTED = MeasuredComponent("firmware", "1.0.0", (1, bytes(32)))
RAW = MeasuredComponent("fuses", raw=b"\x01")


def of(*bodies):
    return claims.from_map({273: [list(body) for body in bodies]})


@pytest.mark.spec("draft-ietf-rats-eat-measured-component 4.3")
@pytest.mark.parametrize("component", [DIGESTED, RAW])
def test_a_component_survives_encoding(component):
    assert measured_component.decode(measured_component.encode(component)) == component


def test_authorities_and_flags_of_profiles_are_read():
    found = measured_component.decode(codec.encode({1: ["a"], 5: b"", 3: [b"key"], 4: bytes(8)}))
    assert (found.authorities, found.flags) == ((b"key",), bytes(8))


@pytest.mark.parametrize(
    "value",
    [
        {},
        {1: ["a"]},
        {1: ["a"], 2: [1, bytes(32)], 5: b""},
        {1: [], 5: b""},
        {1: "a", 5: b""},
        {1: ["a", "1.0"], 5: b""},
        {1: ["a"], 2: [1, bytes(31)]},
        {1: ["a"], 5: b"", 3: []},
        {1: ["a"], 5: b"", 4: bytes(7)},
        {1: ["a"], 5: b"", 9: 1},
        {2: [1, bytes(32)]},
    ],
)
def test_a_component_outside_its_grammar_is_refused(value):
    with pytest.raises(DecodeError):
        measured_component.decode(codec.encode(value))


def test_measurements_are_components_each_of_its_own_name():
    bodies = [(295, measured_component.encode(one)) for one in (DIGESTED, RAW)]
    assert components(of(*bodies)) == (DIGESTED, RAW)
    with pytest.raises(DecodeError, match="once"):
        components(of(bodies[0], bodies[0]))


@pytest.mark.parametrize("body", [(258, b"swid"), (296, b"{}"), (295, "{}")])
def test_measurements_of_another_form_are_refused(body):
    with pytest.raises(UnsupportedError):
        components(of(body))
    with pytest.raises(DecodeError):
        measured_component.encode(MeasuredComponent("a"))
