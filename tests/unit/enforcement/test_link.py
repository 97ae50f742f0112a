import pytest

from tests.unit.transport.test_packet_tap import stage
from thingstead.enforcement.link import ports_of


@pytest.mark.namespace
@pytest.mark.slow
def test_the_ports_of_a_bridge_are_named_and_others_have_none():
    assert stage()["ports"] == [["t1", "t2"], [], []]


def test_what_is_not_there_has_no_ports():
    assert ports_of("nowhere0") == ()
