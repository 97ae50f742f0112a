"""Become another program inside a network namespace: ``launch DESCRIPTOR MODULE ARGUMENT...``."""

from __future__ import annotations

import os
import sys

from thingstead.enforcement.namespace import enter_namespace

__all__ = ()

if __name__ == "__main__":
    enter_namespace(int(sys.argv[1]))
    os.execv(sys.executable, [sys.executable, "-m", *sys.argv[2:]])  # noqa: S606  the demo's own programs
