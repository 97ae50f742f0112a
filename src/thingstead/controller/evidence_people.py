"""What the ledger shows of the people of a domain: who approved what, and who was refused."""

from __future__ import annotations

from thingstead.controller.figures import Figures, Row
from thingstead.domain.ledger.entry import Kind
from thingstead.domain.maintenance import AT_DOMAIN, AT_THING

__all__ = ["ROWS"]


def _delegated(figures: Figures) -> tuple[str, bool]:
    given, approvals = figures.entries(Kind.DELEGATION), figures.entries(Kind.APPROVAL)
    refused = figures.tally.refusals["delegation"]
    evidence = f"{given} entries on delegations, {approvals} on approvals; {refused} beyond a delegation refused"
    return evidence, given > 0 and approvals > 0 and refused > 0


def _roles(figures: Figures) -> tuple[str, bool]:
    refused = figures.tally.refusals["role"]
    return f"{refused} requests of people for what their role does not have refused", refused > 0


def _maintained(figures: Figures) -> tuple[str, bool]:
    here, there = (figures.tally.maintained[where] for where in (AT_DOMAIN, AT_THING))
    refused = figures.tally.refusals["role"]
    evidence = f"{here} orders given here and {there} told by things, of one kind of entry; {refused} requests refused"
    return f"{evidence} for want of a role", here > 0 and there > 0 and refused > 0


def _bills(figures: Figures) -> tuple[str, bool]:
    refused = figures.tally.verdicts["refuse"]
    return f"{refused} joins refused by the policy; whether by a bill, their entries say and this count does not", False


def _compared(figures: Figures) -> tuple[str, bool]:
    approvals, strangers = figures.entries(Kind.APPROVAL), figures.turned_away("unknown maker")
    evidence = f"{approvals} entries on approvals, each with the key that it is for"
    return f"{evidence}; {strangers} joins without a known maker refused since start", approvals > 0 and strangers > 0


ROWS: tuple[Row, ...] = (
    (
        "R-03",
        "the owner signs who may approve, where, which classes, how many, until when; installers sign each approval",
        _delegated,
        "the owner's key lies with the domain's; an installer may say yes without having compared what they typed",
    ),
    (
        "R-06",
        "an operation takes a right, a role has rights: one table",
        _roles,
        "who runs the controller is its owner",
    ),
    (
        "R-07",
        "one decision for orders given here and orders given at a thing, which its journal brings, signed",
        _maintained,
        "the instant of what was done at a thing is by its own clock; a thing that is never heard again tells nothing",
    ),
    ("R-23", "a bill of installation lists serials; what fits it in part is refused", _bills, "a bill may be wrong"),
    (
        "R-28",
        "whom no anchor vouches for is refused; an approval is for one key, which a person may compare",
        _compared,
        "an owner may approve without comparing; the entry says so",
    ),
)
"""As the rows of `evidence`."""
