"""Walk a folder of vectors, hand each file to its area, count what comes back."""

from __future__ import annotations

import importlib
import json
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any

from tests.conformance.outcome import ManifestEntry, Outcome, Verdict, failed, not_covered

__all__ = ["ManifestError", "Tally", "load_manifest", "module_of", "walk"]

_AREA = re.compile(r"[a-z][a-z0-9-]*")
_AREAS = Path(__file__).parent / "areas"
_MAX_CASES, _MAX_SURPLUS, _MAX_BYTES = 1_000_000, 1_000, 16 << 20


class ManifestError(Exception):
    """The folder cannot be walked at all."""


@dataclass(slots=True)
class Tally:
    """What became of the cases of one area."""

    verdicts: Counter[Verdict] = field(default_factory=Counter)
    reasons: Counter[str] = field(default_factory=Counter)
    failures: list[dict[str, str]] = field(default_factory=list)

    def add(self, file: str, outcome: Outcome) -> None:
        """Count one outcome of a case of `file`."""
        self.verdicts[outcome.verdict] += 1
        if outcome.verdict is Verdict.FAILED:
            self.failures.append({"file": file, "case": outcome.case, "reason": outcome.reason})
        elif outcome.verdict is Verdict.NOT_COVERED:
            self.reasons[outcome.reason] += 1

    def as_json(self) -> dict[str, Any]:
        """The area's row of the report."""
        counts: dict[str, Any] = {verdict.value: self.verdicts[verdict] for verdict in Verdict}
        reasons = dict(self.reasons.most_common())
        return {"cases": self.verdicts.total(), **counts, "failures": self.failures, "not_covered_reasons": reasons}


def load_manifest(folder: Path) -> list[ManifestEntry]:
    """Read MANIFEST.json.

    Raises:
        ManifestError: absent, not JSON, a line without area and file, or with a count that is none.
    """
    path = folder / "MANIFEST.json"
    try:
        return [_entry(row) for row in json.loads(path.read_bytes())]
    except (OSError, ValueError, KeyError, TypeError, AttributeError, OverflowError, RecursionError) as error:
        raise ManifestError(f"expected a list of area, file, cases and source in {path}: {error!r}") from error


def _entry(row: dict[str, Any]) -> ManifestEntry:
    cases = int(row.get("cases", 1))
    if not 0 <= cases <= _MAX_CASES:
        raise ValueError(f"{cases} cases")
    return ManifestEntry(
        area=str(row["area"]),
        file=str(row["file"]),
        cases=cases,
        source=str(row.get("source", "")),
        note=str(row.get("note", "")),
    )


def module_of(area: str) -> ModuleType | None:
    """The module that covers `area`, however its words are joined, or None where there is none."""
    area = re.sub(r"[ _]", "-", area.lower())
    name = area.replace("-", "_")
    if not _AREA.fullmatch(area) or not (_AREAS / f"{name}.py").is_file():
        return None
    return importlib.import_module(f"tests.conformance.areas.{name}")


def walk(folder: Path, entries: list[ManifestEntry]) -> dict[str, Tally]:
    """Run every case; areas come out in the manifest's order."""
    tallies: dict[str, Tally] = {}
    for entry in entries:
        tally = tallies.setdefault(entry.area, Tally())
        for outcome in _run(folder, entry):
            tally.add(entry.file, outcome)
    return tallies


def _run(folder: Path, entry: ManifestEntry) -> Iterator[Outcome]:
    module = module_of(entry.area)
    if module is None:
        yield from [not_covered(f"{n}", f"nothing covers the area {entry.area}") for n in range(entry.cases)]
        return
    if not entry.cases:
        return
    seen = 0
    try:
        for outcome in module.run(_open_path(folder, entry.file), entry):
            seen += 1
            yield outcome
            if seen > entry.cases + _MAX_SURPLUS:
                raise ManifestError(f"the file holds over {_MAX_SURPLUS} cases more than its manifest says")
    except Exception as error:  # noqa: BLE001  a broken case file is a finding about that file, and the walk goes on
        yield failed("file", f"{type(error).__name__}: {error}")
        seen += 1
    if seen < entry.cases:
        yield from [
            failed(f"{n}", "the file holds fewer cases than its manifest says") for n in range(seen, entry.cases)
        ]


def _open_path(folder: Path, name: str) -> Path:
    """The path of a file of the manifest, which must be a plain file inside the folder, of a size that can be read."""
    file = (folder / name).resolve()
    if not file.is_relative_to(folder.resolve()):
        raise ManifestError("the manifest names a file outside its folder")
    if not file.is_file():
        raise ManifestError("the manifest names a file that is not there")
    if file.stat().st_size > _MAX_BYTES:
        raise ManifestError(f"the file is larger than {_MAX_BYTES} bytes")
    return file
