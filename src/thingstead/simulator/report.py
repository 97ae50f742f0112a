"""How a demo tells its story: steps that hold or do not, for people and for programs."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, TextIO

__all__ = ["Check", "Report", "Step"]


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was seen.

    Attributes:
        what: in one line.
        held: whether it was as it should be.
        detail: a figure or a reason.
    """

    what: str
    held: bool
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Step:
    """One step of the story.

    Attributes:
        name: a slug for programs.
        title: for people.
        seconds: how long it took.
        checks: what was seen; a step without one does not hold.
        figures: for programs.
    """

    name: str
    title: str
    seconds: float
    checks: tuple[Check, ...]
    figures: dict[str, Any] = field(default_factory=dict)

    @property
    def held(self) -> bool:
        """Every check held, and there was one."""
        return bool(self.checks) and all(check.held for check in self.checks)


class Report:
    """Collects steps, and prints each as it comes."""

    def __init__(self, out: TextIO, *, quiet: bool) -> None:
        self._out = out
        self._quiet = quiet
        self.steps: list[Step] = []
        self.left_out: dict[str, str] = {}

    def add(self, step: Step) -> None:
        """Keep a step and tell of it."""
        self.steps.append(step)
        mark = "ok " if step.held else "NOT"
        self.say(f"{mark} {step.title}  ({step.seconds:.1f} s)")
        for check in step.checks:
            detail = f": {check.detail}" if check.detail else ""
            self.say(f"      {' ' if check.held else '!'} {check.what}{detail}")

    def leave_out(self, name: str, title: str, reason: str) -> None:
        """Tell of a step that cannot be taken here; it neither holds nor fails."""
        self.left_out[name] = reason
        self.say(f"--  {title}: left out, {reason}")

    def say(self, *lines: str) -> None:
        """Lines for people."""
        if not self._quiet:
            self._out.writelines(f"{line}\n" for line in lines)
            self._out.flush()

    @property
    def held(self) -> bool:
        """Every step held."""
        return bool(self.steps) and all(step.held for step in self.steps)

    def document(self) -> dict[str, Any]:
        """For programs."""
        return {"held": self.held, "steps": [_plain(step) for step in self.steps], "left_out": self.left_out}


def _plain(step: Step) -> dict[str, Any]:
    checks: Iterable[Check] = step.checks
    return {
        "name": step.name,
        "title": step.title,
        "held": step.held,
        "seconds": round(step.seconds, 3),
        "checks": [{"what": check.what, "held": check.held, "detail": check.detail} for check in checks],
        "figures": step.figures,
    }
