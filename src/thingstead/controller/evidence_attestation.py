"""What the ledger shows of evidence: things that were compared with what was published for them."""

from __future__ import annotations

from thingstead.controller.figures import Figures, Row
from thingstead.domain.ledger.entry import Kind
from thingstead.planes.software.attestation import Standing

__all__ = ["ROWS"]


def _attested(figures: Figures) -> tuple[str, bool]:
    counted = {standing: figures.happened(Kind.APPRAISAL, standing.value) for standing in Standing}
    passed, refused = counted[Standing.GOOD] + counted[Standing.OLD], counted[Standing.BAD] + counted[Standing.UNKNOWN]
    waited = figures.turned_away("attestation")
    evidence = f"{passed} appraisals found what was published, {refused} did not; {waited} requests waited for evidence"
    return evidence, passed > 0 and waited > 0


ROWS: tuple[Row, ...] = (
    (
        "R-22",
        "tokens, groups and updates wait for evidence signed for a fresh nonce, compared with published releases",
        _attested,
        "the agent measures itself and no hardware vouches for it: who owns the whole thing can have it lie",
    ),
)
