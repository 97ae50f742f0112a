import pytest

from tests.unit.analysis.detectors.traffic import LAMP, STRANGER, arp, back, tcp, told, udp

NAME = "tls_nonce_reuse"
NONCE = bytes(range(8))


def record(content, *, kind=23, nonce=NONCE, dtls=False, number=0):
    fragment = nonce + content
    head = b"\xfe\xfd\x00\x01" + number.to_bytes(6) if dtls else b"\x03\x03"
    return bytes([kind]) + head + len(fragment).to_bytes(2) + fragment


def dtls(content, **fields):
    return record(content, dtls=True, **fields)


@pytest.mark.requirement("R-26")
@pytest.mark.spec("RFC 5288 3")
@pytest.mark.parametrize(("make", "protect"), [(tcp, record), (udp, dtls)], ids=["TLS", "DTLS"])
def test_two_records_under_one_nonce_are_found(make, protect):
    (found,) = told(NAME, make(1, protect(b"one record")), make(2, protect(b"another")))
    assert (found.device, found.subject) == (LAMP, "TLS")
    assert found.evidence[0].startswith(f"nonce {NONCE.hex()} twice")


@pytest.mark.requirement("R-26")
def test_records_in_one_packet_are_compared_too():
    assert told(NAME, tcp(1, record(b"one record") + record(b"another")))


@pytest.mark.requirement("R-26")
@pytest.mark.parametrize(
    "packets",
    [
        [tcp(1, record(b"the same")), tcp(2, record(b"the same"))],
        [tcp(1, record(b"one")), tcp(2, record(b"another", nonce=bytes(8)))],
        [tcp(1, record(b"one")), tcp(2, record(b"hello", kind=22)), tcp(3, record(b"another"))],
        [udp(1, dtls(b"one")), udp(2, dtls(b"hello", kind=22)), udp(3, dtls(b"another"))],
        [tcp(1, record(b"one")), back(tcp(2, b""), payload=record(b"another"))],
        [tcp(1, record(b"one")), tcp(2, record(b"another"), ports=(40_001, 80))],
        [tcp(1, record(b"one"), mac=STRANGER), tcp(2, record(b"another"))],
        [tcp(1, record(b"one")), tcp(2, record(b"another, cut off")[:-1])],
        [tcp(1, record(b"one", kind=21)), tcp(2, record(b"another", kind=21))],
        [tcp(1, record(b"")), tcp(2, record(b""))],
        [tcp(1, b"no TLS, though as long as a record"), tcp(2, b"no TLS, though as long as another one"), arp(3)],
        [udp(1, record(b"one")), udp(2, record(b"another"))],
    ],
    ids=["sent again", "another nonce", "keys anew", "keys anew, DTLS", "the other way", "another connection",
         "another's forgery", "cut off", "alerts", "empty", "no TLS", "TLS over UDP"],
)  # fmt: skip
def test_what_uses_no_nonce_twice_is_not_told(packets):
    assert not told(NAME, *packets)
