from itertools import chain

import pytest

from tests.unit.analysis.detectors.traffic import (
    GATEWAY,
    LAMP,
    LAMP_IP,
    OTHER_IP,
    REMOTE_IP,
    back,
    packet,
    syn,
    told,
    udp,
)

NAME = "vertical_scan"


def doors(count, *, every=1.0, **fields):
    return [syn(number * every, to=OTHER_IP, port=1 + number, **fields) for number in range(count)]


def closed(at, port, *, family=4):
    """A host says that nobody is behind a port of its."""
    quoted = bytes(4) + bytes(20 if family == 4 else 40) + bytes(2) + port.to_bytes(2) + bytes(4)
    source, to = (REMOTE_IP, "192.168.1.11") if family == 4 else ("2001:db8::7", "fd00::11")
    protocol, icmp = (1, (3, 3)) if family == 4 else (58, (1, 4))
    return packet(at, source=source, to=to, mac=GATEWAY, to_mac=LAMP, protocol=protocol, icmp=icmp, payload=quoted)


@pytest.mark.requirement("R-38")
def test_a_device_that_tries_many_ports_of_one_host_is_found():
    (found,) = told(NAME, *doors(15))
    assert (found.device, found.subject, found.evidence[0]) == (LAMP, OTHER_IP, f"{OTHER_IP} port 1 tried")


def tried(at, port, *, family=4):
    """A datagram to such a door, and what comes back."""
    refusal = closed(at, port, family=family)
    source, to = (LAMP_IP, REMOTE_IP) if family == 4 else ("fd00::11", "2001:db8::7")
    return udp(at, source=source, to=to, ports=(40_000, port)), refusal


@pytest.mark.spec("RFC 792")
@pytest.mark.spec("RFC 4443 3.1")
@pytest.mark.parametrize("family", [4, 6])
def test_whose_datagrams_meet_closed_ports_is_found_by_what_comes_back(family):
    (found,) = told(NAME, *chain(*[tried(number, 100 + number, family=family) for number in range(15)]))
    assert (found.device, found.last) == (LAMP, 14)
    assert found.evidence[0].endswith("port 100 tried")


@pytest.mark.parametrize(
    "packets",
    [
        doors(14),
        doors(60, every=4.3),
        [syn(number, to=OTHER_IP, port=80, from_port=number + 1) for number in range(60)],
        [syn(number, to=f"192.168.1.{number + 20}", port=number + 1) for number in range(60)],
        [back(one) for one in doors(60)],
        [*chain(*[tried(number, 100) for number in range(60)])],
        [closed(number, 100 + number) for number in range(60)],
        [*tried(0, 100), *[closed(number, 100 + number) for number in range(60)]],
        [packet(number, protocol=1, icmp=(3, 3), payload=b"short") for number in range(60)],
        [packet(number, protocol=1, icmp=(3, 1), payload=closed(0, number).payload) for number in range(60)],
        [udp(number, to=OTHER_IP, ports=(53, 1024 + number)) for number in range(60)],
    ],
    ids=[
        "few",
        "slow",
        "one port",
        "hosts",
        "answers",
        "one closed",
        "never tried",
        "one tried",
        "cut off",
        "host unreachable",
        "a resolver",
    ],
)
def test_what_is_no_search_for_doors_is_not_told(packets):
    assert not told(NAME, *packets)


def test_it_is_told_anew_only_after_as_many_again():
    assert len(told(NAME, *doors(29))) == 1
