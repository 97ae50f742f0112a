"""The shape of the tree: what a reader may rely on in every module."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SOURCE = ROOT / "src"
MODULES = sorted(SOURCE.rglob("*.py"))
TEST_MODULES = [*sorted((ROOT / "tests").rglob("*.py")), *sorted((ROOT / "bench").rglob("*.py"))]
MODULE_LINES = 600
FUNCTION_LINES = 80

CHECK_IMPORTS = """
import importlib, sys
for name in sys.argv[1:]:
    for loaded in [module for module in sys.modules if module.split(".")[0].startswith("thingstead")]:
        del sys.modules[loaded]
    importlib.import_module(name)
"""


def name_of(path):
    parts = path.relative_to(SOURCE).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def names(paths):
    return [str(path.relative_to(ROOT)) for path in paths]


def public_names(tree):
    for node in tree.body:
        targets = node.targets if isinstance(node, ast.Assign) else []
        if any(isinstance(target, ast.Name) and target.id == "__all__" for target in targets):
            return ast.literal_eval(node.value)
    return None


@pytest.mark.parametrize("path", MODULES, ids=names(MODULES))
def test_every_module_opens_with_a_docstring_and_says_what_is_public(path):
    tree = ast.parse(path.read_text())
    assert ast.get_docstring(tree), "a module opens with its docstring"
    if path.name not in {"__init__.py", "__main__.py"}:
        public = public_names(tree)
        assert public is not None, "a module has __all__"
        assert len(public) == len(set(public))


@pytest.mark.parametrize("path", [path for path in MODULES if path.name == "__init__.py"], ids=name_of)
def test_a_package_states_its_floor_and_exports_nothing(path):
    tree = ast.parse(path.read_text())
    if path.parent == SOURCE / "thingstead":
        assert "__version__" in public_names(tree)
    else:
        assert len(tree.body) == 1, "a package's __init__ is one docstring"


@pytest.mark.parametrize("path", MODULES, ids=names(MODULES))
def test_modules_and_functions_stay_readable(path):
    text = path.read_text()
    assert len(text.splitlines()) <= MODULE_LINES
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            lines = (node.end_lineno or 0) - node.lineno + 1
            assert lines <= FUNCTION_LINES, f"{node.name} has {lines} lines"


def test_no_package_is_empty():
    for path in SOURCE.rglob("__init__.py"):
        others = [other for other in path.parent.iterdir() if other != path and other.name != "__pycache__"]
        assert others or path.parent.name == "thingstead_verifier", f"{path.parent} holds nothing"


@pytest.mark.slow
def test_every_module_can_be_the_first_to_be_imported():
    modules = [name_of(path) for path in MODULES if path.name != "__main__.py"]
    command = [sys.executable, "-W", "error", "-c", CHECK_IMPORTS, *modules]
    done = subprocess.run(command, capture_output=True, text=True, env={"PYTHONPATH": str(SOURCE)}, check=False)
    assert done.returncode == 0, done.stderr[-2000:]


@pytest.mark.parametrize("path", TEST_MODULES, ids=names(TEST_MODULES))
def test_no_test_reads_a_path_of_one_machine(path):
    text = path.read_text()
    assert "/" + "work/" not in text
    assert "/" + "root/" not in text
