"""The security test of a thing from outside: a stranger asks in clear, under published keys, with recorded messages.

What is asked changes little at a thing that does not ask who wants it: nothing is deleted, and no body is sent. A thing
behind a firewall is tested as it stands there; one that answers no stranger at all is not said to have passed.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from itertools import count, product

from thingstead.domain.check import Check, Outcome
from thingstead.domain.ports import Stranger
from thingstead.errors import DecodeError, ThingsteadError
from thingstead.phases.knocking import MALFORMED, PATHS, PORTS, PUBLISHED_SALTS, published_secrets
from thingstead.protocols.coap import message as coap
from thingstead.protocols.coap.code import code_name
from thingstead.protocols.coap.message import Message, MessageType, request
from thingstead.protocols.coap.registry import Code, OptionNumber
from thingstead.protocols.oscore import protection
from thingstead.protocols.oscore.context import SecurityContext
from thingstead.protocols.profile import path

__all__ = ["CHECKS", "Subject", "examine"]

IN_CLEAR, NONSENSE, KEYS, REPLAY, SERVICES = "in-clear", "nonsense", "published-keys", "replay", "open-services"
CHECKS = (IN_CLEAR, NONSENSE, KEYS, REPLAY, SERVICES)
"""Names of the checks, in the order in which they are made."""

_METHODS = (Code.GET, Code.FETCH, Code.POST, Code.PUT)
_OPEN = (path.WELL_KNOWN_CORE, Code.GET)
"""What anybody may know: what there is (RFC 6690 §4)."""

_PATIENCE, _SHORT = 2.0, 0.3
_MAX_SILENT = 3
_TOKEN = b"stranger"
"""Long: many a thing answers an unknown address with no more than three times what it sent (RFC 7252 §11.3)."""

_MID = slice(2, 4)
_COAP_PORTS = (5683, 5684)
_IDS = (b"", b"\x00", b"\x01")
_SILENT = "it answers no stranger here, not even a ping: what it would do elsewhere was not seen"


@dataclass(frozen=True, slots=True)
class Subject:
    """The thing that is tested.

    Attributes:
        address: where its endpoint is.
        is_alone: nobody else, and nothing of the domain's own, is at its IP address.
        overheard: asks it something under its association with the domain, and returns the datagrams that went to it.
    """

    address: tuple[str, int]
    is_alone: bool
    overheard: Callable[[], Awaitable[Sequence[bytes]]]


async def examine(subject: Subject, stranger: Stranger) -> tuple[Check, ...]:
    """Make every check, each whatever the others came to."""
    visit = _Visit(subject, stranger)
    if not await visit.is_there():
        silent = [Check.of(name, Outcome.NOT_RUN, [_SILENT]) for name in CHECKS[:-1]]
        return (*silent, await visit.services())
    return (
        await visit.in_clear(),
        await visit.nonsense(),
        await visit.published_keys(),
        await visit.replay(),
        await visit.services(),
    )


class _Visit:
    def __init__(self, subject: Subject, stranger: Stranger) -> None:
        self._subject = subject
        self._stranger = stranger
        self._mids = count(0x5E00)

    async def is_there(self, port: int = 0) -> bool:
        """Ping (RFC 7252 §4.3): a Reset with the same message ID."""
        mid = next(self._mids)
        host, own = self._subject.address
        ping = coap.encode_as(Message(Code.EMPTY), MessageType.CON, mid, b"")
        pong = coap.encode_as(Message(Code.EMPTY), MessageType.RST, mid, b"")
        heard = await self._stranger.say(
            ping, (host, port or own), within=_PATIENCE if not port else _SHORT, until=pong.__eq__
        )
        return pong in heard

    async def in_clear(self) -> Check:
        taken: list[str] = []
        silent = 0
        for place, method in product(PATHS, _METHODS):
            heard = await self._say(request(method, place))
            answer = _response(heard)
            silent = 0 if heard else silent + 1
            if silent > _MAX_SILENT:
                return Check.of(IN_CLEAR, Outcome.NOT_RUN, [f"it fell silent at {method.name} {place}"])
            if _is_success(answer) and (place, method) != _OPEN:
                taken.append(f"{method.name} {place} is answered with {_name(answer)}")
        return _judged(IN_CLEAR, taken)

    async def nonsense(self) -> Check:
        answers = await asyncio.gather(*[self._throw(bytes.fromhex(one)) for one in MALFORMED.values()])
        wrong = [
            f"{name} is answered with {_name(one)}"
            for name, heard in zip(MALFORMED, answers, strict=True)
            for one in heard
            if _is_success(one)
        ]
        if not await self.is_there():
            wrong.append("it answers no ping any more")
        return _judged(NONSENSE, wrong)

    async def published_keys(self) -> Check:
        taken: list[str] = []
        for (name, secret), salt, kid in product(published_secrets().items(), PUBLISHED_SALTS, _IDS):
            other = next(one for one in _IDS if one != kid)
            context = SecurityContext.derive(secret, master_salt=salt, sender_id=kid, recipient_id=other)
            protected, _ = protection.protect_request(request(Code.GET, path.WELL_KNOWN_CORE), context=context)
            if _is_protected(_response(await self._say(protected))):
                taken.append(f"the master secret {name}, kid {kid.hex() or 'empty'}")
        return _judged(KEYS, taken)

    async def replay(self) -> Check:
        """What the domain said to it, said again by somebody else: as it was, and as a new message (RFC 8613 §7.4)."""
        try:
            recorded = [one for one in await self._subject.overheard() if _carries_oscore(one)]
        except ThingsteadError as error:
            return Check.of(REPLAY, Outcome.NOT_RUN, [f"the domain itself was not answered: {error}"])
        if not recorded:
            return Check.of(REPLAY, Outcome.NOT_RUN, ["the domain asked nothing that could be repeated"])
        taken: list[str] = []
        for datagram in recorded:
            fresh = datagram[: _MID.start] + next(self._mids).to_bytes(2, "big") + datagram[_MID.stop :]
            for how, again in (("as it was", datagram), ("under another message ID", fresh)):
                if any(_is_protected(one) for one in await self._throw(again)):
                    taken.append(f"a recorded request is served {how}")
        return _judged(REPLAY, taken)

    async def services(self) -> Check:
        host, own = self._subject.address
        if not self._subject.is_alone:
            return Check.of(SERVICES, Outcome.NOT_APPLICABLE, ["others are at its address"])
        knocks = [self._stranger.knock(host, port, within=_PATIENCE) for port in sorted(PORTS)]
        is_open = await asyncio.gather(*knocks)
        found = [f"TCP {port}" for port, answers in zip(sorted(PORTS), is_open, strict=True) if answers]
        found += [f"UDP {port}" for port in _COAP_PORTS if port != own and await self.is_there(port)]
        return _judged(SERVICES, found)

    async def _say(self, message: Message) -> list[Message]:
        datagram = coap.encode_as(message, MessageType.CON, next(self._mids), _TOKEN)
        heard = await self._stranger.say(datagram, self._subject.address, within=_PATIENCE, until=_is_response)
        return [one for one in map(_read, heard) if one is not None]

    async def _throw(self, datagram: bytes) -> list[Message]:
        heard = await self._stranger.say(datagram, self._subject.address, within=_SHORT, until=_is_response)
        return [one for one in map(_read, heard) if one is not None]


def _judged(name: str, wrong: Sequence[str]) -> Check:
    return Check.of(name, Outcome.FAILED if wrong else Outcome.PASSED, wrong)


def _read(data: bytes) -> Message | None:
    try:
        return coap.decode(data)
    except DecodeError:
        return None


def _response(heard: Sequence[Message]) -> Message | None:
    """An Acknowledgement alone says that one comes, and is none (RFC 7252 §5.2.2)."""
    return next((one for one in heard if one.code), None)


def _is_response(data: bytes) -> bool:
    read = _read(data)
    return read is not None and read.code != Code.EMPTY


def _is_success(answer: Message | None) -> bool:
    return answer is not None and answer.code >> 5 == 2


def _is_protected(answer: Message | None) -> bool:
    """A success under OSCORE: whoever made it has understood the request (RFC 8613 §8.2, errors are in clear)."""
    return answer is not None and _is_success(answer) and answer.option(OptionNumber.OSCORE) is not None


def _carries_oscore(datagram: bytes) -> bool:
    read = _read(datagram)
    return read is not None and read.option(OptionNumber.OSCORE) is not None


def _name(answer: Message | None) -> str:
    return "nothing" if answer is None else code_name(answer.code)
