"""DNS messages: read as far as we ask, written as far as we say something ourselves."""

from ipaddress import ip_address

import dns.edns
import dns.message
import dns.rcode
import dns.rrset
import pytest

from thingstead.errors import DecodeError, ProtocolError, UnsupportedError
from thingstead.protocols.dns.message import (
    DnsMessage,
    Limits,
    Question,
    Rcode,
    RecordType,
    decode,
    encode_query,
    encode_relayed,
    encode_response,
)

_NAME = "cloud.example.com"
_ADDRESS = ip_address("198.51.100.7")


def response(*rows: tuple[str, int, str, str], name: str = _NAME, kind: str = "A") -> bytes:
    """A response to a question of `kind`, with (name, ttl, type, value) as its answers."""
    message = dns.message.make_response(dns.message.make_query(name, kind, id=7))
    for owner, ttl, record, value in rows:
        message.answer.append(dns.rrset.from_text(f"{owner}.", ttl, "IN", record, value))
    return message.to_wire()


@pytest.mark.spec("RFC 1035 4.1")
def test_a_query_is_read_as_it_was_written() -> None:
    read = decode(encode_query(Question(_NAME, RecordType.AAAA), id=0x1234))
    assert (read.id, read.is_response, read.question) == (0x1234, False, Question(_NAME, 28))


def test_names_are_compared_in_lower_case() -> None:
    assert decode(encode_query(Question("Cloud.EXAMPLE.com", 1), id=1)).question == Question(_NAME, 1)


@pytest.mark.spec("RFC 1035 3.4.1")
def test_addresses_of_the_asked_name_come_with_their_lifetimes() -> None:
    read = decode(response((_NAME, 60, "A", "198.51.100.7"), (_NAME, 60, "A", "198.51.100.8")))
    assert read.addresses() == ((_ADDRESS, 60), (ip_address("198.51.100.8"), 60))


@pytest.mark.spec("RFC 3596 2.2")
def test_ipv6_addresses_are_read() -> None:
    read = decode(response((_NAME, 9, "AAAA", "2001:db8::7"), kind="AAAA"))
    assert read.addresses() == ((ip_address("2001:db8::7"), 9),)


@pytest.mark.spec("RFC 1034 3.6.2")
def test_an_address_lives_no_longer_than_the_alias_that_leads_to_it() -> None:
    read = decode(response((_NAME, 5, "CNAME", "edge.cdn.example."), ("edge.cdn.example", 300, "A", "198.51.100.7")))
    assert read.addresses() == ((_ADDRESS, 5),)
    assert read.aliases() == ("edge.cdn.example",)


def test_a_record_of_another_name_is_no_answer() -> None:
    read = decode(response(("other.example", 60, "A", "198.51.100.7")))
    assert read.addresses() == ()


def test_aliases_that_lead_in_a_ring_lead_nowhere() -> None:
    read = decode(response((_NAME, 5, "CNAME", "b.example."), ("b.example", 5, "CNAME", f"{_NAME}.")))
    assert read.addresses() == ()
    assert read.aliases() == ("b.example", _NAME)


@pytest.mark.spec("RFC 2181 8")
def test_a_lifetime_with_the_top_bit_set_is_none() -> None:
    data = bytearray(response((_NAME, 60, "A", "198.51.100.7")))
    at = data.rindex((60).to_bytes(4, "big"))
    data[at : at + 4] = b"\xff\xff\xff\xff"
    assert decode(bytes(data)).addresses() == ((_ADDRESS, 0),)


def test_a_truncated_answer_says_so() -> None:
    data = bytearray(response())
    data[2] |= 0x02
    assert decode(bytes(data)).is_truncated


@pytest.mark.parametrize("size", range(0, 40, 3))
def test_a_message_that_was_cut_is_refused(size: int) -> None:
    data = response((_NAME, 60, "A", "198.51.100.7"))
    with pytest.raises(DecodeError):
        decode(data[:size])


def test_a_name_that_points_at_itself_is_refused() -> None:
    with pytest.raises(DecodeError):
        decode(bytes.fromhex("000101000001000000000000c00c00010001"))


@pytest.mark.spec("RFC 1035 4.1.4")
def test_a_name_that_points_forward_is_refused() -> None:
    with pytest.raises(DecodeError):
        decode(bytes.fromhex("000101000001000000000000c01000010001036162630000"))


def test_bytes_behind_the_message_are_refused() -> None:
    with pytest.raises(DecodeError):
        decode(encode_query(Question(_NAME, 1), id=1) + b"\0")


@pytest.mark.spec("RFC 9619 4")
def test_two_questions_are_refused() -> None:
    one = dns.message.make_query(_NAME, "A").to_wire()
    two = bytearray(one + one[12:])
    two[5] = 2
    with pytest.raises(UnsupportedError):
        decode(bytes(two))


def test_another_opcode_than_a_query_is_refused() -> None:
    data = bytearray(encode_query(Question(_NAME, 1), id=1))
    data[2] |= 2 << 3
    with pytest.raises(UnsupportedError):
        decode(bytes(data))


def test_a_question_of_another_class_is_refused() -> None:
    with pytest.raises(UnsupportedError, match="class IN"):
        decode(dns.message.make_query("version.bind", "TXT", "CH").to_wire())


def test_a_message_over_its_limit_is_refused_before_it_is_read() -> None:
    with pytest.raises(DecodeError, match="at most 32 bytes"):
        decode(bytes(33), limits=Limits(max_bytes=32))


def test_more_records_than_the_limit_are_refused() -> None:
    data = response(*[(_NAME, 60, "A", f"198.51.100.{number}") for number in range(4)])
    with pytest.raises(DecodeError, match="at most 3 records"):
        decode(data, limits=Limits(max_records=3))


def test_a_name_that_cannot_be_written_is_refused() -> None:
    with pytest.raises(DecodeError):
        encode_query(Question("a" * 64 + ".example", 1), id=1)


def test_our_own_answer_repeats_the_question_and_has_addresses_of_the_asked_type_only() -> None:
    query = encode_query(Question(_NAME, RecordType.A), id=99)
    given = (_ADDRESS, ip_address("2001:db8::7"))
    read = decode(encode_response(query, rcode=Rcode.NOERROR, addresses=given, ttl=60))
    assert (read.id, read.rcode, read.question) == (99, 0, Question(_NAME, 1))
    assert read.addresses() == ((_ADDRESS, 60),)


def test_our_own_refusal_has_no_answer() -> None:
    read = decode(encode_response(encode_query(Question(_NAME, 1), id=99), rcode=Rcode.REFUSED))
    assert (read.rcode, read.answers) == (Rcode.REFUSED, ())


def test_nothing_is_answered_to_what_is_no_query() -> None:
    with pytest.raises(ProtocolError):
        encode_response(b"\0\1", rcode=Rcode.FORMERR)


def relayed(answer: bytes, *, max_ttl: int = 3600, max_bytes: int = 512, kind: int = RecordType.A) -> DnsMessage:
    query = encode_query(Question(_NAME, kind), id=99)
    return decode(encode_relayed(query, answer, max_ttl=max_ttl, max_bytes=max_bytes))


def test_an_answer_is_passed_on_to_who_asked() -> None:
    read = relayed(response((_NAME, 60, "CNAME", "edge.example."), ("edge.example", 60, "A", "198.51.100.7")))
    assert (read.id, read.question, read.addresses()) == (99, Question(_NAME, 1), ((_ADDRESS, 60),))


@pytest.mark.spec("RFC 5452 6")
def test_what_is_said_of_names_that_nobody_asked_for_is_not_passed_on() -> None:
    rows = [(_NAME, 60, "CNAME", "edge.example."), ("bank.example", 60, "A", "198.51.100.66")]
    read = relayed(response(*rows, ("edge.example", 60, "A", "198.51.100.7"), ("edge.example", 60, "TXT", "said")))
    assert [one.name for one in read.answers] == [_NAME, "edge.example", "edge.example"]


def test_an_alias_of_itself_is_passed_on_and_leads_nowhere() -> None:
    read = relayed(response((_NAME, 60, "CNAME", f"{_NAME}.")))
    assert (len(read.answers), read.addresses()) == (1, ())


@pytest.mark.spec("RFC 9460 7.3")
def test_addresses_beside_a_service_are_read() -> None:
    (record,) = decode(response((_NAME, 60, "HTTPS", "1 . alpn=h2 ipv4hint=198.51.100.7 ipv6hint=2001:db8::7"))).answers
    assert record.hints == (_ADDRESS, ip_address("2001:db8::7"))


def test_no_answer_is_passed_on_that_may_be_kept_for_ever() -> None:
    assert relayed(response((_NAME, 1_000_000, "A", "198.51.100.7"))).addresses() == ((_ADDRESS, 3600),)


@pytest.mark.spec("RFC 2181 9")
def test_an_answer_that_is_too_long_is_cut_and_says_so() -> None:
    read = relayed(response(*[(_NAME, 60, "A", f"198.51.100.{number}") for number in range(60)]))
    assert (read.is_truncated, read.answers) == (True, ())


@pytest.mark.spec("RFC 2308 5")
def test_that_there_is_nothing_is_passed_on_with_the_zone_s_record_and_nothing_else() -> None:
    message = dns.message.make_response(dns.message.make_query(_NAME, "A"))
    message.set_rcode(dns.rcode.NXDOMAIN)
    soa = "ns.example. owner.example. 1 2 3 4 5"
    message.authority.append(dns.rrset.from_text("example.com.", 9, "IN", "SOA", soa))
    message.authority.append(dns.rrset.from_text("example.com.", 9, "IN", "NS", "ns.example."))
    message.additional.append(dns.rrset.from_text("ns.example.", 9, "IN", "A", "198.51.100.7"))
    query = encode_query(Question(_NAME, RecordType.A), id=99)
    passed = dns.message.from_wire(encode_relayed(query, message.to_wire(), max_ttl=60, max_bytes=512))
    assert (passed.rcode(), len(passed.authority), passed.additional) == (dns.rcode.NXDOMAIN, 1, [])


@pytest.mark.spec("RFC 4035 3.1.3")
def test_what_proves_that_there_is_nothing_is_passed_on() -> None:
    message = dns.message.make_response(dns.message.make_query(_NAME, "A"))
    seal = "13 2 9 20261201000000 20261101000000 7 example.com. AAAA"
    for kind, value in (
        ("SOA", "ns.example. owner.example. 1 2 3 4 5"),
        ("NSEC", "d.example.com. A"),
        ("RRSIG", f"SOA {seal}"),
        ("RRSIG", f"NSEC {seal}"),
        ("RRSIG", f"NS {seal}"),
    ):
        message.authority.append(dns.rrset.from_text("example.com.", 9, "IN", kind, value))
    query = encode_query(Question(_NAME, RecordType.A), id=99, wants_signatures=True)
    passed = dns.message.from_wire(encode_relayed(query, message.to_wire(), max_ttl=60, max_bytes=512))
    kinds = [(one.rdtype.name, one.covers.name) for one in passed.authority]
    assert kinds == [("SOA", "TYPE0"), ("NSEC", "TYPE0"), ("RRSIG", "SOA"), ("RRSIG", "NSEC")]


def test_what_is_no_answer_is_not_passed_on() -> None:
    with pytest.raises(DecodeError):
        relayed(b"\0\1\2")


def asked_for(text: str, bits: int | None) -> DnsMessage:
    option = dns.edns.ECSOption(text, bits)
    return decode(dns.message.make_query(_NAME, "A", use_edns=0, options=[option]).to_wire())


@pytest.mark.spec("RFC 7871 6")
@pytest.mark.parametrize(("text", "bits"), [("10.77.1.1", 32), ("fd77::101", 128)])
def test_a_resolver_between_says_for_whom_it_asks(text, bits) -> None:
    assert asked_for(text, bits).client == ip_address(text)


@pytest.mark.spec("RFC 7871 11.1")
@pytest.mark.parametrize(("text", "bits"), [("10.77.1.0", 24), ("0.0.0.0", 0), ("fd77::", 64), ("fd77::101", 127)])
def test_a_prefix_is_nobody(text, bits) -> None:
    assert asked_for(text, bits).client is None


@pytest.mark.spec("RFC 7871 6")
@pytest.mark.parametrize("option", ["", "00", "00012000", "000120000a4d01", "000320000a4d0101", "0001ff000a4d0101"])
def test_an_address_for_whom_that_is_none_is_refused(option) -> None:
    generic = dns.edns.GenericOption("ECS", bytes.fromhex(option))
    with pytest.raises(DecodeError):
        decode(dns.message.make_query(_NAME, "A", use_edns=0, options=[generic]).to_wire())


@pytest.mark.spec("RFC 6891 6.2.3")
@pytest.mark.parametrize(("payload", "taken"), [(None, 512), (100, 512), (1000, 1000), (65_535, 1232)])
def test_who_asks_says_how_much_it_takes_and_gets_no_more_than_passes_every_link(payload, taken) -> None:
    query = dns.message.make_query(_NAME, "A", use_edns=None if payload is None else 0, payload=payload)
    assert decode(query.to_wire()).max_response == taken
