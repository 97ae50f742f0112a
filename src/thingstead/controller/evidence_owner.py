"""What the ledger shows of things that came from other hands or went to them, and of the domain's own second life."""

from __future__ import annotations

from thingstead.controller.figures import Figures, Row
from thingstead.crypto.lifetime import JUDGEMENTS
from thingstead.domain.ledger.entry import Kind
from thingstead.domain.lifecycle import Cause, LifecycleState, Restriction

__all__ = ["ROWS"]


def _sold(figures: Figures) -> tuple[str, bool]:
    sold = figures.happened(Kind.TRANSITION, Cause.HANDED_OVER)
    alive = sum(one.id in figures.live for one in figures.things if one.state is LifecycleState.RE_OWNED)
    evidence = f"{sold} things handed over, {alive} of them with a live association, {figures.tally.wiped} wipes signed"
    return f"{evidence}; what the next owner can read is not seen from here", False


def _chained(figures: Figures) -> tuple[str, bool]:
    accepted = figures.happened(Kind.AUTHENTICATION, "handed-over")
    elsewhere = sum(bool(one.release_keys) for one in figures.things)
    evidence = f"{accepted} chains of custody verified, each from its maker to this domain"
    return f"{evidence}; {elsewhere} things are mended by another than their maker", accepted > 0 and elsewhere > 0


def _twins(figures: Figures) -> tuple[str, bool]:
    found = figures.happened(Kind.ALARM, "clone")
    held = sum(one.restriction is Restriction.QUARANTINED for one in figures.things)
    return f"{found} identities found to live twice; {held} things in quarantine now", found > 0


def _begun_again(figures: Figures) -> tuple[str, bool]:
    restored = figures.happened(Kind.CONFIGURATION, "restored")
    evidence = f"begun again {restored} times from a backup; {len(figures.live)} things have joined since"
    return evidence, restored > 0 and bool(figures.live)


def _adopted(figures: Figures) -> tuple[str, bool]:
    adopted = figures.happened(Kind.TRANSITION, Cause.SUPPORT_ADOPTED)
    refused = figures.tally.refusals["signers"] + figures.tally.refusals["source"]
    evidence = f"{adopted} things adopted, {refused} releases refused whose signers do not count"
    return evidence, adopted > 0 and refused > 0


def _inventoried(figures: Figures) -> tuple[str, bool]:
    undone, lasting = figures.assets.get(True, 0), figures.assets.get(False, 0)
    evidence = f"{undone + lasting} keys, tokens, credentials, certificates and contexts are listed by their algorithms"
    return f"{evidence}; {undone} of them rest on one that a quantum computer undoes", undone + lasting > 0


def _ended(figures: Figures) -> tuple[str, bool]:
    held = figures.happened(Kind.RESTRICTION, "algorithm")
    named = len(JUDGEMENTS)
    evidence = f"{named} algorithms judged, each by a source; {held} times a thing was held for one that is not taken"
    return f"{evidence}; how many joined anew for one is on the ledger beside other reasons", held > 0


def _hybrid(figures: Figures) -> tuple[str, bool]:
    live = len(figures.live)
    return f"{figures.hybrid} of {live} live associations come of a hybrid key exchange", figures.hybrid > 0


ROWS: tuple[Row, ...] = (
    (
        "R-10",
        "a thing that is handed over forgets us, signs that, and names its next owner; all planes withdraw it",
        _sold,
        "a firmware that lies about its memory; a thing that is off is let go of without its word",
    ),
    (
        "R-11",
        "each owner names the next under its own key; whoever signs the releases names who signs them next",
        _chained,
        "an anchor that is trusted for its releases could vouch for things too; a rule has to name them",
    ),
    (
        "R-21",
        "where one identity joins or is heard in turn from two places, it is cut off with an alarm",
        _twins,
        "a copy that lies low while the other lives is not found; something that takes turns fast looks like two",
    ),
    (
        "R-62",
        "a signed backup, and a second place that knows what was taken away; every thing joins again by itself",
        _begun_again,
        "rules, makers and members of groups that changed after the backup take a person",
    ),
    (
        "R-78",
        "the owner names who mends a thing after its maker; thing and domain go by those keys, and by no other",
        _adopted,
        "a thing whose clock is wrong decides by it whether its maker's time is over",
    ),
    (
        "R-86",
        "every plane lists what holds because of an algorithm, and what of it a quantum computer of a year undoes",
        _inventoried,
        "libraries' own inner choices, and what things do among themselves without this domain, are not in it",
    ),
    (
        "R-87",
        "things join by ECDH and ML-KEM-1024 together, under keys of 256 bits, where policy and thing say so",
        _hybrid,
        "the suite has a number of ours, for the draft's has none; both sides still authenticate by elliptic curves",
    ),
    (
        "R-76",
        "one register with dates and their sources; on the owner's date things join anew under another, or are held",
        _ended,
        "what things agree on among themselves ends when their tokens do, not on the day",
    ),
)
