"""What goes with releases, and what must be decided before one is offered: members, objections, and who waits.

A release that the owner's policy holds is on disk whole, with what speaks against it, until a second person approves
or withdraws it. Nobody approves what they brought themselves.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from thingstead.analysis.consequence import read_members
from thingstead.analysis.image_scan import Finding as ImageFinding
from thingstead.analysis.release_check import Candidate, Objection, Signature, counted, objections, of_stance
from thingstead.analysis.release_diff import Side
from thingstead.analysis.vulnerability import Feed
from thingstead.clock import Clock
from thingstead.crypto.certificate import load_certificates
from thingstead.domain.anchor import TrustAnchor
from thingstead.domain.ledger.entry import Detail, Draft, Kind
from thingstead.domain.plane import Expiry, Finding, PlaneName
from thingstead.domain.ports import Records
from thingstead.domain.release_policy import Concern, Stance
from thingstead.domain.release_result import Result, Verdict
from thingstead.errors import ForbiddenError, HeldError, PolicyError, ThingsteadError, UntrustedError
from thingstead.planes.software.carried import (
    Bundle,
    Carried,
    Held,
    Terms,
    Waiting,
    decode_carried,
    decode_waiting,
    encode_carried,
    encode_waiting,
)
from thingstead.planes.software.examination import MEMBERS, REFERENCE_VALUES, STATEMENT, Examination
from thingstead.planes.software.reference import require_agreement
from thingstead.planes.software.release import Release
from thingstead.planes.software.result_shelf import ResultShelf, mark
from thingstead.protocols.mud.rule import Rule, compile_rules
from thingstead.protocols.mud.signature import AdmissionPolicy, admit
from thingstead.protocols.profile import release as profile
from thingstead.protocols.profile.release_statement import MemberName, open_statement
from thingstead.protocols.suit.digest import digest_of

__all__ = ["DOCUMENTS", "Publication", "publication_entry"]

_CARRIED, _HELD = "carried/", "held/"
DOCUMENTS = (_CARRIED, _HELD)
"""What the keys of the documents begin with."""

_MAX_HELD = 16
_REASONS = {Concern.SECRET: "image", Concern.PERSONAL_DATA: "image"}
_KNOWN = AdmissionPolicy("admitted before", insecure_unsigned=True)


class Publication:
    """Decides over releases before they are offered, and keeps what they bring along.

    Args:
        records: the plane's documents.
        clock: for UTC.
    """

    def __init__(self, records: Records, *, clock: Clock) -> None:
        self._records = records
        self._clock = clock
        self._carried: dict[bytes, Carried] = {}
        self._held: dict[bytes, Waiting] = {}
        self.feed = Feed()
        self.results = ResultShelf(records)
        for key, document in records.load().items():
            self._take(key, document)

    async def weigh(
        self,
        release: Release,
        bundle: Bundle,
        findings: Iterable[ImageFinding],
        terms: Terms,
        *,
        examined: Examination,
        source: TrustAnchor,
        model: str,
        before: bytes | None,
        supported_until: datetime | None,
    ) -> tuple[Objection, ...]:
        """Let a release pass, hold it, or refuse it; what it brings is on disk when this returns.

        Args:
            release: authentic, and newer than the one before.
            bundle: what it brings.
            findings: of the image scan.
            terms: the owner's.
            examined: takes down what each check comes to.
            source: whose it is.
            model: of the things that it is for.
            before: manifest digest of the release that it follows.
            supported_until: the latest day for which things of the class were promised to be mended.

        Returns:
            What speaks against it and is allowed, or was approved.

        Raises:
            UntrustedError: it brings members, and no statement of those who signed it ("statement").
            SecurityError, ProtocolError: as `release_statement.open_statement`, or a member outside its format.
            PolicyError: the owner's policy refuses it; the message names concern and place.
            HeldError: it waits for a second person.
            ForbiddenError: who approves it brought it.
        """
        at = self._clock.utc()
        self._examine(release, bundle, source, examined)
        carried = _carried(release, bundle)
        previous = None if before is None else self._carried.get(before)
        with examined.step(MEMBERS):
            said = read_members(bundle.files, at=at)
        candidate = Candidate(
            side=Side(
                carried.version, carried.sequence_number, carried.image, carried.envelope, carried.algorithms, said
            ),
            before=None if previous is None else previous.side(at=at),
            model=model,
            image_digest=digest_of(release.image).value,
            findings=tuple(findings),
            signatures=_path(release, source),
            supported_until=supported_until,
            allowed=_allowed(terms.allowed.get(model), at=at),
        )
        found = objections(candidate, terms.policy, feed=self.feed, crypto=terms.crypto, at=at)
        examined.judge(candidate, found, terms.policy, self.feed)
        _refuse(of_stance(found, terms.policy, Stance.REFUSE))
        digest = release.manifest.digest.value
        doubts = of_stance(found, terms.policy, Stance.HOLD)
        if doubts and not self._is_approved(digest, doubts, terms):
            await self._hold(release, bundle, doubts, terms, result=examined.result(Verdict.HELD))
        await self._keep(digest, carried)
        return found

    def held(self) -> tuple[Held, ...]:
        """What waits, oldest first."""
        return tuple(sorted([one.held for one in self._held.values()], key=lambda one: one.since))

    def find(self, manifest: str) -> bytes:
        """The digest of the one that waits and whose digest begins so.

        Raises:
            PolicyError: none or several do.
        """
        found = [digest for digest in self._held if manifest and digest.hex().startswith(manifest.lower())]
        if len(found) != 1:
            raise PolicyError(
                f"{len(found)} releases that begin so wait; `thingstead publication list` shows them", reason="held"
            )
        return found[0]

    def waiting(self, digest: bytes) -> tuple[bytes, bytes, Bundle]:
        """Envelope, image and members of a release that waits.

        Raises:
            PolicyError: none of this digest does.
        """
        found = self._require(digest)
        return found.encoded, found.image, found.bundle

    async def withdraw(self, digest: bytes, *, actor: str) -> Held:
        """Take back what waits; nobody was ever offered it.

        Raises:
            PolicyError: none of this digest waits.
        """
        held = self._require(digest).held
        draft = self._draft(actor, "withdrawn", digest, {"version": held.version, "brought_by": held.by})
        await self._records.write({_HELD + digest.hex(): None}, entries=[draft])
        del self._held[digest]
        return held

    async def refuse(self, error: ThingsteadError, examined: Examination | None, *, actor: str) -> None:
        """Put on the ledger that a release is not published; its result with it, where a check came to that.

        Args:
            error: why.
            examined: None for one that is not authentic, not newer, or that no thing would install.
            actor: who brought it.
        """
        details: dict[str, Detail] = {"what": "release"}
        changes: dict[str, bytes | None] = {}
        if examined is not None and examined.is_refused:
            result = examined.result(Verdict.REFUSED)
            changes = self.results.changes(result)
            details |= {"manifest": result.manifest, **mark(result)}
        draft = Draft(self._clock.utc(), Kind.REFUSAL, actor, None, error.reason, details)
        await self._records.write(changes, entries=[draft])
        self.results.take(changes)

    async def settled(self, digest: bytes) -> None:
        """It is published: nothing waits any more."""
        if self._held.pop(digest, None) is not None:
            await self._records.write({_HELD + digest.hex(): None})

    def carried(self, digest: bytes) -> Carried | None:
        """What a published release brought along; None for one that brought nothing, or is not known."""
        return self._carried.get(digest)

    def kept(self, manifest: str) -> Carried | None:
        """What a published release brought along, by how its manifest's digest begins; None for none or several."""
        found = [one for digest, one in self._carried.items() if manifest and digest.hex().startswith(manifest.lower())]
        return found[0] if len(found) == 1 else None

    def expiries(self) -> Sequence[Expiry]:
        """Nothing of it ends of itself: what waits, waits."""
        return ()

    def findings(self, question: str) -> Sequence[Finding]:
        """What it shows for what releases say of themselves."""
        row = _FINDINGS.get(question)
        if row is None:
            return ()
        control, risk = row
        with_parts = sum("sbom.cdx.json" in one.files for one in self._carried.values())
        evidence = (
            f"{with_parts} of {len(self._carried)} releases say what they are made of, {len(self._held)} wait for a "
            f"second person, {len(self.feed)} vulnerabilities are known"
        )
        return (Finding(question, PlaneName.SOFTWARE, control, evidence, risk, holds=with_parts > 0),)

    def snapshot(self) -> Mapping[str, bytes]:
        """All of it, for a backup."""
        kept = {_CARRIED + digest.hex(): encode_carried(one) for digest, one in self._carried.items()}
        return kept | {_HELD + digest.hex(): encode_waiting(one) for digest, one in self._held.items()}

    async def restore(self, documents: Mapping[str, bytes]) -> None:
        """Take up what is not here."""
        known = self.snapshot().keys()
        fresh = {key: one for key, one in documents.items() if key.startswith(DOCUMENTS) and key not in known}
        await self._records.write(fresh)
        for key, document in fresh.items():
            self._take(key, document)

    def _take(self, key: str, document: bytes) -> None:
        if key.startswith(_CARRIED):
            self._carried[bytes.fromhex(key.removeprefix(_CARRIED))] = decode_carried(document)
        elif key.startswith(_HELD):
            self._held[bytes.fromhex(key.removeprefix(_HELD))] = decode_waiting(document)

    def _examine(self, release: Release, bundle: Bundle, source: TrustAnchor, examined: Examination) -> None:
        """What is not for the owner's policy to decide."""
        if not bundle.files and not bundle.statement:
            examined.skip(STATEMENT, "it brings nothing")
        else:
            with examined.step(STATEMENT):
                self._prove(release, bundle, source)
        if MemberName.REFERENCE_VALUES not in bundle.files:
            examined.skip(REFERENCE_VALUES, "it brings none")
        else:
            with examined.step(REFERENCE_VALUES):
                require_agreement(bundle.files[MemberName.REFERENCE_VALUES], release)

    def _prove(self, release: Release, bundle: Bundle, source: TrustAnchor) -> None:
        """Whose word the members are."""
        if not bundle.statement:
            raise UntrustedError("expected a statement of those who signed the release", reason="statement")
        keys, _ = profile.authentication(source.release_keys, source.signing)
        open_statement(bundle.statement, release.manifest.authenticated, keys).verify(bundle.files)

    def _is_approved(self, digest: bytes, doubts: tuple[Objection, ...], terms: Terms) -> bool:
        """By somebody else, who was shown at least this."""
        if terms.approves != digest:
            return False
        held = self._require(digest).held
        if held.by == terms.actor:
            raise ForbiddenError(f"{terms.actor} brought the release; somebody else has to approve it", reason="same")
        if terms.reasons != held.reasons:
            raise ForbiddenError(
                f"it waits for other reasons than were approved: look at {held.reasons} with `publication list`",
                reason="reasons",
            )
        return {str(one) for one in doubts} <= set(held.because)

    async def _hold(
        self, release: Release, bundle: Bundle, doubts: tuple[Objection, ...], terms: Terms, *, result: Result
    ) -> None:
        digest = release.manifest.digest.value
        if digest not in self._held and len(self._held) >= _MAX_HELD:
            raise PolicyError(f"{_MAX_HELD} releases wait already: approve or withdraw one", reason="held")
        known = self._held.get(digest)
        if known is not None and known.bundle.files != bundle.files:
            # Else whoever exchanges what goes with it could approve that, for somebody else brought the first.
            raise PolicyError("this release waits with other files beside it: withdraw that first", reason="held")
        # What was brought by somebody is not made somebody else's by being brought again.
        by = self._held[digest].held.by if digest in self._held else terms.actor
        because = tuple([str(one) for one in doubts])
        named = digest_of(release.encoded).value
        held = Held(digest.hex(), result.model, release.version, by, self._clock.utc(), because, named)
        waiting = Waiting(held, release.encoded, release.image, bundle)
        details = {"version": release.version, **counted(doubts), **mark(result)}
        changes = self.results.changes(result)
        documents = {_HELD + digest.hex(): encode_waiting(waiting), **changes}
        await self._records.write(documents, entries=[self._draft(terms.actor, "held", digest, details)])
        self.results.take(changes)
        self._held[digest] = waiting
        raise HeldError(
            f"the release waits for a second person, because of {_listed(doubts)}; "
            f"`thingstead publication approve {digest.hex()[:16]} {held.reasons}` as somebody else than {by}"
        )

    async def _keep(self, digest: bytes, carried: Carried) -> None:
        if self._carried.get(digest) != carried:
            await self._records.write({_CARRIED + digest.hex(): encode_carried(carried)})
            self._carried[digest] = carried

    def _require(self, digest: bytes) -> Waiting:
        found = self._held.get(digest)
        if found is None:
            raise PolicyError("no such release waits; `thingstead publication list` shows those that do", reason="held")
        return found

    def _draft(self, actor: str, cause: str, digest: bytes, details: Mapping[str, Detail]) -> Draft:
        return Draft(self._clock.utc(), Kind.RELEASE, actor, None, cause, {"manifest": digest, **details})


def publication_entry(release: Release, found: Sequence[Objection], result: Result, terms: Terms) -> Draft:
    """What the ledger has of a release that is published, or approved by a second person."""
    details: dict[str, Detail] = {
        "maker": result.maker,
        "model": result.model,
        "version": result.version,
        "sequence": result.sequence_number,
        "manifest": result.manifest,
        "signatures": len(release.manifest.authenticated.signers),
        **counted(found),
        **mark(result),
        **({"reasons": terms.reasons} if terms.approves else {}),
        **({"proof": terms.proof} if terms.proof else {}),
    }
    return Draft(result.at, Kind.RELEASE, terms.actor, None, "approved" if terms.approves else "published", details)


def _carried(release: Release, bundle: Bundle) -> Carried:
    """What has a meaning here; payloads are the catalogue's, and what the maker typed is the maker's."""
    kept = {name: data for name, data in bundle.files.items() if name in set(MemberName)}
    return Carried(
        len(release.encoded),
        len(release.image) + sum(map(len, release.further.values())),
        tuple([one.signature_id for one in release.manifest.authenticated.signers]),
        release.version,
        release.sequence_number,
        kept,
    )


def _path(release: Release, source: TrustAnchor) -> tuple[Signature, ...]:
    """Signatures from the maker to a thing: of the manifest, and of those who sign the maker's MUD files."""
    of_manifest = [
        Signature(f"signature of {source.maker}, key {one.kid.hex()}", one.signature_id)
        for one in release.manifest.authenticated.signers
    ]
    certificates = [one for encoded in source.mud_authorities for one in load_certificates(encoded)]
    of_mud = [Signature(f"MUD authority {one.subject}", ends=one.expires) for one in certificates]
    return (*of_manifest, *of_mud)


def _allowed(document: bytes | None, *, at: datetime) -> tuple[Rule, ...] | None:
    """The network plane has verified the file; here it is compared only."""
    return None if document is None else compile_rules(admit(document, None, policy=_KNOWN, at=at)).rules


def _refuse(found: tuple[Objection, ...]) -> None:
    if found:
        reason = _REASONS.get(found[0].concern, found[0].concern.value.replace("_", "-"))
        raise PolicyError(f"the owner's policy refuses the release: {_listed(found)}", reason=reason)


def _listed(found: tuple[Objection, ...]) -> str:
    more = f" and {len(found) - 3} more" if len(found) > 3 else ""
    return "; ".join([str(one) for one in found[:3]]) + more


_FINDINGS = {
    "R-18": (
        "a release is offered with its SBOM; known vulnerabilities in it hold it, and things that run them are found",
        "an SBOM is its maker's word; a range between commits is not walked without the repository's history",
    ),
    "R-75": (
        "a change of algorithms is answered in numbers, per class and link, and refused where one answer is no",
        "what a class of things is, the owner says; computing time on a thing is not predicted",
    ),
}
"""question -> control and remaining risk."""
