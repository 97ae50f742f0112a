"""What speaks against offering a release, each with its place: findings are collected, and the owner's policy decides.

Nothing in here refuses by itself. What is not authentic, for nobody here, or not newer never comes this far.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from thingstead.analysis.consequence import Consequences
from thingstead.analysis.image_scan import Finding
from thingstead.analysis.link_profile import DEVICE_CLASSES, LINKS
from thingstead.analysis.plain_words import in_words
from thingstead.analysis.release_diff import Frame, Side, compare
from thingstead.analysis.vulnerability import Feed, Verdict
from thingstead.crypto.lifetime import name_of
from thingstead.domain.crypto_policy import CryptoPolicy
from thingstead.domain.release_policy import Concern, ReleasePolicy, Severity, Stance
from thingstead.protocols.mud.rule import DNS_CLASS, NTP_CLASS, Rule
from thingstead.protocols.profile.release_statement import MemberName

__all__ = ["Candidate", "Objection", "Signature", "counted", "objections", "of_stance"]

_PERSONAL = "e_mail_address"
_SHOWN = 20
_FOR_ALL = frozenset({DNS_CLASS, NTP_CLASS})
_HOUR = 3600.0


@dataclass(frozen=True, slots=True)
class Objection:
    """One thing that speaks against a release.

    Attributes:
        concern: which of the owner's.
        place: member of the release, offset in the image, or who signs.
        said: what is there.
    """

    concern: Concern
    place: str
    said: str

    def __str__(self) -> str:
        return f"{self.place}: {self.said}"


@dataclass(frozen=True, slots=True)
class Signature:
    """A signature that things or the domain go by for as long as a release is supported.

    Attributes:
        name: whose, for people.
        algorithm: COSE number; 0 for a certificate, which brings its own end.
        ends: where it ends of itself; None where only its algorithm does.
    """

    name: str
    algorithm: int = 0
    ends: datetime | None = None


@dataclass(frozen=True, slots=True)
class Candidate:
    """An authentic release, and what is known of those that it is for.

    Attributes:
        side: the release.
        before: the one that it follows; None where it is the first of its line.
        model: of the things.
        image_digest: SHA-256 of the image.
        findings: of the image scan.
        signatures: in the path from its maker to a thing.
        supported_until: the latest day for which the maker promised things of the class to mend them; None for no day.
        allowed: what its things may do on the network now; None where nobody knows.
    """

    side: Side
    before: Side | None
    model: str
    image_digest: bytes
    findings: tuple[Finding, ...]
    signatures: tuple[Signature, ...]
    supported_until: datetime | None
    allowed: tuple[Rule, ...] | None


def objections(
    candidate: Candidate, policy: ReleasePolicy, *, feed: Feed, crypto: CryptoPolicy, at: datetime
) -> tuple[Objection, ...]:
    """Everything that speaks against a release, allowed or not."""
    return (
        *_parts(candidate.side.consequences, candidate.image_digest),
        *_image(candidate.findings),
        *_network(candidate),
        *_ends(candidate, crypto),
        *_agility(candidate, policy, crypto, at),
        *_holes(candidate.side.consequences, feed),
    )


def of_stance(found: Iterable[Objection], policy: ReleasePolicy, stance: Stance) -> tuple[Objection, ...]:
    """Those with which the owner's policy does this."""
    return tuple([one for one in found if policy.stance(one.concern) is stance])


def _parts(said: Consequences, image_digest: bytes) -> list[Objection]:
    if said.sbom is None:
        return [Objection(Concern.SBOM_MISSING, MemberName.SBOM, "the release says nothing of what it is made of")]
    if not said.sbom.components:
        return [Objection(Concern.SBOM_MISSING, f"{MemberName.SBOM}/components", "it names no part of the image")]
    if said.sbom.subject and image_digest not in said.sbom.subject:
        place = f"{MemberName.SBOM}/metadata/component/hashes"
        return [Objection(Concern.SBOM_MISSING, place, "it is about another image")]
    return []


def _image(findings: Iterable[Finding]) -> list[Objection]:
    return [
        Objection(
            Concern.PERSONAL_DATA if one.rule == _PERSONAL else Concern.SECRET,
            f"image, offset {one.offset}",
            f"{one.what} (rule {one.rule})",
        )
        for one in findings
    ][:_SHOWN]


def _network(candidate: Candidate) -> list[Objection]:
    """Against what the things may do now, or else what the release before asked for."""
    rules, before = candidate.side.consequences.rules, candidate.before
    if rules is None:
        return []
    known = candidate.allowed
    if known is None:
        earlier = None if before is None else before.consequences.rules
        known = () if earlier is None else earlier.rules
    added = [one for one in rules.rules if one not in known and one.remote.name not in _FOR_ALL]
    return [Objection(Concern.NETWORK_GROWS, MemberName.MUD, words) for words in in_words(added)][:_SHOWN]


def _ends(candidate: Candidate, crypto: CryptoPolicy) -> list[Objection]:
    until = candidate.supported_until
    if until is None:
        return []
    found = []
    for one in candidate.signatures:
        name = name_of(one.algorithm) if one.algorithm else ""
        last = crypto.sunset(name) if name else None
        ends = [day for day in (last, None if one.ends is None else one.ends.date()) if day is not None]
        if ends and min(ends) < until.date():
            said = f"{name or 'the certificate'} ends on {min(ends)}, support on {until.date()}"
            found.append(Objection(Concern.SIGNATURE_ENDS, one.name, said))
    return found


def _agility(candidate: Candidate, policy: ReleasePolicy, crypto: CryptoPolicy, at: datetime) -> list[Objection]:
    """Only where algorithms change: what fits and how long it takes is the maker's business otherwise (R-75)."""
    device, before = policy.device(candidate.model), candidate.before
    if before is None or set(before.algorithms) == set(candidate.side.algorithms):
        return []
    frame = Frame(
        at.date(),
        Feed(),
        crypto,
        classes=tuple([one for one in DEVICE_CLASSES if device is not None and one.name == device.device_class]),
        links=tuple([LINKS[name] for name in (() if device is None else device.links)]),
        max_seconds=_HOUR * (24.0 if device is None else device.max_hours),
    )
    unsafe = compare(before, candidate.side, frame).unsafe
    return [
        Objection(Concern.ALGORITHMS_UNSAFE, f"RFC 8576 §5.4, question {one.question}, {one.about}", one.said)
        for one in unsafe
    ]


def _holes(said: Consequences, feed: Feed) -> list[Objection]:
    if said.sbom is None:
        return []
    return [
        Objection(
            Concern.KNOWN_VULNERABILITY,
            f"{MemberName.SBOM}{one.place}",
            f"{one.id} ({one.severity.name.lower()}) is in {one.component}: {one.because}",
        )
        for one in feed.match(said.sbom.components)
        if one.verdict is Verdict.AFFECTED and one.severity >= Severity.HIGH
    ][:_SHOWN]


def counted(found: Iterable[Objection]) -> Mapping[str, int]:
    """How many of each concern, for the ledger."""
    counts: dict[str, int] = {}
    for one in found:
        counts[one.concern.value] = counts.get(one.concern.value, 0) + 1
    return counts
