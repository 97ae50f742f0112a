import pytest

from tests.unit.protocols.mud.fixture import entry, require_left_out, with_ace
from thingstead.errors import DecodeError
from thingstead.protocols.mud.file import Remote, RemoteKind
from thingstead.protocols.mud.parser import parse


@pytest.mark.parametrize("family", [4, 6])
def test_the_protocol_and_the_family_are_kept(family):
    found = entry({f"ipv{family}": {"protocol": 47}}, kind=f"ipv{family}-acl-type")
    assert (found.family, found.protocol) == (family, 47)


@pytest.mark.spec("RFC 8520 8")
@pytest.mark.parametrize(("acl", "member"), [(0, "dst"), (1, "src")])
def test_a_dns_name_names_the_other_side_in_either_direction(acl, member):
    found = entry({"ipv4": {f"ietf-acldns:{member}-dnsname": "Cloud.maker.example."}}, acl=acl)
    assert found.remote == Remote(RemoteKind.DNS_NAME, "cloud.maker.example")


@pytest.mark.parametrize(
    ("text", "prefix", "message"),
    [("192.0.2.7", "192.0.2.7/32", "without a length"), ("192.0.2.7/24", "192.0.2.0/24", "bits beyond")],
)
def test_a_loose_prefix_is_read_with_a_finding(text, prefix, message):
    file = parse(with_ace({"ipv4": {"destination-ipv4-network": text}}))
    assert str(file.entries[0].remote.prefix) == prefix
    assert message in file.findings[0].message


@pytest.mark.spec("RFC 8520 3.9")
@pytest.mark.parametrize(
    "matches",
    [
        {"ipv4": {"dscp": 46}},
        {"ipv4": {"source-ipv4-network": "192.0.2.1/32"}},
        {"ipv4": {"ietf-acldns:src-dnsname": "me.example"}},
        {"ipv4": {"destination-ipv4-network": "2001:db8::/32"}},
        {"ipv4": {"ttl": 1}},
        {"ipv4": {"colour": 1}},
    ],
)
def test_an_ip_condition_that_cannot_be_kept_leaves_the_entry_out(matches):
    require_left_out(matches)


@pytest.mark.spec("RFC 8519 4.2")
@pytest.mark.parametrize(
    ("matches", "message"),
    [
        ({"ipv6": {"protocol": 6}}, "conditions of IPv4"),
        ({"ipv4": {"protocol": 256}}, "from 0 to 255"),
        ({"ipv4": {"protocol": 6.0}}, "from 0 to 255"),
        ({"ipv4": {"destination-ipv4-network": "192.0.2.0/33"}}, "prefix length in decimal"),
        ({"ipv4": {"destination-ipv4-network": "192.0.2.0/255.255.255.0"}}, "prefix length in decimal"),
        ({"ipv4": {"destination-ipv4-network": "fe80::1%eth0/64"}}, "prefix length in decimal"),
        ({"ipv4": {"destination-ipv4-network": "٣.0.2.0/24"}}, "prefix length in decimal"),
        ({"ipv4": {"ietf-acldns:dst-dnsname": "*.maker.example"}}, "a DNS name"),
        ({"ipv4": {"ietf-acldns:dst-dnsname": "a..b"}}, "a DNS name"),
        ({"ipv4": {"ietf-acldns:dst-dnsname": "a" * 64}}, "a DNS name"),
    ],
)
def test_an_ip_condition_outside_its_type_refuses_the_file(matches, message):
    with pytest.raises(DecodeError, match=message):
        parse(with_ace(matches))
