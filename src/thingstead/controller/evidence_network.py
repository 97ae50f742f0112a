"""What can be shown of alarms that were answered, of services and holes that were closed, and of needing nobody."""

from __future__ import annotations

from thingstead.controller.figures import Figures, Row
from thingstead.domain.ledger.entry import Kind
from thingstead.domain.plane import PlaneName

__all__ = ["ROWS"]


def _stopped(figures: Figures) -> tuple[str, bool]:
    cut = figures.tally.restricted["response"]
    idle = "; NOT enforced: the network plane does not act" if PlaneName.NETWORK in figures.idle else ""
    evidence = f"{cut} things cut off for what a detector saw, {figures.owed} demands owed"
    return f"{evidence}{idle}", cut > 0 and not idle


def _closed(figures: Figures) -> tuple[str, bool]:
    scans = figures.happened(Kind.APPRAISAL, "exposure-scan")
    found = figures.happened(Kind.ALARM, "open-service")
    refusals = figures.happened(Kind.NETWORK_POLICY, "owner-refusal")
    evidence = f"things knocked at {scans} times, {found} services found that nobody named; {refusals} refusals by rule"
    return evidence, scans > 0 and refusals > 0 and PlaneName.NETWORK not in figures.idle


def _alone(figures: Figures) -> tuple[str, bool]:
    joins, mode = figures.tally.verdicts["admit"], "offline" if figures.is_offline else "with name look-ups allowed"
    return f"{joins} joins decided by this process, {mode}", joins > 0 and figures.is_offline


ROWS: tuple[Row, ...] = (
    (
        "R-79",
        "no part of the domain runs elsewhere",
        _alone,
        "MUD files are fetched from their makers; one that was never fetched cannot be used offline",
    ),
    (
        "R-38",
        "detectors watch what things send; an alarm cuts its thing off on all planes, within bounds, and is told",
        _stopped,
        "what passes where nobody looks is not seen; beyond its bounds an alarm cuts nobody off and is only told",
    ),
    (
        "R-89",
        "things are knocked at from outside, and a known hole is one rule for all that have it, in one command",
        _closed,
        "ports that are not on the list, and software that no bill of materials names, are not found",
    ),
)
