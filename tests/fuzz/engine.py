"""One target under libFuzzer; run by `tests.fuzz` in the environment of `tools/fuzz`, with libFuzzer's options."""

from __future__ import annotations

import sys

import atheris

with atheris.instrument_imports(include=["thingstead"]):
    from tests.fuzz.target import all_targets

    target = all_targets()[sys.argv[1]]

atheris.Setup([sys.argv[0], *sys.argv[2:]], target.run)
atheris.Fuzz()
