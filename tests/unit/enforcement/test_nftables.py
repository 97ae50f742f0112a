import pytest

from tests.unit.enforcement.observed import observed

pytestmark = [pytest.mark.namespace, pytest.mark.slow]


@pytest.fixture(scope="module")
def seen(request):
    return observed(request, "stage")


@pytest.mark.requirement("R-80")
@pytest.mark.parametrize(
    "what",
    [
        "before admission",
        "forbidden port",
        "another thing's right",
        "udp 999",
        "udp 2001",
        "controller, another port",
        "stranger elsewhere",
        "controller to thing 7001",
        "controller to thing 7201",
        "outside to thing",
        "east-west other way",
    ],
)
def test_what_no_rule_allows_is_dropped_by_the_kernel(seen, what):
    assert seen[what] is False


@pytest.mark.requirement("R-80")
@pytest.mark.parametrize(
    "what",
    [
        "allowed port",
        "udp 1000",
        "udp 2000",
        "to the controller",
        "to the controller, IPv6",
        "stranger knocks",
        "east-west allowed",
        "east-west IPv6",
        "controller to thing 7000",
        "controller to thing 7150",
        "own address",
    ],
)
def test_what_a_rule_allows_passes(seen, what):
    assert seen[what] is True


@pytest.mark.requirement("R-34")
def test_an_address_is_bound_to_its_interface(seen):
    assert seen["spoofed address"] is False
    assert "expected addresses of its own" in seen["another's address"]


@pytest.mark.requirement("R-09")
def test_a_thing_that_claims_another_s_address_is_barred_all_the_same_and_the_other_is_not(seen):
    assert seen["bar beside another's address"] == [True, False]


@pytest.mark.requirement("R-80")
def test_an_address_of_a_dns_name_is_allowed_for_its_lifetime_only(seen):
    assert seen["while the name's lifetime lasts"] is True
    assert seen["after the name's lifetime"] is False


@pytest.mark.requirement("R-80")
def test_an_established_flow_ends_with_the_right_to_it(seen):
    assert seen["established"] is True
    assert seen["established, right taken"] is False


@pytest.mark.parametrize("what", ["barred to the controller", "controller to barred", "barred, new address"])
def test_a_barred_thing_gets_nothing_through(seen, what):
    assert seen[what] is False
    assert seen["restored"] is True


def test_a_withdrawn_thing_is_not_even_heard_at_the_door_and_its_address_is_free(seen):
    assert seen["withdrawn knocks"] is False
    assert seen["address of a withdrawn thing again"] is True


def test_the_kernel_itself_says_where_a_thing_stands(seen):
    assert seen["standing"] == [True, False]
    assert seen["standing barred"] == [False, True]
    assert seen["standing withdrawn"] == [False, True]


def test_the_same_change_again_changes_nothing(seen):
    assert seen["applied"][1:] == [0, "nftables"]
    assert seen["again"] == [0, 0]


def test_packets_are_counted_per_thing(seen):
    packets, refused = seen["traffic"]["thing-aaaaaaaaaaaaaaaa"]
    assert packets > refused >= 4
    assert seen["traffic"]["thing-bbbbbbbbbbbbbbbb"][1] >= 1


def test_of_a_barred_thing_each_packet_is_counted_as_refused(seen):
    ((packets, refused),) = seen["traffic while barred"]
    assert packets == refused >= 1


def test_multicast_from_the_controller_reaches_every_thing(seen):
    assert seen["multicast from the controller"] == [True, True]
