import pytest

from tests.unit.protocols.mud.fixture import entry, require_left_out, with_ace
from thingstead.errors import DecodeError
from thingstead.protocols.mud.file import ANY_PORT, PortRange
from thingstead.protocols.mud.parser import parse


@pytest.mark.spec("RFC 8519 4.2")
@pytest.mark.parametrize(
    ("ports", "expected"),
    [
        ({"operator": "eq", "port": 5683}, PortRange(5683, 5683)),
        ({"port": 5683}, PortRange(5683, 5683)),
        ({"operator": "lte", "port": 1023}, PortRange(0, 1023)),
        ({"operator": "gte", "port": 1024}, PortRange(1024, 65535)),
        ({"lower-port": 1, "upper-port": 9}, PortRange(1, 9)),
        ({"lower-port": 7}, PortRange(7, 7)),
    ],
)
def test_ports_of_either_side_follow_the_direction(ports, expected):
    out = entry({"udp": {"destination-port": ports}})
    assert (out.remote_ports, out.device_ports, out.protocol) == (expected, ANY_PORT, 17)
    back = entry({"udp": {"destination-port": ports}}, acl=1)
    assert (back.remote_ports, back.device_ports) == (ANY_PORT, expected)


@pytest.mark.spec("RFC 8519 4.2")
@pytest.mark.parametrize(
    ("port", "expected"),
    [(23, [(0, 22), (24, 65535)]), (0, [(1, 65535)]), (65535, [(0, 65534)])],
)
def test_all_ports_but_one_are_what_is_below_and_above(port, expected):
    entries = parse(with_ace({"tcp": {"destination-port": {"operator": "neq", "port": port}}})).entries
    assert [(one.remote_ports.first, one.remote_ports.last) for one in entries] == expected


@pytest.mark.parametrize("operator", ["eq", "range"])
def test_an_operator_beside_a_range_is_told_and_the_range_read(operator):
    file = parse(with_ace({"tcp": {"source-port": {"operator": operator, "lower-port": 5, "upper-port": 9}}}))
    assert file.entries[0].device_ports == PortRange(5, 9)
    assert "the range alone is read" in file.findings[0].message


def test_a_member_of_a_range_that_is_unknown_leaves_the_entry_out():
    require_left_out({"tcp": {"destination-port": {"port": 1, "colour": 2}}})


@pytest.mark.spec("RFC 8519 4.2")
@pytest.mark.parametrize(
    ("matches", "message"),
    [
        ({"tcp": {"destination-port": {"operator": "eq", "port": 65536}}}, "from 0 to 65535"),
        ({"tcp": {"destination-port": {"operator": "near", "port": 1}}}, "eq, lte, gte or neq"),
        ({"tcp": {"destination-port": {"lower-port": 9, "upper-port": 8}}}, "from 9 to 65535"),
        ({"tcp": {"destination-port": {"operator": "neq", "lower-port": 5}}}, "no operator beside a range"),
        ({"tcp": {"destination-port": {"port": 5, "lower-port": 5}}}, "a range or one port, not both"),
        ({"tcp": {"destination-port": {}}}, "'lower-port', which is missing"),
    ],
)
def test_a_port_or_range_outside_its_type_refuses_the_file(matches, message):
    with pytest.raises(DecodeError, match=message):
        parse(with_ace(matches))
