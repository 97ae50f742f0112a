"""Become another program, which dies with the demo: ``launch DESCRIPTOR MODULE ARGUMENT...``.

The descriptor is that of the network namespace it belongs in; ``-`` is the one it is in.
"""

from __future__ import annotations

import os
import sys

from thingstead.enforcement.namespace import die_with_parent, enter_namespace

__all__ = ["HERE"]

HERE = "-"

if __name__ == "__main__":
    die_with_parent()
    if sys.argv[1] != HERE:
        enter_namespace(int(sys.argv[1]))
    os.execv(sys.executable, [sys.executable, "-m", *sys.argv[2:]])  # noqa: S606  the demo's own programs
