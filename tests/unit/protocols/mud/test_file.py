from ipaddress import ip_network

import pytest

from thingstead.protocols.mud.file import ANY_PORT, Finding, PortRange, Remote, RemoteKind


@pytest.mark.parametrize(
    ("ports", "told"), [(PortRange(443, 443), "443"), (PortRange(1000, 2000), "1000-2000"), (ANY_PORT, "0-65535")]
)
def test_a_single_port_is_told_as_one(ports, told):
    assert str(ports) == told


@pytest.mark.parametrize(
    ("remote", "told"),
    [
        (Remote(RemoteKind.ANY), "any"),
        (Remote(RemoteKind.DNS_NAME, "cloud.maker.example"), "dns-name cloud.maker.example"),
        (Remote(RemoteKind.LOCAL_NETWORKS, prefix=ip_network("10.0.0.0/8")), "local-networks 10.0.0.0/8"),
        (Remote(RemoteKind.PREFIX, prefix=ip_network("fd77::/64")), "prefix fd77::/64"),
    ],
)
def test_the_other_side_is_told_by_its_kind_and_what_narrows_it(remote, told):
    assert str(remote) == told


@pytest.mark.parametrize(("place", "told"), [("", "/: no zone"), ("/ietf-mud:mud", "/ietf-mud:mud: no zone")])
def test_a_finding_is_told_with_its_place_and_clause(place, told):
    assert str(Finding(place, "no zone", "RFC 8520 §3.4")) == f"{told} (RFC 8520 §3.4)"
