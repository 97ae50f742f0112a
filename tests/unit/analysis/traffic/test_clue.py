from __future__ import annotations

import dns.message
import dns.rrset
import pytest

from tests.unit.analysis.traffic.packets import CLOUD, LAMP, ROUTER, TCP, client_hello, look_up, packet
from tests.unit.protocols.dhcp.messages import URL, option4, v4
from thingstead.analysis.traffic.clue import Source, clues
from thingstead.protocols.packet.packet import Packet

GROUP = b"\xe0\0\0\xfb"


def said(one: Packet) -> list[tuple[Source, str]]:
    return [(clue.source, clue.text) for clue in clues(one)]


def dhcp(*options: bytes, to: int = 67, relay: bytes = bytes(4)) -> Packet:
    return packet(LAMP, b"\xff" * 4, 68, to, payload=v4(*options, relay=relay))


def stream(payload: bytes) -> Packet:
    return packet(LAMP, CLOUD, 40000, 80, protocol=TCP, payload=payload)


def mdns(*rows: tuple[str, str, str], question: str = "") -> Packet:
    message = dns.message.make_query(question, "PTR") if question else dns.message.Message(id=0)
    if rows:
        message.flags |= 0x8000
    for name, kind, value in rows:
        message.answer.append(dns.rrset.from_text(name, 60, "IN", kind, value))
    return packet(LAMP, GROUP, 5353, 5353, payload=message.to_wire())


@pytest.mark.spec("RFC 2132 3.14")
def test_who_asks_for_an_address_says_its_name_and_its_software() -> None:
    one = dhcp(option4(12, b"HS100(EU)"), option4(60, b"udhcp 0.9.9"), option4(55, b"\1\3"))
    assert said(one) == [(Source.DHCP_NAME, "HS100(EU)"), (Source.DHCP_CLASS, "udhcp 0.9.9")]


@pytest.mark.spec("RFC 8520 10")
def test_a_mud_url_that_is_announced_is_a_clue_and_no_more() -> None:
    assert said(dhcp(option4(161, URL))) == [(Source.MUD_URL, URL.decode())]


def test_a_dhcp_server_speaks_of_others() -> None:
    assert said(dhcp(option4(12, b"lamp"), to=68)) == []
    assert said(packet(ROUTER, LAMP, 67, 68, payload=v4(option4(12, b"lamp")))) == []


def test_a_relay_speaks_of_others() -> None:
    assert said(dhcp(option4(12, b"lamp"), relay=ROUTER)) == []


@pytest.mark.parametrize("payload", [bytes(240), bytes(10), v4(b"\x0c"), v4(b"\x0c\x20x", end=b"")])
def test_what_is_no_dhcp_says_nothing(payload: bytes) -> None:
    assert said(packet(LAMP, b"\xff" * 4, 68, 67, payload=payload)) == []


def test_an_empty_option_says_nothing() -> None:
    assert said(dhcp(option4(12, b""))) == []


def test_what_is_said_is_printable_and_short() -> None:
    ((_, text),) = said(dhcp(option4(12, b"\x1b[2J" + b"a" * 200)))
    assert text == "?[2J" + "a" * 96


@pytest.mark.spec("RFC 6763 4.1")
def test_an_announced_service_and_a_local_name_are_clues() -> None:
    one = mdns(("_hue._tcp.local.", "PTR", "bridge._hue._tcp.local."), ("bridge.local.", "A", "10.77.0.7"))
    assert said(one) == [(Source.SERVICE, "_hue._tcp"), (Source.LOCAL_NAME, "bridge.local")]


def test_what_is_looked_for_by_mdns_is_not_what_one_is() -> None:
    assert said(mdns(question="_hue._tcp.local.")) == []


def test_other_records_of_mdns_say_nothing() -> None:
    assert said(mdns(("bridge.local.", "TXT", '"a=b"'))) == []


@pytest.mark.parametrize("port", [53, 5353])
def test_what_is_no_dns_says_nothing(port: int) -> None:
    assert said(packet(LAMP, GROUP, 5000, port, payload=b"no dns")) == []


def test_names_that_are_looked_up_are_clues_of_who_asks() -> None:
    asked, answered = look_up("cloud.example", CLOUD)
    assert said(asked) == [(Source.ASKED_NAME, "cloud.example")]
    assert said(answered) == []


def test_an_answer_to_a_server_says_nothing_of_it() -> None:
    answered = look_up("cloud.example", CLOUD)[1]
    assert said(packet(LAMP, ROUTER, 5000, 53, payload=answered.payload)) == []


def test_upnp_announces_what_it_is() -> None:
    notify = b"NOTIFY * HTTP/1.1\r\nServer: Linux/2.6 UPnP/1.0\r\nNT: urn:x:device:Basic:1\r\nbroken\r\nX: y\r\n\r\n"
    assert said(packet(LAMP, GROUP, 1900, 1900, payload=notify)) == [
        (Source.UPNP_SERVER, "Linux/2.6 UPnP/1.0"),
        (Source.UPNP_TYPE, "urn:x:device:Basic:1"),
    ]


def test_what_is_searched_by_upnp_is_not_what_one_is() -> None:
    assert said(packet(LAMP, GROUP, 5000, 1900, payload=b"M-SEARCH * HTTP/1.1\r\nST: urn:x\r\n\r\n")) == []


def test_headers_beyond_the_bound_are_not_read() -> None:
    notify = b"NOTIFY * HTTP/1.1\r\n" + b"X: y\r\n" * 40 + b"Server: late\r\n"
    assert said(packet(LAMP, GROUP, 1900, 1900, payload=notify)) == []


def test_http_in_clear_names_the_software_of_both_sides() -> None:
    assert said(stream(b"HTTP/1.1 200 OK\r\nServer: lighttpd/1.4.31\r\n")) == [(Source.HTTP_SERVER, "lighttpd/1.4.31")]
    assert said(stream(b"GET / HTTP/1.1\r\nUser-Agent: curl/8\r\n")) == [(Source.HTTP_AGENT, "curl/8")]


@pytest.mark.spec("RFC 6066 3")
def test_a_greeting_over_tls_names_its_server() -> None:
    assert said(stream(client_hello())) == [(Source.TLS_NAME, "cloud.example")]


@pytest.mark.parametrize("size", [*range(1, len(client_hello()), 7)])
def test_a_greeting_that_is_cut_off_says_nothing(size: int) -> None:
    assert said(stream(client_hello()[:size])) == []


def test_a_greeting_without_a_name_says_nothing() -> None:
    assert said(stream(client_hello(extension=5))) == []


@pytest.mark.parametrize("protocol", [1, 2, 17, 58])
def test_other_packets_say_nothing(protocol: int) -> None:
    assert said(packet(LAMP, CLOUD, 5000, 9, protocol=protocol, payload=b"GET / HTTP/1.1\r\nServer: x\r\n")) == []


def test_an_empty_packet_says_nothing() -> None:
    assert said(packet(LAMP, ROUTER, 5000, 53)) == []


@pytest.mark.parametrize(
    ("place", "told"),
    [
        ("http://10.77.0.7:50510/IPCamDesc.xml", [(Source.UPNP_PATH, "IPCamDesc.xml")]),
        ("http://10.77.0.7:50510/", []),
        ("http://10.77.0.7", []),
        ("", []),
    ],
)
def test_of_where_a_description_is_only_its_name_says_what_a_device_is(place: str, told: list[object]) -> None:
    payload = f"NOTIFY * HTTP/1.1\r\nLOCATION: {place}\r\n\r\n".encode()
    assert said(packet(LAMP, GROUP, 1900, 1900, payload=payload)) == told
