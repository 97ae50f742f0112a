import pytest

from tests.unit.analysis.detectors.traffic import GATEWAY, LAMP, LAMP_IP, OTHER_IP, REMOTE_IP, told, udp

NAME = "amplification"


def asked(count, *, service=1900, small=30, large=300, by=REMOTE_IP, every=0.1):
    """Questions from outside to a service at the lamp, with its answers."""
    steps = []
    for number in range(count):
        at = number * every
        ends = {"source": by, "to": LAMP_IP, "mac": GATEWAY, "to_mac": LAMP, "ports": (4000, service)}
        steps.append(udp(at, bytes(small), **ends))
        steps.append(udp(at, bytes(large), to=by, ports=(service, 4000)))
    return steps


@pytest.mark.requirement("R-38")
@pytest.mark.parametrize("service", [53, 123, 1900, 5683])
def test_a_thing_that_answers_strangers_with_much_more_is_found(service):
    (found,) = told(NAME, *asked(20, service=service))
    assert (found.device, found.evidence) == (LAMP, (f"600 octets asked, 6000 answered, the last to {REMOTE_IP}",))


@pytest.mark.parametrize(
    "packets",
    [
        asked(19),
        asked(100, every=4.0),
        asked(100, large=100),
        asked(100, service=4500),
        asked(100, by=OTHER_IP),
        [one for one in asked(100) if one.source_port == 1900],
        [one for one in asked(100) if one.source_port != 1900],
    ],
    ids=["few", "slow", "as little", "another service", "a neighbour", "nobody asked", "no answers"],
)
def test_what_is_no_reflector_is_not_told(packets):
    assert not told(NAME, *packets)
