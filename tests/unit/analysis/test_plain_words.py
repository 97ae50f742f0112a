"""Every rule has a sentence that an owner understands."""

from ipaddress import ip_network
from typing import Any

import pytest

from thingstead.analysis.plain_words import in_words
from thingstead.protocols.mud.file import Direction, Icmp, PortRange, Remote, RemoteKind
from thingstead.protocols.mud.rule import DNS_CLASS, Rule

OUT, IN = Direction.FROM_DEVICE, Direction.TO_DEVICE


def rule(opened_by, remote, protocol=6, port=None, family=4):
    ports: dict[str, Any] = (
        {} if port is None else {"remote_ports" if opened_by is OUT else "device_ports": PortRange(port, port)}
    )
    return Rule(opened_by, family, protocol, remote, **ports)


@pytest.mark.parametrize(
    ("one", "sentence"),
    [
        (
            rule(OUT, Remote(RemoteKind.DNS_NAME, "a.example"), 6, 443),
            "it may contact a.example, by TCP on port 443 (web)",
        ),
        (rule(OUT, Remote(RemoteKind.PREFIX, prefix=ip_network("192.0.2.1/32"))), "it may contact 192.0.2.1, by TCP"),
        (
            rule(OUT, Remote(RemoteKind.PREFIX, prefix=ip_network("2001:db8::/32")), family=6),
            "it may contact 2001:db8::/32, by TCP",
        ),
        (rule(OUT, Remote(RemoteKind.ANY), None), "it may contact anybody on any network, by any protocol"),
        (
            rule(IN, Remote(RemoteKind.LOCAL_NETWORKS), 6, 23),
            "it may be contacted by anything in the local network, by TCP on port 23 (remote login in clear)",
        ),
        (
            rule(IN, Remote(RemoteKind.LOCAL_NETWORKS, prefix=ip_network("10.0.0.0/8")), 17),
            "it may be contacted by 10.0.0.0/8 in the local network, by UDP",
        ),
        (
            rule(OUT, Remote(RemoteKind.CONTROLLER, DNS_CLASS), 17, 53),
            "it may contact the local name server, by UDP on port 53 (names)",
        ),
        (
            rule(OUT, Remote(RemoteKind.CONTROLLER, "urn:x"), 6, 99),
            "it may contact whom the owner named as urn:x, by TCP on port 99",
        ),
        (rule(OUT, Remote(RemoteKind.MANUFACTURER, "b.example")), "it may contact things of b.example here, by TCP"),
        (
            rule(OUT, Remote(RemoteKind.SAME_MANUFACTURER), 1),
            "it may contact things of the same maker here, by ping and its kin (ICMP)",
        ),
        (
            rule(OUT, Remote(RemoteKind.MY_CONTROLLER), 132, 1),
            "it may contact this domain's controller, by IP protocol 132 on port 1",
        ),
    ],
)
def test_a_rule_is_said_in_words(one, sentence):
    assert in_words([one]) == [sentence]


@pytest.mark.parametrize(
    ("one", "sentence"),
    [
        (
            Rule(OUT, 4, 17, Remote(RemoteKind.LOCAL_NETWORKS), device_ports=PortRange(68, 68)),
            "it may contact anything in the local network, by UDP, from port 68",
        ),
        (
            Rule(IN, 4, 6, Remote(RemoteKind.ANY), PortRange(0, 1023), PortRange(80, 80)),
            "it may be contacted by anybody on any network, by TCP on port 80 (web in clear), from port 0-1023",
        ),
        (
            Rule(OUT, 4, 1, Remote(RemoteKind.ANY), icmp=Icmp(8, 0)),
            "it may contact anybody on any network, by ping and its kin (ICMP), type 8",
        ),
    ],
)
def test_what_narrows_a_rule_is_said_too(one, sentence):
    assert in_words([one]) == [sentence]


def test_every_kind_of_remote_has_words():
    prefix = ip_network("192.0.2.0/24")
    for kind in RemoteKind:
        (sentence,) = in_words([rule(OUT, Remote(kind, "name", prefix))])
        assert sentence.startswith("it may contact ")


def test_both_families_are_one_sentence():
    remote = Remote(RemoteKind.DNS_NAME, "a.example")
    assert len(in_words([rule(OUT, remote, family=4), rule(OUT, remote, family=6)])) == 1


def test_a_range_of_ports_is_a_range():
    one = Rule(OUT, 4, 17, Remote(RemoteKind.ANY), PortRange(5000, 6000))
    assert in_words([one])[0].endswith("by UDP on port 5000-6000")
