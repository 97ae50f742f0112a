"""What a decade comes to: counts by the year, what happened, who is stranded or back; and a digest of all of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import asdict, dataclass, field

from thingstead.crypto.digest import digest

__all__ = ["Tale", "Trouble"]


@dataclass(frozen=True, slots=True)
class Trouble:
    """A thing that was not served, or one that should not have been.

    Attributes:
        day: of the decade.
        serial: which.
        character: what it is like.
        why: what it, or its domain, says.
    """

    day: int
    serial: str
    character: str
    why: str


@dataclass(slots=True)
class Tale:
    """Written down as it happens.

    Attributes:
        tell: takes each line, at once.
        stranded: things that came and were not served.
        back: things that had left and were served.
        counts: of the year that runs.
        lines: everything told so far.
    """

    tell: Callable[[str], None]
    stranded: list[Trouble] = field(default_factory=list)
    back: list[Trouble] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)
    lines: list[str] = field(default_factory=list)

    @property
    def is_good(self) -> bool:
        """Whether nobody is stranded, and nobody is back."""
        return not self.stranded and not self.back

    @property
    def digest(self) -> str:
        """SHA-256 of every line: the same seed gives the same one."""
        return digest("\n".join(self.lines).encode()).hex()

    def document(self, **options: int) -> dict[str, object]:
        """All of it, for programs; `options` are what it was played with."""
        return {
            **options,
            "stranded": [asdict(one) for one in self.stranded],
            "back": [asdict(one) for one in self.back],
            "story": list(self.lines),
            "digest": self.digest,
        }

    def say(self, line: str) -> None:
        """Tell one line."""
        self.lines.append(line)
        self.tell(line)

    def happen(self, day: int, what: str) -> None:
        """Tell what happened on a day."""
        self.say(f"  day {day:>4}  {what}")

    def strand(self, trouble: Trouble) -> None:
        """A thing came and was not served."""
        self.stranded.append(trouble)
        self.happen(trouble.day, f"STRANDED {trouble.serial} ({trouble.character}): {trouble.why}")

    def return_of(self, trouble: Trouble) -> None:
        """A thing that had left was served."""
        self.back.append(trouble)
        self.happen(trouble.day, f"BACK {trouble.serial} ({trouble.character}): {trouble.why}")

    def end_year(self, number: int, calendar_year: int, standing: str) -> None:
        """Tell the year's figures, and begin the next."""
        counts = self.counts
        self.say(
            f"year {number:>2} ({calendar_year}): {counts['contacts']} contacts, {counts['joins']} joins, "
            f"{counts['long away']} after a year or more away; {counts['refused']} attempts of things that had left, "
            f"all refused; {standing}"
        )
        self.counts = Counter()
