import pytest

from tests.unit.protocols.mud.fixture import bent, with_ace
from thingstead.analysis.mud_explanation import explain, remark
from thingstead.protocols.mud.file import Direction, PortRange, Remote, RemoteKind
from thingstead.protocols.mud.parser import parse
from thingstead.protocols.mud.rule import Rule

IN, OUT = Direction.TO_DEVICE, Direction.FROM_DEVICE
MAKER = Remote(RemoteKind.DNS_NAME, "maker.example")


@pytest.mark.spec("RFC 8520 5")
def test_an_entry_is_told_with_its_name_its_place_and_its_rule():
    (told,) = explain(parse(bent()))
    assert (told.entry, told.place) == ("cloud", "/ietf-access-control-list:acls/acl/0/aces/ace/0")
    assert told.words == "it may contact cloud.maker.example, by TCP on port 443 (web)"
    assert told.rule == "thing -> dns-name cloud.maker.example, ipv4, tcp, remote port 443"
    assert told.remark == ""


@pytest.mark.spec("RFC 8520 4.8")
def test_an_entry_for_answers_is_told_as_one():
    (told,) = explain(parse(with_ace({"tcp": {"ietf-mud:direction-initiated": "to-device"}})))
    assert (told.words.split()[:2], told.rule) == (["describes", "answers"], "")


def test_what_its_maker_says_of_handshakes_is_told_too():
    profile = {"tls-dtls-profile": [{"name": "cloud", "supported-tls-version": ["tls13"]}]}
    (told,) = explain(parse(with_ace({"tcp": {}, "ietf-acl-tls:client-profiles": profile})))
    assert told.words == "it may contact anybody on any network, by TCP, by TLS 1.3 (profile cloud)"


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        (Rule(OUT, 4, 6, Remote(RemoteKind.ANY)), "it may go anywhere"),
        (Rule(IN, 4, 6, Remote(RemoteKind.ANY)), "everybody on the Internet may open it"),
        (Rule(OUT, 4, 6, MAKER, PortRange(23, 23)), "telnet is read and changed by whoever is on the way"),
        (Rule(IN, 4, 6, MAKER, device_ports=PortRange(80, 80)), "HTTP is read and changed by whoever is on the way"),
        (Rule(OUT, 4, 17, MAKER, PortRange(80, 80)), ""),
        (Rule(OUT, 4, None, MAKER), "every protocol"),
        (Rule(IN, 4, 17, MAKER), "every port of the thing"),
        (Rule(IN, 4, 17, MAKER, PortRange(53, 53)), ""),
        (Rule(OUT, 4, 17, MAKER), ""),
    ],
)
def test_a_rule_that_deserves_a_second_look_gets_a_remark(rule, expected):
    assert remark(rule) == expected
