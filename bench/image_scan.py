"""How much of what others planted the image scan finds, and how often it cries wolf.

Each labelled example of the corpora is one image of its own; every file of the firmware archive is one.
The archives hold secret-shaped strings, so nothing is unpacked to disk, and only numbers are printed.
"""

from __future__ import annotations

import re
import sys
import tarfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from bench.figure import Figure
from thingstead.planes.software.image_scan import ImageScanner

DATA = Path(__file__).resolve().parents[1] / "../shared/data"
_LIST = re.compile(r"^  (examples|negative_examples):\n((?:(?:  .*|\s*)\n)+?)(?=^  ?[a-z_]+:|^- |\Z)", re.MULTILINE)
_ITEM = re.compile(r"^  - (?:\|[-+]?\n((?:(?:    .*|\s*)\n)+)|(.+)\n)", re.MULTILINE)
_GO_LIST = re.compile(r"\b(tps|fps) :?= \[\]string\{(.*?)\n\t\}", re.DOTALL)
_GO_LINE = re.compile(r'^\t\t(?:"((?:[^"\\\n]|\\.)*)"|`([^`\n]*)`),(?:\s*//.*)?$', re.MULTILINE)
_KEY_FILE = re.compile(r"mcuboot/(?:root|enc)-.*\.pem$")


def figures() -> list[Figure]:
    """Recall and precision on each corpus, and speed on the firmware files."""
    if not (DATA / "leaks.tar.xz").is_file():
        print("ABSENT: ../shared/data/leaks.tar.xz; the image scan is not measured", file=sys.stderr)
        return []
    found: list[Figure] = []
    for name, cases in (
        ("noseyparker examples", labelled("noseyparker", ".yml", yaml_cases)),
        ("gitleaks one-line literals", labelled("gitleaks", ".go", go_cases)),
        ("firmware files", firmware()),
    ):
        found += _rates(name, cases)
    return found


def _rates(name: str, cases: list[tuple[bool, bytes]]) -> list[Figure]:
    scanner = ImageScanner()
    start = time.perf_counter()
    results = [(secret, bool(scanner.scan(image))) for secret, image in cases]
    seconds = time.perf_counter() - start
    hits = sum([found for secret, found in results if secret])
    alarms = sum([found for secret, found in results if not secret])
    secrets = sum([secret for secret, _ in cases])
    return [
        Figure(f"{name}: with a secret", "images", secrets),
        Figure(f"{name}: without", "images", len(cases) - secrets),
        Figure(f"{name}: recall", "%", round(100 * hits / max(secrets, 1), 1)),
        Figure(f"{name}: precision", "%", round(100 * hits / max(hits + alarms, 1), 1)),
        Figure(f"{name}: false alarms", "images", alarms),
        Figure(f"{name}: time per image", "ms", round(1000 * seconds / max(len(cases), 1), 2)),
    ]


def labelled(project: str, suffix: str, parse: Callable[[str], Iterator[tuple[bool, str]]]) -> list[tuple[bool, bytes]]:
    return [
        (secret, text.encode())
        for name, data in members("leaks.tar.xz")
        if project in name and "/rules/" in name and name.endswith(suffix)
        for secret, text in parse(data.decode("utf-8", "replace"))
    ]


def firmware() -> list[tuple[bool, bytes]]:
    return [(bool(_KEY_FILE.search(name)) and b"PRIVATE" in data, data) for name, data in members("firmware.tar.xz")]


def members(archive: str) -> Iterator[tuple[str, bytes]]:
    with tarfile.open(DATA / archive) as opened:
        for member in opened:
            file = opened.extractfile(member) if member.isfile() else None
            if file is not None:
                yield member.name, file.read()


def yaml_cases(text: str) -> Iterator[tuple[bool, str]]:
    for kind, body in _LIST.findall(text + "\n"):
        for block, line in _ITEM.findall(body):
            value = re.sub(r"^ {4,6}", "", block, flags=re.MULTILINE) if block else _unquoted(line.strip())
            yield kind == "examples", value


def _unquoted(line: str) -> str:
    if line.startswith("'"):
        return line[1:-1].replace("''", "'")
    return re.sub(r"\\(.)", r"\1", line[1:-1]) if line.startswith('"') else line


def go_cases(text: str) -> Iterator[tuple[bool, str]]:
    for kind, body in _GO_LIST.findall(text):
        for quoted, raw in _GO_LINE.findall(body):
            yield kind == "tps", raw or re.sub(r"\\(.)", r"\1", quoted)
