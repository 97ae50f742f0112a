import pytest

from tests.unit.protocols.mud.fixture import entry, require_left_out, with_ace
from thingstead.errors import DecodeError
from thingstead.protocols.mud.file import Icmp
from thingstead.protocols.mud.parser import parse


def test_icmp_keeps_type_and_code_and_its_family_gives_the_protocol():
    assert entry({"icmp": {"type": 8, "code": 0}}).icmp == Icmp(8, 0)
    assert entry({"icmp": {"type": 128}}, kind="ipv6-acl-type").protocol == 58


@pytest.mark.spec("RFC 8520 3.9")
@pytest.mark.parametrize(
    "matches",
    [
        {"icmp": {"rest-of-header": "AA=="}},
        {"icmp": {"colour": 1}},
    ],
)
def test_an_icmp_condition_that_cannot_be_kept_leaves_the_entry_out(matches):
    require_left_out(matches)


@pytest.mark.spec("RFC 8519 4.2")
@pytest.mark.parametrize(
    ("matches", "message"),
    [
        ({"icmp": {"type": 256}}, "from 0 to 255"),
        ({"icmp": [], "ipv4": {}}, "an object"),
    ],
)
def test_an_icmp_condition_outside_its_type_refuses_the_file(matches, message):
    with pytest.raises(DecodeError, match=message):
        parse(with_ace(matches))
