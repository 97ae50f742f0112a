"""What the software plane shows for threats, challenges and requirements: a row each, and what must have been seen."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from thingstead.domain.plane import Finding, PlaneName
from thingstead.planes.software.campaign import Campaign

__all__ = ["FINDINGS", "finding"]

FINDINGS: Mapping[str, tuple[str, str, str]] = {
    "T7": (
        "a release needs as many keys of its maker as the anchor asks for, all if it says nothing; the thing verifies",
        "who holds so many release keys of a maker can sign anything",
        "refused",
    ),
    "R-13": (
        "a release is offered whenever a thing asks, the newest of it; keys of groups until they are confirmed",
        "who sleeps past the end of its token joins again first",
        "installed",
    ),
    "C5.4": (
        "SUIT manifests, two slots, activation and sequence number in one step, a report for each outcome",
        "a release of several images goes to things that have their components; dependencies are not executed",
        "installed",
    ),
    "R-29": (
        "unsigned, half-signed, altered, foreign, expired and older releases are refused by tracker and thing alike",
        "the agent's word on what it installed is not attested yet",
        "refused",
    ),
    "R-70": (
        "the thing verifies signatures under anchors from its birth, not under the controller's word",
        "a thing whose maker is silent about what it verifies is taken to verify whatever is in use",
        "",
    ),
    "R-71": (
        "an image is encrypted once for a set of things, by keys they were born with; each verifies its own",
        "who has an image may read who else can, by their key identifiers; payloads are not yet sent by multicast",
        "",
    ),
    "R-73": (
        "what runs is never written; a release that the thing does not work with gives way to the one before",
        "a flash that lies about what is on it is not told apart",
        "",
    ),
    "R-87": (
        "a release has as many post-quantum signatures as anchor and thing ask for; other keys come by signed steps",
        "a maker whose anchor asks for none signs by elliptic curves alone",
        "post-quantum",
    ),
    "R-88": (
        "each image is searched for keys, tokens, passwords and personal data before it is published",
        "a secret that is packed, encrypted or shaped like noise is not found",
        "secret found",
    ),
}
"""question -> control, remaining risk, and what must have been seen; empty where this plane cannot see it."""


def finding(
    question: str, campaigns: Sequence[Campaign], not_published: Counter[str], *, is_quantum_safe: bool
) -> tuple[Finding, ...]:
    """The row of a question with its figures; none where there is no row.

    Args:
        question: which.
        campaigns: every release that was published, oldest first.
        not_published: how many were refused since the start, by reason.
        is_quantum_safe: a release on offer is signed by an algorithm that a quantum computer does not undo.
    """
    row = FINDINGS.get(question)
    if row is None:
        return ()
    control, risk, proof = row
    newest = {(one.maker, one.model): one for one in campaigns}.values()
    refused = sum(one.refused for one in newest)
    evidence = (
        f"{len(campaigns)} releases published, {not_published.total()} refused before that since start; "
        f"{sum(one.installed for one in newest)} of {sum(one.things for one in newest)} things run the newest of "
        f"theirs, {refused} refused it"
    )
    seen = {
        "installed": any(one.installed for one in newest),
        "refused": not_published.total() > 0 or refused > 0,
        "secret found": not_published["image"] > 0,
        "post-quantum": is_quantum_safe,
    }
    return (Finding(question, PlaneName.SOFTWARE, control, evidence, risk, holds=seen.get(proof, False)),)
