"""Whose things these were: the hand-overs that the owner accepted, and what a newcomer's word is worth without."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from thingstead.clock import Clock
from thingstead.crypto.digest import digest
from thingstead.crypto.key import PublicKey
from thingstead.domain.ledger.entry import Detail, Draft, Kind
from thingstead.domain.ports import Records
from thingstead.errors import DecodeError, UntrustedError
from thingstead.planes.identity import handover
from thingstead.planes.identity.handover import AuthenticHandover
from thingstead.protocols.cbor import codec
from thingstead.protocols.cose import key as cose_key
from thingstead.protocols.cwt.credential import MakerIdentity
from thingstead.protocols.profile import custody

__all__ = ["IN_HAND", "Ownership"]

IN_HAND = "somebody who has it in hand has to compare its key"
"""What a thing without papers waits for."""


class Ownership:
    """Accepts what sellers hand over, and knows which newcomers had an owner before.

    Args:
        records: the end of each chain of custody that was accepted, and whose releases count by it, by maker and serial
            number.
        identify: see `handover.authenticate`.
        server_key: likewise.
        owner: the key by which makers and owners before us know us.
        has_left: whether a thing of this maker and serial number was here and is gone.
        clock: for UTC.
    """

    def __init__(
        self,
        records: Records,
        *,
        identify: Callable[[bytes, datetime], tuple[MakerIdentity, PublicKey]],
        server_key: Callable[[str], PublicKey | None],
        owner: PublicKey,
        has_left: Callable[[str, str], bool],
        clock: Clock,
    ) -> None:
        self._records = records
        self._identify = identify
        self._server_key = server_key
        self._owner = owner
        self._has_left = has_left
        self._clock = clock
        self._accepted = {name: _decode(document) for name, document in records.load().items()}

    async def accept(self, data: bytes, *, by: str) -> AuthenticHandover:
        """Verify a hand-over to us, and let the thing come by it.

        Args:
            data: the seller's file.
            by: who says so, for the ledger.

        Raises:
            SecurityError, ProtocolError: as for `handover.authenticate`; nothing changed.
            UntrustedError: papers of before the thing left us.
            StorageError: it could not be kept; nothing changed.
        """
        at = self._clock.utc()
        accepted = handover.authenticate(
            data, identify=self._identify, server_key=self._server_key, buyer=self._owner, at=at
        )
        identity, chain = accepted.identity, accepted.custody
        if self._has_left(identity.maker, identity.serial):
            self._require_return(accepted)
        details: dict[str, Detail] = {
            "maker": identity.maker,
            "serial": identity.serial,
            "owners": ", ".join(owner.name for owner in chain.owners),
            "handover": digest(data),
        }
        name = _name(identity.maker, identity.serial)
        known = _Accepted(chain.head, tuple([cose_key.thumbprint(key) for key in chain.release_keys]))
        if chain.mender is not None:
            details["updates_by"] = chain.mender.name
        entry = Draft(at, Kind.AUTHENTICATION, by, None, "handed-over", details)
        await self._records.write({name: _encode(known)}, entries=[entry])
        self._accepted[name] = known
        return accepted

    def _require_return(self, accepted: AuthenticHandover) -> None:
        """Papers by which a thing comes back go on from those by which it came, and name us among its former owners."""
        identity, shown = accepted.identity, accepted.handover.papers
        known = self._accepted.get(_name(identity.maker, identity.serial))
        before = [custody.head(shown.voucher, shown.links[:place]) for place in range(len(shown.links))]
        was_ours = any(owner.key == self._owner for owner in accepted.custody.owners[:-1])
        if not was_ours or (known is not None and known.head not in before):
            raise UntrustedError(f"these papers are of before {identity.serial} left us", reason="stale")

    def release_keys(self, identity: MakerIdentity) -> tuple[bytes, ...]:
        """Thumbprints of the keys that sign a newcomer's releases, by the papers accepted; none if its maker's do."""
        known = self._accepted.get(_name(identity.maker, identity.serial))
        return () if known is None else known.release_keys

    def objection(self, identity: MakerIdentity, said: bytes | None) -> str:
        """Why a newcomer has to wait for somebody who has it in hand; empty if it need not.

        Args:
            identity: who it proved to be.
            said: the end of its chain of custody; empty if it was reset by hand, None if it came from its maker.
        """
        if said is None:
            return ""
        if not said:
            return f"it was reset by hand, without papers of its last owner: {IN_HAND}"
        known = self._accepted.get(_name(identity.maker, identity.serial))
        if known is None or known.head != said:
            return f"it had an owner whose papers nobody accepted: {IN_HAND}"
        return ""


@dataclass(frozen=True, slots=True)
class _Accepted:
    """A document: the end of a chain, and thumbprints of its mender's release keys."""

    head: bytes
    release_keys: tuple[bytes, ...] = ()


def _encode(known: _Accepted) -> bytes:
    return codec.encode([known.head, *known.release_keys])


def _decode(document: bytes) -> _Accepted:
    if len(document) == _BARE_HEAD:
        return _Accepted(document)
    match codec.decode(document):
        case [bytes(head), *keys] if all(isinstance(key, bytes) for key in keys):
            return _Accepted(head, tuple(keys))
        case _:
            raise DecodeError("expected the end of a chain of custody, and release keys")


_BARE_HEAD = 32
"""As it was written before release keys were kept; an array is longer."""


def _name(maker: str, serial: str) -> str:
    return f"{maker}/{serial}"
