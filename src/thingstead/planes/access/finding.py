"""What the access plane can show for a question of the assurance document, and which risk stays."""

from __future__ import annotations

__all__ = ["FINDINGS"]

FINDINGS = {
    "T5": (
        "every request under OSCORE keys of one thing, from an ephemeral exchange",
        "metadata and sizes stay visible",
    ),
    "R-09": ("token, keys and live association of a thing go at once", "answers already on their way arrive"),
    "R-16": (
        "tokens bound levels and changes a minute (bounded-rest-method-set); a thing holds to these and to its own",
        "a thing that does not know such bounds refuses the token; one that is broken keeps to nothing",
    ),
    "R-57": (
        "things act at each other on tokens that end by themselves, by a clock or without, and are revoked by a list",
        "where nobody reaches a thing, a revoked token counts there until it ends",
    ),
    "R-25": (
        "keys end with their numbers and their token; a thing joins again by EDHOC in the last eighth of either",
        "messages that do not verify are counted from each start",
    ),
    "R-64": (
        "an association is found by its identifiers, wherever the thing is, and follows it",
        "what is on its way to the old address is lost",
    ),
    "R-68": (
        "from a new address nothing acts, observes or gets a large answer before an Echo round trip",
        "a thing that knows no Echo has to stay where it is to act",
    ),
    "R-35": ("one AIF scope per token, asked before dispatch, deny by default", "a scope written too wide is obeyed"),
    "C5.3.2": (
        "OSCORE associations are not bound to addresses; from a new one nothing acts before an Echo round trip",
        "what is on its way to the old address is lost",
    ),
}
"""Question -> control, remaining risk."""
