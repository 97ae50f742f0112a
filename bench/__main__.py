"""Collect the figures of every module here that has ``figures()``, print them, write build/bench.json.

``python -m bench [NAME ...]`` runs the named modules only.
"""

from __future__ import annotations

import importlib
import json
import sys
from itertools import groupby
from pathlib import Path

from bench.figure import Figure, as_json

_HERE = Path(__file__).parent
_TARGET = _HERE.parent / "build" / "bench.json"


def main(names: list[str]) -> int:
    """Run the modules and write what they return."""
    known = sorted(path.stem for path in _HERE.glob("[a-z]*.py") if path.stem != "figure")
    unknown = set(names) - set(known)
    if unknown:
        print(f"expected names of {', '.join(known)}; got {', '.join(sorted(unknown))}", file=sys.stderr)
        return 2
    found: list[tuple[str, Figure]] = []
    for name in names or known:
        module = importlib.import_module(f"bench.{name}")
        if hasattr(module, "figures"):
            print(f"measuring {name} ...", file=sys.stderr, flush=True)
            found += [(name, figure) for figure in module.figures()]
    _print_tables(found)
    _TARGET.parent.mkdir(exist_ok=True)
    _TARGET.write_text(json.dumps([as_json(figure) for _, figure in found], indent=1) + "\n")
    print(f"\nwritten: {_TARGET.relative_to(Path.cwd()) if _TARGET.is_relative_to(Path.cwd()) else _TARGET}")
    return 0


def _print_tables(found: list[tuple[str, Figure]]) -> None:
    for name, rows in groupby(found, key=lambda row: row[0]):
        print(f"\n{name}")
        print(f"  {'figure':<52}{'ours':>12}{'peer':>12}{'ratio':>9}  unit, peer")
        for _, figure in rows:
            ratio = as_json(figure)["ratio"]
            peer = "-" if figure.peer is None else f"{figure.peer:,.1f}"
            beside = f"{figure.unit}, {figure.peer_name}" if figure.peer_name else figure.unit
            print(f"  {figure.name:<52}{figure.ours:>12,.1f}{peer:>12}{'-' if ratio is None else ratio:>9}  {beside}")


sys.exit(main(sys.argv[1:]))
