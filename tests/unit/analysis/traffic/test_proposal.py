from __future__ import annotations

from datetime import UTC, datetime
from ipaddress import ip_address

import pytest

from tests.unit.analysis.traffic.packets import CLOUD, DEVICE, ICMP, PHONE, ROUTER, TCP, UDP
from thingstead.analysis.plain_words import in_words
from thingstead.analysis.traffic.inventory import Contact, Device
from thingstead.analysis.traffic.kind import Guess
from thingstead.analysis.traffic.proposal import Proposal, propose
from thingstead.analysis.traffic.site import Site
from thingstead.protocols.mud.parser import parse
from thingstead.protocols.mud.rule import compile_rules
from thingstead.protocols.mud.signature import AdmissionPolicy, admit

NOW = datetime(2026, 1, 1, tzinfo=UTC)
GROUP = ip_address("239.255.255.250").packed


def contact(
    remote: bytes = CLOUD,
    port: int | None = 443,
    *,
    name: str = "",
    protocol: int = TCP,
    outbound: bool = True,
    out: int = 5,
    back: int = 5,
) -> Contact:
    return Contact(outbound, remote, name, protocol, port, 1, out, 60 * out, back, 60 * back, 0.0, 1.0)


def proposal(*contacts: Contact) -> Proposal:
    device = Device(DEVICE, (), Guess("", 0.0, ()), (), (), contacts, 0.0, 1.0, 1)
    return propose(device, model="lamp", is_local=Site().is_local, at=NOW)


def allowed(*contacts: Contact) -> list[str]:
    policy = AdmissionPolicy("test", insecure_unsigned=True)
    rules = compile_rules(admit(proposal(*contacts).document, None, policy=policy, at=NOW))
    return in_words(rules.rules[:-6])


def why_not(one: Contact) -> str:
    made = proposal(one)
    assert made.services == 0
    return made.left_out[0].reason


@pytest.mark.requirement("R-81")
def test_what_was_answered_is_proposed_by_name() -> None:
    assert allowed(contact(name="cloud.example")) == ["it may contact cloud.example, by TCP on port 443 (web)"]


def test_the_file_is_read_without_a_finding_and_signed_by_nobody() -> None:
    file = parse(proposal(contact(name="cloud.example"), contact(PHONE, 9, protocol=UDP)).document)
    assert file.findings == ()
    assert "signed by nobody" in file.system_info


def test_a_neighbour_is_any_of_the_site() -> None:
    assert allowed(contact(PHONE, 80, outbound=False)) == [
        "it may be contacted by anything in the local network, by TCP on port 80 (web in clear)"
    ]


def test_a_group_needs_no_answer() -> None:
    assert "it may contact 239.255.255.250, by UDP on port 1900 (local discovery)" in allowed(
        contact(GROUP, 1900, protocol=UDP, back=0)
    )


def test_two_names_of_one_service_are_two_rights_and_the_same_twice_is_one() -> None:
    made = proposal(contact(name="a.example"), contact(name="a.example"), contact(name="b.example"))
    assert made.services == 2


def test_an_address_without_a_name_is_proposed_with_a_doubt() -> None:
    made = proposal(contact())
    assert made.services == 1
    assert made.doubts == ("198.51.100.9 is an address without a name: it will not follow its owner",)


def test_datagrams_to_nobody_known_are_doubted_twice_over() -> None:
    assert "ask its maker what for" in proposal(contact(port=9, protocol=UDP)).doubts[1]


def test_remote_login_is_doubted() -> None:
    assert "in clear" in proposal(contact(port=23, name="x.example")).doubts[0]


def test_a_neighbour_is_not_doubted() -> None:
    assert proposal(contact(PHONE, 9, protocol=UDP)).doubts == ()


def test_a_far_name_server_is_the_class_of_name_servers() -> None:
    assert allowed(contact(port=53, protocol=UDP))[0].startswith("it may contact the local name server")


def test_who_gives_addresses_may_answer() -> None:
    assert proposal(contact(ROUTER, 68, protocol=UDP, outbound=False, out=0)).services == 1


@pytest.mark.requirement("R-81")
@pytest.mark.parametrize(
    ("one", "reason"),
    [
        (contact(outbound=False), "begun from outside of the site"),
        (contact(outbound=False, port=23, name="botnet.example"), "begun from outside of the site"),
        (contact(back=0), "nobody answered"),
        (contact(PHONE, outbound=False, out=0), "it did not answer"),
        (contact(protocol=ICMP, port=None), "neither TCP nor UDP: every site decides about it by itself"),
        (contact(b"", None), "too many kinds to name them"),
        (contact(ROUTER, 53, protocol=UDP), "the site's name server is allowed to everybody (RFC 8520 §5)"),
    ],
)
def test_what_is_not_proposed_says_why(one: Contact, reason: str) -> None:
    assert why_not(one) == reason
