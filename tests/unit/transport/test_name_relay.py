"""The resolver that things use: what it passes on, what it tells first, what it refuses."""

import asyncio
from datetime import UTC, datetime
from ipaddress import ip_address, ip_network

import dns.dnssec
import dns.edns
import dns.exception
import dns.flags
import dns.message
import dns.rrset
import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from tests.unit.transport.name_world import NAME, QUERY, Silence, Zone, answered
from thingstead.domain.name import NameAnswer
from thingstead.errors import TransportError
from thingstead.protocols.dns.message import DnsMessage, Question, Rcode, RecordType, decode, encode_query
from thingstead.transport.name_relay import NameRelay, RelayLimits

ASKER, BETWEEN = "10.77.1.1", "10.77.0.1"
LOCAL = (ip_network("10.77.0.0/16"), ip_network("2001:db8:77::/64"))
ROW = (NAME, 60, "A", "198.51.100.7")


class Plane:
    def __init__(self, refuses=False):
        self.learned: list[NameAnswer] = []
        self.refuses = refuses

    async def learn(self, answer):
        if self.refuses:
            raise TransportError("the enforcer is gone")
        self.learned.append(answer)


def relay(zone, *, hosts=None, plane=None, **limits):
    plane = plane or Plane()
    made = NameRelay(
        zone.ask,
        hosts=hosts or {},
        inside=LOCAL,
        learn=plane.learn,
        random_bytes=lambda size: b"\x12\x34"[:size],
        forwarders=frozenset({BETWEEN}),
        limits=RelayLimits(**limits),
    )
    return made, plane


def asked(made, query=QUERY, **given) -> DnsMessage:
    said = asyncio.run(made.answer(query, ASKER, **given))
    assert said is not None
    return decode(said)


@pytest.mark.spec("RFC 9726 3")
def test_what_is_known_upstream_is_passed_on_and_told_to_the_plane_first():
    made, plane = relay(Zone(ROW))
    read = asked(made)
    assert (read.id, read.addresses()) == (0x4242, ((ip_address("198.51.100.7"), 60),))
    packed = ip_address("198.51.100.7").packed
    assert plane.learned == [NameAnswer(NAME, ((packed, 60),), (), ip_address(ASKER).packed)]
    assert made.counts == {"passed": 1}


@pytest.mark.spec("RFC 5452 4.3")
def test_the_question_goes_out_under_an_id_of_ours_and_without_what_else_was_asked():
    zone = Zone(ROW)
    made, _ = relay(zone)
    query = dns.message.make_query(NAME, "A", id=0x4242, use_edns=0, payload=4096, flags=dns.flags.RD | dns.flags.CD)
    asked(made, query.to_wire())
    sent = dns.message.from_wire(zone.asked[0])
    assert (sent.id, sent.flags & dns.flags.CD, sent.ednsflags) == (0x1234, 0, 0)


class SignedZone:
    """Answers with one address, and a signature where that is asked for."""

    def __init__(self, altered=False):
        self.altered = altered
        self.key = ec.derive_private_key(7, ec.SECP256R1())
        self.keys = dns.rrset.from_rdata(f"{NAME}.", 60, dns.dnssec.make_dnskey(self.key.public_key(), 13))

    async def ask(self, query):
        said = dns.message.make_response(asked_of := dns.message.from_wire(query), recursion_available=True)
        said.answer.append(dns.rrset.from_text(f"{NAME}.", 10**6, "IN", "A", "198.51.100.7"))
        if asked_of.ednsflags & dns.flags.DO:
            inception = datetime(2026, 11, 1, tzinfo=UTC)
            signature = dns.dnssec.sign(
                said.answer[0], self.key, self.keys.name, self.keys[0], inception=inception, lifetime=9 * 86_400
            )
            said.answer.append(dns.rrset.from_rdata(f"{NAME}.", 10**6, signature))
        if self.altered:
            said.answer[0] = dns.rrset.from_text(f"{NAME}.", 10**6, "IN", "A", "198.51.100.8")
        return said.to_wire()

    def verify(self, response):
        """As a thing would that asks for signatures."""
        rows, signature = response.answer
        at = datetime(2026, 11, 2, tzinfo=UTC).timestamp()
        dns.dnssec.validate(rows, signature, {self.keys.name: self.keys}, now=at)


def signed_answer(zone, *, wants):
    query = dns.message.make_query(NAME, "A", use_edns=0, want_dnssec=wants)
    said = asyncio.run(relay(zone)[0].answer(query.to_wire(), ASKER))
    assert said is not None
    return dns.message.from_wire(said)


@pytest.mark.spec("RFC 4035 3.2")
@pytest.mark.requirement("R-53")
def test_what_a_zone_signed_verifies_behind_us_at_whoever_asks_for_signatures():
    zone = SignedZone()
    response = signed_answer(zone, wants=True)
    zone.verify(response)
    assert (response.answer[0].ttl, response.ednsflags & dns.flags.DO) == (86_400, dns.flags.DO)


@pytest.mark.requirement("R-53")
def test_what_was_altered_on_the_way_does_not_verify_behind_us():
    zone = SignedZone(altered=True)
    with pytest.raises(dns.exception.ValidationFailure):
        zone.verify(signed_answer(zone, wants=True))


@pytest.mark.spec("RFC 3225 3")
def test_who_asks_for_no_signatures_gets_none():
    response = signed_answer(SignedZone(), wants=False)
    assert (len(response.answer), response.ednsflags & dns.flags.DO) == (1, 0)


def test_aliases_are_told_with_the_address():
    made, plane = relay(Zone((NAME, 9, "CNAME", "edge.cdn.invalid."), ("edge.cdn.invalid", 60, "A", "198.51.100.7")))
    asked(made)
    assert (plane.learned[0].aliases, plane.learned[0].addresses[0][1]) == (("edge.cdn.invalid",), 9)


def test_an_owner_s_address_is_given_without_asking_and_learned():
    made, plane = relay(Silence(), hosts={"Cloud.Example.com.": ("198.51.100.9", "2001:db8::9")}, given_ttl=30)
    assert asked(made).addresses() == ((ip_address("198.51.100.9"), 30),)
    assert [(one.name, one.addresses) for one in plane.learned] == [(NAME, ((ip_address("198.51.100.9").packed, 30),))]
    assert made.counts == {"given": 1}


def test_a_type_that_an_owner_s_host_has_not_is_answered_with_nothing():
    made, plane = relay(Silence(), hosts={NAME: ("198.51.100.9",)})
    read = asked(made, encode_query(Question(NAME, RecordType.AAAA), id=1))
    assert (read.rcode, read.answers, plane.learned) == (Rcode.NOERROR, (), [])


@pytest.mark.requirement("R-80")
@pytest.mark.parametrize(
    ("kind", "address"),
    [("A", "10.77.1.2"), ("A", "192.168.1.1"), ("A", "172.16.0.1"), ("A", "127.0.0.1"), ("A", "169.254.169.254"),
     ("A", "0.0.0.0"), ("A", "100.64.0.1"), ("AAAA", "2001:db8:77::1"), ("AAAA", "fd00::1"), ("AAAA", "::1"),
     ("AAAA", "fe80::1"), ("AAAA", "::ffff:10.77.1.2"), ("AAAA", "64:ff9b::10.77.1.2"),
     ("HTTPS", "1 . ipv4hint=198.51.100.7,10.77.1.2"), ("SVCB", "1 . ipv6hint=fd00::1")],
)  # fmt: skip
def test_an_answer_that_leads_back_inside_is_refused_and_teaches_nothing(kind, address):
    made, plane = relay(Zone(ROW, (NAME, 60, kind, address)))
    read = asked(made)
    assert (read.rcode, read.answers, plane.learned) == (Rcode.REFUSED, (), [])
    assert made.counts == {"refused": 1}


def test_a_record_of_another_name_that_leads_inside_is_refused_too():
    made, plane = relay(Zone(ROW, ("other.invalid", 60, "A", "10.77.1.2")))
    assert (asked(made).rcode, plane.learned) == (Rcode.REFUSED, [])


def test_names_that_lead_inside_are_told_once_each_and_not_without_end(caplog):
    made, _ = relay(Zone((NAME, 60, "A", "10.77.1.2")), max_told=2)
    for name in (NAME, NAME, "b.example", "c.example"):
        asked(made, encode_query(Question(name, 1), id=1))
    assert len([one for one in caplog.records if one.levelname == "WARNING"]) == 2


def test_who_cannot_be_let_through_is_not_told_the_address():
    made, _ = relay(Zone(ROW), plane=Plane(refuses=True))
    assert asked(made).rcode == Rcode.SERVFAIL


def test_silence_upstream_is_said():
    made, plane = relay(Silence())
    assert (asked(made).rcode, plane.learned) == (Rcode.SERVFAIL, [])


def test_that_a_name_is_not_is_passed_on_and_teaches_nothing():
    made, plane = relay(Zone(rcode=3))
    assert (asked(made).rcode, plane.learned) == (3, [])


@pytest.mark.spec("RFC 5452 9.1")
@pytest.mark.parametrize("change", ["id", "question", "query", "garbage"])
def test_what_is_no_answer_to_our_question_is_not_passed_on(change):
    class Forger(Zone):
        async def ask(self, query):
            other = encode_query(Question("other.example", 1), id=int.from_bytes(query[:2]))
            return {
                "id": b"\x99\x99" + answered(query, ROW)[2:],
                "question": answered(other, ("other.example", 60, "A", "198.51.100.7")),
                "query": query,
                "garbage": b"\x12\x34" + bytes(5),
            }[change]

    made, plane = relay(Forger())
    assert (asked(made).rcode, plane.learned) == (Rcode.SERVFAIL, [])


@pytest.mark.parametrize("data", [b"", bytes(11), answered(QUERY, ROW), bytes(12)])
def test_what_is_no_query_gets_no_answer(data):
    made, plane = relay(Zone(ROW))
    assert asyncio.run(made.answer(data, ASKER)) is None
    assert (made.counts, plane.learned) == ({"malformed": 1}, [])


def test_what_is_not_asked_of_the_internet_is_not_implemented():
    made, _ = relay(Zone(ROW))
    chaos = dns.message.make_query("version.bind", "TXT", "CH").to_wire()
    said = asyncio.run(made.answer(chaos, ASKER))
    assert said is not None
    assert int(dns.message.from_wire(said).rcode()) == Rcode.NOTIMP


def test_what_cannot_even_be_answered_with_an_error_gets_none():
    made, _ = relay(Zone(ROW))
    update = bytearray(dns.message.make_query("a.example", "A", "CH").to_wire())
    update[2] |= 0x80
    assert asyncio.run(made.answer(bytes(update), ASKER)) is None


def asked_for(made, asker, client="10.77.1.9"):
    query = dns.message.make_query(
        NAME, "A", use_edns=0, options=[dns.edns.ECSOption(client, ip_address(client).max_prefixlen)]
    ).to_wire()
    assert asyncio.run(made.answer(query, asker)) is not None


@pytest.mark.spec("RFC 7871 7.1.1")
@pytest.mark.parametrize(
    ("asker", "client", "whose"),
    [(BETWEEN, "10.77.1.9", "10.77.1.9"), (BETWEEN, "fd77::109", "fd77::109"), (ASKER, "10.77.1.9", ASKER)],
)
def test_only_a_resolver_that_the_owner_named_is_believed_for_whom_it_asks(asker, client, whose):
    zone = Zone(ROW)
    made, plane = relay(zone)
    asked_for(made, asker, client)
    assert plane.learned[0].asker == ip_address(whose).packed
    assert dns.message.from_wire(zone.asked[0]).options == (), "who asked is nobody's business out there"


def test_a_resolver_between_that_does_not_say_for_whom_asks_for_nobody_in_particular():
    made, plane = relay(Zone(ROW))
    assert asyncio.run(made.answer(QUERY, BETWEEN)) is not None
    assert plane.learned[0].asker == b""


@pytest.mark.spec("RFC 2181 9")
def test_over_udp_a_long_answer_is_cut_and_over_tcp_it_is_whole():
    rows = [(NAME, 60, "A", f"198.51.100.{number}") for number in range(80)]
    made, _ = relay(Zone(*rows))
    query = dns.message.make_query(NAME, "A").to_wire()
    assert asked(made, query, max_bytes=0).is_truncated
    assert len(asked(made, query).answers) == 80


def test_no_thing_keeps_an_answer_for_longer_than_the_way_is_open():
    made, plane = relay(Zone((NAME, 10**6, "A", "198.51.100.7")), max_ttl=600)
    assert asked(made).addresses()[0][1] == 600
    assert plane.learned[0].addresses[0][1] == 600
