import pytest

from tests.unit.enforcement.observed import observed

pytestmark = [pytest.mark.namespace, pytest.mark.slow]


@pytest.fixture(scope="module")
def seen(request):
    return observed(request, "segment_stage")


@pytest.mark.requirement("R-80")
@pytest.mark.parametrize(
    "what",
    [
        "the other way",
        "the other way, IPv6",
        "stranger to a neighbour",
        "stranger's frame to a neighbour",
        "a frame of another kind",
    ],
)
def test_neighbours_on_one_segment_are_as_far_apart_as_two_sites(seen, what):
    assert seen[what] is False


@pytest.mark.parametrize("what", ["allowed to a neighbour", "allowed to a neighbour, IPv6", "address asked for"])
def test_what_rules_allow_and_what_finds_neighbours_passes_on_the_segment(seen, what):
    assert seen[what] is True


@pytest.mark.requirement("R-34")
@pytest.mark.parametrize(
    "what",
    [
        "address of a thing claimed",
        "address of the router claimed",
        "IPv6 address of the thing advertised",
        "IPv6 address of the router advertised",
        "solicited from a thing's IPv6 address",
    ],
)
def test_nobody_says_that_he_is_at_an_address_of_a_thing_or_of_the_router(seen, what):
    assert seen[what] is False


@pytest.mark.requirement("R-34")
@pytest.mark.spec("RFC 4862 5.4.3")
@pytest.mark.spec("RFC 5227 2.1.1")
def test_nobody_makes_a_thing_give_up_its_address_by_asking_whether_it_is_free(seen):
    found = {"thing": False, "own": True, "thing, IPv6": False, "own, IPv6": True}
    assert seen["asked whether it is free"] == found


@pytest.mark.requirement("R-34")
def test_a_tag_hides_no_claim_from_the_rules(seen):
    assert seen["believed of a tagged claim"] == []


def test_a_tag_that_is_of_no_vlan_keeps_nobody_out(seen):
    assert seen["tagged knock of a stranger"] is True


@pytest.mark.parametrize("what", ["router advertised", "addresses offered"])
def test_nobody_on_a_port_is_a_router_or_gives_addresses(seen, what):
    assert seen[what] is False


@pytest.mark.requirement("R-34")
def test_an_interface_is_used_behind_its_own_port_only_where_that_is_held(seen):
    assert (seen["own interface, own port"], seen["interface of another, port not held"]) == (True, True)
    assert seen["moved and admitted again"][1:3] == [True, False]


@pytest.mark.requirement("R-34")
def test_a_port_is_held_as_it_was_found_until_the_thing_is_admitted_again(seen):
    assert seen["moved and admitted again"] == [True, True, False, False, True]


def test_a_change_that_the_kernel_refuses_leaves_all_as_it_was(seen):
    assert seen["after a change that the kernel refused"] == [True, False]


@pytest.mark.parametrize("what", ["multicast without a rule", "multicast to another port", "multicast after the rule"])
def test_multicast_that_no_rule_names_stays_where_it_is(seen, what):
    assert seen[what] is False
    assert seen["multicast by a rule"] is True


@pytest.mark.requirement("R-34")
def test_multicast_of_a_thing_comes_from_its_own_address(seen):
    assert seen["multicast from an address of nobody's"] == [False, False]


@pytest.mark.spec("RFC 8576 5.1")
def test_multicast_that_a_rule_names_is_bounded_as_all_that_a_thing_sends(seen):
    assert seen["multicast, 8 packets at once"] == 8
    assert seen["multicast, too much"] is False


def test_what_is_denied_is_dropped_whatever_allows_it(seen):
    assert seen["before it is denied"] == [True, True, True]
    assert seen["denied"] == [False, False, False]


def test_each_rule_tells_what_came_of_it(seen):
    assert seen["counted by rule"] == [True, True, True]
    assert seen["counters of nobody"] == []


@pytest.mark.parametrize(
    ("what", "passes"),
    [
        ("no rule", True),
        ("no rule, IPv4 UDP", True),
        ("from the site", True),
        ("denied", False),
        ("addresses offered through the router", False),
        ("from outside", False),
    ],
)
def test_learning_passes_what_a_thing_or_its_site_opens_and_is_not_denied(seen, what, passes):
    assert seen["learning"][what] is passes
    assert seen["learned"] is False


@pytest.mark.parametrize(("what", "most"), [("5 flows at once", 5), ("8 packets at once", 8)])
def test_more_than_a_thing_may_send_is_dropped(seen, what, most):
    # One more for each second that the machine stood still meanwhile.
    assert 1 <= seen[what] < 2 * most
    assert seen["no bound"] == seen["bound taken back"] == 40


@pytest.mark.requirement("R-89")
def test_a_refusal_of_everything_holds_for_all_at_once_and_spares_the_way_to_the_controller(seen):
    # One out, two out, one to the controller at the door that is spared, and at another.
    assert seen["fleet"] == [
        [True, True, True, True],
        [False, False, True, False],
        [False, True, True, False],
        [True, True, True, True],
    ]


def test_of_things_that_change_together_one_that_the_kernel_refuses_costs_the_others_nothing(seen):
    assert seen["fleet, one too many"] == [False, True, True, False]


@pytest.mark.requirement("R-34")
def test_of_things_that_change_together_two_have_no_address_in_common(seen):
    assert seen["fleet, one address twice"] == [True, True, True, True]


def test_what_nobody_answers_is_one_flow_to_the_bound_on_flows(seen):
    assert seen["one flow that nobody answers"] == 40


@pytest.mark.parametrize("what", ["another port", "Internet", "neighbour", "controller asks", "frame to all"])
def test_in_quarantine_nothing_passes_but_what_repairs(seen, what):
    assert seen["quarantined"][what] is False


@pytest.mark.parametrize("what", ["controller, and its answer", "controller, IPv6", "standing"])
def test_what_repairs_passes_in_quarantine(seen, what):
    assert seen["quarantined"][what] is True


@pytest.mark.spec("RFC 9726 3")
@pytest.mark.parametrize("what", ["range before the DNS", "range after the name", "new flow after the name moved"])
def test_a_range_of_ports_at_a_name_stands_for_the_name_s_lifetime_only(seen, what):
    assert seen[what] is False
    assert seen["range while the name lasts"] is True


def test_a_flow_outlives_its_name_s_address_and_not_its_rule(seen):
    assert seen["flow by a name"] is True
    assert seen["flow after the name moved"] is True
    assert seen["flow after the rule"] is False


def test_two_things_on_one_machine_are_barred_and_freed_each_for_itself(seen):
    assert seen["bars of one machine taken back"] == [False, False]


@pytest.mark.parametrize("when", ["killed", "started again", "told again", "stopped", "gathered"])
def test_rules_stay_as_they_are_when_their_keeper_is_killed_or_stopped(seen, when):
    assert seen[when]["allowed"] is True
    assert [name for name, passes in seen[when].items() if passes] == ["allowed"]


@pytest.mark.parametrize("what", ["allowed", "not allowed", "stranger", "neighbour"])
def test_a_keeper_that_was_told_of_nobody_passes_nobody(seen, what):
    assert seen["told of nobody"][what] is False


def test_who_asks_the_kernel_hears_of_what_was_told_since_it_started(seen):
    assert seen["asked"] == [True, False]


def test_helpers_of_the_owner_let_their_one_group_and_port_through(seen):
    assert seen["casting"] == [True, False]


@pytest.mark.parametrize(
    "reason",
    [
        "barred",
        "denied",
        "denied_inbound",
        "learned",
        "refused",
        "refused_inbound",
        "rogue",
        "sideways",
        "spoofed",
        "stranger",
        "too_much",
    ],
)
def test_each_reason_to_drop_is_logged_with_the_frame(seen, reason):
    assert reason in seen["reasons"]
    assert seen["whose"][reason]


def test_the_log_says_when_and_says_it_once(seen):
    assert seen["logged just now"] is True
    assert seen["claimed by ARP, logged"] is True
    assert seen["read twice"] == 0


def test_the_log_names_the_interface_that_sent_it(seen):
    assert seen["whose"]["rogue"] == ["027700000001", "027700000003"]
    # The first by an address that it has left.
    assert seen["whose"]["stranger"] == ["027700000001", "027700000003"]
    assert seen["whose"]["too_much"] == ["027700000001"]
    assert seen["whose"]["denied"] == ["027700000001", "027700000002"]


def test_who_finds_the_log_taken_keeps_the_rules_and_reads_nothing_of_another_s(seen):
    assert seen["log of another"] == []


def test_a_log_that_was_closed_is_an_error_and_no_silence(seen):
    assert seen["log that was closed"] == "kernel"


@pytest.mark.requirement("R-34")
def test_with_a_new_address_the_old_one_ends(seen):
    assert seen["after a change of address"] == {"old": False, "new": True}


@pytest.mark.requirement("R-80")
@pytest.mark.parametrize(
    ("sender", "arrives"), [("from outside", False), ("from this machine", True), ("from this machine, IPv6", True)]
)
def test_who_is_on_a_segment_is_reached_by_nobody_though_its_prefix_is_not_named(seen, sender, arrives):
    assert seen["stranger whose prefix is not named"][sender] is arrives
