"""What the groups plane shows for a threat, challenge or requirement, with the figures of the live domain."""

from __future__ import annotations

from collections.abc import Sequence

from thingstead.domain.plane import Finding, PlaneName
from thingstead.planes.groups.roster import Roster

__all__ = ["findings_of"]


def findings_of(question: str, groups: Sequence[Roster]) -> tuple[Finding, ...]:
    """The plane's finding, or none where it has nothing to say."""
    row = _ROWS.get(question)
    if row is None:
        return ()
    control, risk, holds = row
    return (Finding(question, PlaneName.GROUPS, control, _evidence(groups), risk, holds=holds(groups)),)


def _any(groups: Sequence[Roster]) -> bool:
    return bool(groups)


def _left_and_rekeyed(groups: Sequence[Roster]) -> bool:
    """Somebody left, and every other member has said since that it has the newest keys."""
    left = [record for record in groups if record.departed]
    return bool(left) and not any(record.behind() for record in left)


def _several(groups: Sequence[Roster]) -> bool:
    return len(groups) > 1


def _not_from_here(_groups: Sequence[Roster]) -> bool:
    """Forgeries are refused by members, and who slept is told apart from who was off by nobody here."""
    return False


def _evidence(groups: Sequence[Roster]) -> str:
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
        _any,
    ),
    "C5.3.1": (
        f"{_SIGNED}; {_REKEY}",
        "one Group Manager; a member that is off keeps its last keys until they expire",
        _any,
    ),
    "R-09": (
        "restriction and withdrawal put a thing out of all its groups and rekey them",
        "members that are off learn of it when they come back",
        _any,
    ),
    "R-13": (
        "keys are states, not messages: the newest are handed over until the member has confirmed them",
        "who never wakes keeps its last keys until they expire",
        _not_from_here,
    ),
    "R-63": (_REKEY, "a silent member keeps its last keys until they expire, and then joins anew", _left_and_rekeyed),
    "R-65": (
        f"{_SIGNED}; no two members may have one key; each member's rights are told with its credential",
        "the Group Manager's word is what binds a credential to a member",
        _not_from_here,
    ),
    "R-66": (
        "one context for each group; a thing joins a group only where its scope names it",
        "an owner may give two applications one group",
        _several,
    ),
}
