"""Permits: what a person may do at things while the domain is not there; tokens like those of things, and as revocable.

Each is written down with the key that it is bound to, so that what was signed with it is known when it is told. Permits
of before stay for a year after their end.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from thingstead.clock import Clock
from thingstead.crypto.algorithm import AlgorithmId
from thingstead.crypto.key import PrivateKey, PublicKey
from thingstead.domain.ledger.entry import Detail, Draft, Kind
from thingstead.domain.ports import Records
from thingstead.errors import ConfigError, DecodeError, StateError
from thingstead.identifier import ThingId, thing_id
from thingstead.planes.access.issued_tokens import IssuedToken, IssuedTokens
from thingstead.protocols.ace import token
from thingstead.protocols.cbor import codec
from thingstead.protocols.cose import key as cose_key
from thingstead.protocols.profile.maintenance import MAINTAINER, Task, rights

__all__ = ["Permit", "Permits"]

_CTI_SIZE = 8
_MOST = 10_000
_KEPT = timedelta(days=366)


@dataclass(frozen=True, slots=True)
class Permit:
    """What one person may do at one thing.

    Attributes:
        holder: what the ledger calls them, without their role.
        public: their key.
        thing: where.
        tasks: what.
        issued_at: UTC.
        expires: UTC.
        revoked_at: when it was taken back; None where it was not.
    """

    holder: str
    public: PublicKey
    thing: ThingId
    tasks: frozenset[Task]
    issued_at: datetime
    expires: datetime
    revoked_at: datetime | None = None

    def objection(self, task: Task, at: datetime) -> str:
        """Why it is not good for a task at an instant, in a word; empty where it is."""
        if task not in self.tasks:
            return "task"
        if not self.issued_at <= at < self.expires:
            return "expired"
        return "revoked" if self.revoked_at is not None and self.revoked_at <= at else ""


class Permits:
    """The permits of a domain, by the hash of their token.

    Args:
        tokens: where each is noted before it is handed out, and revoked.
        records: what else is known of them.
        key: the access plane's own signing key (ESP256).
        domain: issuer of the tokens.
        clock: for UTC.
        random_bytes: for token identifiers.
    """

    def __init__(
        self,
        tokens: IssuedTokens,
        records: Records,
        key: PrivateKey,
        *,
        domain: str,
        clock: Clock,
        random_bytes: Callable[[int], bytes],
    ) -> None:
        self._tokens = tokens
        self._records = records
        self._key = key
        self._domain = domain
        self._clock = clock
        self._random_bytes = random_bytes
        self._known: dict[bytes, Permit] = {}
        self.follow(records.load())

    def follow(self, changes: Mapping[str, bytes | None]) -> None:
        """Take up documents as they stand on disk."""
        for name, document in changes.items():
            if document is None:
                self._known.pop(bytes.fromhex(name), None)
            else:
                self._known[bytes.fromhex(name)] = _decode(document)

    def __iter__(self) -> Iterator[Permit]:
        now = self._clock.utc()
        yield from [one for one in self._known.values() if now < one.expires and one.revoked_at is None]

    def of(self, thing: ThingId, thumbprint: bytes) -> tuple[Permit, ...]:
        """Whatever was given to the holder of a key for one thing, the newest first."""
        found = [one for one in self._known.values() if one.thing == thing]
        held = [one for one in found if cose_key.thumbprint(one.public) == thumbprint]
        return tuple(sorted(held, key=lambda one: one.issued_at, reverse=True))

    async def issue(
        self, holder: str, public: PublicKey, thing: ThingId, *, tasks: Iterable[Task], lifetime: timedelta, by: str
    ) -> tuple[bytes, Permit]:
        """A token for one thing, written down before it is handed out; and what is known of it.

        Raises:
            ConfigError: too many permits.
            StateError: its holder has too many that still count.
            StorageError: it could not be written down.
        """
        at = self._clock.utc().replace(microsecond=0)
        permit = Permit(holder, public, thing, frozenset(tasks), at, at + lifetime)
        gone = {name.hex(): None for name, one in self._known.items() if one.expires + _KEPT <= at}
        if len(self._known) - len(gone) >= _MOST:
            raise ConfigError(f"expected at most {_MOST} permits")
        encoded = token.issue(
            public,
            self._key,
            issuer=self._domain,
            subject=MAINTAINER + holder,
            audience=thing,
            scope=rights(permit.tasks),
            at=at,
            expires=permit.expires,
            cti=self._random_bytes(_CTI_SIZE),
            signature_id=AlgorithmId.ESP256,
        )
        name = token.token_hash(encoded)
        # With whose key: on disk first, so that no token is out of which nobody could say whose it is.
        await self._records.write({**gone, name.hex(): _encode(permit)})
        self._known[name] = permit
        for former in gone:
            self._known.pop(bytes.fromhex(former), None)
        details: dict[str, Detail] = {
            "audience": thing,
            "tasks": " ".join(sorted(permit.tasks)),
            "until": permit.expires.isoformat(),
            "hash": name,
        }
        draft = Draft(at, Kind.ISSUE, by, thing, f"permit of {MAINTAINER}{holder}", details)
        await self._tokens.note(name, IssuedToken(MAINTAINER + holder, thing, permit.expires), entries=[draft])
        return encoded, permit

    async def withdraw(self, holder: str, *, by: str) -> int:
        """Take back everything that somebody holds; returns how many permits that was.

        Raises:
            StateError: they hold none.
            StorageError: it was not kept, and they hold it still.
        """
        now = self._clock.utc()
        taken = {name: one for name, one in self._known.items() if one.holder == holder and one.revoked_at is None}
        taken = {name: one for name, one in taken.items() if now < one.expires}
        if not taken:
            raise StateError(f"{holder} holds no permit that counts")
        revoked = {name: replace(one, revoked_at=now) for name, one in taken.items()}
        details: dict[str, Detail] = {"permits": len(taken)}
        draft = Draft(now, Kind.REVOCATION, by, None, f"permits of {MAINTAINER}{holder}", details)
        issued = {name: IssuedToken(MAINTAINER + holder, one.thing, one.expires) for name, one in taken.items()}
        await self._tokens.revoke(issued, entries=[draft])
        await self._records.write({name.hex(): _encode(one) for name, one in revoked.items()})
        self._known |= revoked
        return len(taken)

    def objection(self, permit: Permit, task: Task, at: datetime) -> str:
        """Why a permit is not good for a task at an instant; one whose token was revoked alone never is."""
        names = [name for name, one in self._known.items() if one is permit]
        found = [self._tokens.find(name) for name in names]
        if permit.revoked_at is None and any(one is not None and one.is_revoked for one in found):
            return "revoked"
        return permit.objection(task, at)


def _encode(permit: Permit) -> bytes:
    times = [int(permit.issued_at.timestamp()), int(permit.expires.timestamp())]
    revoked = None if permit.revoked_at is None else int(permit.revoked_at.timestamp())
    key = cose_key.public_map(permit.public)
    return codec.encode([permit.holder, key, permit.thing, sorted(permit.tasks), *times, revoked])


def _decode(document: bytes) -> Permit:
    match codec.decode(document):
        case [str(holder), dict(key), str(thing), list(tasks), int(issued), int(expires), None | int() as revoked]:
            return Permit(
                holder,
                cose_key.from_map(key).require_public(),
                thing_id(thing),
                frozenset({Task(one) for one in tasks}),
                datetime.fromtimestamp(issued, UTC),
                datetime.fromtimestamp(expires, UTC),
                None if revoked is None else datetime.fromtimestamp(revoked, UTC),
            )
        case _:
            raise DecodeError("expected a record of a permit")
