from __future__ import annotations

from tests.unit.analysis.traffic.packets import CLOUD, DEVICE, TCP
from tests.unit.analysis.traffic.test_proposal import contact
from thingstead.analysis.traffic.inventory import Contact, Device
from thingstead.analysis.traffic.kind import Guess
from thingstead.analysis.traffic.likeness import likeness
from thingstead.protocols.mud.file import Direction, PortRange, Remote, RemoteKind
from thingstead.protocols.mud.rule import Rule, RuleSet


def device(*contacts: Contact) -> Device:
    return Device(DEVICE, (), Guess("", 0.0, ()), (), (), contacts, 0.0, 1.0, 1)


def file(url: str, *names: str, port: int = 443, kind: RemoteKind = RemoteKind.DNS_NAME) -> RuleSet:
    ports = PortRange(port, port)
    rules = tuple(Rule(Direction.FROM_DEVICE, 4, TCP, Remote(kind, name), ports) for name in names)
    return RuleSet(url, rules, (), None, "test", 48, None)


def test_the_file_that_names_more_of_the_traffic_comes_first() -> None:
    found = likeness(
        device(contact(name="a.example", out=6, back=0), contact(name="b.example", out=2, back=0)),
        [file("https://b.example", "b.example"), file("https://a.example", "a.example", "z.example")],
    )
    assert [(one.url, one.confidence, one.names) for one in found] == [
        ("https://a.example", 0.75, ("a.example",)),
        ("https://b.example", 0.25, ("b.example",)),
    ]


def test_a_file_that_lets_anybody_speak_is_like_nothing() -> None:
    assert likeness(device(contact(name="a.example")), [file("https://any.example", "", kind=RemoteKind.ANY)]) == ()


def test_another_port_or_name_is_no_likeness() -> None:
    files = [file("https://x.example", "a.example", port=80), file("https://y.example", "b.example")]
    assert likeness(device(contact(name="a.example")), files) == ()


def test_time_servers_make_no_likeness() -> None:
    clock = contact(name="pool.example", port=123, protocol=17)
    assert likeness(device(clock), [file("https://x.example", "pool.example", port=123)]) == ()


def test_what_came_from_outside_or_has_no_name_makes_no_likeness() -> None:
    assert likeness(device(contact(CLOUD), contact(name="a.example", outbound=False)), [file("u", "a.example")]) == ()
