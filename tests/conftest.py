"""What every test may rely on, and the one place where an absence becomes a skip, or in CI a failure."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

pytest_plugins = ["tests.trace", "tests.softhsm"]

ROOT = Path(__file__).resolve().parents[1]
_UOSCORE = "THINGSTEAD_UOSCORE"
_SYSTEM_PROGRAMS = "/usr/sbin:/sbin"


def in_ci() -> bool:
    return os.environ.get("CI") == "true"


def pytest_addoption(parser):
    parser.addoption("--full", action="store_true", help="also run what is marked full")


def pytest_collection_modifyitems(config, items):
    wanted = {"full": config.getoption("--full"), "uoscore": _UOSCORE in os.environ}
    unwanted = [marker for marker, is_wanted in wanted.items() if not is_wanted]
    left_out = [item for item in items if any(map(item.get_closest_marker, unwanted))]
    if left_out:
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if not any(map(item.get_closest_marker, unwanted))]


def pytest_make_parametrize_id(val, argname):
    """Name long byte strings by their argument: a signature in an id differs between the processes of one run."""
    return argname if isinstance(val, bytes) and len(val) > 16 else None


def pytest_runtest_setup(item):
    if item.get_closest_marker("root"):
        require(os.geteuid() == 0, "root", "run as root, e.g. in a container")
    if item.get_closest_marker("namespace"):
        require(_namespaces_work(), "user and network namespaces", "run where `unshare -rn true` works")
        for name, package in (("nft", "nftables"), ("ip", "iproute2")):
            found = shutil.which(name, path=f"{os.environ.get('PATH', '')}:{_SYSTEM_PROGRAMS}")
            require(found is not None, f"the program {name}", f"sudo apt-get install -y {package}")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    report = yield
    if in_ci() and report.skipped and not hasattr(report, "wasxfail"):
        report.outcome = "failed"
        report.longrepr = f"skipped, which CI does not allow: {report.longrepr}"
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(collector):
    report = yield
    if in_ci() and report.skipped:
        report.outcome = "failed"
        report.longrepr = f"skipped, which CI does not allow: {report.longrepr}"
    return report


def pytest_terminal_summary(terminalreporter):
    skipped = terminalreporter.stats.get("skipped", [])
    if skipped:
        terminalreporter.write_sep("!", f"{len(skipped)} tests did NOT run here; CI fails on that", red=True)


def require(present: bool, what: str, mend: str) -> None:
    """Go on where `what` is present; else skip loudly, naming how to mend it (in CI the skip is a failure)."""
    if not present:
        pytest.skip(f"ABSENT: {what}; to mend: {mend}")


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of shared vectors and data beside the repository."""
    folder = ROOT.parent / "shared"
    require(folder.is_dir(), "the folder ../shared", "put it beside the repository")
    return folder


@pytest.fixture(scope="session")
def peers() -> Callable[[str], Path]:
    """Find what `make peers` made: ``peers("libcoap")`` gives its directory."""

    def find(name: str) -> Path:
        directory = ROOT / "build" / "peers" / name
        require((directory / ".stamp").exists(), f"the peers of tools/peers/{name}", "make peers")
        return directory

    return find


@pytest.fixture(scope="session")
def peer_python(peers: Callable[[str], Path]) -> Path:
    """The interpreter of the environment of aiocoap and lakers."""
    return peers("python") / "bin" / "python"


@pytest.fixture(scope="session")
def uoscore_library() -> Path:
    """The shared library of uOSCORE that the environment names."""
    library = Path(os.environ.get(_UOSCORE, ""))
    require(library.is_file(), f"uOSCORE at {library}", f"{_UOSCORE}=its shared library, see docs/interop.md")
    return library


@pytest.fixture(scope="session")
def program():
    """Find a program on the machine: ``program("nft", package="nftables")`` gives its path."""

    def find(name: str, *, package: str) -> str:
        path = shutil.which(name, path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin")
        require(path is not None, f"the program {name}", f"sudo apt-get install -y {package}")
        return str(path)

    return find


def _namespaces_work() -> bool:
    unshare = shutil.which("unshare")
    return (
        unshare is not None
        and subprocess.run([unshare, "-rn", "true"], capture_output=True, check=False).returncode == 0
    )
