import pytest

from tests.unit.analysis.detectors.traffic import GATEWAY, LAMP, OTHER_IP, REMOTE_IP, back, syn, told

NAME = "mail"


def sends(count, *, every=10.0, port=25, **fields):
    return [syn(number * every, port=port, from_port=40_000 + number, **fields) for number in range(count)]


@pytest.mark.requirement("R-38")
@pytest.mark.parametrize("port", [25, 465, 587])
def test_a_thing_that_sends_mail_is_found(port):
    (found,) = told(NAME, *sends(3, port=port))
    assert (found.device, found.evidence) == (LAMP, (f"connection with {REMOTE_IP} port {port}",))


@pytest.mark.parametrize(
    "packets",
    [
        sends(2),
        sends(50, every=400.0),
        sends(50, port=993),
        sends(50, to=OTHER_IP),
        sends(50, mac=GATEWAY),
        [syn(number, port=25) for number in range(50)],
        [back(one) for one in sends(50)],
    ],
    ids=["few", "slow", "who reads", "a neighbour", "the gateway", "one connection", "answers"],
)
def test_what_sends_no_mail_is_not_told(packets):
    assert not told(NAME, *packets)
