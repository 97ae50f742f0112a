"""What name servers and devices say on the wire, read by whoever lets a name through."""

from __future__ import annotations

from tests.fuzz.target import Target, attempt, ensure
from tests.unit.protocols.dhcp.messages import DUID_LL, URL, option4, option6, relayed6
from tests.unit.protocols.dhcp.messages import v4 as v4_of
from tests.unit.protocols.dhcp.messages import v6 as v6_of
from tests.unit.protocols.mud.test_announcement import over_ipv4, over_ipv6, over_lldp
from tests.unit.protocols.mud.test_url import CODE
from thingstead.protocols.dhcp import v4, v6
from thingstead.protocols.dns import message
from thingstead.protocols.dns.message import Question, Rcode, RecordType
from thingstead.protocols.mud import announcement, url
from thingstead.protocols.packet.packet import decode_frame

_CAP, _MOST = 60, 512
_QUERY = message.encode_query(Question("cloud.example.com", RecordType.A), id=7)
_ALIAS = bytes.fromhex("c00c000500010000003c000a04656467650363646e00c02f000100010000003c0004c6336407")
_BETWEEN = _QUERY[:-2] + bytes.fromhex("000c00080008000120000a4d0101")
_ANSWER = _QUERY[:2] + b"\x81\x80\0\1\0\2\0\0\0\0" + _QUERY[12:] + _ALIAS


def _dns(data: bytes) -> None:
    """What is let through leads from the asked name, and may be kept no longer than we keep it."""
    read = attempt(lambda: message.decode(data))
    if read is None:
        return
    ensure(not read.addresses() or read.question is not None, "addresses that nobody asked for")
    ensure(len(set(read.aliases())) == len(read.aliases()), "aliases that never end")
    relayed = attempt(lambda: message.encode_relayed(_QUERY, data, max_ttl=_CAP, max_bytes=_MOST))
    if relayed is not None:
        again = message.decode(relayed)
        ensure(len(relayed) <= _MOST, "longer than it may be")
        ensure((again.id, again.question) == (7, message.decode(_QUERY).question), "another question than was asked")
        ensure(all(one.ttl <= _CAP for one in again.answers), "kept for longer than is allowed")
    refused = attempt(lambda: message.encode_response(data, rcode=Rcode.REFUSED))
    ensure(refused is None or not message.decode(refused).answers, "a refusal that answers")


def _announcement(data: bytes) -> None:
    """Who announces does so for the interface it sends from, and only a URL that may be fetched."""
    said = attempt(lambda: announcement.announced(decode_frame(data, at=0.0)))
    if said is not None:
        ensure(len(said.mac) == 6, "an announcement of nobody")
        ensure(said.url.startswith("https://") and url.parse_url(said.url) == said.url, "not a URL to fetch")


def _dhcp(data: bytes) -> None:
    """Options come from within the message, and from no more of them than it has."""
    for read in (attempt(lambda: v4.decode(data)), attempt(lambda: v6.decode(data))):
        if read is not None:
            ensure(sum(len(value) for value in read.options.values()) <= len(data), "octets out of nowhere")
            ensure(len(read.mac) in {0, 6}, "no address of an interface")
    lease = attempt(lambda: v4.decode_lease(data))
    ensure(lease is None or (len(lease.mac), len(lease.ip)) == (6, 4), "a lease of nothing")


def _label(data: bytes) -> None:
    """A label leads to a URL that may be fetched, or to nothing."""
    read = attempt(lambda: url.parse_qr_code(data.decode("latin-1")))
    ensure(read is None or read.url.startswith("https://"), "not a URL to fetch")
    ensure(read is None or len(read.mac) in {0, 6, 8}, "no address of an interface")


_FRAMES = (
    over_ipv4(v4_of(option4(161, URL), option4(52, b"\1"))),
    over_ipv6(relayed6(v6_of(option6(1, DUID_LL), option6(112, URL)))),
    over_lldp(URL),
)

TARGETS = (
    Target("names.dns", _dns, (_QUERY, _BETWEEN, _ANSWER)),
    Target("names.announcement", _announcement, _FRAMES),
    Target("names.dhcp", _dhcp, (v4_of(option4(161, URL)), relayed6(v6_of(option6(112, URL))))),
    Target("names.label", _label, (URL, CODE.encode())),
)
