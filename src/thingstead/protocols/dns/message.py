"""DNS messages (RFC 1035 §4) between bytes and what we ask of them; nothing else reads them with dnspython."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import IntEnum
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import TypeVar

import dns.edns
import dns.exception
import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rdatatype
import dns.rrset
from dns.rdtypes.svcbbase import ParamKey

from thingstead.errors import DecodeError, UnsupportedError

__all__ = [
    "MAX_DATAGRAM",
    "Address",
    "DnsMessage",
    "Limits",
    "Question",
    "Rcode",
    "Record",
    "RecordType",
    "decode",
    "encode_query",
    "encode_relayed",
    "encode_response",
]

Address = IPv4Address | IPv6Address
_T = TypeVar("_T")


class RecordType(IntEnum):
    """Types that we look into (RFC 1035 §3.2.2, RFC 3596 §2.1)."""

    A = 1
    CNAME = 5
    AAAA = 28
    SVCB = 64
    HTTPS = 65

    @classmethod
    def of(cls, address: Address) -> RecordType:
        """That of the record that has such an address."""
        return cls.A if address.version == 4 else cls.AAAA


class Rcode(IntEnum):
    """What we answer ourselves (RFC 1035 §4.1.1)."""

    NOERROR = 0
    FORMERR = 1
    SERVFAIL = 2
    NOTIMP = 4
    REFUSED = 5


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds on one message.

    Attributes:
        max_bytes: of the message.
        max_records: of its answer section.
    """

    max_bytes: int = 1 << 16
    max_records: int = 256


DEFAULT_LIMITS = Limits()
"""For whoever has none of its own."""

MAX_DATAGRAM = 1232
"""Bytes of one datagram that no link cuts to pieces; more goes over TCP (RFC 9715 §3)."""


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked.

    Attributes:
        name: in lower case, without the dot at the end; octets outside of ASCII letters and such are escaped.
        type: of record, such as `RecordType.A`; any number.
    """

    name: str
    type: int


@dataclass(frozen=True, slots=True)
class Record:
    """One record of the answer section.

    Attributes:
        name: whose, written as in a `Question`.
        type: of record.
        ttl: seconds for which it may be kept; never negative (RFC 2181 §8).
        address: of an A or AAAA record.
        target: of a CNAME record, written as in a `Question`; empty for others.
        hints: addresses that an SVCB or HTTPS record has beside it (RFC 9460 §7.3).
    """

    name: str
    type: int
    ttl: int
    address: Address | None = None
    target: str = ""
    hints: tuple[Address, ...] = ()


@dataclass(frozen=True, slots=True)
class DnsMessage:
    """A message, as far as we ask.

    Attributes:
        id: that a response must repeat.
        is_response: QR.
        is_truncated: TC: the rest is to be had over TCP.
        rcode: 0 where all went well.
        max_response: bytes that its sender takes in one datagram (RFC 6891 §6.2.3).
        question: None where none is repeated, as some servers do with an error.
        answers: of the answer section, in their order.
        wants_signatures: DO: DNSSEC's records too (RFC 3225 §3).
        client: for whom it asks, where a resolver that stands between says so to the last bit (RFC 7871 §6).
    """

    id: int
    is_response: bool
    is_truncated: bool
    rcode: int
    max_response: int
    question: Question | None
    answers: tuple[Record, ...]
    wants_signatures: bool = False
    client: Address | None = None

    def addresses(self) -> tuple[tuple[Address, int], ...]:
        """Addresses that the question's name stands for, each with the seconds for which it may be kept.

        Aliases are followed as far as this answer has them, and an address lives no longer than the aliases that
        lead to it; records of any other name are not an answer, whoever put them there.
        """
        if self.question is None:
            return ()
        name, limit, seen = self.question.name, _LONGEST_TTL, set[str]()
        while name not in seen:
            seen.add(name)
            alias = next((one for one in self.answers if one.name == name and one.target), None)
            if alias is None:
                break
            name, limit = alias.target, min(limit, alias.ttl)
        found = {one.address: min(limit, one.ttl) for one in self.answers if one.name == name and one.address}
        return tuple(found.items())

    def aliases(self) -> tuple[str, ...]:
        """The names that the question's name leads to, nearest first; empty where it is nobody's alias."""
        targets = {one.name: one.target for one in self.answers if one.target}
        name, chain = "" if self.question is None else self.question.name, list[str]()
        while (name := targets.get(name, "")) and name not in chain:
            chain.append(name)
        return tuple(chain)


def decode(data: bytes, *, limits: Limits = DEFAULT_LIMITS) -> DnsMessage:
    """Decode a message.

    Raises:
        DecodeError: not well-formed, or over a limit.
        UnsupportedError: no plain query of one question, or of a class that is not the Internet's.
    """
    if len(data) > limits.max_bytes:
        raise DecodeError(f"expected a DNS message of at most {limits.max_bytes} bytes, got {len(data)}", spec=_MESSAGE)
    message = _attempt(lambda: dns.message.from_wire(data, raise_on_truncation=False, one_rr_per_rrset=True))
    if message.opcode() != 0 or len(message.question) > 1:
        raise UnsupportedError("expected a standard query of one question", spec="RFC 9619 §4")
    if len(message.answer) > limits.max_records:
        raise DecodeError(f"expected at most {limits.max_records} records in a DNS answer", spec=_MESSAGE)
    question = None
    for asked in message.question:
        if asked.rdclass != _INTERNET:
            raise UnsupportedError(f"expected a question of class IN, got {int(asked.rdclass)}", spec="RFC 1035 §3.2.4")
        question = Question(_text(asked.name), int(asked.rdtype))
    return DnsMessage(
        id=message.id,
        is_response=bool(message.flags & dns.flags.QR),
        is_truncated=bool(message.flags & dns.flags.TC),
        rcode=int(message.rcode()),
        max_response=min(max(_LEAST_DATAGRAM, message.payload), MAX_DATAGRAM),
        question=question,
        answers=tuple([_record(one) for one in message.answer if one.rdclass == _INTERNET and len(one)]),
        wants_signatures=bool(message.ednsflags & dns.flags.DO),
        client=next((one for one in map(_client, message.options) if one is not None), None),
    )


def encode_query(question: Question, *, id: int, wants_signatures: bool = False) -> bytes:  # noqa: A002  the standard's word
    """A query with recursion desired (RFC 1035 §4.1.1), that our upstream verifies as far as it does.

    Raises:
        DecodeError: a name that is none.
    """
    kind = dns.rdatatype.RdataType.make(question.type)
    return _attempt(
        lambda: dns.message.make_query(
            question.name, kind, id=id, use_edns=0, payload=MAX_DATAGRAM, want_dnssec=wants_signatures
        ).to_wire()
    )


def encode_response(query: bytes, *, rcode: Rcode, addresses: tuple[Address, ...] = (), ttl: int = 0) -> bytes:
    """What we say ourselves to a query: an error, or addresses of the name that was asked for.

    Args:
        query: as it came.
        rcode: what came of it.
        addresses: those of the asked type are put into the answer.
        ttl: of these, in seconds.

    Raises:
        DecodeError: no query.
    """
    asked = _attempt(lambda: dns.message.from_wire(query))
    response = _attempt(lambda: dns.message.make_response(asked, recursion_available=True))
    response.set_rcode(dns.rcode.Rcode.make(int(rcode)))
    for question in asked.question:
        given = [str(one) for one in addresses if RecordType.of(one) == int(question.rdtype)]
        if given:
            response.answer.append(dns.rrset.from_text_list(question.name, ttl, "IN", question.rdtype, given))
    return _attempt(response.to_wire)


def encode_relayed(query: bytes, response: bytes, *, max_ttl: int, max_bytes: int) -> bytes:
    """What we say to a query of which somebody else knows the answer.

    Only what is said of the name, and of those that it leads to, goes through, and the zone's own record where there is
    none (RFC 2308 §5), with what proves that (RFC 4035 §3.1.3): what else a server puts into a message serves nobody
    who asked for one name. Of what is signed nothing but the lifetime changes, which no signature binds from above.

    Args:
        query: as it came to us.
        response: as it came for our own query of the same question.
        max_ttl: seconds; no record may be kept for longer.
        max_bytes: the answer is cut to nothing, and says so, where it would be longer (RFC 2181 §9).

    Raises:
        DecodeError: either is no message.
    """
    asked = _attempt(lambda: dns.message.from_wire(query))
    known = _attempt(lambda: dns.message.from_wire(response, raise_on_truncation=False))
    ours = _attempt(lambda: dns.message.make_response(asked, recursion_available=True))
    ours.set_rcode(known.rcode())
    if asked.ednsflags & dns.flags.DO:
        ours.want_dnssec()
    ours.answer = _concerning(asked, known.answer)
    ours.authority = [one for one in known.authority if _NOTHING.intersection((one.rdtype, one.covers))]
    for one in (*ours.answer, *ours.authority):
        one.ttl = min(one.ttl, max_ttl)
    try:
        return ours.to_wire(max_size=max_bytes)
    except dns.exception.TooBig:
        ours.answer, ours.authority = [], []
        ours.flags |= dns.flags.TC
    except (dns.exception.DNSException, ValueError) as error:
        raise DecodeError(f"expected a DNS answer that can be passed on: {error}", spec=_MESSAGE) from None
    return _attempt(ours.to_wire)


_MESSAGE = "RFC 1035 §4"
_INTERNET = 1
_LEAST_DATAGRAM = 512
_LONGEST_TTL = (1 << 31) - 1
_WITH_ADDRESS = frozenset({RecordType.A, RecordType.AAAA})
_NOTHING = frozenset({dns.rdatatype.SOA, dns.rdatatype.NSEC, dns.rdatatype.NSEC3})
"""What says, and proves, that there is no such name or record."""

_WITH_HINTS = frozenset({RecordType.SVCB, RecordType.HTTPS})


def _record(one: dns.rrset.RRset) -> Record:
    name, kind, ttl = _text(one.name), int(one.rdtype), max(0, one.ttl)
    if kind in _WITH_ADDRESS:
        return Record(name, kind, ttl, address=ip_address(one[0].address))
    if kind in _WITH_HINTS:
        told = [one[0].params.get(key) for key in (ParamKey.IPV4HINT, ParamKey.IPV6HINT)]
        hints = tuple([ip_address(text) for param in told if param is not None for text in param.addresses])
        return Record(name, kind, ttl, hints=hints)
    return Record(name, kind, ttl, target=_text(one[0].target) if kind == RecordType.CNAME else "")


def _client(option: dns.edns.Option) -> Address | None:
    if not isinstance(option, dns.edns.ECSOption):
        return None
    address = ip_address(option.address)
    return address if option.srclen == address.max_prefixlen else None


def _concerning(asked: dns.message.Message, answer: list[dns.rrset.RRset]) -> list[dns.rrset.RRset]:
    targets = {one.name: one[0].target for one in answer if one.rdtype == dns.rdatatype.CNAME and len(one)}
    names = [one.name for one in asked.question]
    for name in names:
        if name in targets and targets[name] not in names:
            names.append(targets[name])
    # An alias of a whole domain is said of that (RFC 6672 §3.2).
    return [one for one in answer if one.name in names or dns.rdatatype.DNAME in (one.rdtype, one.covers)]


def _text(name: dns.name.Name) -> str:
    return name.to_text(omit_final_dot=True).lower()


def _attempt(work: Callable[[], _T]) -> _T:
    try:
        return work()
    except (dns.exception.DNSException, ValueError, IndexError) as error:
        raise DecodeError(f"expected a DNS message: {error or type(error).__name__}", spec=_MESSAGE) from None
