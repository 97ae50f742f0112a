"""What changes with a release: parts and their known holes, destinations, sizes, airtime, algorithms.

Two releases go in, as far as they say what they are; out come rows that a person reads and a program keeps.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from thingstead.analysis.agility import Answer, Load, questions
from thingstead.analysis.airtime import Transfer, transfer
from thingstead.analysis.consequence import Consequences
from thingstead.analysis.link_profile import DEVICE_CLASSES, LINKS, DeviceClass, LinkProfile
from thingstead.analysis.plain_words import in_words
from thingstead.analysis.sbom import Component
from thingstead.analysis.vulnerability import Feed, Known
from thingstead.crypto.lifetime import name_of
from thingstead.domain.crypto_policy import CryptoPolicy
from thingstead.protocols.mud.rule import RuleDifference, difference

__all__ = ["Change", "Frame", "ReleaseDiff", "Side", "compare", "report"]

_ENVELOPE_PATH = "/update"


@dataclass(frozen=True, slots=True)
class Side:
    """One release, as far as a comparison looks at it.

    Attributes:
        version: for people.
        sequence_number: higher is newer.
        image: octets.
        envelope: octets.
        algorithms: COSE numbers of its signatures.
        consequences: what it brings with it.
    """

    version: str
    sequence_number: int
    image: int
    envelope: int
    algorithms: tuple[int, ...]
    consequences: Consequences


@dataclass(frozen=True, slots=True)
class Change:
    """A part in two releases; empty where it is not in one of them."""

    component: str
    old: str
    new: str


@dataclass(frozen=True, slots=True)
class Frame:
    """What a comparison is made for.

    Attributes:
        day: today.
        feed: known vulnerabilities.
        crypto: the owner's dates of algorithms.
        classes: of the things.
        links: that they are on.
        max_seconds: that an update may take a link, at best.
    """

    day: date
    feed: Feed
    crypto: CryptoPolicy
    classes: tuple[DeviceClass, ...] = DEVICE_CLASSES
    links: tuple[LinkProfile, ...] = tuple(LINKS.values())
    max_seconds: float = 86_400.0


@dataclass(frozen=True, slots=True)
class ReleaseDiff:
    """What changes.

    Attributes:
        old, new: the releases.
        components: added, removed and changed, by name.
        gained, lost, kept: vulnerabilities that the new one has alone, the old one had alone, and both.
        network: rules that are new, and that are gone.
        transfers: (old, new) of envelope and image together, for each link.
        answers: the three questions of RFC 8576 §5.4.
    """

    old: Side
    new: Side
    components: tuple[Change, ...]
    gained: tuple[Known, ...]
    lost: tuple[Known, ...]
    kept: tuple[Known, ...]
    network: RuleDifference
    transfers: tuple[tuple[Transfer, Transfer], ...]
    answers: tuple[Answer, ...]

    @property
    def changes_algorithms(self) -> bool:
        """Whether it is signed otherwise than the one before."""
        return set(self.old.algorithms) != set(self.new.algorithms)

    @property
    def unsafe(self) -> tuple[Answer, ...]:
        """Answers that speak against it."""
        return tuple([one for one in self.answers if not one.is_safe])


def compare(old: Side, new: Side, frame: Frame) -> ReleaseDiff:
    """Compare two releases for one class of things."""
    before, after = (_components(side) for side in (old, new))
    known = [{(one.id, one.component): one for one in frame.feed.match(parts)} for parts in (before, after)]
    # A hole that stays in a part is neither gained nor lost because the part's version went up.
    old_ids, new_ids = ({(row.id, row.name) for row in rows.values()} for rows in known)
    transfers = tuple([(_carry(old, link), _carry(new, link)) for link in frame.links])
    load = Load(new.image, new.envelope, new.algorithms, old.algorithms)
    return ReleaseDiff(
        old,
        new,
        _changes(before, after),
        gained=tuple([one for one in known[1].values() if (one.id, one.name) not in old_ids]),
        lost=tuple([one for one in known[0].values() if (one.id, one.name) not in new_ids]),
        kept=tuple([one for one in known[1].values() if (one.id, one.name) in old_ids]),
        network=difference(old.consequences.rules, new.consequences.rules),
        transfers=transfers,
        answers=questions(
            load,
            classes=frame.classes,
            transfers=[new_one for _, new_one in transfers],
            crypto=frame.crypto,
            day=frame.day,
            max_seconds=frame.max_seconds,
        ),
    )


def report(diff: ReleaseDiff) -> dict[str, Any]:
    """Rows for people and programs alike."""
    old, new = diff.old, diff.new
    return {
        "releases": [
            {"release": name, "version": side.version, "sequence": side.sequence_number, "image": side.image,
             "envelope": side.envelope, "signed_with": [name_of(one) for one in side.algorithms]}
            for name, side in (("old", old), ("new", new))
        ],
        "components": [{"component": one.component, "old": one.old, "new": one.new} for one in diff.components],
        "vulnerabilities": [
            *_known("gained", diff.gained), *_known("kept", diff.kept), *_known("lost", diff.lost),
        ],
        "destinations": [
            *[{"change": "new", "words": words} for words in in_words(diff.network.added)],
            *[{"change": "gone", "words": words} for words in in_words(diff.network.removed)],
        ],
        "growth": {"image": new.image - old.image, "envelope": new.envelope - old.envelope},
        "airtime": [
            {"link": after.link, "frames": after.frames, "more_frames": after.frames - before.frames,
             "air_seconds": round(after.air, 1), "at_best_seconds": round(after.elapsed, 1)}
            for before, after in diff.transfers
        ],
        "algorithms": {
            "new": [name_of(one) for one in new.algorithms if one not in old.algorithms],
            "gone": [name_of(one) for one in old.algorithms if one not in new.algorithms],
        },
        "agility": [
            {"question": one.question, "about": one.about, "safe": one.is_safe, "numbers": one.said}
            for one in diff.answers
        ],
        "words": new.consequences.say("en"),
    }  # fmt: skip


def _components(side: Side) -> tuple[Component, ...]:
    sbom = side.consequences.sbom
    return () if sbom is None else sbom.components


def _changes(before: Iterable[Component], after: Iterable[Component]) -> tuple[Change, ...]:
    old, new = _versions(before), _versions(after)
    rows = [Change(name, old.get(name, ""), new.get(name, "")) for name in sorted({*old, *new})]
    return tuple([one for one in rows if one.old != one.new])


def _versions(components: Iterable[Component]) -> Mapping[str, str]:
    """Versions by name; a part that is there twice has both."""
    found: dict[str, list[str]] = {}
    for one in components:
        found.setdefault(one.key, []).append(one.version or "without version")
    return {name: ", ".join(sorted(set(versions))) for name, versions in found.items()}


def _carry(side: Side, link: LinkProfile) -> Transfer:
    """Envelope and image one after the other."""
    first, second = transfer(side.envelope, link, path=_ENVELOPE_PATH), transfer(side.image, link)
    return Transfer(
        link.name,
        second.block_size,
        first.exchanges + second.exchanges,
        first.frames + second.frames,
        first.octets + second.octets,
        first.air + second.air,
        first.elapsed + second.elapsed,
    )


def _known(change: str, rows: Iterable[Known]) -> list[dict[str, Any]]:
    return [
        {"change": change, "id": one.id, "component": one.component, "severity": one.severity.name.lower(),
         "verdict": one.verdict.value, "because": one.because, "summary": one.summary}
        for one in rows
    ]  # fmt: skip
