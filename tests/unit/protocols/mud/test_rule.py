from ipaddress import ip_network

import pytest

from tests.unit.protocols.mud.fixture import AT, bent, with_ace
from thingstead.protocols.mud.file import Direction, PortRange, Remote, RemoteKind
from thingstead.protocols.mud.rule import DNS_CLASS, Rule, Surroundings, compile_rules, difference
from thingstead.protocols.mud.signature import AdmissionPolicy, admit

LAB = AdmissionPolicy("lab", insecure_unsigned=True)
SITE = ip_network("10.77.0.0/16")
CONTROLLER = ip_network("10.77.0.1/32")


def rules_of(data):
    return compile_rules(admit(data, None, policy=LAB, at=AT))


def own(data):
    return [rule for rule in rules_of(data).rules if rule.remote.kind is not RemoteKind.CONTROLLER]


@pytest.mark.spec("RFC 8520 5")
@pytest.mark.requirement("R-80")
def test_an_entry_becomes_a_rule_beside_local_dns_and_time():
    rules = rules_of(bent())
    assert [str(rule) for rule in rules.rules][:2] == [
        "thing -> dns-name cloud.maker.example, ipv4, tcp, remote port 443",
        f"thing -> controller {DNS_CLASS}, ipv4, udp, remote port 53",
    ]
    assert len(rules.rules) == 7
    assert (rules.dns_names, rules.authority) == (("cloud.maker.example",), "maker.example")


@pytest.mark.spec("RFC 8520 4.8")
@pytest.mark.parametrize(
    ("acl", "initiated", "opens"),
    [
        (0, "from-device", Direction.FROM_DEVICE),
        (1, "from-device", None),
        (0, "to-device", None),
        (1, "to-device", Direction.TO_DEVICE),
    ],
)
def test_an_entry_for_replies_opens_nothing(acl, initiated, opens):
    matches = {"ietf-mud:mud": {"my-controller": [None]}, "tcp": {"ietf-mud:direction-initiated": initiated}}
    assert [rule.opened_by for rule in own(with_ace(matches, acl=acl))] == ([opens] if opens else [])


def test_an_entry_that_does_not_say_opens_in_its_own_direction():
    matches = {"ietf-mud:mud": {"my-controller": [None]}, "udp": {"source-port": {"operator": "eq", "port": 5683}}}
    (rule,) = own(with_ace(matches, acl=1))
    assert (rule.opened_by, rule.remote_ports) == (Direction.TO_DEVICE, PortRange(5683, 5683))


SURROUNDINGS = Surroundings(
    local_networks=(SITE, ip_network("fd77::/64")),
    my_controller=(CONTROLLER,),
    controllers={DNS_CLASS: (CONTROLLER,)},
    manufacturers={"maker.example": (ip_network("10.77.1.2/32"),)},
    models={"https://maker.example/x": (ip_network("10.77.1.3/32"),)},
    names={"cloud.maker.example": (ip_network("198.51.100.7/32"), ip_network("2001:db8::7/128"))},
)


@pytest.mark.spec("RFC 8520 4")
@pytest.mark.parametrize(
    ("remote", "family", "expected"),
    [
        (Remote(RemoteKind.ANY), 4, "0.0.0.0/0"),
        (Remote(RemoteKind.ANY), 6, "::/0"),
        (Remote(RemoteKind.PREFIX, prefix=ip_network("192.0.2.0/24")), 4, "192.0.2.0/24"),
        (Remote(RemoteKind.PREFIX, prefix=ip_network("192.0.2.0/24")), 6, ""),
        (Remote(RemoteKind.LOCAL_NETWORKS), 4, "10.77.0.0/16"),
        (Remote(RemoteKind.LOCAL_NETWORKS), 6, "fd77::/64"),
        (Remote(RemoteKind.LOCAL_NETWORKS, prefix=ip_network("224.0.0.22/32")), 4, "224.0.0.22/32"),
        (Remote(RemoteKind.LOCAL_NETWORKS, prefix=ip_network("255.255.255.255/32")), 4, "255.255.255.255/32"),
        (Remote(RemoteKind.LOCAL_NETWORKS, prefix=ip_network("10.77.9.0/24")), 4, "10.77.9.0/24"),
        (Remote(RemoteKind.LOCAL_NETWORKS, prefix=ip_network("10.0.0.0/8")), 4, "10.77.0.0/16"),
        (Remote(RemoteKind.LOCAL_NETWORKS, prefix=ip_network("198.51.100.0/24")), 4, ""),
        (Remote(RemoteKind.LOCAL_BROADCAST), 4, "255.255.255.255/32 10.77.255.255/32"),
        (Remote(RemoteKind.LOCAL_BROADCAST), 6, ""),
        (Remote(RemoteKind.MY_CONTROLLER), 4, "10.77.0.1/32"),
        (Remote(RemoteKind.MY_CONTROLLER), 6, ""),
        (Remote(RemoteKind.SAME_MANUFACTURER), 4, "10.77.1.2/32"),
        (Remote(RemoteKind.MANUFACTURER, "Maker.example"), 4, "10.77.1.2/32"),
        (Remote(RemoteKind.MANUFACTURER, "other.example"), 4, ""),
        (Remote(RemoteKind.MODEL, "https://maker.example/x"), 4, "10.77.1.3/32"),
        (Remote(RemoteKind.CONTROLLER, "urn:x"), 4, ""),
        (Remote(RemoteKind.DNS_NAME, "cloud.maker.example"), 6, "2001:db8::7/128"),
        (Remote(RemoteKind.DNS_NAME, "nobody.example"), 4, ""),
    ],
)
def test_what_a_name_means_is_the_sites_answer_or_nothing(remote, family, expected):
    rule = Rule(Direction.FROM_DEVICE, family, None, remote)
    found = SURROUNDINGS.resolve(rule, authority="maker.example")
    assert [str(prefix) for prefix in found] == expected.split()


@pytest.mark.spec("RFC 8520 16")
def test_a_new_file_that_lets_the_thing_do_more_is_told_apart_from_one_that_does_not():
    narrow, wide = rules_of(with_ace({})), rules_of(bent())
    narrow = rules_of(with_ace({}, action="drop"))
    assert difference(narrow, wide).widens
    assert not difference(wide, narrow).widens
    assert difference(wide, narrow).removed == (wide.rules[0],)
    assert difference(None, narrow).added == narrow.rules
    assert difference(narrow, None).removed == narrow.rules
