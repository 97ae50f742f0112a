import pytest

from tests.unit.analysis.detectors.traffic import LAMP_IP, OTHER, OTHER_IP, REMOTE_IP, STRANGER, tcp, told, udp

NAME = "overlong_header"
LONG = b"x" * 1100


def asks(payload, *, to=OTHER_IP, **fields):
    return tcp(1.0, payload, to=to, to_mac=OTHER, mac=STRANGER, ports=(40_000, 7547), **fields)


@pytest.mark.requirement("R-38")
@pytest.mark.parametrize(
    ("payload", "field"),
    [
        (b"POST / HTTP/1.1\r\nCookie: " + LONG + b"\r\n\r\n", "Cookie"),
        (b"GET /" + LONG + b" HTTP/1.1\r\n\r\n", "GET"),
        (b"POST /UD/act?1 HTTP/1.1\r\nSOAPAction: " + LONG, "SOAPAction"),
        (b"HTTP/1.1 200 OK\r\nServer: " + LONG, "Server"),
    ],
)
def test_a_header_longer_than_any_is_found(payload, field):
    (found,) = told(NAME, asks(payload))
    assert (found.device, found.subject) == (STRANGER, f"{OTHER_IP} port 7547")
    assert found.evidence[0].startswith(f"{field} has more than")


@pytest.mark.parametrize(
    "one",
    [
        asks(b"POST / HTTP/1.1\r\nCookie: short\r\n\r\n"),
        asks(b"POST / HTTP/1.1\r\nCookie: short\r\n\r\n" + LONG),
        asks(b"POST / HTTP/1.1\r\n" + b"Cookie: fairly long, and many\r\n" * 60),
        asks(LONG),
        asks(b"GET /" + LONG + b" HTTP/1.1\r\n\r\n", to=REMOTE_IP),
        udp(0, b"GET /" + LONG, to=LAMP_IP),
    ],
    ids=["short", "a long body", "many fields", "no HTTP", "to outside", "UDP"],
)
def test_what_a_client_may_send_is_not_told(one):
    assert not told(NAME, one)
