import pytest

from thingstead.errors import PolicyError, StateError
from thingstead.proxy.config import ClientsConfig
from thingstead.proxy.guard import Guard, RateError, Shares

CLIENT = ("192.0.2.10", 1)


def guard(*networks, **settings):
    return Guard(ClientsConfig(networks=networks, verified=networks[:1], **settings))


@pytest.mark.parametrize(
    ("networks", "host", "is_served"),
    [
        (("192.0.2.0/24",), "192.0.2.255", True),
        (("192.0.2.0/24",), "192.0.3.0", False),
        (("192.0.2.0/24",), "::ffff:192.0.2.1", True),
        (("::/0",), "::ffff:192.0.2.1", False),
        (("::/0",), "192.0.2.1", False),
        (("fe80::/10",), "fe80::1%eth0", True),
        ((), "127.0.0.1", False),
    ],
)
def test_who_is_served(networks, host, is_served):
    found = guard(*networks)
    assert found.is_served((host, 1)) is is_served
    assert found.is_verified((host, 1)) is is_served
    if not is_served:
        with pytest.raises(PolicyError) as refused:
            found.require((host, 1), 0.0)
        assert refused.value.reason == "client"
        assert len(found) == 0


def test_another_port_is_the_same_address_and_has_the_same_rate():
    found = guard("192.0.2.0/24", requests_per_second=1.0)
    found.require(CLIENT, 0.0)
    found.require((CLIENT[0], 2), 0.0)
    with pytest.raises(RateError):
        found.require((CLIENT[0], 3), 0.0)
    found.require(("192.0.2.11", 1), 0.0)
    found.require(CLIENT, 1.0)


@pytest.mark.requirement("R-36")
def test_any_number_of_addresses_leaves_as_many_as_may_be_remembered():
    found = guard("10.0.0.0/8", max_addresses=3)
    for number in range(200):
        found.require((f"10.0.0.{number}", 1), 0.0)
        assert len(found) <= 3


def test_a_share_that_is_used_up_is_refused_and_is_free_again_when_one_goes():
    shares = Shares(2, of="origin")
    for _ in range(2):
        shares.require("a")
        shares.take("a")
    with pytest.raises(StateError) as refused:
        shares.require("a")
    assert refused.value.reason == "origin-share"
    shares.require("b")
    shares.release("a")
    shares.require("a")
    shares.release("a")
    assert len(shares) == 0
