"""Orders have an order and a number, settings a range, and a page of a journal no gap."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from thingstead.errors import DecodeError, TransitionError
from thingstead.protocols.cbor import codec
from thingstead.protocols.profile import maintenance, path
from thingstead.protocols.profile.maintenance import (
    Done,
    Offer,
    Page,
    Task,
    place,
    read_settings,
    require_order,
    rights,
)

pytestmark = pytest.mark.requirement("R-07")
AT = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize("task", Task)
@pytest.mark.parametrize("is_open", [False, True])
def test_work_comes_between_begin_and_end(task, is_open):
    allowed = {False: {Task.BEGIN, Task.DIAGNOSE}, True: set(Task) - {Task.BEGIN}}
    if task in allowed[is_open]:
        require_order(task, is_open=is_open)
    else:
        with pytest.raises(TransitionError):
            require_order(task, is_open=is_open)


def test_rights_are_what_to_sign_for_and_each_task_and_nothing_else():
    scope = rights([Task.DIAGNOSE])
    assert set(scope.grants) == {path.MAINTENANCE, place(Task.DIAGNOSE)}
    assert path.WIPE not in rights(Task).grants
    assert path.LIGHT not in rights(Task).grants


def test_a_setting_within_its_range_is_taken():
    assert read_settings(Task.CONFIGURE, {"telemetry_interval": 2}) == {"telemetry_interval": 2.0}
    assert read_settings(Task.RESTART, {}) == {}


@pytest.mark.parametrize(
    ("task", "arguments"),
    [
        (Task.CONFIGURE, {}),
        (Task.CONFIGURE, {"telemetry_interval": 0}),
        (Task.CONFIGURE, {"telemetry_interval": 86_401}),
        (Task.CONFIGURE, {"telemetry_interval": float("nan")}),
        (Task.CONFIGURE, {"telemetry_interval": float("inf")}),
        (Task.CONFIGURE, {"telemetry_interval": True}),
        (Task.CONFIGURE, {"telemetry_interval": "2"}),
        (Task.CONFIGURE, {"telemetry_interval": None}),
        (Task.CONFIGURE, {"controller_host": "203.0.113.1"}),
        (Task.CONFIGURE, {1: 2}),
        (Task.RESTART, {"telemetry_interval": 2}),
        (Task.BEGIN, {"thing": "thing-b"}),
    ],
)
def test_no_other_setting_is(task, arguments):
    with pytest.raises(DecodeError):
        read_settings(task, arguments)


@given(st.binary(min_size=8, max_size=8), st.integers(0, 2**63 - 1))
def test_what_is_offered_is_read_back(journal, number):
    offer = Offer(journal, number)
    assert Offer.decode(offer.encode()) == offer


@pytest.mark.parametrize("size", [0, 15, 17])
def test_an_offer_has_its_length(size):
    with pytest.raises(DecodeError):
        Offer.decode(bytes(size))


def _page(*numbers):
    return Page(b"journal1", tuple([Done(number, AT, Task.RESTART, b"signed") for number in numbers]))


def test_a_page_is_read_back():
    assert Page.decode(_page(3, 4, 5).encode()) == _page(3, 4, 5)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        codec.encode([]),
        codec.encode([2, b"journal1", [[0, 0, "end", b""]]]),
        codec.encode([1, b"journal", [[0, 0, "end", b""]]]),
        codec.encode([1, b"journal1", []]),
        codec.encode([1, b"journal1", [[0, 0, "wipe", b""]]]),
        codec.encode([1, b"journal1", [[-1, 0, "end", b""]]]),
        codec.encode([1, b"journal1", [[1 << 63, 0, "end", b""]]]),
        codec.encode([1, b"journal1", [[0, 1 << 60, "end", b""]]]),
        codec.encode([1, b"journal1", [[0, -1, "end", b""]]]),
        codec.encode([1, b"journal1", [[0, 0, "end", bytes(maintenance.MAX_SIGNED + 1)]]]),
        codec.encode([1, b"journal1", [[number, 0, "end", b""] for number in range(65)]]),
        _page(1, 3).encode(),
        _page(2, 1).encode(),
        _page(1, 1).encode(),
    ],
)
def test_no_other_page_is(data):
    with pytest.raises(DecodeError):
        Page.decode(data)
