"""What a run came to: who found what and when, on whose account, and what still came through."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from thingstead.crypto.digest import digest

__all__ = ["Finding", "Outcome", "Row", "Stop", "rows"]


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that a detector told.

    Attributes:
        detector: which.
        who: name of the character that it told of; the address in hexadecimal if it is nobody's.
        is_right: it did something bad, and had begun.
        after: seconds since the first bad packet, by the lab's clock; None before it, and if there was none.
        evidence: what shows it.
        explanation: for the owner.
        severity: how much of an attack it is.
    """

    detector: str
    who: str
    is_right: bool
    after: float | None
    evidence: tuple[str, ...]
    explanation: str
    severity: str


@dataclass(frozen=True, slots=True)
class Stop:
    """A thing that was cut off.

    Attributes:
        who: its name.
        cause: the detector on whose word.
        after: seconds from the first bad packet to the decision, by the lab's clock.
        planes: plane -> real seconds that it took.
    """

    who: str
    cause: str
    after: float
    planes: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Row:
    """One detector's score.

    Attributes:
        detector: which.
        expected: it has to find this scenario.
        found: it did.
        after: seconds from the first bad packet, by the lab's clock; None if it did not.
        false_alarms: what it told of others, or of nothing.
        evidence: first line of what shows it.
    """

    detector: str
    expected: bool
    found: bool
    after: float | None
    false_alarms: int
    evidence: str


@dataclass(frozen=True, slots=True)
class Outcome:
    """One run of one scenario.

    Attributes:
        scenario: its name.
        seed: of whatever was left to chance.
        rules: whether things could do only what their habits need, or anything.
        events: SHA-256 of the script, in hexadecimal.
        bad: packets of the attack that were sent.
        let_through: of those, that came out at the other side.
        repair: of the others, that reached the domain's endpoint after their sender was cut off: that way stays open,
            so that a thing can be mended, and its sessions there have ended.
        ordinary: packets to the Internet that things sent in ordinary life, while they were not cut off.
        kept: of those, that came through: an answer to an attack must not cost the others their work.
        open_for: seconds from the first bad packet to the last that came through, by the lab's clock; None if none did.
        open_for_real: the same by the machine's clock: what the response itself takes.
        stopped_by: ``rules`` that let nothing through, a ``finding``, or ``nothing``; ``nobody`` where nobody sent
            anything bad.
        device_days: of all things together, by the lab's clock.
        lost: frames that were not seen, as they came too fast.
        stops: who was cut off.
        rows: by detector.
        findings: all that was told.
    """

    scenario: str
    seed: int
    rules: bool
    events: str
    bad: int
    let_through: int
    repair: int
    ordinary: int
    kept: int
    open_for: float | None
    open_for_real: float | None
    stopped_by: str
    device_days: float
    lost: int
    stops: tuple[Stop, ...]
    rows: tuple[Row, ...]
    findings: tuple[Finding, ...]

    @property
    def held(self) -> bool:
        """Whether everybody found it who has to, and it was stopped."""
        return self.stopped_by != "nothing" and all(row.found for row in self.rows if row.expected)

    @property
    def false_alarms(self) -> int:
        """Of all detectors."""
        return sum(row.false_alarms for row in self.rows)

    @property
    def verdict(self) -> str:
        """SHA-256 of what does not hang on the machine: who found what, who was stopped and by what, what was false."""
        told = {
            "events": self.events,
            "stopped_by": self.stopped_by,
            "stops": [(one.who, one.cause) for one in self.stops],
            "rows": [(row.detector, row.found, row.false_alarms) for row in self.rows],
        }
        return digest(json.dumps(told).encode()).hex()

    def document(self) -> dict[str, Any]:
        """All of it, for programs."""
        return {**asdict(self), "held": self.held, "false_alarms": self.false_alarms, "verdict": self.verdict}


def rows(findings: Sequence[Finding], detectors: Sequence[str], *, expected: Sequence[str]) -> tuple[Row, ...]:
    """The score of each detector, also of those that have nothing to say."""
    return tuple(
        [_row(name, [one for one in findings if one.detector == name], name in expected) for name in detectors]
    )


def _row(detector: str, told: Sequence[Finding], expected: bool) -> Row:
    right = [one for one in told if one.is_right]
    return Row(
        detector,
        expected=expected,
        found=bool(right),
        after=right[0].after if right else None,
        false_alarms=len(told) - len(right),
        evidence=right[0].evidence[0] if right and right[0].evidence else "",
    )
