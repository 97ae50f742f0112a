import random

import pytest

from thingstead.endpoint import state_token
from thingstead.endpoint.state_token import STATE_OVERHEAD, StateTokens
from thingstead.errors import AuthenticationError, ExpiredError, ReplayError, SecurityError

PEER, OTHER = ("192.0.2.1", 5683), ("192.0.2.2", 5683)


def tokens(seed=1, **changes):
    return StateTokens(random.Random(seed).randbytes, **{"lifetime": 60.0, "window": 8} | changes)


@pytest.mark.spec("RFC 8974 3.1")
def test_state_comes_back_as_it_was_sealed():
    ours = tokens()
    sealed = [ours.seal(state, PEER, 0.0) for state in (b"", b"one", bytes(1000))]
    assert [ours.open(token, PEER, 1.0) for token in sealed] == [b"", b"one", bytes(1000)]
    assert [len(token) - STATE_OVERHEAD for token in sealed] == [0, 3, 1000]


@pytest.mark.spec("RFC 8974 3.1")
def test_state_is_not_to_be_read_from_its_token():
    assert b"privacy" not in tokens().seal(b"privacy", PEER, 0.0)


@pytest.mark.spec("RFC 8974 5.2")
def test_a_token_that_was_changed_anywhere_is_refused():
    ours = tokens()
    token = ours.seal(b"state", PEER, 0.0)
    for place in range(len(token)):
        changed = bytes(octet ^ (index == place) for index, octet in enumerate(token))
        with pytest.raises(SecurityError):
            ours.open(changed, PEER, 0.0)
    assert ours.open(token, PEER, 0.0) == b"state"


@pytest.mark.parametrize("cut", [b"", b"\x00", bytes(5), bytes(16), bytes(40)])
def test_what_is_no_token_is_refused(cut):
    ours = tokens()
    ours.seal(b"", PEER, 0.0)
    with pytest.raises(SecurityError):
        ours.open(cut, PEER, 0.0)


@pytest.mark.spec("RFC 8974 3.1")
def test_a_token_for_another_peer_is_refused():
    ours = tokens()
    token = ours.seal(b"state", PEER, 0.0)
    with pytest.raises(AuthenticationError):
        ours.open(token, OTHER, 0.0)


@pytest.mark.spec("RFC 8974 3.1")
def test_a_token_of_another_run_is_refused():
    with pytest.raises(AuthenticationError):
        tokens(2).open(tokens(1).seal(b"state", PEER, 0.0), PEER, 0.0)


@pytest.mark.spec("RFC 8974 3.1")
def test_a_token_is_good_once():
    ours = tokens()
    token = ours.seal(b"state", PEER, 0.0)
    ours.open(token, PEER, 0.0)
    ours.spend(token)
    with pytest.raises(ReplayError):
        ours.open(token, PEER, 0.0)


def test_looking_into_a_token_does_not_spend_it():
    ours = tokens()
    token = ours.seal(b"state", PEER, 0.0)
    assert ours.open(token, PEER, 0.0) == ours.open(token, PEER, 0.0)


@pytest.mark.spec("RFC 8974 3.1")
def test_a_token_behind_the_window_is_refused_whether_or_not_it_came_back():
    ours = tokens(window=4)
    sealed = [ours.seal(bytes([number]), PEER, 0.0) for number in range(6)]
    ours.open(sealed[5], PEER, 0.0)
    ours.spend(sealed[5])
    assert ours.open(sealed[2], PEER, 0.0) == b"\x02"
    with pytest.raises(ReplayError):
        ours.open(sealed[1], PEER, 0.0)


@pytest.mark.spec("RFC 8974 3.1")
@pytest.mark.parametrize(("age", "is_good"), [(0, True), (60, True), (62, False), (1 << 31, False)])
def test_a_token_is_good_for_its_time(age, is_good):
    ours = tokens()
    token = ours.seal(b"state", PEER, 10.0)
    if is_good:
        assert ours.open(token, PEER, 10.0 + age) == b"state"
    else:
        with pytest.raises(ExpiredError):
            ours.open(token, PEER, 10.0 + age)


@pytest.mark.spec("RFC 8974 5.2")
def test_no_nonce_comes_twice_under_one_key(monkeypatch):
    monkeypatch.setattr(state_token, "_MAX_NUMBERS", 3)
    ours = tokens()
    sealed = [ours.seal(bytes([number]), PEER, 0.0) for number in range(7)]
    assert len({token[:5] for token in sealed}) == 7
    assert [ours.open(token, PEER, 0.0)[0] for token in sealed[3:]] == [3, 4, 5, 6]
    with pytest.raises(AuthenticationError):
        ours.open(sealed[0], PEER, 0.0)
