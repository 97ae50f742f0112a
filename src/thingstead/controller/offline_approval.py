"""Approvals that come signed from where nobody could be asked: each counts once, as if asked for here (R-03)."""

from __future__ import annotations

from datetime import datetime

from thingstead.clock import Clock
from thingstead.controller.admission import Admission
from thingstead.controller.installers import Installers
from thingstead.controller.waiting_room import Waiting
from thingstead.domain.instant import instant, microseconds
from thingstead.domain.ports import Records
from thingstead.domain.register import Register
from thingstead.errors import DecodeError, ForbiddenError, PolicyError, ReplayError, UntrustedError
from thingstead.protocols.cbor import codec
from thingstead.protocols.profile import approval, signed_request
from thingstead.protocols.profile.approval import LIFETIME

__all__ = ["OfflineApprovals"]

_MOST = 10_000


class OfflineApprovals:
    """What was brought, and what of it was used; who brings it does not matter, nor whom it is brought for.

    Args:
        installers: whose statements count.
        admission: takes an approval, wherever it was given.
        register: the things.
        records: statements that were used, until they are too old to come again.
        domain: its name.
        clock: for UTC.
    """

    def __init__(
        self,
        installers: Installers,
        admission: Admission,
        register: Register,
        *,
        records: Records,
        domain: str,
        clock: Clock,
    ) -> None:
        self._installers = installers
        self._admission = admission
        self._register = register
        self._records = records
        self._domain = domain
        self._clock = clock
        self._spent = {bytes.fromhex(name): _decode(document) for name, document in records.load().items()}

    async def present(self, encoded: bytes) -> Waiting:
        """Let a thing in that an installer approved elsewhere, if it waits here.

        Raises:
            UntrustedError: nobody's key who is an installer now; or the thing proved another key than the one approved.
            AuthenticationError, DecodeError, UnsupportedError, ExpiredError: see `approval.authenticate`.
            ReplayError: it was used.
            ForbiddenError: beyond the delegation, or by one that was ended.
            PolicyError: the thing does not wait, or not for this zone; it may be brought again when it does.
            StorageError: it was not kept, and lets nobody in.
        """
        thumbprint, now = signed_request.decode_signer(encoded), self._clock.utc()
        found = self._installers.identify(thumbprint)
        if found is None:
            raise UntrustedError(f"the key {thumbprint.hex()[:16]} is no installer's here", reason="operator")
        public, operator = found
        said = approval.authenticate(encoded, public, domain=self._domain, at=now)
        delegation = self._installers.delegation(operator.actor)
        if delegation is None or delegation.cti != said.delegation:
            raise ForbiddenError("the statement is by a delegation that was ended", reason="delegation")
        thing = self._register.find(said.maker, said.serial)
        if thing is None:
            raise PolicyError(f"{said.serial[:60]} has not knocked yet: bring the statement again", reason="absent")
        waiting = self._admission.room.find(thing.id)
        if waiting.zone != said.zone:
            raise PolicyError(f"{thing.id} waits for the zone {waiting.zone!r}, not for {said.zone!r}", reason="zone")
        waiting.compare(said.key)
        delegation.require(zone=said.zone, device_class=thing.device_class, at=now)
        await self._spend(said.nonce, said.at + LIFETIME, now)
        return await self._admission.approve(
            thing.id, "", key=said.key, by=operator.actor, delegation=delegation, proof=encoded
        )

    async def _spend(self, nonce: bytes, until: datetime, now: datetime) -> None:
        """Used up first: a crash between this and the approval costs a statement, and gives none twice."""
        gone = [name for name, end in self._spent.items() if end <= now]
        if nonce in self._spent:
            raise ReplayError("the statement was brought before; an installer's approval counts once")
        if len(self._spent) - len(gone) >= _MOST:
            raise PolicyError(f"expected at most {_MOST} statements in {LIFETIME.days} days")
        # In the same step of the event loop: of two that bring it together, one does.
        self._spent[nonce] = until
        changes: dict[str, bytes | None] = {name.hex(): None for name in gone}
        try:
            await self._records.write({**changes, nonce.hex(): codec.encode(microseconds(until))})
        except BaseException:
            del self._spent[nonce]
            raise
        for name in gone:
            self._spent.pop(name, None)


def _decode(document: bytes) -> datetime:
    value = codec.decode(document)
    if type(value) is not int:
        raise DecodeError("expected until when a statement is remembered")
    return instant(value)
