import pytest

from tests.unit.protocols.mud.fixture import entry, require_left_out, with_ace
from thingstead.errors import DecodeError
from thingstead.protocols.mud.file import Remote, RemoteKind
from thingstead.protocols.mud.parser import parse


def test_local_networks_may_be_narrowed_by_a_prefix():
    found = entry({"ietf-mud:mud": {"local-networks": [None]}, "ipv4": {"destination-ipv4-network": "224.0.0.22/32"}})
    assert str(found.remote) == "local-networks 224.0.0.22/32"


@pytest.mark.spec("RFC 1122 3.3.6")
@pytest.mark.parametrize("extra", [{}, {"ietf-mud:mud": {"local-networks": [None]}}])
def test_a_frame_to_everybody_goes_to_the_local_broadcast_addresses(extra):
    found = entry({"eth": {"destination-mac-address": "FF:FF:FF:FF:FF:FF"}, "udp": {}, **extra})
    assert found.remote == Remote(RemoteKind.LOCAL_BROADCAST)


@pytest.mark.parametrize(
    ("mac", "address", "family"),
    [("01:00:5e:7f:ff:fa", "239.255.255.250", 4), ("01:00:5e:00:00:16", "224.128.0.22/32", 4),
     ("33:33:00:01:00:03", "ff02::1:3/128", 6)],
)  # fmt: skip
def test_a_multicast_frame_to_its_own_group_says_nothing_new(mac, address, family):
    ethernet = {"destination-mac-address": mac, "destination-mac-address-mask": "ff:ff:ff:ff:ff:ff"}
    matches = {"eth": ethernet, f"ipv{family}": {f"destination-ipv{family}-network": address}}
    found = entry(matches, kind=f"ipv{family}-acl-type")
    assert (found.remote.kind, str(found.remote.prefix).split("/")[0]) == (RemoteKind.PREFIX, address.split("/")[0])


def test_a_frame_to_everybody_is_nothing_to_hold_a_thing_to_that_it_comes_to():
    assert parse(with_ace({"eth": {"destination-mac-address": "ff:ff:ff:ff:ff:ff"}}, acl=1)).entries == ()


def test_gaps_on_both_sides_give_every_pair():
    ports = {"operator": "neq", "port": 9}
    assert len(parse(with_ace({"udp": {"destination-port": ports, "source-port": ports}})).entries) == 4


@pytest.mark.spec("RFC 8520 3.9")
@pytest.mark.parametrize(
    "matches",
    [
        {"vendor:colour": {"hue": 1}},
        {"ipv4": {"ietf-acldns:dst-dnsname": "a.example", "destination-ipv4-network": "192.0.2.0/24"}},
        {"ietf-mud:mud": {"my-controller": [None], "same-manufacturer": [None]}},
    ],
)
def test_a_combination_that_cannot_be_kept_leaves_the_entry_out(matches):
    require_left_out(matches)


def test_an_ethernet_list_is_left_out_with_one_finding_per_entry():
    file = parse(with_ace({"eth": {"ethertype": "0x0006"}}, kind="eth-acl-type"))
    assert (file.entries, len(file.findings), file.findings[0].narrows) == ((), 1, True)


@pytest.mark.parametrize("ethertype", ["0x888e", "0x0806", "arp", 0x0806])
def test_what_every_thing_may_do_at_its_port_says_nothing_new(ethertype):
    (finding,) = parse(with_ace({"eth": {"ethertype": ethertype}}, kind="eth-acl-type")).findings
    assert not finding.narrows


@pytest.mark.spec("RFC 8519 4.2")
@pytest.mark.parametrize(
    ("matches", "message"),
    [
        ({"ipv4": {"protocol": 17}, "tcp": {}}, "conditions of IP protocol 17 only"),
        ({"udp": {}, "tcp": {}}, "conditions of IP protocol 17 only"),
    ],
)
def test_a_combination_outside_its_type_refuses_the_file(matches, message):
    with pytest.raises(DecodeError, match=message):
        parse(with_ace(matches))
