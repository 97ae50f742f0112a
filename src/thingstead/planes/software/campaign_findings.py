"""What campaigns show for threats, challenges and requirements."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from thingstead.domain.campaign import Standing, Status
from thingstead.domain.plane import Finding, PlaneName
from thingstead.planes.software.campaign_store import Live

__all__ = ["findings"]


def findings(question: str, lives: Iterable[Live], past: int) -> Sequence[Finding]:
    """One row for a question that campaigns are about, else none.

    Args:
        question: e.g. ``R-72``.
        lives: the campaigns under way.
        past: how many were superseded.
    """
    row = _FINDINGS.get(question)
    if row is None:
        return ()
    control, risk = row
    everyone = tuple(lives)
    planned = [live for live in everyone if live.is_bounded]
    ended = sum(live.campaign.header.status is Status.ABORTED for live in everyone)
    given = sum(live.campaign.counts[Standing.INSTALLED] for live in planned)
    evidence = (
        f"{len(everyone)} campaigns under way, {past} superseded; {len(planned)} by stages or shares, "
        f"in which {given} things run their release; {ended} aborted"
    )
    return (Finding(question, PlaneName.SOFTWARE, control, evidence, risk, holds=bool(given)),)


_FINDINGS: Mapping[str, tuple[str, str]] = {
    "R-69": (
        "a release reaches things without anybody at them; before and after, `campaign show` says what in plain words",
        "what is new is said by the version alone where a maker wrote no words for the owner",
    ),
    "R-72": (
        "a release goes out by stages, within its hours, after what it depends on, to a share of a zone at one time",
        "who began before quiet hours finishes in them; a thing that lies about having installed frees its place",
    ),
}
"""question -> control and remaining risk."""
