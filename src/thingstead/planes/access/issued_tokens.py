"""Every token that may still be shown somewhere, and which of them are revoked (RFC 9770 §5).

A token is written down before it is handed out, so that it can be taken back from those who would take it: they ask
which are revoked, or observe it. What has expired is forgotten.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from thingstead.clock import Clock
from thingstead.domain.ledger.entry import Draft
from thingstead.domain.ports import Records
from thingstead.errors import DecodeError, StateError
from thingstead.protocols.ace import revocation
from thingstead.protocols.ace.revocation import Change, Limits, UpdateCollection
from thingstead.protocols.cbor import codec
from thingstead.protocols.coap.message import Message

__all__ = ["IssuedToken", "IssuedTokens"]

_TOKEN, _CHANGES, _COUNT = "token/", "changes/", "count/"
_MAX_PER_HOLDER = 64
_NUMBER_SIZE = 8
_NEVER = datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class IssuedToken:
    """What is known of a token without its bytes.

    Attributes:
        subject: who holds it.
        audience: where it counts.
        expires: UTC.
        is_revoked: it counts no more.
        series: of the tokens that take each other's place at `audience` (`edhoc_profile`, RFC 9203 §3.1); empty for one
            that is alone.
    """

    subject: str
    audience: str
    expires: datetime
    is_revoked: bool = False
    series: bytes = b""


class IssuedTokens:
    """The issued tokens of a domain by hash; the administrator's name is the empty one.

    Args:
        records: documents of tokens and of changes.
        clock: for UTC.
        limits: of the list's history.

    Attributes:
        on_change: is told of every requester whose part of the list has changed, once that is on disk.
    """

    def __init__(self, records: Records, *, clock: Clock, limits: Limits | None = None) -> None:
        self._records = records
        self._clock = clock
        self._limits = limits or Limits()
        self._tokens: dict[bytes, IssuedToken] = {}
        self._by_name: dict[str, set[bytes]] = {}
        self._collections: dict[str, UpdateCollection] = {}
        self._numbers: dict[str, int] = {}
        self._earliest = _NEVER
        self._writing = asyncio.Lock()
        self.on_change: Callable[[str], None] = lambda _requester: None
        self.follow(records.load())

    def follow(self, changes: Mapping[str, bytes | None]) -> None:
        """Take up documents as they stand on disk, and tell of what has changed by them."""
        for name, document in changes.items():
            if name.startswith(_TOKEN):
                self._follow_token(bytes.fromhex(name.removeprefix(_TOKEN)), document)
            elif name.startswith(_COUNT):
                self._numbers[name.removeprefix(_COUNT)] = int.from_bytes(document or b"", "big")
            elif document is None:
                self._collections.pop(name.removeprefix(_CHANGES), None)
            else:
                self._follow_changes(name.removeprefix(_CHANGES), document)

    def of(self, name: str) -> Iterator[tuple[bytes, IssuedToken]]:
        """The unexpired tokens that pertain to a registered device, by hash; all for the administrator."""
        now = self._clock.utc()
        for token_hash in self._by_name.get(name, ()) if name else self._tokens:
            issued = self._tokens[token_hash]
            if issued.expires > now:
                yield token_hash, issued

    def counting(self) -> list[IssuedToken]:
        """Those that count."""
        now = self._clock.utc()
        return [one for one in self._tokens.values() if not one.is_revoked and now < one.expires]

    def find(self, token_hash: bytes) -> IssuedToken | None:
        """An unexpired token, revoked or not; None where there is none."""
        issued = self._tokens.get(token_hash)
        return None if issued is None or issued.expires <= self._clock.utc() else issued

    def is_in_use(self, series: bytes, *, subject: str, audience: str) -> bool:
        """Whether a token of this series, of this holder at this audience, counts now."""
        return any(
            not issued.is_revoked and (issued.subject, issued.audience, issued.series) == (subject, audience, series)
            for _, issued in self.of(subject)
        )

    def number(self, audience: str) -> int:
        """The next of the numbers that a thing without a clock knows tokens by (RFC 9200 §5.10.3); given out once.

        It is never below the time: what a restored domain does not know of, its things do, and take nothing below that.
        `note` writes it down before its token is handed out.
        """
        time = int(self._clock.utc().timestamp())
        self._numbers[audience] = max(self._numbers.get(audience, 0) + 1, time)
        return self._numbers[audience]

    async def note(self, token_hash: bytes, issued: IssuedToken, *, entries: Sequence[Draft] = ()) -> None:
        """Write a token down, in the ledger too; only then may it be handed out.

        Raises:
            StateError: its holder has too many that still count.
            StorageError: it is not on disk.
        """
        async with self._writing:
            held = sum(other.subject == issued.subject for _, other in self.of(issued.subject))
            if held >= _MAX_PER_HOLDER:
                raise StateError(f"{issued.subject} holds {held} tokens that still count", reason="too many tokens")
            documents = {_TOKEN + token_hash.hex(): _encode(issued)}
            if (number := self._numbers.get(issued.audience)) is not None:
                documents[_COUNT + issued.audience] = number.to_bytes(_NUMBER_SIZE, "big")
            await self._records.write(documents, entries=entries)
            self._keep(token_hash, issued)

    async def revoke(self, tokens: Mapping[bytes, IssuedToken], *, entries: Sequence[Draft] = ()) -> int:
        """Revoke these tokens, those that were not written down too; returns how many counted until now.

        Args:
            tokens: by hash.
            entries: of the ledger, where any of them counted.

        Raises:
            StorageError: it is not on disk, and nobody was told.
        """
        async with self._writing:
            return await self._revoke(tokens, entries)

    async def revoke_all_of(self, name: str) -> int:
        """Revoke every token that pertains to a device.

        Raises:
            StorageError: it is not on disk, and nobody was told.
        """
        # Whatever is on its way to the disk is there first, and revoked too.
        async with self._writing:
            return await self._revoke(dict(self.of(name)), ())

    async def forget_requester(self, name: str) -> None:
        """A device is registered no more: what changed for it is of no interest."""
        async with self._writing:
            if self._collections.pop(name, None) is not None:
                await self._records.write({_CHANGES + name: None})

    async def tidy(self) -> None:
        """Forget what has expired, and take what of it was revoked from the list (RFC 9770 §5.1)."""
        now = self._clock.utc()
        if now < self._earliest:
            return
        async with self._writing:
            ended = {token_hash: issued for token_hash, issued in self._tokens.items() if issued.expires <= now}
            if ended:
                await self._update({}, removed=ended)
            self._earliest = min((issued.expires for issued in self._tokens.values()), default=_NEVER)

    def answer(self, requester: str, queries: Iterable[str]) -> Message:
        """What a requester is told of the list (RFC 9770 §6); the administrator, of all of it."""
        hashes = [token_hash for token_hash, issued in self.of(requester) if issued.is_revoked]
        collection = self._collections.get(requester) or UpdateCollection(self._limits)
        return revocation.answer(queries, hashes, collection, self._limits)

    async def _revoke(self, tokens: Mapping[bytes, IssuedToken], entries: Sequence[Draft]) -> int:
        now = self._clock.utc()
        fresh = {
            token_hash: replace(issued, is_revoked=True)
            for token_hash, issued in tokens.items()
            if issued.expires > now and not self._tokens.get(token_hash, issued).is_revoked
        }
        await self._update(fresh, removed={}, entries=entries if fresh else ())
        return len(fresh)

    async def _update(
        self,
        added: Mapping[bytes, IssuedToken],
        *,
        removed: Mapping[bytes, IssuedToken],
        entries: Sequence[Draft] = (),
    ) -> None:
        """One update of the list (RFC 9770 §6.2): on disk, then in memory, then told."""
        changes = _changes(added, {name: one for name, one in removed.items() if one.is_revoked})
        collections = {requester: self._changed(requester, change) for requester, change in changes.items()}
        documents: dict[str, bytes | None] = {
            **{_TOKEN + token_hash.hex(): _encode(issued) for token_hash, issued in added.items()},
            **{_TOKEN + token_hash.hex(): None for token_hash in removed},
            **{_CHANGES + requester: collection.encode() for requester, collection in collections.items()},
        }
        if not documents:
            return
        await self._records.write(documents, entries=entries)
        for token_hash, issued in added.items():
            self._keep(token_hash, issued)
        for token_hash, issued in removed.items():
            self._drop(token_hash, issued)
        self._collections.update(collections)
        for requester in changes:
            self.on_change(requester)

    def _changed(self, requester: str, change: Change) -> UpdateCollection:
        before = self._collections.get(requester)
        after = UpdateCollection(self._limits)
        if before is not None:
            after = UpdateCollection.decode(before.encode(), self._limits)
        after.add(change)
        return after

    def _follow_token(self, token_hash: bytes, document: bytes | None) -> None:
        known = self._tokens.get(token_hash)
        if document is not None:
            self._keep(token_hash, _decode(document))
        elif known is not None:
            self._drop(token_hash, known)

    def _follow_changes(self, requester: str, document: bytes) -> None:
        known = self._collections.get(requester)
        if known is None or known.encode() != document:
            self._collections[requester] = UpdateCollection.decode(document, self._limits)
            self.on_change(requester)

    def _keep(self, token_hash: bytes, issued: IssuedToken) -> None:
        self._tokens[token_hash] = issued
        self._earliest = min(self._earliest, issued.expires)
        for name in {issued.subject, issued.audience}:
            self._by_name.setdefault(name, set()).add(token_hash)

    def _drop(self, token_hash: bytes, issued: IssuedToken) -> None:
        del self._tokens[token_hash]
        for name in {issued.subject, issued.audience}:
            self._by_name[name].discard(token_hash)
            if not self._by_name[name]:
                del self._by_name[name]


_EVERYBODY = ""


def _changes(added: Mapping[bytes, IssuedToken], removed: Mapping[bytes, IssuedToken]) -> dict[str, Change]:
    """The update as each requester sees it, the administrator among them."""
    changes: dict[str, Change] = {}
    for token_hash, issued in removed.items():
        for name in {issued.subject, issued.audience, _EVERYBODY}:
            seen = changes.get(name, Change())
            changes[name] = replace(seen, removed=(*seen.removed, token_hash))
    for token_hash, issued in added.items():
        for name in {issued.subject, issued.audience, _EVERYBODY}:
            seen = changes.get(name, Change())
            changes[name] = replace(seen, added=(*seen.added, token_hash))
    return changes


def _encode(issued: IssuedToken) -> bytes:
    said = [issued.subject, issued.audience, int(issued.expires.timestamp()), issued.is_revoked]
    return codec.encode([*said, issued.series] if issued.series else said)


def _decode(document: bytes) -> IssuedToken:
    match codec.decode(document):
        case [str(subject), str(audience), int(expires), bool(is_revoked)]:
            return IssuedToken(subject, audience, datetime.fromtimestamp(expires, UTC), is_revoked)
        case [str(subject), str(audience), int(expires), bool(is_revoked), bytes(series)]:
            return IssuedToken(subject, audience, datetime.fromtimestamp(expires, UTC), is_revoked, series)
        case _:
            raise DecodeError("expected a record of an issued token")
