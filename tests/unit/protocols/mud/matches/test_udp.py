import pytest

from tests.unit.protocols.mud.fixture import entry, require_left_out


def test_udp_fixes_the_protocol():
    assert entry({"udp": {}}).protocol == 17


@pytest.mark.spec("RFC 8520 3.9")
@pytest.mark.parametrize(
    "matches",
    [
        {"udp": {"ietf-mud:direction-initiated": "from-device"}},
        {"udp": {"length": 100}},
    ],
)
def test_a_udp_condition_that_cannot_be_kept_leaves_the_entry_out(matches):
    require_left_out(matches)
