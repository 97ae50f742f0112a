"""Installers: to whom the owner has delegated approvals, within which bounds, and until when (R-03)."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from datetime import datetime
from typing import Protocol

from thingstead.clock import Clock
from thingstead.crypto.key import KeyType, PublicKey
from thingstead.crypto.keystore import KeyStore
from thingstead.domain.ledger.entry import Detail, Draft, Kind
from thingstead.domain.ports import Records
from thingstead.domain.role import Operator, Role
from thingstead.errors import ConfigError, ExpiredError, ForbiddenError
from thingstead.identifier import KeyId
from thingstead.protocols.cose import key as cose_key
from thingstead.protocols.profile import delegation
from thingstead.protocols.profile.delegation import DEFAULT_MOST, VerifiedDelegation

__all__ = ["DELEGATES", "Installers"]

DELEGATES = KeyId("owner")
"""Name of the key that delegations are signed with; there from the first of them."""

_CTI_SIZE = 8
_MOST = 256
_MAX_NAME = 64


class Approvals(Protocol):
    """Where what an installer approved waits to be used."""

    async def retract(self, approver: str, *, by: str) -> None:
        """Take back all that `approver` approved and that was not used yet."""
        ...

    def let_in(self, delegation: bytes) -> int:
        """How many things were let in by a delegation, or may come by it."""
        ...

    async def forget(self, delegation: bytes) -> None:
        """Count no more what was let in by a delegation."""
        ...


class Installers:
    """Delegations that count, by the installer's name; whoever is not in here is none, whatever they can show.

    Args:
        records: where they are kept.
        keys: holds the key that delegations are signed with; it is made with the first of them.
        approvals: what is taken back with a delegation.
        domain: name of the domain.
        clock: for UTC.
        random_bytes: a source of randomness.
    """

    def __init__(
        self,
        records: Records,
        keys: KeyStore,
        *,
        approvals: Approvals,
        domain: str,
        clock: Clock,
        random_bytes: Callable[[int], bytes],
    ) -> None:
        self._records = records
        self._keys = keys
        self._approvals = approvals
        self._domain = domain
        self._clock = clock
        self._random_bytes = random_bytes
        self._known = {one.installer: one for one in map(self._verified, records.load().values()) if one is not None}

    def __iter__(self) -> Iterator[VerifiedDelegation]:
        now = self._clock.utc()
        yield from [one for one in self._known.values() if now < one.expires]

    def identify(self, thumbprint: bytes) -> tuple[PublicKey, Operator] | None:
        """Whose key this is, if it is an installer's whose delegation counts."""
        for one in self:
            if cose_key.thumbprint(one.public) == thumbprint:
                return one.public, Operator(Role.INSTALLER, one.installer)
        return None

    def delegation(self, actor: str) -> VerifiedDelegation | None:
        """By which right somebody approves, as the ledger calls them; None for an owner, who needs none.

        Raises:
            ForbiddenError: an installer whose delegation counts no more.
        """
        role, _, name = actor.partition(":")
        if role != Role.INSTALLER:
            return None
        found = self._known.get(name)
        if found is None:
            raise ForbiddenError(f"{name} is no installer here any more", reason="delegation")
        return found

    async def add(
        self,
        name: str,
        public: PublicKey,
        *,
        zones: Iterable[str],
        classes: Iterable[int],
        most: int = DEFAULT_MOST,
        expires: datetime,
        by: str,
    ) -> VerifiedDelegation:
        """Delegate.

        Raises:
            ConfigError: a name that is none or taken, a key that is another installer's, or too many of them.
            DecodeError: bounds outside their grammar.
            ExpiredError: it would have ended already.
            StorageError: it was not kept, and does not count.
        """
        now = self._clock.utc()
        ended = [one for one in self._known.values() if one.expires <= now]
        gone = [one.installer for one in ended]
        # ASCII alone: two names that look alike would be one installer to whoever reads the ledger.
        if not 0 < len(name) <= _MAX_NAME or not (name.isascii() and name.replace("-", "").isalnum()):
            raise ConfigError(f"expected a name of ASCII letters, digits and hyphens, got {name[:40]!r}")
        if any(name == one.installer or public == one.public for one in self):
            raise ConfigError(f"{name}, or this key, is an installer already; `thingstead installer revoke` ends that")
        if len(self._known) - len(gone) >= _MOST:
            raise ConfigError(f"expected at most {_MOST} installers at one time")
        owner = (
            self._keys.handle(DELEGATES)
            if DELEGATES in self._keys.ids()
            else self._keys.create(DELEGATES, KeyType.P256)
        )
        encoded = delegation.issue(
            public,
            owner,
            domain=self._domain,
            installer=name,
            zones=zones,
            classes=classes,
            most=most,
            at=now,
            expires=expires,
            cti=self._random_bytes(_CTI_SIZE),
        )
        verified = delegation.authenticate(encoded, owner.public, domain=self._domain, at=now)
        changes: dict[str, bytes | None] = {**dict.fromkeys(gone), name: encoded}
        entry = Draft(now, Kind.DELEGATION, by, None, "delegated", {"installer": name, "delegation": encoded})
        await self._records.write(changes, entries=(entry,))
        for former in gone:
            self._known.pop(former, None)
        self._known[name] = verified
        for one in ended:
            await self._approvals.forget(one.cti)
        return verified

    async def revoke(self, name: str, *, by: str) -> VerifiedDelegation:
        """End a delegation now, and take back what it approved and what was not used yet.

        Raises:
            ConfigError: no installer of that name.
            StorageError: it was not kept, and the delegation still counts.
        """
        found = self._known.get(name)
        if found is None:
            raise ConfigError(f"no installer {name[:40]!r}; there are: {', '.join(sorted(self._known)) or 'none'}")
        entry = Draft(
            self._clock.utc(), Kind.DELEGATION, by, None, "revoked", {"installer": name, "delegation": found.cti}
        )
        # First of all they approve nothing any more; a crash on the way leaves a delegation, and no approval under it.
        del self._known[name]
        try:
            await self._approvals.retract(Operator(Role.INSTALLER, name).actor, by=by)
            await self._records.write({name: None}, entries=(entry,))
        except BaseException:
            self._known[name] = found
            raise
        await self._approvals.forget(found.cti)
        return found

    def let_in(self, one: VerifiedDelegation) -> int:
        """How many things an installer let in by their delegation, or may come by it."""
        return self._approvals.let_in(one.cti)

    async def restore(self, delegations: Iterable[bytes], *, ended: Collection[bytes]) -> int:
        """Take up what a backup holds of delegations, less what has ended since; returns how many count.

        Raises:
            SecurityError, ProtocolError: one that the owner's key did not sign.
            StorageError: they were not kept, and do not count.
        """
        if DELEGATES not in self._keys.ids():
            return 0
        found = [one for one in map(self._verified, delegations) if one is not None and one.cti not in ended]
        at = self._clock.utc()
        entries = [Draft(at, Kind.DELEGATION, "restore", None, "restored", _named(one)) for one in found]
        await self._records.write({one.installer: one.encoded for one in found}, entries=entries)
        self._known.update({one.installer: one for one in found})
        return len(found)

    def _verified(self, encoded: bytes) -> VerifiedDelegation | None:
        """What was kept, verified anew; None for one that ended meanwhile."""
        try:
            public = self._keys.handle(DELEGATES).public
            return delegation.authenticate(encoded, public, domain=self._domain, at=self._clock.utc())
        except ExpiredError:
            return None


def _named(one: VerifiedDelegation) -> Mapping[str, Detail]:
    return {"installer": one.installer, "delegation": one.cti}
