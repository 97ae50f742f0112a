"""Run pytest in a process of its own that starts fast.

A sabotage has to be in place before anything of ours is imported, so each needs a fresh process; what is not ours is
imported once, in the process that they are all forked from.
"""

from __future__ import annotations

import multiprocessing
import os
import sys
from pathlib import Path

import pytest

__all__ = ["run_pytest"]

_ROOT = Path(__file__).resolve().parents[2]
_SECONDS = 600
_NOT_OURS = ["pytest", "hypothesis.strategies", "xdist.plugin", "asyncio", "cbor2", "cryptography.x509", "litestar"]
_FORKED = ["-W", "ignore:Module already imported:pytest.PytestAssertRewriteWarning"]  # they are not ours to rewrite
_SERVER = multiprocessing.get_context("forkserver")
_SERVER.set_forkserver_preload(_NOT_OURS)


def run_pytest(options: list[str], output: Path) -> str:
    """The end of what pytest printed to `output` with these options, in a process that it does not outlive 600 s."""
    os.environ["PYTHONPATH"] = os.pathsep.join([str(_ROOT / "src"), str(_ROOT)])
    process = _SERVER.Process(target=_main, args=(options, output))
    process.start()
    process.join(_SECONDS)
    if process.is_alive():
        process.kill()
        return f"no end within {_SECONDS} s"
    return output.read_text(errors="replace")[-4000:] if output.exists() else "it did not start"


def _main(options: list[str], output: Path) -> None:
    with output.open("w") as sink:
        os.dup2(sink.fileno(), sys.stdout.fileno())
        os.dup2(sink.fileno(), sys.stderr.fileno())
    os.chdir(_ROOT)
    pytest.main(["-q", "-p", "tests.sabotage.plugin", "-p", "no:cacheprovider", *_FORKED, *options])
    sys.stdout.flush()
