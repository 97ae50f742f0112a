"""The command: ``python -m tests.conformance DIR [--json]``; ends with 1 if a case failed, 2 if there was none."""

from __future__ import annotations

import argparse
import io
import json
import sys
from pathlib import Path

from tests.conformance.outcome import Verdict
from tests.conformance.walk import ManifestError, Tally, load_manifest, module_of, walk


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.conformance", description="Run a folder of vectors.")
    parser.add_argument("folder", type=Path, help="folder with MANIFEST.json")
    parser.add_argument("--json", action="store_true", help="print the report as JSON")
    options = parser.parse_args(arguments)
    if isinstance(sys.stdout, io.TextIOWrapper):
        # Names and reasons come from files; no terminal need have all their characters.
        sys.stdout.reconfigure(errors="backslashreplace")
    try:
        entries = load_manifest(options.folder)
    except ManifestError as error:
        print(error, file=sys.stderr)
        return 2
    tallies = walk(options.folder, entries)
    if options.json:
        print(json.dumps({"areas": {area: tally.as_json() for area, tally in tallies.items()}}, indent=1))
    else:
        _print_table(tallies)
    return int(any(tally.failures for tally in tallies.values()))


def _print_table(tallies: dict[str, Tally]) -> None:
    print(f"{'area':<22}{'cases':>7}{'passed':>8}{'failed':>8}{'not covered':>13}")
    for area, tally in tallies.items():
        counts = [tally.verdicts.total(), *(tally.verdicts[verdict] for verdict in Verdict)]
        print(f"{area:<22}{counts[0]:>7}{counts[1]:>8}{counts[2]:>8}{counts[3]:>13}")
    for area, tally in tallies.items():
        if module_of(area) is not None:
            for reason, count in tally.reasons.most_common():
                print(f"not covered  {area}: {count} x {reason}")
    unknown = [area for area in tallies if module_of(area) is None]
    if unknown:
        print("unknown areas:", ", ".join(unknown))
    for area, tally in tallies.items():
        for failure in tally.failures:
            print(f"FAILED  {area}: {failure['file']} [{failure['case']}] {failure['reason']}")


sys.exit(main(sys.argv[1:]))
