import pytest

from tests.unit.protocols.mud.fixture import with_ace
from thingstead.errors import DecodeError
from thingstead.protocols.mud.file import ANY_PORT, Icmp, PortRange, RemoteKind
from thingstead.protocols.mud.parser import parse

TCP = {"ipv4": {"protocol": 6}}


def entry(matches, **kwargs):
    (found,) = parse(with_ace(matches, **kwargs)).entries
    return found


@pytest.mark.spec("RFC 8519 4.2")
@pytest.mark.parametrize(
    ("ports", "expected"),
    [
        ({"operator": "eq", "port": 5683}, PortRange(5683, 5683)),
        ({"port": 5683}, PortRange(5683, 5683)),
        ({"operator": "lte", "port": 1023}, PortRange(0, 1023)),
        ({"operator": "gte", "port": 1024}, PortRange(1024, 65535)),
        ({"lower-port": 1, "upper-port": 9}, PortRange(1, 9)),
        ({"lower-port": 7}, PortRange(7, 7)),
    ],
)
def test_ports_of_either_side_follow_the_direction(ports, expected):
    out = entry({"udp": {"destination-port": ports}})
    assert (out.remote_ports, out.device_ports, out.protocol) == (expected, ANY_PORT, 17)
    back = entry({"udp": {"destination-port": ports}}, acl=1)
    assert (back.remote_ports, back.device_ports) == (ANY_PORT, expected)


@pytest.mark.spec("RFC 8520 4")
@pytest.mark.parametrize(
    ("matches", "kind", "name"),
    [
        ({"local-networks": [None]}, RemoteKind.LOCAL_NETWORKS, ""),
        ({"my-controller": [None]}, RemoteKind.MY_CONTROLLER, ""),
        ({"same-manufacturer": [None]}, RemoteKind.SAME_MANUFACTURER, ""),
        ({"controller": "urn:ietf:params:mud:dns"}, RemoteKind.CONTROLLER, "urn:ietf:params:mud:dns"),
        ({"manufacturer": "maker.example"}, RemoteKind.MANUFACTURER, "maker.example"),
        ({"model": "https://maker.example/x"}, RemoteKind.MODEL, "https://maker.example/x"),
    ],
)
def test_the_other_side_may_be_named_by_its_part(matches, kind, name):
    found = entry({"ietf-mud:mud": matches})
    assert (found.remote.kind, found.remote.name) == (kind, name)


def test_local_networks_may_be_narrowed_by_a_prefix():
    found = entry({"ietf-mud:mud": {"local-networks": [None]}, "ipv4": {"destination-ipv4-network": "224.0.0.22/32"}})
    assert str(found.remote) == "local-networks 224.0.0.22/32"


def test_a_broadcast_frame_to_the_broadcast_address_says_nothing_new():
    ethernet = {"ethertype": "0x0800", "destination-mac-address": "ff:ff:ff:ff:ff:ff"}
    found = entry({"eth": ethernet, "ipv4": {"destination-ipv4-network": "255.255.255.255/32"}})
    assert str(found.remote.prefix) == "255.255.255.255/32"


def test_icmp_keeps_type_and_code_and_its_family_gives_the_protocol():
    assert entry({"icmp": {"type": 8, "code": 0}}).icmp == Icmp(8, 0)
    assert entry({"icmp": {"type": 128}}, kind="ipv6-acl-type").protocol == 58


@pytest.mark.spec("RFC 8520 3.9")
@pytest.mark.parametrize(
    "matches",
    [
        {"vendor:colour": {"hue": 1}},
        {"ipv4": {"dscp": 46}},
        {"ipv4": {"source-ipv4-network": "192.0.2.1/32"}},
        {"ipv4": {"ietf-acldns:src-dnsname": "me.example"}},
        {"ipv4": {"destination-ipv4-network": "2001:db8::/32"}},
        {"ipv4": {"ietf-acldns:dst-dnsname": "a.example", "destination-ipv4-network": "192.0.2.0/24"}},
        {"ietf-mud:mud": {"my-controller": [None], "same-manufacturer": [None]}},
        {"ietf-mud:mud": {"colour": [None]}},
        {"tcp": {"flags": "syn"}},
        {"udp": {"ietf-mud:direction-initiated": "from-device"}},
        {"udp": {"destination-port": {"operator": "neq", "port": 23}}},
        {"icmp": {"rest-of-header": "AA=="}},
        {"eth": {"source-mac-address": "02:00:00:00:00:01"}},
        {"eth": {"destination-mac-address": "ff:ff:ff:ff:ff:ff"}},
        {"eth": {"ethertype": "0x0806"}},
    ],
)
def test_an_entry_with_a_condition_we_cannot_keep_is_left_out_whole(matches):
    file = parse(with_ace(matches))
    assert file.entries == ()
    assert all(finding.narrows for finding in file.findings)
    assert file.findings


def test_an_ethernet_list_is_left_out_with_one_finding_per_entry():
    file = parse(with_ace({"eth": {"ethertype": "0x888e"}}, kind="eth-acl-type"))
    assert (file.entries, len(file.findings)) == ((), 1)


@pytest.mark.spec("RFC 8519 4.2")
@pytest.mark.parametrize(
    ("matches", "message"),
    [
        ({"ipv6": {"protocol": 6}}, "conditions of IPv4"),
        ({"ipv4": {"protocol": 17}, "tcp": {}}, "conditions of IP protocol 17 only"),
        ({"ipv4": {"protocol": 256}}, "from 0 to 255"),
        ({"ipv4": {"protocol": 6.0}}, "from 0 to 255"),
        ({"ipv4": {"destination-ipv4-network": "192.0.2.0/33"}}, "prefix length in decimal"),
        ({"ipv4": {"destination-ipv4-network": "192.0.2.0/255.255.255.0"}}, "prefix length in decimal"),
        ({"ipv4": {"destination-ipv4-network": "fe80::1%eth0/64"}}, "prefix length in decimal"),
        ({"ipv4": {"destination-ipv4-network": "٣.0.2.0/24"}}, "prefix length in decimal"),
        ({"ipv4": {"ietf-acldns:dst-dnsname": "*.maker.example"}}, "a DNS name"),
        ({"ipv4": {"ietf-acldns:dst-dnsname": "a..b"}}, "a DNS name"),
        ({"ipv4": {"ietf-acldns:dst-dnsname": "a" * 64}}, "a DNS name"),
        ({"tcp": {"destination-port": {"operator": "eq", "port": 65536}}}, "from 0 to 65535"),
        ({"tcp": {"destination-port": {"operator": "near", "port": 1}}}, "eq, lte, gte or neq"),
        ({"tcp": {"destination-port": {"lower-port": 9, "upper-port": 8}}}, "from 9 to 65535"),
        ({"tcp": {"destination-port": {}}}, "'lower-port', which is missing"),
        ({"tcp": {"ietf-mud:direction-initiated": "both"}}, "from-device or to-device"),
        ({"ietf-mud:mud": {"my-controller": True}}, "YANG empty"),
        ({"icmp": {"type": 256}}, "from 0 to 255"),
        ({"icmp": [], "ipv4": {}}, "an object"),
    ],
)
def test_a_condition_outside_its_type_refuses_the_file(matches, message):
    with pytest.raises(DecodeError, match=message):
        parse(with_ace(matches))


@pytest.mark.parametrize(
    ("text", "prefix", "message"),
    [("192.0.2.7", "192.0.2.7/32", "without a length"), ("192.0.2.7/24", "192.0.2.0/24", "bits beyond")],
)
def test_a_loose_prefix_is_read_with_a_finding(text, prefix, message):
    file = parse(with_ace({"ipv4": {"destination-ipv4-network": text}}))
    assert str(file.entries[0].remote.prefix) == prefix
    assert message in file.findings[0].message
