import pytest

from tests.unit.protocols.mud.fixture import entry, require_left_out, with_ace
from thingstead.errors import DecodeError
from thingstead.protocols.mud.file import Direction
from thingstead.protocols.mud.parser import parse


@pytest.mark.spec("RFC 8520 4.8")
@pytest.mark.parametrize("direction", list(Direction))
def test_who_opens_a_connection_is_kept(direction):
    assert entry({"tcp": {"ietf-mud:direction-initiated": direction.value}}).initiated is direction


@pytest.mark.spec("RFC 8520 3.9")
@pytest.mark.parametrize(
    "matches",
    [
        {"tcp": {"flags": "syn"}},
        {"tcp": {"window-size": 1}},
        {"tcp": {"colour": 1}},
    ],
)
def test_a_tcp_condition_that_cannot_be_kept_leaves_the_entry_out(matches):
    require_left_out(matches)


@pytest.mark.spec("RFC 8519 4.2")
@pytest.mark.parametrize(
    ("matches", "message"),
    [
        ({"tcp": {"ietf-mud:direction-initiated": "both"}}, "from-device or to-device"),
    ],
)
def test_a_tcp_condition_outside_its_type_refuses_the_file(matches, message):
    with pytest.raises(DecodeError, match=message):
        parse(with_ace(matches))
