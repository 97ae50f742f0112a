import pytest

from tests.unit.analysis.detectors.traffic import back, lookup, packet, syn, udp
from thingstead.analysis.detectors.query import owner_of, question


@pytest.mark.spec("RFC 1035 4.1.2")
def test_a_question_is_read():
    assert question(lookup(0, "Time.Example.COM")) == "time.example.com"


@pytest.mark.parametrize(
    "one",
    [
        udp(0, b"", ports=(4000, 53)),
        udp(0, b"\xff" * 40, ports=(4000, 53)),
        udp(0, lookup(0, "example.com").payload, ports=(4000, 5353)),
        packet(0, ports=(4000, 53), payload=lookup(0, "example.com").payload),
        syn(0, port=53),
        back(lookup(0, "example.com"), payload=lookup(0, "example.com").payload),
        lookup(0, "7.100.51.198.in-addr.arpa"),
    ],
    ids=["empty", "no message", "another port", "TCP", "no payload", "an answer", "an address"],
)
def test_what_asks_for_no_name_is_empty(one):
    assert question(one) == ""


@pytest.mark.parametrize(
    ("name", "owner"),
    [
        ("a.b.example.com", "example.com"),
        ("example.com", "example.com"),
        ("shop.example.co.uk", "example.co.uk"),
        ("localhost", "localhost"),
        ("", ""),
        ("x.ab.de", "x.ab.de"),
    ],
)
def test_who_registered_a_name(name, owner):
    assert owner_of(name) == owner
