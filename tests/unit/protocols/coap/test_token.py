import pytest

from thingstead.protocols.coap.token import MessageIds, Tokens


def zeros(size):
    return bytes(size)


@pytest.mark.spec("RFC 7252 5.3.1")
@pytest.mark.spec("RFC 9175 4.2")
def test_no_token_comes_twice_even_without_randomness():
    tokens = Tokens(zeros)
    made = [tokens.protected() for _ in range(300)] + [tokens.unprotected() for _ in range(300)]
    assert len(set(made)) == 600


@pytest.mark.spec("RFC 7252 5.3.1")
def test_a_protected_token_is_short_and_an_unprotected_one_is_not():
    tokens = Tokens(zeros)
    assert (len(tokens.protected()), len(tokens.unprotected())) == (1, 8)


def test_message_ids_count_per_peer_and_wrap():
    mids = MessageIds(lambda size: b"\xff\xff", max_peers=2)
    assert [mids.allocate("a"), mids.allocate("a"), mids.allocate("b")] == [0xFFFF, 0, 0xFFFF]


def test_counters_of_peers_are_bounded():
    mids = MessageIds(zeros, max_peers=2)
    for peer in "aabc":
        mids.allocate(peer)
    assert (mids.allocate("c"), mids.allocate("a")) == (1, 0)
