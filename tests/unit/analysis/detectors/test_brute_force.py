import pytest

from tests.unit.analysis.detectors.traffic import GATEWAY, LAMP, OTHER, OTHER_IP, REMOTE_IP, back, syn, tcp, told

NAME = "brute_force"


def refusals(payload, *, port, count=8, every=2.0, said=lambda number: b"guess %d" % number):
    """Tries of the lamp, and what a server answers to each."""
    asked = [tcp(at * every, said(at), to=REMOTE_IP, ports=(40_000 + at, port)) for at in range(count)]
    return [each for one in asked for each in (one, back(one, payload=payload))]


@pytest.mark.requirement("R-38")
@pytest.mark.parametrize("port", [22, 23, 2323])
def test_many_connections_to_where_people_log_in_are_found(port):
    (found,) = told(NAME, *[syn(number, to=OTHER_IP, port=port, from_port=number + 1) for number in range(8)])
    assert (found.device, found.subject) == (LAMP, f"{OTHER_IP} port {port}")
    assert found.evidence[0] == f"connection 1 at {OTHER_IP} port {port}"


@pytest.mark.parametrize(
    ("port", "says"),
    [
        (21, b"530 Login incorrect.\r\n"),
        (23, b"\r\nLogin incorrect\r\nlogin: "),
        (80, b"HTTP/1.1 401 Unauthorized\r\n"),
        (8080, b"HTTP/1.0 403 Forbidden\r\n"),
        (25, b"535 5.7.8 no\r\n"),
        (1883, b"\x20\x02\x00\x05"),
    ],
)
def test_many_refusals_of_a_server_are_found_at_whom_it_refuses(port, says):
    (found,) = told(NAME, *refusals(says, port=port))
    assert (found.device, found.subject) == (LAMP, f"{REMOTE_IP} port {port}")


def test_a_neighbour_s_refusals_are_not_the_gateway_s_that_they_go_through():
    says = b"HTTP/1.1 401 Unauthorized\r\n"
    there = [tcp(number, b"guess %d" % number, to=OTHER_IP, ports=(40_000 + number, 80)) for number in range(8)]
    here = [back(one, payload=says, source_mac=OTHER, destination_mac=GATEWAY) for one in there]
    (found,) = told(NAME, *[each for pair in zip(there, here, strict=True) for each in pair])
    assert found.device == LAMP


@pytest.mark.parametrize(
    "packets",
    [
        refusals(b"HTTP/1.1 401 Unauthorized\r\n", port=80, count=7),
        refusals(b"HTTP/1.1 401 Unauthorized\r\n", port=80, count=60, every=18.0),
        refusals(b"HTTP/1.1 401 Unauthorized\r\n", port=80, count=60, said=lambda _number: b"GET / with an old token"),
        refusals(b"\x20\x02\x00\x05", port=1883, count=60, said=lambda _number: b"CONNECT"),
        refusals(b"HTTP/1.1 401 Unauthorized\r\n", port=80, count=120)[1::2],
        refusals(b"HTTP/1.1 200 OK\r\n", port=80, count=60),
        refusals(b"See HTTP/1.1 401 in the manual", port=80, count=60),
        refusals(b"\x20\x02\x00\x00", port=1883, count=60),
        refusals(b"530 not logged in", port=443, count=60),
        [syn(number, to=OTHER_IP, port=443, from_port=number + 1) for number in range(60)],
        [syn(number, to=f"192.168.1.{number}", port=23) for number in range(60)],
    ],
    ids=[
        "few",
        "slow",
        "an old token",
        "an old password",
        "half of it",
        "welcome",
        "said in passing",
        "accepted",
        "not that port",
        "the web",
        "a host each",
    ],
)
def test_what_is_no_guessing_is_not_told(packets):
    assert not told(NAME, *packets)


def test_passwords_that_are_typed_letter_by_letter_are_told_apart():
    """Telnet sends each key by itself, and the server asks again on one connection."""
    typed = [
        each
        for number in range(8)
        for key in (b"r", b"%d" % number, b"\r")
        for each in [tcp(number, key, ports=(40_000, 23))]
    ]
    asked = [back(one, payload=b"Login incorrect") if one.payload == b"\r" else back(one) for one in typed]
    assert told(NAME, *[each for pair in zip(typed, asked, strict=True) for each in pair])
