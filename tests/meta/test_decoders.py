"""Every decoder of the product is in the table that the mutation fuzz walks."""

import ast
import re
from pathlib import Path

from tests.properties.decoder import all_decoders

SOURCE = Path(__file__).resolve().parents[2] / "src" / "thingstead"
FLOORS = ("protocols", "domain", "analysis")
DECODES = re.compile(r"(decode|parse|authenticate|read|unprotect)(_.*)?")


def decoders():
    """Public functions whose name says that they read, and whose first argument is bytes."""
    for path in sorted(file for floor in FLOORS for file in (SOURCE / floor).rglob("*.py")):
        module = ".".join(path.relative_to(SOURCE).with_suffix("").parts).removeprefix("protocols.")
        for node in ast.parse(path.read_text()).body:
            if isinstance(node, ast.FunctionDef) and DECODES.fullmatch(node.name) and node.args.args:
                annotation = node.args.args[0].annotation
                if annotation is not None and "bytes" in ast.unparse(annotation).split(" | "):
                    yield f"{module}.{node.name}"


def test_every_decoder_is_fuzzed():
    assert set(decoders()) - {row.name for row in all_decoders()} == set()


def test_no_row_is_there_twice():
    names = [row.name for row in all_decoders()]
    assert len(names) == len(set(names))
    assert all(row.seeds or row.areas for row in all_decoders())
