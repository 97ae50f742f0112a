"""Whatever strangers send, a verified source waits for a bounded number of them, and they hold a bounded room."""

import pytest

from thingstead.transport.turns import Turns

pytestmark = pytest.mark.requirement("R-36")


def turns(share=3, room=5):
    return Turns(share=share, room=room)


def served(queue, *arrivals):
    """One look at the socket: what is served, in order."""
    queue.begin()
    now = []
    for source, item in arrivals:
        if source == "thing" or queue.admits():
            now.append(item)
        else:
            queue.wait(item)
    return now + queue.waited()


def test_a_verified_source_overtakes_a_flood():
    queue = turns()
    flood = [("stranger", number) for number in range(100)]
    assert served(queue, *flood, ("thing", "t"), *flood) == [0, 1, 2, "t"]


def test_all_of_verified_sources_is_served_at_once():
    assert served(turns(), *[("thing", number) for number in range(50)]) == list(range(50))


def test_strangers_are_served_in_their_order_over_several_looks():
    queue = turns()
    assert served(queue, *[("stranger", number) for number in range(7)]) == [0, 1, 2]
    assert served(queue, ("stranger", 7)) == [3, 4, 5]
    assert served(queue) == [6, 7]
    assert served(queue, ("stranger", 8)) == [8]


def test_who_was_served_directly_counts_in_the_share():
    queue = turns(share=3)
    assert served(queue, ("stranger", 0), ("stranger", 1)) == [0, 1]
    assert len(queue) == 0


def test_a_flood_holds_a_bounded_room_and_what_does_not_fit_is_counted():
    queue = turns(share=3, room=5)
    assert served(queue, *[("stranger", number) for number in range(1000)]) == [0, 1, 2]
    assert (len(queue), queue.dropped) == (5, 1000 - 3 - 5)
    assert served(queue) == [3, 4, 5]
