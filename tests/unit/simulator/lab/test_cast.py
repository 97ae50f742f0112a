import pytest

from tests.unit.simulator.lab.people import cast
from thingstead.errors import ConfigError


def test_a_thing_is_found_by_its_name():
    assert cast().named("hub-1").kind == "hub"


def test_a_name_that_nobody_has_is_refused():
    with pytest.raises(ConfigError, match="expected one of camera-1, hub-1"):
        cast().named("hub-2")


def test_the_others_are_all_but_one():
    assert [one.name for one in cast("hub", "lamp", "plug").others("lamp-1")] == ["hub-1", "plug-1"]
