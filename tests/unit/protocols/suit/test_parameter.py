import pytest

from thingstead.errors import DecodeError, UnsupportedError
from thingstead.protocols.cbor import codec
from thingstead.protocols.suit.parameter import (
    Comparison,
    OtherDevice,
    VersionMatch,
    WaitEvent,
    decode_match,
    decode_wait,
)

C, W = Comparison, WaitEvent


@pytest.mark.spec("draft-ietf-suit-update-management 4.4")
@pytest.mark.parametrize(
    ("comparison", "wanted", "version", "holds"),
    [
        (C.EQUAL, (1,), (1, 9, 3), True),
        (C.EQUAL, (1,), (2,), False),
        (C.EQUAL, (1, 0), (1,), True),
        (C.GREATER, (1, 2), (1, 2, 9), False),
        (C.GREATER, (1, 2), (1, 3), True),
        (C.GREATER_EQUAL, (1, 2), (1, 2, -1), True),
        (C.GREATER_EQUAL, (1, 2, 0), (1, 2, -1, 3), False),
        (C.GREATER_EQUAL, (1, 10), (1, 9, 99), False),
        (C.LESSER, (1, 10), (1, 9), True),
        (C.LESSER, (1, 10), (1, 10), False),
        (C.LESSER, (2, 0, 0), (2, 0, -1, 1), True),
        (C.LESSER, (2, 0, -1), (2, 0, -2), True),
        (C.LESSER_EQUAL, (1, 0), (1, 0, 5), True),
        (C.LESSER_EQUAL, (1, 0), (1, 1), False),
        (C.LESSER_EQUAL, (1, 0), (), True),
    ],
)
def test_versions_compare_number_by_number(comparison, wanted, version, holds):
    assert VersionMatch(comparison, wanted).holds(version) is holds


def test_a_version_and_events_are_read():
    assert decode_match(codec.encode([4, [1, 0, -1]])) == VersionMatch(C.LESSER_EQUAL, (1, 0, -1))
    waited = decode_wait(codec.encode({1: -1, 2: 10, 4: [b"hub", [[2, [3]]]], 6: 82_800, 9: 6}))
    assert waited == {
        W.AUTHORIZATION: -1,
        W.POWER: 10,
        W.OTHER_DEVICE_VERSION: OtherDevice(b"hub", (VersionMatch(C.GREATER_EQUAL, (3,)),)),
        W.TIME_OF_DAY: 82_800,
        W.DAY_OF_WEEK_UTC: 6,
    }


@pytest.mark.parametrize(
    "value",
    [
        [],
        [1],
        [1, []],
        [0, [1]],
        [6, [1]],
        [True, [1]],
        [1, 1],
        [1, ["1"]],
        [1, [True]],
        [1, [1], 2],
        {},
        [1, [1] * 17],
    ],
)
def test_what_is_no_version_to_compare_is_refused(value):
    with pytest.raises(DecodeError):
        decode_match(codec.encode(value))


@pytest.mark.parametrize(
    "value",
    [
        {},
        [],
        {1: "now"},
        {1: True},
        {2: 1.5},
        {5: -1},
        {6: 86_400},
        {6: -1},
        {7: 7},
        {9: -1},
        {4: b"hub"},
        {4: [b"hub"]},
        {4: [b"hub", []]},
        {4: ["hub", [[1, [1]]]]},
        {4: [b"hub", [[1]]]},
        {4: [b"hub", [[1, [1]]] * 17]},
    ],
)
def test_what_is_nothing_to_wait_for_is_refused(value):
    with pytest.raises(DecodeError):
        decode_wait(codec.encode(value))


@pytest.mark.parametrize("event", [0, 10, -1, "1"])
def test_an_event_that_nobody_registered_is_refused(event):
    with pytest.raises(UnsupportedError):
        decode_wait(codec.encode({event: 1}))
