import pytest

from tests.unit.domain.things import a_thing, an_obligation
from thingstead.domain.register import Register
from thingstead.domain.unit import Committed, Snapshot, Unit
from thingstead.errors import ConfigError


def test_it_starts_with_what_is_kept_and_follows_what_is_committed():
    register = Register(Snapshot(things=(a_thing(0),), obligations=(an_obligation(0),)))
    unit = Unit(
        things=(a_thing(0, zone="new", version=2), a_thing(1)), settled=(an_obligation(0),), opened=(an_obligation(1),)
    )
    register.follow(Committed(unit, (), ()))
    assert [(one.serial, one.zone) for one in register.things()] == [("A0000", "new"), ("A0001", "floor-1")]
    assert register.obligations() == register.obligations(a_thing(1).id) == (an_obligation(1),)
    assert register.obligations(a_thing(0).id) == ()
    assert (register.owes(an_obligation(0)), register.owes(an_obligation(1))) == (False, True)


def test_a_stranger_is_not_in_it():
    with pytest.raises(ConfigError, match="no thing") as caught:
        Register(Snapshot()).thing(a_thing().id)
    assert caught.value.reason == "unknown-thing"


def test_a_thing_is_found_by_maker_and_serial():
    register = Register(Snapshot(things=(a_thing(0),)))
    register.follow(Committed(Unit(things=(a_thing(1),)), (), ()))
    assert [register.find("acme", serial) for serial in ("A0000", "A0001", "A0002")] == [a_thing(0), a_thing(1), None]
    assert register.find("beta", "A0000") is None
