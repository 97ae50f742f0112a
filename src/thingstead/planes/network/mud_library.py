"""The admitted MUD files of the domain: fetched, verified, kept until they are too old (RFC 8520 §1.6, §3.5)."""

from __future__ import annotations

import asyncio
from bisect import bisect
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import urlsplit

from thingstead.clock import Clock
from thingstead.crypto.digest import digest
from thingstead.domain.instant import instant, microseconds
from thingstead.domain.ports import Fetcher, Records
from thingstead.errors import DecodeError, PolicyError, ProtocolError, SecurityError, TransportError, UntrustedError
from thingstead.planes.network.alarm import Alarm, AlarmKind
from thingstead.protocols.cbor import codec
from thingstead.protocols.mud.parser import parse
from thingstead.protocols.mud.rule import RuleSet, compile_rules, difference
from thingstead.protocols.mud.signature import AdmissionPolicy, admit

__all__ = ["MudLibrary", "Shelved", "is_owners"]

_LARGEST_FILE = 1 << 18
_LARGEST_SIGNATURE = 1 << 16
_FIRST_RETRY = timedelta(seconds=10)
_LAST_RETRY = timedelta(minutes=10)
_DOUBLINGS = 6
_LONGEST_TURN = 5.0
"""Seconds that files which are due may take at a time: rules wait for them."""


@dataclass(frozen=True, slots=True)
class Shelved:
    """An admitted file.

    Attributes:
        rules: what it compiled to.
        fetched_at: when it came.
    """

    rules: RuleSet
    fetched_at: datetime

    @property
    def stale_at(self) -> datetime:
        """From then on the maker must be asked again."""
        return self.fetched_at + timedelta(hours=self.rules.cache_validity)


@dataclass(frozen=True, slots=True)
class _Failure:
    """That a file could not be had: how often in turn, until when it is not asked for again, and why the last time."""

    times: int
    again_at: datetime
    reason: str


class MudLibrary:
    """Knows a rule set per MUD URL. A file that cannot be had does not take away one that was.

    Args:
        fetcher: HTTPS, with its limits.
        records: keeps the files as they came; each is verified again when it is read.
        policy_of: whose files are taken for a URL; so one maker cannot sign for another.
        clock: for UTC, and for the time that a turn takes.
        alarm: told when a file cannot be had, or lets its things do more than before.
    """

    def __init__(
        self,
        fetcher: Fetcher,
        records: Records,
        *,
        policy_of: Callable[[str], AdmissionPolicy],
        clock: Clock,
        alarm: Callable[[Alarm], None],
    ) -> None:
        self._fetcher = fetcher
        self._records = records
        self._policy_of = policy_of
        self._clock = clock
        self._alarm = alarm
        self._shelf: dict[str, Shelved] = {}
        self._documents: dict[str, bytes] = {}
        self._failures: dict[str, _Failure] = {}
        self._asking: dict[str, asyncio.Lock] = {}
        self._renewed_last = ""
        for document in records.load().values():
            self._take(document)

    def rules(self, url: str) -> RuleSet | None:
        """The rules of `url` as last admitted; None where there never was a file."""
        shelved = self._shelf.get(url)
        return None if shelved is None else shelved.rules

    def shelved(self) -> Mapping[str, Shelved]:
        """Everything admitted, by URL."""
        return self._shelf

    def file(self, url: str) -> bytes | None:
        """The file of `url` as last admitted; None where there never was one."""
        if url not in self._shelf:
            return None
        _, _, data, _ = codec.decode(self._documents[_key(url)])
        return bytes(data)

    async def vouch(self, data: bytes) -> str:
        """Take a file that the owner vouches for; returns its URL, at which nobody else can offer another.

        Raises:
            ProtocolError: not a MUD file.
            PolicyError: of a URL that is somebody's.
            StorageError: it could not be kept.
        """
        url, at = parse(data).url, self._clock.utc()
        if not is_owners(url):
            raise PolicyError(f"expected a URL under .invalid, got {url}: that file is its maker's", reason="url")
        document = codec.encode([url, microseconds(at), data, None])
        shelved = self._admitted(url, at, data, None, as_of=at)
        await self._keep(url, document, shelved)
        return url

    async def refresh(self, url: str) -> bool:
        """Ask for `url` unless what is here is still fresh; whether the rules are other ones now.

        Of several that want the same file at the same time one asks, and the others wait for its answer.
        """
        if is_owners(url):
            return False
        async with self._asking.setdefault(url, asyncio.Lock()):
            at = self._clock.utc()
            shelved = self._shelf.get(url)
            failure = self._failures.get(url)
            if (shelved is not None and at < shelved.stale_at) or (failure is not None and at < failure.again_at):
                return False
            try:
                document, fresh = await self._fetch(url, at)
                _require_successor(shelved, fresh)
            except (TransportError, ProtocolError, SecurityError, PolicyError) as error:
                self._put_off(url, at, str(error))
                self._alarm(Alarm(AlarmKind.MUD_UNAVAILABLE, None, at, f"{url}: {error}"))
                return False
            self._failures.pop(url, None)
            await self._keep(url, document, fresh)
            return self._note_change(url, shelved, at)

    async def renew(self, urls: Iterable[str]) -> set[str]:
        """Ask for each that is due; those whose rules are other ones now.

        Servers that take their time keep other files waiting for the next call, nothing else.
        """
        changed, started, ordered = set(), self._clock.now(), sorted(urls)
        here = bisect(ordered, self._renewed_last)
        for url in (*ordered[here:], *ordered[:here]):
            if self._clock.now() - started > _LONGEST_TURN:
                break
            self._renewed_last = url
            if await self.refresh(url):
                changed.add(url)
        return changed

    async def obtain(self, url: str) -> bytes:
        """The file of `url`, asked for where it is not here.

        Raises:
            TransportError: it cannot be had, or its maker's signature is not there.
        """
        await self.refresh(url)
        file = self.file(url)
        if file is None:
            reason = self._failures[url].reason if url in self._failures else "its owner brings it (thing mud --file)"
            raise TransportError(f"no MUD file of {url[:200]} that is taken can be had: {reason}")
        return file

    async def _keep(self, url: str, document: bytes, shelved: Shelved) -> None:
        """On disk first: what is in force must be what comes back after a restart."""
        await self._records.write({_key(url): document})
        self._documents[_key(url)] = document
        self._shelf[url] = shelved

    def _put_off(self, url: str, at: datetime, reason: str) -> None:
        times = self._failures[url].times if url in self._failures else 0
        wait = min(_FIRST_RETRY * 2 ** min(times, _DOUBLINGS), _LAST_RETRY)
        self._failures[url] = _Failure(times + 1, at + wait, reason)

    def _note_change(self, url: str, before: Shelved | None, at: datetime) -> bool:
        change = difference(None if before is None else before.rules, self._shelf[url].rules)
        if before is not None and change.widens:
            added = "; ".join(str(rule) for rule in change.added[:5])
            self._alarm(Alarm(AlarmKind.MUD_CHANGED, None, at, f"{url} allows {len(change.added)} more: {added}"))
        return bool(change.added or change.removed)

    def documents(self) -> Mapping[str, bytes]:
        """The files as they came, for a backup."""
        return dict(self._documents)

    async def restore(self, documents: Mapping[str, bytes]) -> None:
        """Take up files of a backup where none is here.

        Raises:
            DecodeError: not documents of this library.
        """
        fresh: dict[str, bytes | None] = {}
        for key, document in documents.items():
            if key not in self._documents:
                self._take(document)
                fresh[key] = document
        await self._records.write(fresh)

    async def _fetch(self, url: str, at: datetime) -> tuple[bytes, Shelved]:
        data = (await self._fetcher.fetch(url, max_bytes=_LARGEST_FILE)).body
        signature_url = parse(data).signature_url
        signature = None
        if signature_url:
            signature = (await self._fetcher.fetch(signature_url, max_bytes=_LARGEST_SIGNATURE)).body
        document = codec.encode([url, microseconds(at), data, signature])
        return document, self._admitted(url, at, data, signature, as_of=at)

    def _take(self, document: bytes) -> None:
        """Read a kept file; one that the policy no longer takes is as good as absent."""
        match codec.decode(document):
            case [str() as url, int() as fetched, bytes() as data, bytes() | None as signature]:
                self._documents[_key(url)] = document
                try:
                    # As of when it came: a signer's certificate that ended since takes away nothing but what is newer.
                    came = instant(fetched)
                    as_of = min(came, self._clock.utc())
                    self._shelf[url] = self._admitted(url, came, data, signature, as_of=as_of)
                except (ProtocolError, SecurityError, PolicyError) as error:
                    self._alarm(Alarm(AlarmKind.MUD_UNAVAILABLE, None, self._clock.utc(), f"{url}: {error}"))
            case _:
                raise DecodeError("expected a kept MUD file: url, time, data and signature")

    def _admitted(
        self, url: str, fetched_at: datetime, data: bytes, signature: bytes | None, *, as_of: datetime
    ) -> Shelved:
        policy = _OWNERS if is_owners(url) else self._policy_of(url)
        admitted = admit(data, signature, policy=policy, at=as_of, url=url)
        return Shelved(compile_rules(admitted), fetched_at)


def _require_successor(before: Shelved | None, fresh: Shelved) -> None:
    """Whoever holds the server, or stands before it, may neither leave the signature out nor bring an old file back.

    Raises:
        UntrustedError: the file before this one was signed, and this is not; or it is older than that.
    """
    if before is None:
        return
    old, new = before.rules, fresh.rules
    if old.signer is not None and new.signer is None:
        raise UntrustedError(f"expected a signature as by {old.signer} before, got none", spec="RFC 8520 §13.2")
    if old.last_update is not None and new.last_update is not None and new.last_update < old.last_update:
        dates = f"{old.last_update.isoformat()} or later, got one of {new.last_update.isoformat()}"
        raise UntrustedError(f"expected a file of {dates}", spec="RFC 8520 §3.4")


def is_owners(url: str) -> bool:
    """Whether a file of that URL can be nobody's but the owner's: no name under .invalid exists (RFC 6761 §6.4)."""
    return (urlsplit(url).hostname or "").endswith(".invalid")


_OWNERS = AdmissionPolicy("the owner's own word", insecure_unsigned=True)
"""Whoever may operate the domain brought the file; a signature would say nothing more."""


def _key(url: str) -> str:
    return "mud-" + digest(url.encode()).hex()[:32]
