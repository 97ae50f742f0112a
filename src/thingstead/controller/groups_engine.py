"""The groups plane as a process of its own: epochs and their keys are made there, and handed round here (ADR 0027).

The Group Manager's word is given there alone. The domain's own seat in a group is where messages come in: it is told
the keys of each epoch, and has what it says countersigned there.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from thingstead.clock import Clock
from thingstead.controller.remote_plane import RemotePlane
from thingstead.crypto.algorithm import AlgorithmId
from thingstead.crypto.key import PrivateKey, PublicKey
from thingstead.domain.plane import PlaneName
from thingstead.domain.ports import Records, Store
from thingstead.errors import ForbiddenError
from thingstead.identifier import ThingId
from thingstead.planes.groups.group_manager import GroupManager, Parcel, Settings
from thingstead.planes.groups.roster import Roster, Rosters, decode_roster, encode_roster
from thingstead.protocols.ace.groupcomm import GroupKeys
from thingstead.secret import Secret
from thingstead.transport.engine_socket import EngineSocket, typed

__all__ = ["GROUPS_CALLS", "GroupsEngine", "RemoteGroups", "SeatKey", "ToldRosters"]

GROUPS_CALLS = (
    *("resume", "seat", "create", "rekey", "evict", "readmit", "reserve", "challenge", "join", "keys"),
    *("parcels", "whole", "confirm", "renew", "countersign"),
)
"""What the groups plane is asked beside what each is."""


class ToldRosters(Rosters):
    """Where messages come in, which is not here: it is told."""

    def __init__(self, tell: Callable[..., None]) -> None:
        self._tell = tell

    def keep(self, roster: Roster) -> None:
        """There; no key goes along."""
        self._tell("roster", encode_roster(roster))

    def install(self, keys: GroupKeys, *, reserved: int, fresh: bool) -> None:
        """There: the domain is a member, and a member has the keys of its epoch."""
        self._tell("install", keys.encode(), reserved, fresh)


class GroupsEngine(GroupManager):
    """The Group Manager, in the process that has its key.

    Args:
        records: the plane's documents.
        key: the plane's own, for what the Group Manager says.
        member: the same key, for what the domain says as a member and for nothing else.
        rosters: where messages come in.
        settings: names, rights and times.
        clock: both times.
        random_bytes: for secrets, challenges and Group Identifiers.
    """

    def __init__(
        self,
        records: Records,
        key: PrivateKey,
        member: PrivateKey,
        rosters: Rosters,
        *,
        settings: Settings,
        clock: Clock,
        random_bytes: Callable[[int], bytes],
    ) -> None:
        super().__init__(records, key, rosters, settings=settings, clock=clock, random_bytes=random_bytes)
        self._member = member

    @property
    def plane(self) -> GroupManager:
        """Itself."""
        return self

    async def begin(self) -> None:
        """Tell how all groups stand; nobody takes a seat by that."""
        self.tell()

    def countersign(self, data: bytes) -> bytes:
        """Sign what the domain says in a group (RFC 10021 §4.1).

        Raises:
            ForbiddenError: it is no message of a group.
        """
        return self._member.sign(data, AlgorithmId.ESP256)


class SeatKey:
    """The domain's key as a member, at the endpoint: its private half is the groups plane's.

    Args:
        public: the public half.
        plane: whom to ask.
    """

    def __init__(self, public: PublicKey, plane: Callable[[], RemotePlane]) -> None:
        self._public = public
        self._plane = plane

    @property
    def public(self) -> PublicKey:
        """The public half."""
        return self._public

    def sign(self, data: bytes, _signature_id: int) -> bytes:
        """Have it signed, and let everybody wait, as for any key.

        Raises:
            ForbiddenError: it is no message of a group.
            TransportError: the plane does not answer.
        """
        signature: bytes = self._plane().ask_now(bytes, "countersign", data)
        return signature

    def agree(self, peer: PublicKey) -> Secret:
        """No group here has the pairwise mode."""
        raise ForbiddenError(f"the domain talks in pairs with nobody, nor with a key of {peer.type}", reason="engine")


class RemoteGroups(RemotePlane):
    """The Group Manager, asked from where messages come in; fits where its `Epochs` do.

    Args:
        engine: where it is.
        rosters: takes up what it says.
        store: with the ledger.
    """

    def __init__(self, engine: EngineSocket, rosters: Rosters, *, store: Store) -> None:
        super().__init__(PlaneName.GROUPS, engine, store=store, standing=tuple)
        self._rosters = rosters

    async def resume(self) -> None:
        """As the engine does."""
        await self.ask(None, "resume")

    async def seat(self, name: str) -> None:
        """As the engine does."""
        await self.ask(None, "seat", name)

    async def create(self, name: str) -> None:
        """As the engine does."""
        await self.ask(None, "create", name)

    async def rekey(self, name: str, cause: str) -> None:
        """As the engine does."""
        await self.ask(None, "rekey", name, cause, urgent=True)

    async def evict(self, name: str, thing: ThingId, cause: str) -> None:
        """As the engine does."""
        await self.ask(None, "evict", name, thing, cause, urgent=True)

    async def readmit(self, name: str, thing: ThingId) -> None:
        """As the engine does."""
        await self.ask(None, "readmit", name, thing)

    async def reserve(self, name: str, gid: bytes, upto: int) -> bool:
        """As the engine does."""
        is_kept: bool = await self.ask(bool, "reserve", name, gid, upto)
        return is_kept

    async def challenge(self, thing: ThingId, name: str, scope: bytes) -> bytes:
        """As the engine does."""
        return await self._bytes("challenge", thing, name, scope)

    async def join(self, thing: ThingId, name: str, payload: bytes, scope: bytes) -> bytes:
        """As the engine does."""
        return await self._bytes("join", thing, name, payload, scope)

    async def keys(self, thing: ThingId, name: str, scope: bytes) -> bytes:
        """As the engine does."""
        return await self._bytes("keys", thing, name, scope)

    async def parcels(self, name: str, after: bytes) -> tuple[Parcel, ...]:
        """As the engine does; what ends somebody's place does not stand in line."""
        page: tuple[Parcel, ...] = await self.ask(tuple[Parcel, ...], "parcels", name, after, urgent=True)
        return page

    async def whole(self, name: str, thing: ThingId) -> Parcel:
        """As the engine does."""
        parcel: Parcel = await self.ask(Parcel, "whole", name, thing, urgent=True)
        return parcel

    async def confirm(self, name: str, num: int, sender_ids: tuple[bytes, ...]) -> None:
        """As the engine does."""
        await self.ask(None, "confirm", name, num, list(sender_ids), urgent=True)

    async def renew(self, ended: tuple[tuple[str, ThingId], ...]) -> None:
        """As the engine does."""
        await self.ask(None, "renew", [list(row) for row in ended])

    def told(self, name: str, values: Sequence[Any]) -> None:
        """What is done there, followed here."""
        match name:
            case "roster":
                self._rosters.keep(decode_roster(typed(list(values), tuple[bytes])[0]))
            case "install":
                encoded, reserved, fresh = typed(list(values), tuple[bytes, int, bool])
                self._rosters.install(GroupKeys.decode(encoded), reserved=reserved, fresh=fresh)
            case _:
                super().told(name, values)

    async def _bytes(self, name: str, *values: Any) -> bytes:
        answer: bytes = await self.ask(bytes, name, *values)
        return answer
