"""An owner reads whom a thing talked to, how much and why; and what would let through what was refused."""

from dataclasses import replace
from ipaddress import ip_network

import pytest

from tests.unit.domain.test_contact import CLOUD
from tests.unit.domain.test_owner_rule import RULE
from tests.unit.domain.things import a_thing
from thingstead.analysis.talk import LEARNED, drop_words, gathered, in_words, is_met, undo
from thingstead.domain.owner_rule import Way

pytestmark = pytest.mark.requirement("R-81")
THING = a_thing().id
LOCAL = (ip_network("10.77.0.0/16"), ip_network("fd77::/64"))
REFUSED = replace(
    CLOUD,
    who="203.0.113.5",
    address="203.0.113.5",
    port=23,
    allowed=False,
    by="nobody",
    why="no rule names it",
    dropped=7,
)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        (
            {},
            "it contacted cloud.acme.example by TCP port 443 (web), once: 300 B sent, 2.0 kB received; its maker says",
        ),
        ({"flows": 3, "octets_in": 2_500_000}, "it contacted cloud.acme.example by TCP port 443 (web), 3 times: 300 B"),
        ({"outbound": False, "who": "10.77.0.9"}, "it was contacted by 10.77.0.9 by TCP port 443 (web), once"),
        ({"octets_in": 7_000_000_000}, "300 B sent, 7.0 GB received"),
        (
            {"packets_in": 0, "octets_in": 0},
            "it tried to contact cloud.acme.example by TCP port 443 (web), once: 300 B, and no answer; its maker says",
        ),
        (
            {"outbound": False, "who": "10.77.0.9", "packets_out": 0, "octets_out": 0},
            "10.77.0.9 tried to contact it by TCP port 443 (web), once: 2.0 kB, and no answer",
        ),
        (
            {"protocol": 17, "port": 5353, "packets_in": 0, "octets_in": 0},
            "it contacted cloud.acme.example by UDP port 5353 (local names), once: 300 B, and no answer",
        ),
        ({"protocol": None, "port": None}, "it contacted cloud.acme.example, once"),
    ],
)
def test_what_was_allowed_is_one_sentence(changes, said):
    assert said in in_words(replace(CLOUD, **changes))


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        (
            {},
            "it tried to contact 203.0.113.5 by TCP port 23 (remote login in clear): 7 packets dropped; no rule",
        ),
        ({"dropped": 1}, "1 packet dropped"),
        ({"dropped": 0}, "5 packets seen"),
        ({"outbound": False}, "203.0.113.5 tried to contact it by TCP port 23"),
    ],
)
def test_what_was_refused_is_one_too(changes, said):
    assert said in in_words(replace(REFUSED, **changes))


@pytest.mark.parametrize(
    ("changes", "command"),
    [
        ({}, f"thingstead network allow 203.0.113.5 --thing {THING} --protocol tcp --port 23"),
        ({"who": "cast.example"}, f"thingstead network allow cast.example --thing {THING} --protocol tcp --port 23"),
        (
            {"outbound": False},
            f"thingstead network allow 203.0.113.5 --thing {THING} --protocol tcp --port 23 --way in",
        ),
        ({"protocol": 1, "port": None}, f"thingstead network allow 203.0.113.5 --thing {THING} --protocol icmp"),
        ({"by": "owner", "rule": "3f2a9c41"}, "thingstead network revoke 3f2a9c41"),
        ({"by": "barred"}, f"thingstead thing restore {THING}"),
        ({"by": f"elsewhere {THING}"}, f"thingstead network drops {THING}"),
        ({"by": "late"}, ""),
        (
            {"by": "sideways", "who": "224.0.0.251", "address": "224.0.0.251", "protocol": 17, "port": 5353},
            f"thingstead network allow 224.0.0.251 --thing {THING} --protocol udp --port 5353",
        ),
        ({"by": "sideways", "protocol": 17, "address": "10.77.0.9"}, ""),
        ({"by": "sideways", "protocol": 17, "address": "01:00:5e:00:00:fb"}, ""),
        ({"by": "sideways", "protocol": 6, "address": "224.0.0.251"}, ""),
        ({"by": "sideways", "protocol": 17, "address": "224.0.0.251", "outbound": False}, ""),
        ({"by": "unbound 10.77.0.9"}, ""),
    ],
)
def test_each_refusal_has_its_way_back(changes, command):
    assert undo(THING, replace(REFUSED, **changes)) == command


@pytest.mark.parametrize(
    "changes", [{"allowed": True}, {"address": ""}, {"by": "spoofed"}, {"by": "too_much"}, {"protocol": None}]
)
def test_what_no_command_should_let_through_has_none(changes):
    assert undo(THING, replace(REFUSED, **changes)) == ""


def test_a_peer_of_ours_is_allowed_by_its_address():
    contact = replace(REFUSED, who=a_thing(1).id, address="10.77.0.9")
    assert " 10.77.0.9 " in undo(THING, contact)


@pytest.mark.parametrize("cause", ["barred", "spoofed", "rogue", "sideways", "stranger", "too_much", "late"])
def test_what_the_kernel_drops_whatever_the_rules_say_is_explained(cause):
    assert drop_words(cause)


def test_what_a_drop_is_about_is_named():
    assert "sent from fd77::9, which" in drop_words("unbound fd77::9")
    assert f"drops {THING}`" in drop_words(f"elsewhere {THING}")
    assert drop_words("refused") == drop_words("") == ""


@pytest.mark.parametrize("cause", ["", "refused", "denied", "refused_inbound", "denied_inbound", LEARNED, "new"])
def test_the_rest_is_a_matter_of_rules(cause):
    assert drop_words(cause) == ""


BLOCK = replace(RULE, way=Way.OUT, ports=(443, 443))


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"way": Way.BOTH},
        {"protocol": None, "ports": (0, 65535)},
        {"remote": "internet"},
        {"remote": "198.51.100.0/24"},
        {"remote": "cloud.acme.example"},
        {"ports": (400, 500)},
    ],
)
def test_a_rule_would_break_what_it_is_about(changes):
    assert is_met(replace(BLOCK, **changes), CLOUD, local=LOCAL)


@pytest.mark.parametrize(
    "changes",
    [
        {"way": Way.IN},
        {"protocol": 17},
        {"ports": (80, 80)},
        {"remote": "local"},
        {"remote": "192.0.2.0/24"},
        {"remote": "2001:db8::/32"},
        {"remote": "other.example"},
    ],
)
def test_and_nothing_else(changes):
    assert not is_met(replace(BLOCK, **changes), CLOUD, local=LOCAL)


def test_what_is_no_address_is_nowhere():
    contact = replace(CLOUD, address="", who="(others)")
    assert not is_met(replace(BLOCK, remote="internet"), contact, local=LOCAL)
    assert not is_met(replace(BLOCK, remote="10.0.0.0/8"), contact, local=LOCAL)
    assert is_met(BLOCK, contact, local=LOCAL)


def test_inside_is_inside():
    contact = replace(CLOUD, address="fd77::5")
    assert is_met(replace(BLOCK, remote="local"), contact, local=LOCAL)
    assert not is_met(replace(BLOCK, remote="internet"), contact, local=LOCAL)


def attempts(ports, **changes):
    return [
        replace(REFUSED, **{"port": port, "dropped": 1, "packets_in": 0, "octets_in": 0, **changes}) for port in ports
    ]


def test_many_ports_of_one_are_one_row_without_a_command():
    rows = gathered([CLOUD, *attempts(range(21, 48)), replace(CLOUD, port=80)])
    assert [one.port for one in rows] == [443, None, 80]
    assert in_words(rows[1]).startswith(
        "it tried to contact 203.0.113.5 by TCP: 27 packets dropped; at 27 ports such as 21, 22"
    )
    assert undo(THING, rows[1]) == ""


@pytest.mark.parametrize(
    "other", [{"who": "203.0.113.6"}, {"protocol": 17}, {"by": "barred"}, {"rule": "3f2a9c41"}, {"outbound": False}]
)
def test_few_or_others_stay_apart(other):
    contacts = [*attempts(range(4)), *attempts(range(4), **other)]
    assert gathered(contacts) == contacts


def test_what_was_allowed_or_has_no_port_stays_as_it_is():
    contacts = [replace(CLOUD, port=port) for port in range(9)] + attempts([None] * 9)
    assert gathered(contacts) == contacts
