from ipaddress import ip_network

import pytest

from tests.unit.protocols.mud.fixture import AT
from thingstead.protocols.mud.builder import Description, Service, render
from thingstead.protocols.mud.file import Direction, PortRange, Remote, RemoteKind
from thingstead.protocols.mud.parser import parse
from thingstead.protocols.mud.rule import compile_rules
from thingstead.protocols.mud.signature import AdmissionPolicy, admit

SERVICES = (
    Service(Remote(RemoteKind.MY_CONTROLLER), 17, remote_port=5683),
    Service(Remote(RemoteKind.MY_CONTROLLER), 17, device_port=5683),
    Service(Remote(RemoteKind.DNS_NAME, "cloud.maker.example"), 6, remote_port=443),
    Service(Remote(RemoteKind.MODEL, "https://maker.example/hub"), 6, device_port=80, opened_by=Direction.TO_DEVICE),
    Service(Remote(RemoteKind.PREFIX, prefix=ip_network("192.0.2.0/24")), 17),
)


def described(services):
    return Description("https://maker.example/lamp", AT, "A lamp", "Maker", "lamp-1", services)


@pytest.mark.spec("RFC 8520 9")
def test_a_rendered_file_is_read_without_a_finding():
    file = parse(render(described(SERVICES)))
    assert file.findings == ()
    assert (file.manufacturer, file.model, file.last_update) == ("Maker", "lamp-1", AT)
    assert file.signature_url == "https://maker.example/lamp.p7s"
    assert len(file.entries) == 4 * 4 + 2


def test_each_service_opens_where_it_says():
    data = render(described(SERVICES))
    rules = compile_rules(admit(data, None, policy=AdmissionPolicy("lab", insecure_unsigned=True), at=AT)).rules
    tcp = [rule for rule in rules if rule.protocol == 6 and rule.family == 4 and rule.remote.name[:3] != "urn"]
    assert [(rule.opened_by, rule.remote_ports, rule.device_ports) for rule in tcp] == [
        (Direction.FROM_DEVICE, PortRange(443, 443), PortRange(0, 65535)),
        (Direction.TO_DEVICE, PortRange(0, 65535), PortRange(80, 80)),
    ]


def test_a_service_that_is_neither_tcp_nor_udp_is_a_mistake_of_ours():
    with pytest.raises(ValueError, match="TCP"):
        render(described((Service(Remote(RemoteKind.MY_CONTROLLER), 132),)))
