import pytest

from tests.unit.protocols.mud.fixture import entry, require_left_out, with_ace
from thingstead.errors import DecodeError
from thingstead.protocols.mud.file import RemoteKind
from thingstead.protocols.mud.parser import parse


@pytest.mark.spec("RFC 8520 4")
@pytest.mark.parametrize(
    ("matches", "kind", "name"),
    [
        ({"local-networks": [None]}, RemoteKind.LOCAL_NETWORKS, ""),
        ({"my-controller": [None]}, RemoteKind.MY_CONTROLLER, ""),
        ({"same-manufacturer": [None]}, RemoteKind.SAME_MANUFACTURER, ""),
        ({"controller": "urn:ietf:params:mud:dns"}, RemoteKind.CONTROLLER, "urn:ietf:params:mud:dns"),
        ({"manufacturer": "maker.example"}, RemoteKind.MANUFACTURER, "maker.example"),
        ({"model": "https://maker.example/x"}, RemoteKind.MODEL, "https://maker.example/x"),
    ],
)
def test_the_other_side_may_be_named_by_its_part(matches, kind, name):
    found = entry({"ietf-mud:mud": matches})
    assert (found.remote.kind, found.remote.name) == (kind, name)


@pytest.mark.spec("RFC 8520 3.9")
@pytest.mark.parametrize(
    "matches",
    [
        {"ietf-mud:mud": {"colour": [None]}},
    ],
)
def test_a_part_that_cannot_be_kept_leaves_the_entry_out(matches):
    require_left_out(matches)


@pytest.mark.spec("RFC 8519 4.2")
@pytest.mark.parametrize(
    ("matches", "message"),
    [
        ({"ietf-mud:mud": {"my-controller": True}}, "YANG empty"),
    ],
)
def test_a_part_outside_its_type_refuses_the_file(matches, message):
    with pytest.raises(DecodeError, match=message):
        parse(with_ace(matches))
