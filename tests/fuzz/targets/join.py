"""A domain that things join, and somebody who speaks EDHOC as well as any of them and has no maker's word."""

from __future__ import annotations

from collections.abc import Coroutine
from datetime import UTC, date, datetime, timedelta
from typing import Any

from tests.fuzz.target import Cursor, Target, ensure
from thingstead.crypto.key import KeyType, generate
from thingstead.errors import ThingsteadError
from thingstead.phases.bootstrap import Bootstrap, HalfOpen, Newcomer
from thingstead.phases.manufacture import Maker, Model, bear
from thingstead.phases.unwelcome import Unwelcome
from thingstead.planes.identity.registrar import Registrar
from thingstead.protocols.cwt import ccs
from thingstead.protocols.edhoc.coap_carriage import frame_message_1, frame_message_3
from thingstead.protocols.edhoc.credential import Credential, kccs_reference
from thingstead.protocols.edhoc.ead import EadItem
from thingstead.protocols.edhoc.error import UnknownCredentialError
from thingstead.protocols.edhoc.initiator import Initiator
from thingstead.protocols.edhoc.pending import PendingSessions
from thingstead.protocols.edhoc.shared_key import SharedCredential
from thingstead.protocols.profile import join
from thingstead.protocols.profile.grant import Grant

_AT = datetime(2026, 11, 23, tzinfo=UTC)
_SOURCES = (("192.0.2.1", 5683), ("192.0.2.1", 9), ("2001:db8::1", 5683))
_DOMAIN, _THING, _STRANGER = (generate(KeyType.P256) for _ in range(3))
_CCS = ccs.encode(_DOMAIN.public, subject="home")
_CREDENTIAL = Credential(kccs_reference(_CCS), _CCS, _DOMAIN.public)
_MODEL = Model("LX-1", 2, "https://acme.example/lx-1.json", date(2031, 1, 1))
_GENUINE, _FALSE = (Maker("acme", "acme.example", generate(KeyType.P256), (generate(KeyType.P256),)) for _ in range(2))
_LABELS = (15, -15, 26, -26, 65_540, -65_540, 65_541, -65_541, 7, -7, 0)
_MOST = 12


def _identity(maker: Maker, key: Any) -> bytes:
    return bear(
        maker, _MODEL, "A0001", thing_key=key.public, domain_key=_DOMAIN.public, at=_AT,
        voucher_expires=_AT + timedelta(days=1),
    ).maker_identity  # fmt: skip


_IDENTITIES = (_identity(_GENUINE, _THING), _identity(_FALSE, _STRANGER), _identity(_FALSE, _THING))


class _Codes:
    """One code is open, and the stranger has not got it."""

    def has_open(self) -> bool:
        return True

    async def attempt(self, kid: bytes) -> SharedCredential:
        raise UnknownCredentialError("no such code")

    async def introduce(self, kid: bytes, maker_identity: bytes) -> None:
        raise AssertionError("somebody without a code was introduced")

    async def settle(self, maker_identity: bytes) -> None:
        raise AssertionError("somebody without a maker's word has joined")


class _Domain:
    def __init__(self) -> None:
        registrar = Registrar({"acme": _GENUINE.anchor.public})
        numbers = iter(range(0x800000, 0x900000))
        self.bootstrap = Bootstrap(
            _CREDENTIAL,
            _DOMAIN,
            authenticate=lambda identity, at: registrar.authenticate(identity, at=at),
            admit=self._admit,
            connection_id=lambda: next(numbers).to_bytes(3),
            pending=PendingSessions[HalfOpen](limit=4, lifetime=30.0),
            unwelcome=Unwelcome(share=2),
            codes=_Codes(),
        )

    async def _admit(self, newcomer: Newcomer) -> Grant:
        raise AssertionError(f"{newcomer.identity.serial} was taken in")

    def answer(self, payload: bytes, source: tuple[str, int]) -> bytes | None:
        try:
            return _finished(self.bootstrap.answer(payload, source, now=0.0, at=_AT))
        except ThingsteadError:
            return None


def _finished(running: Coroutine[Any, Any, bytes]) -> bytes:
    """What comes of a coroutine that waits for nothing."""
    try:
        running.send(None)
    except StopIteration as end:
        answer: bytes = end.value
        return answer
    raise AssertionError("a handshake waits for something else than its peer")


def _join(data: bytes) -> None:
    """Nobody is taken in, or introduced, by what somebody says who proves a key that no maker vouches for."""
    cursor, domain = Cursor(data), _Domain()
    for _ in range(_MOST):
        if cursor.is_empty:
            break
        source = _SOURCES[cursor.number(len(_SOURCES))]
        if cursor.number(2):
            domain.answer(cursor.bytes(cursor.number(256)), source)
        else:
            _handshake(domain, cursor, source)
        ensure(domain.bootstrap.half_open <= 4, "more handshakes are open than may be")


def _handshake(domain: _Domain, cursor: Cursor, source: tuple[str, int]) -> None:
    """All as it should be, but for whose the identity is, and what else stands in EAD_3."""
    shown = _IDENTITIES[cursor.number(len(_IDENTITIES))]
    offer = Initiator(
        method=join.METHOD,
        suites=join.SUITES,
        credential=join.identity_credential(shown, _STRANGER.public),
        key=_STRANGER,
        connection_id=b"\x05",
        ephemeral=generate,
    )
    message_1, waiting = offer.message_1(_items(cursor))
    message_2 = domain.answer(frame_message_1(message_1), source)
    if message_2 is None:
        return
    received = waiting.receive(message_2)
    message_3, _ = received.authenticate(_CREDENTIAL).message_3(_items(cursor))
    domain.answer(frame_message_3(received.c_r, message_3), source)


def _items(cursor: Cursor) -> list[EadItem]:
    items = []
    for _ in range(cursor.number(4)):
        label, kind = _LABELS[cursor.number(len(_LABELS))], cursor.number(6)
        value = _IDENTITIES[kind] if kind < len(_IDENTITIES) else cursor.bytes(cursor.number(64))
        items.append(EadItem(label, value))
    return items


TARGETS = (
    Target(
        "join",
        _join,
        (b"\0\0\0\0\1\1\0", b"\0\0\1\0\2\1\1\7\4\x08abcdefgh", b"\0\1\x04\xf5\3\2\x41", b"\1\0\2\0\1\1\2"),
    ),
)
