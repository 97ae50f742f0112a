import pytest

from tests.unit.protocols.corim.rims import CLASS, COMID
from thingstead.errors import DecodeError
from thingstead.protocols.cbor import codec
from thingstead.protocols.cbor.codec import Tag
from thingstead.protocols.corim import comid
from thingstead.protocols.corim.comid import Entity, LinkedTag

FULL = {**COMID, 0: "en", 2: [{0: "Acme", 1: Tag(32, "https://acme.example"), 2: [0, 1]}], 3: [{0: "other", 1: 1}]}


def test_a_comid_is_read_with_everything_around_its_triples():
    found = comid.decode(codec.encode(FULL))
    assert (found.tag_id, found.tag_version, found.language) == ("a name", 3, "en")
    assert found.entities == (Entity("Acme", "https://acme.example", (0, 1)),)
    assert found.linked == (LinkedTag("other", 1),)
    assert [one.environment.model for one in found.reference_values] == ["lamp"]
    assert found.attest_keys == ()
    keyed = comid.from_map({**COMID, 4: {3: [[CLASS, [Tag(554, "key")]]]}})
    assert (keyed.reference_values, keyed.attest_keys[0].keys) == ((), (Tag(554, "key"),))


@pytest.mark.parametrize(
    "value",
    [
        [],
        {1: {0: "a name"}},
        {4: COMID[4]},
        {**FULL, 1: {}},
        {**FULL, 1: {0: 5}},
        {**FULL, 1: {0: "a", 1: -1}},
        {**FULL, 2: []},
        {**FULL, 2: [{0: "Acme"}]},
        {**FULL, 2: [{0: "Acme", 2: []}]},
        {**FULL, 3: [{0: "other"}]},
        {**FULL, 4: {}},
        {**FULL, 0: 5},
    ],
)
def test_a_comid_outside_its_grammar_is_refused(value):
    with pytest.raises(DecodeError):
        comid.decode(codec.encode(value))


def test_an_entity_without_a_role_is_refused():
    with pytest.raises(DecodeError):
        comid.read_entity({0: "Acme"})
