"""Tamper: every byte is changed on its way (RFC 8576 §3 threat 4; RFC 8613 §8.2; RFC 9528 §5)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Set
from dataclasses import dataclass, replace

from thingstead.agent.outbox import DOMAIN
from thingstead.agent.story import Request, Story, Wait
from thingstead.errors import StateError, ThingsteadError
from thingstead.protocols.coap.message import Message
from thingstead.protocols.coap.registry import Code
from thingstead.simulator.attack.member import Member, birth_of, joined, joining, telemetry, values_kept
from thingstead.simulator.attack.station import Station
from thingstead.simulator.attack.target import Target
from thingstead.simulator.attack.verdict import Traffic, Verdict, names

__all__ = ["tamper"]

_NAME = "tamper"
_HEADER = 4
_PATIENCE = 7
"""Forgeries per handshake: one less than RFC 9528 §9.7 has a responder bear with here."""
_KNOCKS = 8
"""Handshakes of one thing: one that comes more often at once is refused for that alone."""


async def tamper(target: Target) -> list[Verdict]:
    """Change one byte after the other of a protected request, of message_1 and of message_3."""
    async with joined(target) as member:
        withheld, header = await _request(target, member)
    station = Station(target)
    try:
        return [withheld, header, await _message_1(target, station), await _message_3(target, station)]
    finally:
        station.close()


async def _request(target: Target, member: Member) -> tuple[Verdict, Verdict]:
    """A request that never arrived unchanged, so that nothing but its tag stands against the changed ones."""
    station = member.station
    datagram = station.prepare(telemetry(target, 1.0), association=DOMAIN)
    protected = _HEADER + (datagram[0] & 0x0F)
    variants = list(_changed(datagram, protected, len(datagram)))
    changed = await _throw(target, station, variants)
    none_kept = await values_kept(target, member)
    answers = await station.throw([datagram])
    kept = await values_kept(target, member)
    first = Verdict(
        attack=_NAME,
        plane="access",
        what=f"an OSCORE request, each of its {len(datagram) - protected} bytes behind the token",
        expected="refused each time; then the genuine one is taken, once",
        observed=f"{changed.successes} taken; the genuine one: {names(Counter([data[1] for data in answers]))}",
        held=changed.successes == 0 and sum(changed.risen.values()) >= len(variants) and (none_kept, kept) == (0, 1),
        evidence=f"counted: {names(changed.risen)}",
    )
    again = await _throw(target, station, list(_changed(datagram, 0, protected)))
    values = await values_kept(target, member)
    second = Verdict(
        attack=_NAME,
        plane="access",
        what=f"the same once taken, each of the {protected} bytes of header and token, which nothing protects",
        expected="a repetition under another name stays one: no value twice",
        observed=f"{values - kept} values more",
        held=values == kept,
        evidence=f"counted: {names(again.risen)}",
    )
    return first, second


@dataclass(frozen=True, slots=True)
class _Thrown:
    """What became of changed datagrams: responses of success, and what the domain counted."""

    successes: int
    risen: dict[str, int]


async def _throw(target: Target, station: Station, datagrams: list[bytes]) -> _Thrown:
    before = await Traffic.of(target)
    heard = await station.throw(datagrams)
    risen = (await Traffic.of(target)).since(before)
    return _Thrown(sum(data[1] >> 5 == 2 for data in heard), risen)


async def _message_1(target: Target, station: Station) -> Verdict:
    """message_1 is not protected: a changed one may be answered, but the thing then never says who it is."""
    answers: Counter[int] = Counter()
    told = place = 0
    while True:
        story = joining(target, *birth_of(target, target.maker, target.model))
        message = _first(story)
        # Its length differs by a byte with the connection identifier.
        if place >= len(message.payload):
            break
        answer = await _answer(station, _with_byte_changed(message, place))
        answers[answer.code] += 1
        told += _next(story, answer) is not None
        place += 1
    return Verdict(
        attack=_NAME,
        plane="identity",
        what=f"EDHOC message_1, each of its {place} bytes",
        expected="refused by the domain, or its answer by the thing: never a message_3",
        observed=f"message_3 sent {told} times; answered: {names(answers)}",
        held=told == 0,
        evidence="handshakes that nobody finishes end by themselves",
    )


async def _message_3(target: Target, station: Station) -> Verdict:
    """Some forgeries in each handshake, which then goes on: they neither pass nor hinder."""
    answers: Counter[int] = Counter()
    finished: list[bool] = []
    serials: set[str] = set()
    place, size = 0, 1
    try:
        while place < size:
            if len(finished) % _KNOCKS == 0:
                birth, key = birth_of(target, target.maker, target.model)
                serials.add(birth.serial)
            story = joining(target, birth, key)
            message = _next(story, await _answer(station, _first(story)))
            if message is None:
                raise StateError("the genuine handshake came to nothing before message_3")
            size = len(message.payload)
            for changed in range(place, min(place + _PATIENCE, size)):
                answers[(await _answer(station, _with_byte_changed(message, changed))).code] += 1
            place += _PATIENCE
            finished.append(_is_joined(story, await _answer(station, message)))
    finally:
        await _retire(target, serials)
    passed = sum(number for code, number in answers.items() if code >> 5 == 2)
    return Verdict(
        attack=_NAME,
        plane="identity",
        what=f"EDHOC message_3, each of its {size} bytes",
        expected="refused each time; the handshake it was meant for goes on",
        observed=f"answered: {names(answers)}; {sum(finished)} of {len(finished)} handshakes went on",
        held=passed == 0 and all(finished),
    )


def _changed(datagram: bytes, start: int, stop: int) -> Iterator[bytes]:
    for place in range(start, stop):
        yield _with_bit_changed(datagram, place)


def _with_bit_changed(data: bytes, place: int) -> bytes:
    return data[:place] + bytes((data[place] ^ 1 << place % 8,)) + data[place + 1 :]


def _with_byte_changed(message: Message, place: int) -> Message:
    return replace(message, payload=_with_bit_changed(message.payload, place))


def _first(story: Story) -> Message:
    return _message(next(story))


def _next(story: Story, answer: Message) -> Message | None:
    """What the thing says to an answer; None when it breaks off, or is done."""
    try:
        return _message(story.send(answer))
    except (ThingsteadError, StopIteration):
        return None


def _message(wanted: Request | Wait) -> Message:
    if isinstance(wanted, Wait):
        raise StateError("expected a thing that joins to speak, it waits")
    return wanted.message


def _is_joined(story: Story, answer: Message) -> bool:
    try:
        story.send(answer)
    except StopIteration:
        return True
    except ThingsteadError:
        return False
    return False


async def _answer(station: Station, message: Message) -> Message:
    """The response; an Empty message where there is none, which no story goes on with."""
    try:
        return await station.request(message)
    except ThingsteadError:
        return Message(Code.EMPTY)


async def _retire(target: Target, serials: Set[str]) -> None:
    for row in await target.ask("thing.list", {}):
        if row["serial"] in serials:
            await target.ask("thing.retire", {"thing": row["thing"], "cause": "attack-over"})
