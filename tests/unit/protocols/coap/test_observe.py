import pytest

from thingstead.protocols.coap.observe import NotificationOrder, Observers, is_newer, reregistration_wait


@pytest.mark.spec("RFC 7641 3.4")
@pytest.mark.parametrize(
    ("first", "second", "seconds", "newer"),
    [
        (1, 2, 0, True),
        (2, 1, 0, False),
        (1, 1, 0, False),
        ((1 << 24) - 1, 0, 0, True),
        (0, (1 << 23) - 1, 0, True),
        (0, 1 << 23, 0, False),
        (2, 1, 128, False),
        (2, 1, 128.1, True),
        (1, 1, 129, True),
    ],
)
def test_newer_is_by_serial_number_or_after_128_seconds(first, second, seconds, newer):
    assert is_newer(first, 0.0, second, float(seconds)) is newer


@pytest.mark.spec("RFC 7641 3.3.1")
@pytest.mark.parametrize(("failures", "least", "most"), [(0, 5.0, 15.0), (1, 10.0, 30.0), (8, 1280.0, 3840.0)])
def test_a_client_waits_five_to_fifteen_seconds_more_and_each_time_twice_as_long(failures, least, most):
    assert [reregistration_wait(failures, jitter=jitter) for jitter in (0.0, 1.0)] == [least, most]


def test_a_notification_that_is_overtaken_is_dropped():
    order = NotificationOrder(5, 0.0)
    assert [order.accept(number, 1.0) for number in (7, 6, 7, 8)] == [True, False, False, True]


def test_observers_are_bounded_in_all_and_per_peer():
    observers = Observers(max_observers=3, max_per_peer=2)
    assert observers.register("a", b"1", 1) == (True, None)
    assert observers.register("a", b"2", 2) == (True, None)
    assert observers.register("a", b"3", 3) == (False, None)
    assert observers.register("b", b"1", 4) == (True, None)
    assert observers.register("c", b"1", 5) == (False, None)
    assert (len(observers), observers.of_peer("a")) == (3, [1, 2])


@pytest.mark.spec("RFC 7641 4.1")
def test_registering_again_replaces_even_when_full():
    observers = Observers(max_observers=1, max_per_peer=1)
    observers.register("a", b"1", 1)
    assert observers.register("a", b"1", 2) == (True, 1)
    assert observers.find("a", b"1") == 2


def test_one_that_left_makes_room_and_leaving_twice_is_nothing():
    observers = Observers(max_observers=2, max_per_peer=2)
    observers.register("a", b"1", 1)
    observers.register("a", b"2", 2)
    observers.remove(1)
    observers.remove(1)
    observers.remove(2)
    assert observers.find("a", b"1") is None
    assert observers.register("b", b"1", 3) == (True, None)
