"""The base score of a CVSS v3 vector (FIRST, CVSS v3.1 specification §7.1)."""

from __future__ import annotations

import re

__all__ = ["base_score"]

_VECTOR = re.compile(r"CVSS:3\.[01]((?:/[A-Z]{1,3}:[A-Z]){1,40})\Z")
_WEIGHTS = {
    "AV": {"N": 0.85, "A": 0.62, "L": 0.55, "P": 0.2},
    "AC": {"L": 0.77, "H": 0.44},
    "UI": {"N": 0.85, "R": 0.62},
    "C": {"H": 0.56, "L": 0.22, "N": 0.0},
    "I": {"H": 0.56, "L": 0.22, "N": 0.0},
    "A": {"H": 0.56, "L": 0.22, "N": 0.0},
}
_PRIVILEGES = {"U": {"N": 0.85, "L": 0.62, "H": 0.27}, "C": {"N": 0.85, "L": 0.68, "H": 0.5}}


def base_score(vector: str) -> float | None:
    """0.0 to 10.0, or None where `vector` is none that we can weigh."""
    found = _VECTOR.match(vector)
    if found is None:
        return None
    said = dict(part.split(":") for part in found[1].strip("/").split("/"))
    privileges = _PRIVILEGES.get(said.get("S", ""))
    try:
        weights = {name: table[said[name]] for name, table in _WEIGHTS.items()}
        needed = None if privileges is None else privileges[said["PR"]]
    except KeyError:
        return None
    if needed is None:
        return None
    changed = said["S"] == "C"
    lost = 1 - (1 - weights["C"]) * (1 - weights["I"]) * (1 - weights["A"])
    impact = 7.52 * (lost - 0.029) - 3.25 * (lost - 0.02) ** 15 if changed else 6.42 * lost
    if impact <= 0:
        return 0.0
    exploitability = 8.22 * weights["AV"] * weights["AC"] * needed * weights["UI"]
    return _round_up(min((1.08 if changed else 1.0) * (impact + exploitability), 10.0))


def _round_up(value: float) -> float:
    """To the next tenth, with the integer arithmetic of appendix A so that every platform agrees."""
    whole = round(value * 100_000)
    return whole / 100_000 if whole % 10_000 == 0 else (whole // 10_000 + 1) / 10
