"""The resolver that things use: passes questions on, and tells the network plane before it tells the thing.

It keeps nothing: what a thing is told is as old as what was said upstream, so that the way to an address ends in the
kernel when the thing may use it no more (RFC 9726 §3).
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network

from thingstead.domain.name import NameAnswer, is_inside
from thingstead.errors import DecodeError, ThingsteadError, TransportError, UnsupportedError, UntrustedError
from thingstead.protocols.dns import message
from thingstead.protocols.dns.message import Address, DnsMessage, Question, Rcode, RecordType

__all__ = ["NameRelay", "RelayLimits"]

_LOGGER = logging.getLogger(__name__)
_NOBODYS = tuple(
    ip_network(text) for text in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "fc00::/7")
)
"""Prefixes of sites (RFC 1918, RFC 6598, RFC 4193): no name of the Internet stands for one of them."""


@dataclass(frozen=True, slots=True)
class RelayLimits:
    """Bounds on what passes.

    Attributes:
        max_ttl: seconds; no thing keeps an answer for longer.
        given_ttl: seconds for which an address that the owner gave may be kept.
        max_told: names that are told in the log as leading inside; of more only the number is known.
    """

    max_ttl: int = 86_400
    given_ttl: int = 60
    max_told: int = 256


class NameRelay:
    """Answers queries, one at a time each; whoever has the sockets calls it.

    Args:
        ask: sends a query to a resolver out there and returns its answer, unread; `TransportError` where none comes.
        hosts: names whose addresses the owner gave: they are not asked for.
        inside: prefixes of the site, which no name from out there may stand for.
        learn: told of each answer with addresses, before it goes out; what it refuses does not go out.
        random_bytes: for ids that nobody guesses (RFC 5452 §4.3).
        on_refusal: told why an answer was refused, and who had asked.
        forwarders: addresses of resolvers that ask for others, and are believed when they say for whom (RFC 7871).
        limits: bounds.

    Attributes:
        counts: what became of queries.
    """

    def __init__(
        self,
        ask: Callable[[bytes], Awaitable[bytes]],
        *,
        hosts: Mapping[str, tuple[str, ...]],
        inside: tuple[IPv4Network | IPv6Network, ...],
        learn: Callable[[NameAnswer], Awaitable[None]],
        random_bytes: Callable[[int], bytes],
        on_refusal: Callable[[str, str], None] = lambda _reason, _asker: None,
        forwarders: frozenset[str] = frozenset(),
        limits: RelayLimits | None = None,
    ) -> None:
        self._ask = ask
        self._on_refusal = on_refusal
        self._forwarders = forwarders
        self._hosts = {
            name.lower().rstrip("."): tuple([ip_address(one) for one in addresses]) for name, addresses in hosts.items()
        }
        self._inside = (*inside, *_NOBODYS)
        self._learn = learn
        self._random_bytes = random_bytes
        self._limits = limits or RelayLimits()
        self._told: set[str] = set()
        self.counts: Counter[str] = Counter()

    async def answer(self, data: bytes, asker: str, *, max_bytes: int = 1 << 16) -> bytes | None:
        """What to say to a query; None where silence is better, as to what is no query.

        Args:
            data: as it came.
            asker: address that it came from.
            max_bytes: of the answer; over UDP less where the asker takes less.
        """
        try:
            query = message.decode(data)
        except UnsupportedError:
            return self._say(data, Rcode.NOTIMP)
        except DecodeError:
            self._count("malformed")
            return None
        if query.is_response or query.question is None:
            self._count("malformed")
            return None
        whose = asker
        if asker in self._forwarders:
            whose = "" if query.client is None else str(query.client)
        try:
            return await self._answer(data, query, query.question, whose, max_bytes)
        except UntrustedError as error:
            self._on_refusal(error.reason, whose or asker)
            self._tell(query.question.name, str(error))
            return self._say(data, Rcode.REFUSED)
        except ThingsteadError as error:
            _LOGGER.debug("no answer for %s: %s", query.question.name, error)
            return self._say(data, Rcode.SERVFAIL)

    async def _answer(
        self, data: bytes, query: DnsMessage, question: Question, asker: str, max_bytes: int
    ) -> bytes | None:
        given = self._hosts.get(question.name)
        if given is not None:
            ttl = self._limits.given_ttl
            found = tuple([(one, ttl) for one in given if RecordType.of(one) == question.type])
            await self._teach(question.name, found, (), asker)
            self._count("given")
            return message.encode_response(data, rcode=Rcode.NOERROR, addresses=given, ttl=ttl)
        response = await self._resolve(question, wants_signatures=query.wants_signatures)
        known = message.decode(response)
        self._require_outside(known)
        await self._teach(question.name, known.addresses(), known.aliases(), asker)
        self._count("passed")
        room = max_bytes if max_bytes > message.MAX_DATAGRAM else query.max_response
        return message.encode_relayed(data, response, max_ttl=self._limits.max_ttl, max_bytes=room)

    async def _resolve(self, question: Question, *, wants_signatures: bool) -> bytes:
        """Ask for it with an id of our own, and take nothing else for an answer (RFC 5452 §9.1)."""
        number = int.from_bytes(self._random_bytes(2))
        sent = message.encode_query(question, id=number, wants_signatures=wants_signatures)
        response = await self._ask(sent)
        read = message.decode(response)
        if not read.is_response or read.id != number or read.question != question:
            raise TransportError(f"expected an answer to {question.name}, got something else")
        return response

    def _require_outside(self, response: DnsMessage) -> None:
        """Refuse an answer by which a name of the Internet leads back to us (DNS rebinding).

        Whatever name it is: the thing that would follow it may be one that no file restrains.
        """
        for record in response.answers:
            for address in (*record.hints, *(() if record.address is None else (record.address,))):
                if is_inside(address, self._inside):
                    raise UntrustedError(f"{record.name} stands for {address}, which is inside", reason="rebinding")

    async def _teach(
        self, name: str, found: tuple[tuple[Address, int], ...], aliases: tuple[str, ...], asker: str
    ) -> None:
        if found:
            addresses = tuple([(address.packed, min(ttl, self._limits.max_ttl)) for address, ttl in found])
            await self._learn(NameAnswer(name, addresses, aliases, ip_address(asker).packed if asker else b""))

    def _say(self, data: bytes, rcode: Rcode) -> bytes | None:
        try:
            said = message.encode_response(data, rcode=rcode)
        except DecodeError:
            self._count("malformed")
            return None
        self._count(rcode.name.lower())
        return said

    def _count(self, what: str) -> None:
        self.counts[what] += 1

    def _tell(self, name: str, why: str) -> None:
        """Each name once: whoever answers for a name must not fill a disk by it."""
        if name not in self._told and len(self._told) < self._limits.max_told:
            self._told.add(name)
            _LOGGER.warning("names: %s", why)
