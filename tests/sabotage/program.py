"""Run a program of the tests without the control of a row: ``python -m tests.sabotage.program ROW MODULE``.

For tests whose subject runs in a process of its own, such as one in a network namespace.
"""

import runpy
import sys

from tests.sabotage.registry import REGISTRY
from tests.sabotage.replacement import apply

apply(REGISTRY[int(sys.argv[1])])
runpy.run_module(sys.argv[2], run_name="__main__")
