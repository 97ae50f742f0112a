"""The identity plane as a process of its own: credentials are signed there, and their status is told here (ADR 0027).

Nobody can ask for a signature: the key is used by a demand to admit a thing, and what came of it is told to the ledger.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from thingstead.clock import Clock
from thingstead.controller.remote_plane import RemotePlane
from thingstead.crypto.key import PublicKey
from thingstead.domain.plane import PlaneName, Probe, Receipt
from thingstead.domain.ports import Store
from thingstead.domain.thing import Thing
from thingstead.identifier import ThingId, TransitionId
from thingstead.planes.identity.certificate_authority import CertificateAuthority
from thingstead.planes.identity.status_list import CredentialStanding, StatusList
from thingstead.protocols.cbor import codec
from thingstead.protocols.cose import key as cose_key
from thingstead.transport.engine_socket import EngineSocket, typed

__all__ = ["IDENTITY_CALLS", "IdentityEngine", "RemoteAuthority", "ToldStatuses"]

IDENTITY_CALLS = ("issue", "credential_of")
"""What the identity plane is asked beside what each is."""


class ToldStatuses(StatusList):
    """A status list where the engine is, and what it has for the one where things ask."""

    def __init__(self, clock: Clock, tell: Callable[..., None]) -> None:
        super().__init__(clock)
        self._tell = tell

    def keep(self, thing: ThingId, standing: CredentialStanding) -> None:
        """Here and there."""
        super().keep(thing, standing)
        self._tell("keep", thing, standing)


class IdentityEngine:
    """The certificate authority, in the process that has its key.

    Args:
        make: puts it together.
    """

    def __init__(self, make: Callable[[], CertificateAuthority]) -> None:
        self._make = make

    async def begin(self) -> None:
        """Read what was issued, and tell of it."""
        self.plane = self._make()

    async def issue(self, thing: Thing, public: bytes, cause: str, transition_id: TransitionId) -> Receipt:
        """Admit a thing that has just proven to hold a key."""
        self.plane.prove(thing.id, cose_key.from_map(codec.decode(public)).require_public())
        return await self.plane.admit(thing, cause=cause, transition_id=transition_id)

    def credential_of(self, thing: ThingId) -> bytes:
        """The credential as issued."""
        return self.plane.credential_of(thing)


class RemoteAuthority(RemotePlane):
    """The identity plane, asked from where things join; fits where a `CertificateAuthority` does.

    Args:
        engine: where it is.
        store: with the ledger.
        clock: for UTC.
    """

    def __init__(self, engine: EngineSocket, *, store: Store, clock: Clock) -> None:
        super().__init__(PlaneName.IDENTITY, engine, store=store, standing=tuple)
        self._statuses = StatusList(clock)
        self._proven: dict[ThingId, PublicKey] = {}
        self.status = self._statuses.status

    def prove(self, thing: ThingId, public: PublicKey) -> None:
        """Note the key that a thing has just proven to hold; the next `admit` issues for it."""
        self._proven[thing] = public

    def disprove(self, thing: ThingId) -> None:
        """Forget such a key: the join that it was proven in is over."""
        self._proven.pop(thing, None)

    def credential_of(self, thing: ThingId) -> bytes:
        """The credential as issued; errors as of the authority."""
        credential: bytes = self.ask_now(bytes, "credential_of", thing)
        return credential

    async def admit(self, thing: Thing, *, cause: str, transition_id: TransitionId) -> Receipt:
        """Have one issued for the key that was proven, or a suspension lifted."""
        public = self._proven.pop(thing.id, None)
        if public is None:
            return await super().admit(thing, cause=cause, transition_id=transition_id)
        encoded = codec.encode(cose_key.public_map(public))
        receipt: Receipt = await self.ask(Receipt, "issue", thing, encoded, cause, transition_id)
        return receipt

    async def restrict(self, thing: Thing, *, cause: str, transition_id: TransitionId) -> Receipt:
        """Tell of no valid credential here, whatever becomes of it there."""
        self._take_back(thing.id)
        return await super().restrict(thing, cause=cause, transition_id=transition_id)

    async def withdraw(self, thing: Thing, *, cause: str, transition_id: TransitionId) -> Receipt:
        """Tell of no valid credential here, whatever becomes of it there."""
        self._take_back(thing.id)
        return await super().withdraw(thing, cause=cause, transition_id=transition_id)

    async def probe(self, thing: Thing) -> Probe:
        """Ask the status service what it would tell a peer that was shown the thing's credential."""
        return self._statuses.probe(thing.id)

    def told(self, name: str, values: Sequence[Any]) -> None:
        """What the list there has for the one here."""
        match name, list(values):
            case "keep", [thing, standing]:
                self._statuses.keep(typed(thing, ThingId), typed(standing, CredentialStanding))
            case _:
                super().told(name, values)

    def _take_back(self, thing: ThingId) -> None:
        self._proven.pop(thing, None)
        self._statuses.suspend(thing)
