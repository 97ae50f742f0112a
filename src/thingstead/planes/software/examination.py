"""Takes down what each check of a release comes to, while it is weighed, and makes one result of it (R-84)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime

from thingstead.analysis.release_check import Candidate, Objection
from thingstead.analysis.vulnerability import Feed
from thingstead.domain.check import Check, Outcome
from thingstead.domain.release_policy import Concern, ReleasePolicy, Stance
from thingstead.domain.release_result import Result, Verdict
from thingstead.errors import ThingsteadError
from thingstead.planes.software.part import Check as Hook
from thingstead.planes.software.release import Release
from thingstead.planes.software.scan_rules import EDITION
from thingstead.protocols.suit.digest import digest_of

__all__ = ["IMAGE_SCAN", "MEMBERS", "REFERENCE_VALUES", "STATEMENT", "Examination"]

IMAGE_SCAN, STATEMENT, REFERENCE_VALUES = "image-scan", "statement", "reference-values"
MEMBERS, _FURTHER = "members", "further"
_PROVED = ("signatures", "rehearsal")
"""Without these there is no `Release`: whose it is, and that a thing of its class would install it."""

_CHECKS = (*_PROVED, IMAGE_SCAN, STATEMENT, REFERENCE_VALUES, MEMBERS, *[one.value for one in Concern], _FURTHER)
_OUTCOMES = {Stance.ALLOW: Outcome.ALLOWED, Stance.HOLD: Outcome.HELD, Stance.REFUSE: Outcome.REFUSED}
_NOT_TOLD: Mapping[Concern, tuple[Callable[[Candidate, Feed], bool], str]] = {
    Concern.NETWORK_GROWS: (lambda one, _: one.side.consequences.rules is None, "it brings no MUD file"),
    Concern.SIGNATURE_ENDS: (lambda one, _: one.supported_until is None, "no thing of it was promised support"),
    Concern.ALGORITHMS_UNSAFE: (
        lambda one, _: one.before is None or set(one.before.algorithms) == set(one.side.algorithms),
        "no algorithm changes",
    ),
    Concern.KNOWN_VULNERABILITY: (
        lambda one, feed: one.side.consequences.sbom is None or not len(feed),
        "no SBOM, or no vulnerability is known here",
    ),
}
"""Where a concern without an objection says nothing good of the release either."""

_SCANNED = frozenset({Concern.SECRET, Concern.PERSONAL_DATA})
_SEALED = "the image is encrypted; only its things can look into it"


class Examination:
    """The checks of one release. Each counts as not run until it says what it came to.

    Args:
        release: authentic and rehearsed.
        model: of the things that it is for.
        is_first: none for this type of thing came before it.
        at: now.
    """

    def __init__(self, release: Release, *, model: str, is_first: bool, at: datetime) -> None:
        self._release = release
        self._model = model
        self._is_first = is_first
        self._at = at
        self._checks = {name: Check(name, Outcome.NOT_RUN) for name in _CHECKS}
        self._basis = {"image-scan rules": EDITION}
        for name in _PROVED:
            self._note(name, Outcome.PASSED)

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        """A check that passes, or raises and says why."""
        try:
            yield
        except ThingsteadError as error:
            self._note(name, Outcome.REFUSED, [error.message])
            raise
        self._note(name, Outcome.PASSED)

    def skip(self, name: str, because: str) -> None:
        """There is nothing to check."""
        self._note(name, Outcome.NOT_APPLICABLE, [because])

    def judge(self, candidate: Candidate, found: Iterable[Objection], policy: ReleasePolicy, feed: Feed) -> None:
        """What each of the owner's concerns comes to."""
        objections = tuple(found)
        self._basis |= {"vulnerability records": f"{len(feed)}, {feed.edition().hex()}"}
        is_sealed = self._release.installed != candidate.image_digest
        for concern in Concern:
            said = [str(one) for one in objections if one.concern is concern]
            is_silent, because = _NOT_TOLD.get(concern, (None, ""))
            if said:
                self._note(concern.value, _OUTCOMES[policy.stance(concern)], said)
            elif is_sealed and concern in _SCANNED:
                self.skip(concern.value, _SEALED)
            elif is_silent is not None and is_silent(candidate, feed):
                self.skip(concern.value, because)
            else:
                self._note(concern.value, Outcome.PASSED)

    async def look_further(self, checks: Sequence[Hook]) -> None:
        """Ask whoever hooked in; errors as theirs."""
        if not checks:
            self.skip(_FURTHER, "nobody else checks")
            return
        with self.step(_FURTHER):
            for check in checks:
                await check(self._release)

    @property
    def outcomes(self) -> Mapping[str, Outcome]:
        """What each check came to so far."""
        return {name: one.outcome for name, one in self._checks.items()}

    @property
    def is_refused(self) -> bool:
        """A check speaks against the release for good; else it did not come to that."""
        return Outcome.REFUSED in self.outcomes.values()

    def result(self, verdict: Verdict) -> Result:
        """All of it."""
        release = self._release
        return Result(
            release.manifest.digest.value,
            digest_of(release.image).value,
            release.line.source,
            self._model,
            release.version,
            release.sequence_number,
            self._is_first,
            self._at,
            verdict,
            tuple(self._checks.values()),
            dict(self._basis),
        )

    def _note(self, name: str, outcome: Outcome, said: Iterable[str] = ()) -> None:
        self._checks[name] = Check.of(name, outcome, said)
