import pytest

from tests.unit.analysis.detectors.traffic import GATEWAY, LAMP, OTHER_IP, arp, tcp, told, udp
from thingstead.analysis.detectors.detector import Severity

NAME = "cleartext"
WORD = "".join(("hunt", "er", "22"))


@pytest.mark.parametrize(
    ("payload", "port", "what"),
    [
        (f"GET /?user=a&password={WORD} HTTP/1.1\r\n", 80, "password"),
        (f'{{"pwd": "{WORD}"}}', 8080, "password"),
        (f"<Password>{WORD}</Password>", 80, "password"),
        (f"GET / HTTP/1.1\r\nAuthorization: Basic {WORD}\r\n", 80, "password"),
        (f"PASS {WORD}\r\n", 21, "password"),
        ("\x10\x20\x00\x04MQTT\x04\xc2\x00\x3c", 1883, "password"),
        (f"GET /?access_token={WORD} HTTP/1.1\r\n", 80, "token"),
        (f"GET / HTTP/1.1\r\nAuthorization: Bearer {WORD}\r\n", 80, "token"),
        ("GET /?lat=52.5163&lon=13.3777 HTTP/1.1\r\n", 80, "place"),
        ("<Account>somebody@example.com</Account>", 80, "mail address"),
    ],
)
def test_what_everybody_can_read_is_found_and_not_repeated(payload, port, what):
    (found,) = told(NAME, tcp(1.0, payload.encode("latin-1"), to=OTHER_IP, ports=(40_000, port)))
    assert (found.device, found.severity, found.subject) == (
        LAMP,
        Severity.NOTICE,
        f"{what}, {OTHER_IP}",
    )
    assert WORD not in repr(found)
    assert "example.com" not in repr(found)


def test_datagrams_are_read_too():
    assert told(NAME, udp(1.0, f"password={WORD}".encode()))


@pytest.mark.parametrize(
    "one",
    [
        tcp(0, b"\x17\x03\x03\x00\x40password=" + WORD.encode()),
        udp(0, b"\x17\xfe\xfd\x00\x01password=" + WORD.encode()),
        tcp(0, b"password=", ports=(40_000, 80)),
        tcp(0, b"the password is kept elsewhere"),
        tcp(0, b"<input name='password' type='password'>"),
        tcp(0, b"\x10\x20\x00\x04MQTT\x04\x02\x00\x3c", ports=(40_000, 1883)),
        tcp(0, b"SPASS 12345678"),
        tcp(0, b"lat=5"),
        tcp(0, b"a@b"),
        tcp(0, b"\0\0\0\x40hmac-sha2-256@openssh.com,zlib@openssh.com\0\0", ports=(40_000, 22)),
        tcp(0, b"\x10\x20\x00\x04MQTT\x04\x82\x00\x3c", ports=(40_000, 1883)),
        tcp(0, f"password={WORD}".encode(), mac=GATEWAY),
        udp(0, f"password={WORD}".encode(), to="224.0.0.251", to_mac=bytes.fromhex("01005e0000fb")),
        udp(0, b"short"),
        arp(0),
    ],
    ids=["TLS", "DTLS", "empty", "in passing", "a form", "no password", "no FTP", "coarse", "no address", "SSH",
         "a name alone", "gateway",
         "a group", "short", "ARP"],
)  # fmt: skip
def test_what_is_no_secret_is_not_told(one):
    assert not told(NAME, one)
