"""Our own vectors come out again byte for byte, and hold on both sides."""

import json
from pathlib import Path

import pytest

from tests.conformance.areas import group_oscore
from tests.conformance.outcome import ManifestEntry, Verdict
from tests.vectors.generate_group_oscore import FILES, FOLDER, build


@pytest.mark.spec("RFC 10021 6")
@pytest.mark.parametrize("key_type", FILES, ids=lambda key_type: key_type.name)
def test_our_vectors_are_made_again_as_they_are(key_type):
    published = json.loads((FOLDER / FILES[key_type]).read_bytes())
    assert build(key_type, kept=published) == published


@pytest.mark.spec("RFC 10021 6")
@pytest.mark.parametrize("name", FILES.values())
def test_our_vectors_hold_on_both_sides(name):
    assert held(FOLDER / name) == [Verdict.PASSED] * 27


@pytest.mark.spec("RFC 10021 6")
def test_the_shared_vectors_hold_on_both_sides(shared):
    assert held(shared / "vectors" / "group-oscore" / "group_oscore.json") == [Verdict.PASSED] * 30


def held(file: Path) -> list[Verdict]:
    entry = ManifestEntry(area="group-oscore", file=file.name, cases=1, source="", note="")
    return [outcome.verdict for outcome in group_oscore.run(file, entry)]
