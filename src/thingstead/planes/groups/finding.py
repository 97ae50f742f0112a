"""What the groups plane shows for a threat, challenge or requirement, with the figures of the live domain."""

from __future__ import annotations

from collections.abc import Sequence

from thingstead.domain.plane import Finding, PlaneName
from thingstead.planes.groups.record import GroupRecord

__all__ = ["findings_of"]


def findings_of(question: str, groups: Sequence[GroupRecord]) -> tuple[Finding, ...]:
    """The plane's finding, or none where it has nothing to say."""
    row = _ROWS.get(question)
    if row is None:
        return ()
    control, risk = row
    return (Finding(question, PlaneName.GROUPS, control, _evidence(groups), risk, holds=bool(groups)),)


def _evidence(groups: Sequence[GroupRecord]) -> str:
    if not groups:
        return "no group in this domain yet"
    return "; ".join(
        [
            f"{record.name}: epoch {record.num} since {record.rekeyed_at:%Y-%m-%d %H:%M}Z, "
            f"{len(record.members) - len(record.behind())} of {len(record.members)} members confirmed it, "
            f"{len(record.departed)} left"
            for record in groups
        ]
    )


_REKEY = "a member that joins or leaves begins an epoch with fresh keys, on disk before anybody has them"
_SIGNED = "every group message is countersigned with a key that never leaves its member"

_ROWS = {
    "T8": (
        f"{_REKEY}; a captured member's keys end with its eviction",
        "until it is evicted, a captured member reads what its group reads",
    ),
    "C5.3.1": (f"{_SIGNED}; {_REKEY}", "one Group Manager; a member that is off keeps its last keys until they expire"),
    "R-09": (
        "restriction and withdrawal put a thing out of all its groups and rekey them",
        "members that are off learn of it when they come back",
    ),
    "R-63": (_REKEY, "a silent member keeps its last keys until they expire, and then joins anew"),
    "R-65": (
        f"{_SIGNED}; no two members may have one key; each member's rights are told with its credential",
        "the Group Manager's word is what binds a credential to a member",
    ),
    "R-66": (
        "one context for each group; a thing joins a group only where its scope names it",
        "an owner may give two applications one group",
    ),
}
