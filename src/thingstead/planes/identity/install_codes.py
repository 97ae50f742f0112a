"""Install codes: the owner reads one off a label, and one thing comes in by it, once.

Who comes by a code first has it. That the answer reached them shows when they join; until then they, and nobody else,
may come by it again, for as long as it has tries left: a lost message_4 costs a try, and no walk to the label. Coming
again gives nothing that coming once did not: an identity is vouched for, and its key has to be proven at the join.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from thingstead.clock import Clock
from thingstead.crypto.digest import digest
from thingstead.domain.ledger.entry import Detail, Draft, Kind
from thingstead.domain.ports import Archive
from thingstead.errors import DecodeError, ExpiredError, PolicyError, UntrustedError
from thingstead.protocols.cbor import codec
from thingstead.protocols.cwt import token
from thingstead.protocols.cwt.claims import Claim
from thingstead.protocols.edhoc.error import UnknownCredentialError
from thingstead.protocols.edhoc.shared_key import SharedCredential
from thingstead.protocols.profile.install_code import InstallCode, key_of, kid_of, shared_credential
from thingstead.secret import Secret

__all__ = ["MAX_TRIES", "CodeState", "InstallCodes", "Standing"]

MAX_TRIES = 5
"""Times that somebody may name a code before it is locked; a thing that bears it needs one."""

_FORMAT = 1
_MAX_SERIAL = 128
_MAX_CODES = 10_000
_PLANE = "plane:identity"


class CodeState(StrEnum):
    """What may come of a code."""

    OPEN = "open"
    BOUND = "bound"
    USED = "used"
    LOCKED = "locked"
    EXPIRED = "expired"


_USABLE = frozenset({CodeState.OPEN, CodeState.BOUND})


@dataclass(frozen=True, slots=True)
class Standing:
    """A code as the owner is told of it: by its thing's serial number, never by itself.

    Attributes:
        serial: of the thing whose label bears it.
        state: what may come of it.
        tries: how often somebody named it.
        expires: until when it may be used.
    """

    serial: str
    state: CodeState
    tries: int
    expires: datetime


@dataclass(frozen=True, slots=True)
class _Kept:
    """A document; `psk` is empty once it can be used no more, `identity` until somebody came by it."""

    serial: str
    psk: Secret
    expires: datetime
    tries: int = 0
    identity: bytes = b""

    def state(self, at: datetime) -> CodeState:
        if self.identity:
            is_left = self.psk.reveal() and self.tries < MAX_TRIES and at < self.expires
            return CodeState.BOUND if is_left else CodeState.USED
        if self.tries >= MAX_TRIES:
            return CodeState.LOCKED
        return CodeState.EXPIRED if self.expires <= at else CodeState.OPEN


class InstallCodes:
    """The codes that the owner added; without one nothing is asked of them, and no join goes this way.

    A try is on disk before it is made, so that nobody who kills us has more of them.

    Args:
        records: one document per code, by its identifier; they hold keys of codes that are not used yet.
        clock: for UTC.
    """

    def __init__(self, records: Archive, *, clock: Clock) -> None:
        self._records = records
        self._clock = clock
        self._kept = {bytes.fromhex(kid): _decode(document) for kid, document in records.load().items()}
        self._vouched = {kept.identity for kept in self._kept.values() if kept.identity}
        self._changing = asyncio.Lock()

    def __contains__(self, maker_identity: bytes) -> bool:
        """Whether a code brought this identity."""
        return digest(maker_identity) in self._vouched

    def has_open(self) -> bool:
        """Whether there is a code that somebody may still use."""
        at = self._clock.utc()
        return any(kept.state(at) in _USABLE for kept in self._kept.values())

    def standings(self) -> list[Standing]:
        """All codes, by serial number."""
        at = self._clock.utc()
        told = [Standing(kept.serial, kept.state(at), kept.tries, kept.expires) for kept in self._kept.values()]
        return sorted(told, key=lambda one: one.serial)

    async def add(self, code: InstallCode, serial: str, *, validity: timedelta, by: str) -> Standing:
        """Let the thing of this serial number come in by its code.

        Raises:
            PolicyError: a serial number or time that cannot be, a code that was used or locked, or too many of them.
        """
        if not 0 < len(serial) <= _MAX_SERIAL or not serial.isprintable() or validity <= timedelta(0):
            raise PolicyError("expected the serial number beside the code on the label, and a time to use it in")
        async with self._changing:
            kid = kid_of(code)
            known = self._kept.get(kid)
            if known is not None and (known.identity or known.tries >= MAX_TRIES):
                state = CodeState.USED if known.identity else CodeState.LOCKED
                raise PolicyError(f"this code of {known.serial} was {state}: it never is again")
            if known is None and len(self._kept) >= _MAX_CODES:
                raise PolicyError(f"expected at most {_MAX_CODES} install codes; remove some that are used or expired")
            kept = _Kept(serial, key_of(code), self._clock.utc().replace(microsecond=0) + validity)
            await self._write(kid, replace(kept, tries=known.tries if known else 0), by, "install-code-added")
            return Standing(serial, CodeState.OPEN, self._kept[kid].tries, kept.expires)

    async def remove(self, serial: str, *, by: str) -> Standing:
        """Let nobody come in by the code of this serial number any more.

        What was used stays: by it the thing that came is known.

        Raises:
            PolicyError: there is none that could still be used.
        """
        async with self._changing:
            for kid, kept in self._kept.items():
                if kept.serial == serial and not kept.identity:
                    await self._records.write(
                        {kid.hex(): None}, entries=[self._draft(kept, by, "install-code-removed")]
                    )
                    del self._kept[kid]
                    return Standing(serial, kept.state(self._clock.utc()), kept.tries, kept.expires)
        raise PolicyError(f"no install code of {serial[:40]!r} waits to be used; `thingstead install-code list`")

    async def attempt(self, kid: bytes) -> SharedCredential:
        """The key of the code that somebody names, for one try.

        Raises:
            UnknownCredentialError: there is none of that name.
            UntrustedError: it was used, or locked by tries before this one.
            ExpiredError: its time is over.
            StorageError: the try could not be noted.
        """
        async with self._changing:
            kept = self._kept.get(kid)
            if kept is None:
                raise UnknownCredentialError("expected the identifier of an install code")
            self._require_open(kept)
            tried = replace(kept, tries=kept.tries + 1)
            cause = "install-code-locked" if tried.tries == MAX_TRIES else "install-code-tried"
            await self._write(kid, tried, _PLANE, cause)
            return shared_credential(kid, kept.psk)

    async def introduce(self, kid: bytes, maker_identity: bytes) -> None:
        """Vouch for the identity that came protected by the code's key: the first, and from then on no other.

        Raises:
            UntrustedError: the code is another's by now, was taken back meanwhile, or is another thing's.
            ExpiredError: its time ran out meanwhile.
            DecodeError: no identity.
        """
        serial = token.decode(maker_identity).claims.text(Claim.SUB)
        async with self._changing:
            kept = self._kept.get(kid)
            if kept is None:
                raise UntrustedError("the install code was taken back meanwhile", reason="removed")
            # The last try that is allowed may be the one that succeeds.
            self._require_open(replace(kept, tries=0))
            if serial != kept.serial:
                raise UntrustedError(
                    f"the install code is that of {kept.serial}, not of {serial[:40]!r}", reason="serial"
                )
            name = digest(maker_identity)
            if kept.identity and kept.identity != name:
                raise UntrustedError(f"the install code of {kept.serial} was used by another", reason="used")
            if not kept.identity:
                await self._write(kid, replace(kept, identity=name), _PLANE, "install-code-used")
                self._vouched.add(name)

    async def settle(self, maker_identity: bytes) -> None:
        """Let go of the key by which an identity came that has joined; nothing for any other.

        Raises:
            StorageError: the disk does not forget it; it is tried again at the next join.
        """
        name = digest(maker_identity)
        if name in self._vouched:
            await self._forget(lambda kept: kept.identity == name)

    async def tidy(self) -> None:
        """Let go of the keys of codes by which nobody comes any more."""
        at = self._clock.utc()
        await self._forget(lambda kept: kept.state(at) not in _USABLE)

    async def _forget(self, is_meant: Callable[[_Kept], bool]) -> None:
        async with self._changing:
            over = {kid: kept for kid, kept in self._kept.items() if kept.psk.reveal() and is_meant(kept)}
            without = {kid: replace(kept, psk=Secret(b"")) for kid, kept in over.items()}
            if without:
                await self._records.write({kid.hex(): _encode(kept) for kid, kept in without.items()})
                self._kept.update(without)

    def _require_open(self, kept: _Kept) -> None:
        state = kept.state(self._clock.utc())
        if state is CodeState.EXPIRED:
            raise ExpiredError(f"the install code of {kept.serial} has expired")
        if state not in _USABLE:
            raise UntrustedError(f"the install code of {kept.serial} was {state}", reason=str(state))

    async def _write(self, kid: bytes, kept: _Kept, by: str, cause: str) -> None:
        await self._records.write({kid.hex(): _encode(kept)}, entries=[self._draft(kept, by, cause)])
        self._kept[kid] = kept

    def _draft(self, kept: _Kept, by: str, cause: str) -> Draft:
        details: dict[str, Detail] = {"serial": kept.serial, "tries": kept.tries}
        return Draft(self._clock.utc(), Kind.AUTHENTICATION, by, None, cause, details)


def _encode(kept: _Kept) -> bytes:
    expires = int(kept.expires.timestamp())
    return codec.encode([_FORMAT, kept.serial, kept.psk.reveal(), expires, kept.tries, kept.identity])


def _decode(document: bytes) -> _Kept:
    match codec.decode(document):
        case [int(version), str(serial), bytes(psk), int(expires), int(tries), bytes(identity)] if version == _FORMAT:
            return _Kept(serial, Secret(psk), datetime.fromtimestamp(expires, UTC), tries, identity)
        case _:
            raise DecodeError(f"expected an install code of format {_FORMAT}")
