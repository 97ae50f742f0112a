"""What the domain asks of the world: one interface per need, frozen messages in and out.

The clock is `thingstead.clock.Clock`. Every port may one day be a socket, so nothing but values passes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from thingstead.crypto.algorithm import AlgorithmId
from thingstead.domain.ledger.entry import Draft, Entry
from thingstead.domain.network import (
    AppliedChange,
    Drop,
    NetworkChange,
    NetworkStanding,
    RuleTraffic,
    ThingAddress,
    Traffic,
)
from thingstead.domain.plane import PlaneName
from thingstead.domain.unit import Committed, Snapshot, Unit
from thingstead.identifier import ThingId
from thingstead.protocols.ace.groupcomm import GroupKeys
from thingstead.secret import Secret

__all__ = [
    "Archive",
    "Association",
    "Committer",
    "Enforcement",
    "Fetched",
    "Fetcher",
    "GroupAssociations",
    "HeadKeeper",
    "Records",
    "Resolution",
    "Resolver",
    "SecurityAssociations",
    "Segment",
    "Store",
    "Stranger",
    "Witness",
]


class Committer(Protocol):
    """Where a decision is made to last."""

    async def commit(self, unit: Unit) -> tuple[Entry, ...]:
        """Keep `unit` whole; when this returns, it is on disk. Returns its entries, numbered.

        Raises:
            StorageError: nothing of the unit was kept: a version that is not the next, an obligation
                that is not open, or a disk that does not write.
        """
        ...


class Store(Committer, Protocol):
    """The data directory, written by one controller alone."""

    def load(self) -> Snapshot:
        """Things and obligations.

        Raises:
            StorageError: what is kept cannot be read.
        """
        ...

    def documents(self, plane: PlaneName, first: str = "", last: str | None = None) -> Iterator[tuple[str, bytes]]:
        """A plane's documents by key from `first` up to, not including, `last`; in order, read as they are asked for.

        Raises:
            StorageError: what is kept cannot be read.
        """
        ...

    def leaves(self, start: int = 0, stop: int | None = None) -> Iterator[bytes]:
        """The ledger's leaves from `start` up to `stop`, in order.

        Raises:
            StorageError: a leaf between them is missing.
        """
        ...

    def listen(self, listener: Callable[[Committed], None]) -> None:
        """Tell `listener` of every unit that is on disk, in the order of the ledger, before its `commit` returns.

        Memory that follows the disk this way stays right when the task that waits for a commit is cancelled.
        """
        ...

    async def close(self) -> None:
        """Write what is waiting, and let go."""
        ...


class Records(Protocol):
    """One plane's own documents; it has no way to another's."""

    def load(self) -> Mapping[str, bytes]:
        """All documents as they stand."""
        ...

    async def write(self, changes: Mapping[str, bytes | None], *, entries: Sequence[Draft] = ()) -> None:
        """Keep documents (None erases) and ledger entries together; on disk when it returns.

        Raises:
            StorageError: nothing of it was kept.
        """
        ...


class Archive(Records, Protocol):
    """Documents of a plane that keeps in memory only what decides, and reads the rest when it is asked for.

    Raises:
        StorageError: either way of reading: the disk cannot be read.
    """

    def read(self, key: str) -> bytes | None:
        """One document as it stands; None where there is none."""
        ...

    def scan(self, first: str, last: str) -> Iterator[tuple[str, bytes]]:
        """Documents by key from `first` up to, not including, `last`; in order, read as they are asked for."""
        ...


class HeadKeeper(Protocol):
    """Keeps the newest signed tree head outside the data directory, so that a cut tail is noticed."""

    def load(self) -> bytes | None:
        """The newest head kept; None before the first."""
        ...

    async def keep(self, head: bytes) -> None:
        """Replace the head; the old or the new one survives a crash, never half of one."""
        ...


@dataclass(frozen=True, slots=True)
class Association:
    """An OSCORE security context towards one thing, as the endpoint needs it (RFC 8613 §3.1).

    Attributes:
        thing: whom it is with.
        sender_id: ours towards the thing.
        recipient_id: the thing's towards us; its `kid`.
        id_context: None where there is none.
        master_secret: redacted.
        master_salt: empty where there is none.
        aead: AEAD algorithm.
        hkdf: hash of the key derivation.
        sequence: our first sender sequence number that was never reserved.
        fresh: the context never existed before; else its replay window is lost (RFC 8613 appendix B.1.2).
    """

    thing: ThingId
    sender_id: bytes
    recipient_id: bytes
    id_context: bytes | None
    master_secret: Secret
    master_salt: bytes
    aead: AlgorithmId
    hkdf: AlgorithmId = AlgorithmId.SHA_256
    sequence: int = 0
    fresh: bool = False


class SecurityAssociations(Protocol):
    """The live endpoint, seen by the planes."""

    def install(self, association: Association) -> None:
        """Accept messages under `association` from now on; an older one of the thing lives until `end`."""
        ...

    def end(self, thing: ThingId) -> int:
        """Drop all associations and observations of the thing; returns how many associations there were."""
        ...

    def sequence_reserved(self, thing: ThingId, upto: int) -> None:
        """Allow sender sequence numbers below `upto`, which are on disk as spent."""
        ...

    def is_live(self, thing: ThingId) -> bool:
        """Whether a message under an association of the thing would be accepted now."""
        ...

    def last_acceptance(self, thing: ThingId) -> datetime | None:
        """When a message of the thing last verified; None if none did since start."""
        ...


class Enforcement(Protocol):
    """Whoever keeps the network's rules: the kernel, or in a dry run nobody."""

    async def apply(self, change: NetworkChange) -> AppliedChange:
        """Put all of a thing's rules in force at once.

        Raises:
            TransportError: they are not in force; what was before still is.
        """
        ...

    async def apply_all(self, changes: Sequence[NetworkChange]) -> tuple[AppliedChange, ...]:
        """The same of several things, each once, in as few steps as may be; what is asked meanwhile comes after all.

        Raises:
            TransportError: of one at least they are not in force; of each thing all are, or what was before.
        """
        ...

    async def settle(self) -> str:
        """All that is known after a start was applied: rules of an earlier time, which stood until now, end.

        Returns:
            Who keeps the rules: ``nftables``, or ``dry_run`` for nobody.

        Raises:
            ConfigError: they cannot be replaced, and stand.
            TransportError: likewise.
        """
        ...

    async def uphold(self) -> str:
        """Put in force again what was applied, if somebody else on this machine altered it.

        Returns:
            Who did since this was last asked; empty where nobody did.

        Raises:
            ConfigError: it is not in force.
            TransportError: likewise.
        """
        ...

    async def standing(self, thing: ThingId) -> NetworkStanding:
        """What happens to the thing's packets now: asked of the enforcer, not of our memory."""
        ...

    async def counters(self) -> tuple[Traffic, ...]:
        """Packets seen and refused, per thing."""
        ...

    async def rule_counters(self, thing: ThingId) -> tuple[RuleTraffic, ...]:
        """What came of each rule of one thing; none where nobody enforces."""
        ...

    async def drops(self) -> tuple[Drop, ...]:
        """What was dropped and logged since this was last asked, oldest first; a bounded number."""
        ...


class Witness(Protocol):
    """Whoever signs heads of the ledger, where that is not the controller: it wants to be shown that it only grows."""

    def size(self) -> int:
        """Entries under the newest head that it signed; 0 before the first."""
        ...

    def extend(self, size: int, root: bytes, path: Sequence[bytes]) -> None:
        """Show that the tree of `size` begins with that one (RFC 9162 §2.1.4).

        Raises:
            ForbiddenError: it does not, and no head over it will be signed.
        """
        ...


class Segment(Protocol):
    """The link that things are on."""

    def mac_of(self, ip: str) -> bytes:
        """The link-layer address behind an IP address; `NO_MAC` if there is none to bind to."""
        ...

    def neighbours(self) -> tuple[ThingAddress, ...]:
        """Everybody who was seen on it of late, things or not."""
        ...


class Stranger(Protocol):
    """Somebody on the network of whom no thing knows anything: what a thing does for him, it does for anybody."""

    async def say(
        self, datagram: bytes, address: tuple[str, int], *, within: float, until: Callable[[bytes], bool]
    ) -> tuple[bytes, ...]:
        """Send one datagram from a fresh port, and return what came back.

        Args:
            datagram: as it is.
            address: of whom.
            within: seconds to listen.
            until: nothing more is waited for after such an answer.
        """
        ...

    async def knock(self, host: str, port: int, *, within: float) -> bool:
        """Whether a TCP connection is accepted there."""
        ...


class GroupAssociations(Protocol):
    """The domain's own membership of groups, live at the endpoint, seen by the groups plane."""

    def install_group(self, keys: GroupKeys, *, reserved: int, fresh: bool) -> None:
        """Take part in a group under `keys` from now on; an earlier epoch of it is gone at once.

        Args:
            keys: the domain's own keying material.
            reserved: its first sender sequence number that was never reserved under this Gid.
            fresh: the domain never had these keys before; else what it received under them is forgotten.
        """
        ...

    def group_sequence_reserved(self, name: str, upto: int) -> None:
        """Allow sender sequence numbers below `upto` in the group's epoch, which are on disk as spent."""
        ...

    def accepts_member(self, name: str, credential: bytes) -> bool:
        """Whether a message of the member with this credential would be accepted in the group now."""
        ...


@dataclass(frozen=True, slots=True)
class Resolution:
    """What a name stands for, and for how many seconds."""

    name: str
    addresses: tuple[str, ...]
    ttl: int


class Resolver(Protocol):
    """DNS, through the resolver that things use too (RFC 9726 §4)."""

    async def resolve(self, name: str) -> Resolution:
        """All IPv4 and IPv6 addresses of `name`.

        Raises:
            TransportError: no answer.
        """
        ...


@dataclass(frozen=True, slots=True)
class Fetched:
    """A document as it came; nothing about it has been verified."""

    url: str
    media_type: str
    body: bytes


class Fetcher(Protocol):
    """HTTPS, for documents whose URL someone else chose."""

    async def fetch(self, url: str, *, max_bytes: int) -> Fetched:
        """The document at `url`, without following it to another host.

        Raises:
            TransportError: not reached, not in time, or over `max_bytes`.
        """
        ...
