"""EDHOC as a whole: two things and two domains, between whom the fuzzer carries, changes and makes up what it likes."""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import dataclass
from functools import cache, partial

from tests.fuzz.target import Cursor, Target, attempt, ensure
from tests.properties.drafts_on_path import SHARED
from tests.properties.on_path import Ground
from thingstead.crypto.key import generate
from thingstead.errors import ProtocolError, SecurityError
from thingstead.protocols.edhoc.authentication import METHODS
from thingstead.protocols.edhoc.error import UnknownCredentialError
from thingstead.protocols.edhoc.psk_initiator import PskInitiator
from thingstead.protocols.edhoc.psk_responder import PskResponder
from thingstead.protocols.edhoc.session import Completed, OscoreParameters

_STEPS = 24
_FORGED, _MADE_UP = 192, 232


@dataclass
class _End:
    """What one end believes: keys under which it waits for message_4, and keys that it is sure of."""

    begun: OscoreParameters | None = None
    sure: OscoreParameters | None = None


_Life = Generator[bytes, bytes, None]
_ground = cache(partial(Ground, form="kccs"))


def _thing(method: int, end: _End) -> _Life:
    ground = _ground(method)
    message_1, waiting_2 = ground.initiator(ground.thing).message_1()
    received = waiting_2.receive((yield message_1))
    found = ground.trust.decide(received.id_cred_r, METHODS[method].responder)
    yield from _finish(*received.authenticate(found).message_3(), end=end)


def _domain(method: int, end: _End) -> _Life:
    ground = _ground(method)
    accepted = ground.responder().receive((yield b""))
    message_2, waiting_3 = accepted.message_2(b"\x22", ground.domain.credential, key=ground.domain.key)
    answer = yield message_2
    while (received := attempt(partial(waiting_3.receive, answer))) is None:
        answer = yield b""
    found = ground.trust.decide(received.id_cred_i, METHODS[method].initiator)
    message_4, completed = received.authenticate(found).message_4()
    end.sure = completed.oscore()
    yield message_4


def _thing_with_code(end: _End) -> _Life:
    offer = PskInitiator(suites=(3, 2), shared=SHARED, connection_id=b"\x11", ephemeral=generate)
    message_1, waiting_2 = offer.message_1()
    yield from _finish(*waiting_2.receive((yield message_1)).message_3(), end=end)


def _domain_with_code(end: _End) -> _Life:
    message_2, waiting_3 = PskResponder(suites=(2, 3), ephemeral=generate).receive((yield b"")).message_2(b"\x22")
    answer = yield message_2
    while (found := attempt(partial(_by_code, waiting_3, answer))) is None:
        answer = yield b""
    message_4, completed = found[0].message_4()
    end.sure = completed.oscore()
    yield message_4


def _by_code(waiting_3, message_3):
    received = waiting_3.receive(message_3)
    if received.id_cred_psk.id_cred != SHARED.id_cred:
        raise UnknownCredentialError("no such key")
    return received.authenticate(SHARED)


def _finish(message_3: bytes, waiting_4, *, end: _End) -> _Life:
    end.begun = Completed(waiting_4._look()).oscore()
    answer = yield message_3
    while (completed := attempt(partial(waiting_4.receive, answer))) is None:
        answer = yield b""
    end.sure = completed.oscore()


_KINDS: tuple[tuple[Callable[[_End], _Life], Callable[[_End], _Life]], ...] = (
    *((partial(_thing, method), partial(_domain, method)) for method in METHODS),
    (_thing_with_code, _domain_with_code),
)


def _sessions(data: bytes) -> None:
    """An end that is sure of keys has them in common with one end of the other role, and with nobody else."""
    cursor = Cursor(data)
    thing, domain = _KINDS[cursor.number(len(_KINDS))]
    things, domains = (_End(), _End()), (_End(), _End())
    lives = [*(thing(end) for end in things), *(domain(end) for end in domains)]
    seen = [said for life in lives if (said := next(life))]
    for _ in range(_STEPS):
        if cursor.is_empty:
            break
        who, message = cursor.number(len(lives)), _message(cursor, seen)
        try:
            if said := lives[who].send(message):
                seen.append(said)
        except (ProtocolError, SecurityError, StopIteration):
            continue
    _hold(things, domains)


def _message(cursor: Cursor, seen: list[bytes]) -> bytes:
    """Something that was said, as it was or changed, or anything."""
    choice = cursor.number(256)
    if choice >= _MADE_UP:
        return cursor.bytes(cursor.number(64))
    message = seen[choice % len(seen)]
    if choice < _FORGED:
        return message
    at, mask = cursor.number(1 << 16) % len(message), cursor.number(256)
    return message[:at] + bytes((message[at] ^ mask,)) + message[at + 1 :]


def _hold(things: tuple[_End, ...], domains: tuple[_End, ...]) -> None:
    for end in things:
        if end.sure is not None:
            mirrors = [one for one in domains if one.sure is not None and _fit(end.sure, one.sure)]
            ensure(len(mirrors) == 1, "a thing is sure of keys that no domain has")
    for end in domains:
        if end.sure is not None:
            mirrors = [one for one in things if one.begun is not None and _fit(one.begun, end.sure)]
            ensure(len(mirrors) == 1, "a domain is sure of keys that no thing has")


def _fit(ours: OscoreParameters, theirs: OscoreParameters) -> bool:
    ids = (ours.sender_id, ours.recipient_id) == (theirs.recipient_id, theirs.sender_id)
    return ids and (ours.master_secret, ours.master_salt) == (theirs.master_secret, theirs.master_salt)


_HONEST = bytes((2, 0, 0, 2, 2, 3, 0, 4))  # who gets which message: 0 and 1 are things, 2 and 3 are domains
_CROSSED = bytes((3, 1, 1, 2, 3, 3, 1, 4, 2, 0, 0, 5, 2, 6, 0, 7))

TARGETS = (
    Target(
        "edhoc sessions", _sessions, tuple([bytes((kind,)) + path for kind in range(5) for path in (_HONEST, _CROSSED)])
    ),
)
