"""Campaigns on disk: what changed in them is written together, and stays to be written where that fails."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from thingstead.domain.campaign import Campaign, Header, Standing, Status
from thingstead.domain.campaign_plan import Plan
from thingstead.domain.instant import instant, microseconds
from thingstead.domain.ledger.entry import Detail, Draft, Kind
from thingstead.domain.ports import Records
from thingstead.identifier import ThingId, thing_id
from thingstead.planes.software import campaign_record
from thingstead.planes.software.campaign_record import Subject
from thingstead.protocols.cbor import codec

__all__ = ["CampaignStore", "Live"]

_ACTOR = "plane:software"
_PLAN = "plan/"
_SHORT = 16
_DEEDS = frozenset({"paused", "resumed", "advanced", "replanned", "aborted"})


@dataclass(slots=True)
class Live:
    """A campaign, and what it brings.

    Attributes:
        subject: what it brings.
        campaign: where it stands.
        away: since when things have a place that are not in the campaign now; they may come back.
        is_news: whether the ledger is to have its beginning; not of what was published before there were campaigns.
        told: status, stage and cause that the ledger has last.
        actor: who changed it last, where a person did.
    """

    subject: Subject
    campaign: Campaign
    away: dict[ThingId, datetime] = field(default_factory=dict)
    is_news: bool = True
    told: tuple[Status, int, str] | None = None
    actor: str = _ACTOR

    @property
    def is_bounded(self) -> bool:
        """Whether its plan keeps anybody from having it at once."""
        plan = self.campaign.header.plan
        return len(plan.stages) > 1 or plan.zone_share is not None


class CampaignStore:
    """Reads once, and writes what is new.

    Args:
        records: where to.
        lives: the campaigns under way.
    """

    def __init__(self, records: Records, lives: Callable[[], Iterable[Live]]) -> None:
        self._records = records
        self._lives = lives
        self._pending: dict[str, bytes | None] = {}
        self._entries: list[Draft] = []
        self._writing = asyncio.Lock()
        self.documents: dict[str, bytes] = dict(records.load())

    def headers(self) -> Iterator[tuple[Subject, Header]]:
        """Every campaign that was ever kept."""
        for key, document in self.documents.items():
            if "/" not in key:
                yield campaign_record.decode(document)

    def take_up(self, subject: Subject, campaign: Campaign) -> Live:
        """A campaign as it was kept, with the places that it had given."""
        start = f"{_key(subject)}/"
        away = {
            thing_id(key.removeprefix(start)): instant(codec.decode(document))
            for key, document in self.documents.items()
            if key.startswith(start)
        }
        return Live(subject, campaign, away, told=_state(campaign.header))

    async def restore(self, documents: Mapping[str, bytes]) -> None:
        """Take up what is not here."""
        for key, document in documents.items():
            if "/" not in key:
                campaign_record.decode(document)
        await self._write({key: one for key, one in documents.items() if key not in self.documents}, ())

    async def intend(self, name: str, plan: Plan | None) -> None:
        """Keep how a release is to be brought that is not published yet; as is usual by then, where nobody said."""
        await self._write({_PLAN + name: campaign_record.encode_plan(plan)}, ())

    async def give_up(self, name: str) -> None:
        """It will not be published."""
        await self._write({_PLAN + name: None}, ())

    def is_intended(self, name: str) -> bool:
        """Whether somebody is to publish it, or did a moment ago."""
        return _PLAN + name in self.documents

    def plan_of(self, name: str) -> Plan | None:
        """How it was said that it is to be brought.

        Raises:
            ConfigError: in a time zone that this machine does not know any more.
        """
        return campaign_record.decode_plan(self.documents[_PLAN + name])

    def begun(self, name: str) -> None:
        """The release was published, and its campaign has the plan now."""
        if self.is_intended(name):
            self._pending[_PLAN + name] = None

    def end(self, live: Live, header: Header, subject: Subject) -> None:
        """A campaign is over for good: its places are forgotten."""
        self._entries += [_entry(live, one) for one in _news(live, [*live.campaign.changes, header])]
        live.campaign.changes.clear()
        self._pending |= {key: None for key in self.documents if key.startswith(f"{_key(subject)}/")}
        self._pending[_key(subject)] = campaign_record.encode(subject, header)

    def forget(self, thing: ThingId) -> None:
        """Nothing of a thing is to be known any more."""
        for live in self._lives():
            live.away.pop(thing, None)
            live.campaign.unkept.pop(thing, None)
            if (key := f"{_key(live.subject)}/{thing}") in self.documents:
                self._pending[key] = None

    async def keep(self) -> None:
        """Write what changed until now; who comes while it is written waits for the next turn.

        Raises:
            StorageError: nothing of it was kept; the next call tries it again.
        """
        async with self._writing:
            changes, entries, headers, places = dict(self._pending), list(self._entries), [], []
            for live in self._lives():
                if live.campaign.changes:
                    changes[_key(live.subject)] = campaign_record.encode(live.subject, live.campaign.header)
                    headers.append((live, len(live.campaign.changes)))
                    entries += [_entry(live, one) for one in _news(live, live.campaign.changes)]
                for thing, at in live.campaign.unkept.items():
                    changes[f"{_key(live.subject)}/{thing}"] = codec.encode(microseconds(at))
                    places.append((live, thing, at))
            old, waiting = dict(self._pending), len(self._entries)
            if changes or entries:
                await self._write(changes, entries)
            self._pending = {key: one for key, one in self._pending.items() if old.get(key, key) is not one}
            del self._entries[:waiting]
            for live, count in headers:
                live.told = _state(live.campaign.changes[count - 1])
                del live.campaign.changes[:count]
            for live, thing, at in places:
                if live.campaign.unkept.get(thing) == at:
                    del live.campaign.unkept[thing]

    async def _write(self, changes: Mapping[str, bytes | None], entries: Iterable[Draft]) -> None:
        await self._records.write(changes, entries=tuple(entries))
        for key, document in changes.items():
            if document is None:
                self.documents.pop(key, None)
            else:
                self.documents[key] = document


def _key(subject: Subject) -> str:
    return subject.manifest_digest[:_SHORT].hex()


def _state(header: Header) -> tuple[Status, int, str]:
    return (header.status, header.stage, header.cause)


def _news(live: Live, headers: Iterable[Header]) -> list[Header]:
    """Those of which the ledger has to know: another status, stage or cause."""
    told, news = live.told, []
    for header in headers:
        if _state(header) != told and (told is not None or live.is_news):
            news.append(header)
        told = _state(header)
    return news


def _entry(live: Live, header: Header) -> Draft:
    counts, subject = live.campaign.counts, live.subject
    details: dict[str, Detail] = {
        "model": subject.model,
        "version": subject.version,
        "sequence": subject.sequence_number,
        "manifest": subject.manifest_digest,
        "status": header.status.value,
        "stage": header.stage + 1,
        "stages": len(header.plan.stages),
        **{standing.value: counts[standing] for standing in Standing},
    }
    actor = live.actor if header.cause in _DEEDS else _ACTOR
    return Draft(header.since or header.begun_at, Kind.CAMPAIGN, actor, None, header.cause, details)
