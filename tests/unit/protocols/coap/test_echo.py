import pytest

from thingstead.errors import AuthenticationError, ExpiredError
from thingstead.protocols.coap.echo import EchoMint, amplification_allowance
from thingstead.secret import Secret

MINT = EchoMint(Secret(bytes(32)), lifetime=60.0)


def test_a_value_is_good_for_its_peer_and_its_time():
    MINT.verify(MINT.issue(b"peer", 100.0), b"peer", 160.0)


@pytest.mark.spec("RFC 9175 2.3")
def test_an_old_value_is_refused():
    with pytest.raises(ExpiredError):
        MINT.verify(MINT.issue(b"peer", 100.0), b"peer", 161.0)


def test_a_value_from_before_the_clock_began_is_refused():
    with pytest.raises(ExpiredError):
        MINT.verify(MINT.issue(b"peer", 200.0), b"peer", 100.0)


@pytest.mark.spec("RFC 9175 2.3")
@pytest.mark.parametrize("value", [b"", bytes(4), bytes(12), bytes(40)])
def test_a_value_that_is_not_ours_is_refused(value):
    with pytest.raises(AuthenticationError):
        MINT.verify(value, b"peer", 0.0)


def test_a_value_of_another_peer_or_process_is_refused():
    value = MINT.issue(b"peer", 0.0)
    with pytest.raises(AuthenticationError):
        MINT.verify(value, b"other", 0.0)
    with pytest.raises(AuthenticationError):
        EchoMint(Secret(bytes([1]) * 32), lifetime=60.0).verify(value, b"peer", 0.0)


@pytest.mark.requirement("R-37")
@pytest.mark.spec("RFC 9175 2.6")
def test_three_bytes_for_one_and_no_more():
    assert amplification_allowance(10) == 30
