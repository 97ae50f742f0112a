import pytest

from tests.unit.domain.things import AT, a_thing
from thingstead.domain.ledger import entry
from thingstead.domain.ledger.entry import Draft, Kind
from thingstead.errors import DecodeError
from thingstead.protocols.cbor import codec
from thingstead.secret import Secret

_DRAFT = Draft(
    AT, Kind.TRANSITION, "operator:anna", a_thing().id, "retired", {"from": "operational", "n": 1, "b": b"x"}
)


def _leaf(**changes: object) -> bytes:
    value = codec.decode(entry.encode(_DRAFT.numbered(5)))
    return codec.encode({**value, **{int(key[1:]): item for key, item in changes.items()}})


@pytest.mark.requirement("R-02")
def test_a_leaf_holds_actor_time_cause_and_evidence():
    read = entry.decode(entry.encode(_DRAFT.numbered(5)))
    assert read == _DRAFT.numbered(5)
    assert (read.actor, read.at, read.cause, read.details["from"]) == ("operator:anna", AT, "retired", "operational")


@pytest.mark.spec("RFC 8949 4.2.1")
def test_a_leaf_has_one_encoding_whatever_the_order_of_its_details():
    other = Draft(
        _DRAFT.at,
        _DRAFT.kind,
        _DRAFT.actor,
        _DRAFT.thing,
        _DRAFT.cause,
        dict(sorted(_DRAFT.details.items(), reverse=True)),
    )
    assert entry.encode(other.numbered(5)) == entry.encode(_DRAFT.numbered(5))


@pytest.mark.parametrize(
    "leaf",
    [
        b"",
        b"\x80",
        b"\xa0",
        _leaf(_0="5"),
        _leaf(_0=True),
        _leaf(_1=1.5),
        _leaf(_1=1 << 63),
        _leaf(_2="gossip"),
        _leaf(_3=None),
        _leaf(_4=7),
        _leaf(_6={"float": 1.5}),
        _leaf(_6={1: "number"}),
        _leaf(_7=0),
        entry.encode(_DRAFT.numbered(5)) + b"\x00",
        b"\xa7\x18\x00" + entry.encode(_DRAFT.numbered(5))[2:],
    ],
)
def test_what_is_no_leaf_is_refused(leaf):
    with pytest.raises(DecodeError):
        entry.decode(leaf)


def test_a_personal_datum_is_not_found_without_its_salt():
    salt = Secret(bytes(range(32)))
    assert entry.personal_digest("anna", salt=salt) == entry.personal_digest("anna", salt=salt)
    assert entry.personal_digest("anna", salt=salt) != entry.personal_digest("anna", salt=Secret(bytes(32)))
    with pytest.raises(ValueError, match="32 bytes"):
        entry.personal_digest("anna", salt=Secret(bytes(16)))
