"""The verifier of RFC 9334's background-check model: a fresh nonce out, evidence in, a standing on the thing's record.

Evidence is worth what stands behind it. Our agent measures what it reads from its own slots, and no hardware vouches
for that: who has taken the whole thing over can have it say anything. What this finds is an image that was exchanged,
went back, or was never published; each appraisal says so among its findings.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime

from thingstead import __version__
from thingstead.clock import Clock
from thingstead.crypto.key import PublicKey
from thingstead.domain.ledger.entry import Detail, Draft, Kind
from thingstead.domain.ports import Records
from thingstead.errors import ProtocolError, ReplayError, SecurityError
from thingstead.identifier import ThingId, thing_id
from thingstead.planes.software import attestation
from thingstead.planes.software.attestation import Appraisal, Finding, Standing, result_of
from thingstead.planes.software.reference import Reference
from thingstead.protocols.ear import result
from thingstead.protocols.ear.result import Tier
from thingstead.protocols.eat import evidence
from thingstead.protocols.profile import attestation as profile
from thingstead.protocols.profile.attestation import State
from thingstead.protocols.profile.reference_values import ReferenceValues

__all__ = ["References", "Verifier"]

_ACTOR = "plane:software"
_MAX_OPEN = 4096
_LIFETIME = 60.0
_BEFORE = 2
"""How many of the newest releases are good: the one that is offered, and the one that it takes the place of."""

References = Callable[[ThingId], Iterable[Reference]]
"""The releases that were published for a thing, oldest first."""

_SIMULATED = Finding("software-measured", Tier.NONE, "a program measured it and no hardware vouches for that")


class Verifier:
    """Asks with nonces that count once, appraises what comes back, and remembers the last appraisal of each thing.

    Args:
        records: one document for each thing.
        references: what was published for it.
        reported: sequence number of the release that it said it installed; below 0 where it said nothing.
        is_aborted: whether a release was taken back, by its manifest's digest; it is not good any more, however new.
        clock: both times.
        random_bytes: for nonces.

    Attributes:
        appraised: how many appraisals there were since the start, by standing.
    """

    def __init__(
        self,
        records: Records,
        *,
        references: References,
        reported: Callable[[ThingId], int],
        clock: Clock,
        random_bytes: Callable[[int], bytes],
        is_aborted: Callable[[bytes], bool] = lambda _digest: False,
    ) -> None:
        self._records = records
        self._references = references
        self._reported = reported
        self._clock = clock
        self._random_bytes = random_bytes
        self._is_aborted = is_aborted
        self._open: dict[ThingId, tuple[bytes, float]] = {}
        self._known = {thing_id(name): attestation.decode(document) for name, document in records.load().items()}
        self.appraised: dict[Standing, int] = dict.fromkeys(Standing, 0)

    def of(self, thing: ThingId) -> Appraisal | None:
        """The last appraisal; None where there was none."""
        return self._known.get(thing)

    def nonce(self) -> bytes:
        """A fresh one, for whoever keeps it with what it asks for."""
        return self._random_bytes(profile.NONCE_SIZE)

    def challenge(self, thing: ThingId) -> bytes:
        """A fresh nonce for a thing; the one before counts no more, and of too many open ones the oldest does not."""
        nonce = self.nonce()
        self._open.pop(thing, None)
        if len(self._open) >= _MAX_OPEN:
            del self._open[next(iter(self._open))]
        self._open[thing] = (nonce, self._clock.now() + _LIFETIME)
        return nonce

    async def answer(self, thing: ThingId, encoded: bytes, public: PublicKey) -> Appraisal:
        """Appraise what a thing answers to its challenge, which counts no more after this.

        Raises:
            ReplayError: nobody asked, or too long ago; nothing is kept.
            StorageError: the appraisal could not be kept.
        """
        nonce, until = self._open.pop(thing, (b"", 0.0))
        if not nonce or self._clock.now() >= until:
            raise ReplayError("the evidence answers no question that is open", spec="RFC 9334 §10")
        return await self.appraise(thing, encoded, public, nonce=nonce)

    async def appraise(self, thing: ThingId, encoded: bytes, public: PublicKey, *, nonce: bytes) -> Appraisal:
        """Appraise evidence that has to be signed by `public` for `nonce`; empty where a thing gave none.

        Raises:
            StorageError: the appraisal could not be kept.
        """
        at = self._clock.utc()
        try:
            if not encoded:
                return await self._keep(thing, _refused(at, "no-evidence", "the thing gave no evidence"))
            state = profile.read_state(
                evidence.authenticate(encoded, public, accept=profile.ACCEPT, nonce=nonce, profile=profile.PROFILE)
            )
        except (ProtocolError, SecurityError) as error:
            return await self._keep(thing, _refused(at, "evidence", f"{error.reason}: {error.message}"[:200]))
        known = [(one.manifest_digest, one.values()) for one in self._references(thing)]
        aborted = frozenset([digest for digest, _ in known if self._is_aborted(digest)])
        return await self._keep(thing, _appraise(state, known, self._reported(thing), at, aborted))

    async def forget(self, thing: ThingId) -> None:
        """Nothing is known of it any more.

        Raises:
            StorageError: it is on disk still.
        """
        if self._known.pop(thing, None) is not None:
            await self._records.write({thing: None})

    async def _keep(self, thing: ThingId, after: Appraisal) -> Appraisal:
        """On disk always, for its time counts; on the ledger only where it says something new."""
        before = self._known.get(thing)
        ear = result.encode(result_of(thing, after, build=__version__))
        entries = () if after.says_the_same(before) else _entries(thing, after)
        await self._records.write({thing: attestation.encode(after, ear)}, entries=entries)
        self._known[thing] = after
        self.appraised[after.standing] += 1
        return after


def _refused(at: datetime, name: str, detail: str) -> Appraisal:
    return Appraisal(Standing.BAD, at, (Finding(name, Tier.CONTRAINDICATED, detail),))


def _appraise(
    state: State,
    known: list[tuple[bytes, ReferenceValues]],
    reported: int,
    at: datetime,
    aborted: frozenset[bytes],
) -> Appraisal:
    """Hold a proven state against all that was published for the thing; every finding is collected."""
    findings = [_SIMULATED]
    ours = [(digest, values) for digest, values in known if values.is_for(state)]
    if known and not ours:
        findings.append(Finding("class", Tier.CONTRAINDICATED, "it says that it is of another class than its record"))
    matching = [(digest, values) for digest, values in ours if not values.differences(state)]
    named = next((values for digest, values in ours if digest == state.manifest_digest), None)
    if named is not None and named.differences(state):
        wrong = ", ".join(named.differences(state))
        findings.append(Finding("measurement", Tier.CONTRAINDICATED, f"not release {named.version}'s: {wrong}"))
    if not matching:
        findings.append(_unpublished(reported))
        return _concluded(findings, at, None, ())
    digest, found = next((one for one in matching if one[0] == state.manifest_digest), matching[-1])
    if found.sequence_number < reported:
        said = f"release {found.sequence_number}, and said that it installed {reported}"
        findings.append(Finding("rollback", Tier.CONTRAINDICATED, f"it runs {said}"))
    if digest in aborted:
        findings.append(Finding("aborted", Tier.WARNING, f"release {found.version} was taken back"))
    newest = [values for one, values in ours if one not in aborted or one == digest]
    return _concluded(findings, at, found, newest[-_BEFORE:])


def _unpublished(reported: int) -> Finding:
    """Whoever installed what was published, and runs something else, was changed; a newcomer may have come with it."""
    if reported >= 0:
        return Finding("unpublished", Tier.CONTRAINDICATED, "it runs what nobody published, and installed what was")
    return Finding("no-reference", Tier.WARNING, "no release that was published for it measures so")


def _concluded(
    findings: list[Finding], at: datetime, found: ReferenceValues | None, newest: Sequence[ReferenceValues]
) -> Appraisal:
    if found is not None and found not in newest:
        findings.append(Finding("old", Tier.WARNING, f"release {found.version} was published long before the newest"))
    worst = max(one.tier for one in findings)
    standing = _STANDINGS[worst] if found is not None or worst is Tier.CONTRAINDICATED else Standing.UNKNOWN
    said = ("", -1) if found is None else (found.version, found.sequence_number)
    return Appraisal(standing, at, tuple(sorted(findings, key=lambda one: -one.tier)), *said)


def _entries(thing: ThingId, appraisal: Appraisal) -> tuple[Draft, ...]:
    """What the ledger gets of an appraisal; an alarm beside it where it is bad."""
    against = [one.name for one in appraisal.findings if one.tier is not Tier.NONE]
    details: dict[str, Detail] = {
        "standing": appraisal.standing.value,
        "version": appraisal.version,
        "findings": ", ".join(against),
    }
    drafts = [Draft(appraisal.at, Kind.APPRAISAL, _ACTOR, thing, appraisal.standing.value, details)]
    if appraisal.standing is Standing.BAD:
        what: dict[str, Detail] = {"alarm": "attestation", "findings": ", ".join(against)}
        drafts.append(Draft(appraisal.at, Kind.ALARM, _ACTOR, thing, "attestation", what))
    return tuple(drafts)


_STANDINGS: Mapping[Tier, Standing] = {
    Tier.NONE: Standing.GOOD,
    Tier.AFFIRMING: Standing.GOOD,
    Tier.WARNING: Standing.OLD,
    Tier.CONTRAINDICATED: Standing.BAD,
}
