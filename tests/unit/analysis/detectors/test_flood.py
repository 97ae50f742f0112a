import pytest

from tests.unit.analysis.detectors.traffic import LAMP, REMOTE_IP, arp, back, packet, syn, tcp, told, udp

NAME = "flood"


def many(make, count, *, every=0.01, **fields):
    return [make(number * every, **fields) for number in range(count)]


def pings(count):
    return many(packet, count, protocol=1, ports=(None, None), icmp=(8, 0))


@pytest.mark.requirement("R-38")
@pytest.mark.parametrize(
    ("packets", "what"),
    [
        (many(syn, 100), "100 connections asked for"),
        (many(udp, 500, every=0.019), "500 datagrams"),
        (pings(200), "200 ICMP messages"),
    ],
    ids=["SYN", "UDP", "ICMP"],
)
def test_much_to_a_host_that_does_not_answer_is_found(packets, what):
    (found,) = told(NAME, *packets)
    assert (found.device, found.subject) == (LAMP, REMOTE_IP)
    assert what in found.evidence[0]
    assert "0 answers" in found.evidence[0]


def test_forged_senders_are_found_by_their_link_layer_address():
    forged = [syn(number / 100, source=f"203.0.113.{number}") for number in range(100)]
    assert [one.device for one in told(NAME, *forged)] == [LAMP]


@pytest.mark.parametrize(
    "packets",
    [
        many(syn, 99),
        many(syn, 1000, every=0.2),
        many(udp, 499, every=0.019),
        many(udp, 790),
        [
            each
            for at, one in enumerate(many(udp, 8000, every=0.0025))
            for each in (one, back(one))[: 2 - bool(at % 2000)]
        ],
        [each for one in many(udp, 2000) for each in (one, back(one))],
        [each for one in many(syn, 400) for each in (one, back(one, flags=0x12))],
        many(tcp, 2000, payload=b"much"),
        many(udp, 2000, to="224.0.0.251", to_mac=bytes.fromhex("01005e0000fb")),
        many(arp, 500),
        [syn(number / 100, to=f"203.0.113.{number % 250 + 1}") for number in range(2000)],
    ],
    ids=[
        "few",
        "slow",
        "few datagrams",
        "short",
        "a stream",
        "answered",
        "accepted",
        "one connection",
        "group",
        "ARP",
        "many hosts",
    ],
)
def test_what_is_no_flood_is_not_told(packets):
    assert not told(NAME, *packets)
