"""What the ledger shows of evidence: things that were compared with what was published for them."""

from __future__ import annotations

from thingstead.controller.figures import Figures, Row
from thingstead.domain.ledger.entry import Kind
from thingstead.domain.type_result import Verdict
from thingstead.planes.software.attestation import Standing

__all__ = ["ROWS"]


def _attested(figures: Figures) -> tuple[str, bool]:
    counted = {standing: figures.happened(Kind.APPRAISAL, standing.value) for standing in Standing}
    passed, refused = counted[Standing.GOOD] + counted[Standing.OLD], counted[Standing.BAD] + counted[Standing.UNKNOWN]
    waited = figures.turned_away("attestation")
    evidence = f"{passed} appraisals found what was published, {refused} did not; {waited} requests waited for evidence"
    return evidence, passed > 0 and waited > 0


def _compared(figures: Figures) -> tuple[str, bool]:
    installed = figures.happened(Kind.INSTALLATION, "installed")
    changed = figures.happened(Kind.ALARM, "new-behaviour")
    evidence = f"{installed} installations, and {changed} of them began something that no rule allows"
    return evidence, installed > 0 and changed > 0


def _tested(figures: Figures) -> tuple[str, bool]:
    types, failed = figures.entries(Kind.EXAMINATION), figures.happened(Kind.EXAMINATION, Verdict.FAILED.value)
    published = figures.happened(Kind.RELEASE, "published") + figures.happened(Kind.RELEASE, "approved")
    evidence = f"{types} tests of types of things, {failed} of them failed; {published} releases with a signed result"
    return evidence, types > 0 and published > 0


ROWS: tuple[Row, ...] = (
    (
        "R-84",
        "each new type of thing is tested on one of its things, each release before it is offered; results are signed",
        _tested,
        "no firmware is run in a laboratory; a thing is tested as it stands on this network, by what is known to fail",
    ),
    (
        "R-30",
        "for a day after an update, refused flows that come round more often than before it are an alarm",
        _compared,
        "what hides in flows that the new file allows is not seen, nor anything where no kernel enforces",
    ),
    (
        "R-22",
        "tokens, groups and updates wait for evidence signed for a fresh nonce, compared with published releases",
        _attested,
        "the agent measures itself and no hardware vouches for it: who owns the whole thing can have it lie",
    ),
)
