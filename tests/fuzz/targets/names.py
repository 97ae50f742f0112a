"""What name servers and devices say on the wire, read by whoever lets a name through."""

from __future__ import annotations

from tests.fuzz.target import Target, attempt, ensure
from thingstead.protocols.dns import message
from thingstead.protocols.dns.message import Question, Rcode, RecordType

_CAP, _MOST = 60, 512
_QUERY = message.encode_query(Question("cloud.example.com", RecordType.A), id=7)
_ALIAS = bytes.fromhex("c00c000500010000003c000a04656467650363646e00c02f000100010000003c0004c6336407")
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


TARGETS = (Target("names.dns", _dns, (_QUERY, _ANSWER)),)
