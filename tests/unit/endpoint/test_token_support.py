import pytest

from thingstead.endpoint.token_support import TokenSupport

PEER = ("192.0.2.1", 5683)


@pytest.fixture
def support():
    return TokenSupport(max_peers=2)


def test_of_a_peer_that_was_not_tried_nothing_is_known(support):
    assert support.takes(PEER, 20, 0.0) is None


@pytest.mark.spec("RFC 8974 2.2.2")
def test_a_length_that_came_back_and_all_shorter_ones_are_taken(support):
    support.accept(PEER, 20, 0.0)
    assert [support.takes(PEER, size, 1.0) for size in (9, 20, 21)] == [True, True, None]


@pytest.mark.spec("RFC 8974 2.2.2")
def test_a_shorter_one_that_came_back_takes_nothing_away(support):
    support.accept(PEER, 20, 0.0)
    support.accept(PEER, 10, 1.0)
    assert support.takes(PEER, 20, 2.0) is True


@pytest.mark.spec("RFC 8974 2.2.2")
def test_who_refused_one_takes_none(support):
    support.accept(PEER, 20, 0.0)
    support.refuse(PEER, 1.0)
    assert support.takes(PEER, 9, 2.0) is False


@pytest.mark.spec("RFC 8974 2.2.2")
@pytest.mark.parametrize("is_accepted", [True, False])
def test_after_an_hour_it_has_to_be_tried_again(support, is_accepted):
    if is_accepted:
        support.accept(PEER, 20, 0.0)
    else:
        support.refuse(PEER, 0.0)
    assert support.takes(PEER, 20, 3599.0) is is_accepted
    assert support.takes(PEER, 20, 3600.0) is None


def test_a_length_of_an_hour_ago_is_not_counted_in(support):
    support.accept(PEER, 20, 0.0)
    support.accept(PEER, 10, 4000.0)
    assert support.takes(PEER, 20, 4001.0) is None


def test_findings_are_bounded_and_the_oldest_gives_way(support):
    for number in range(5):
        support.accept(("192.0.2.1", number), 20, 0.0)
    assert (len(support), support.takes(("192.0.2.1", 0), 20, 0.0)) == (2, None)
    assert support.takes(("192.0.2.1", 4), 20, 0.0) is True
