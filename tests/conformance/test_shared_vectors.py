from pathlib import Path

import pytest

from tests.conformance.walk import load_manifest, walk

AREAS = sorted(path.stem.replace("_", "-") for path in (Path(__file__).parent / "areas").glob("[a-z]*.py"))


@pytest.mark.slow
@pytest.mark.parametrize("area", AREAS)
def test_every_covered_case_of_the_shared_vectors_passes(shared, area):
    folder = shared / "vectors"
    entries = [entry for entry in load_manifest(folder) if entry.area == area]
    assert entries, f"the shared manifest has no area {area}"
    tally = walk(folder, entries)[area]
    assert tally.failures == []
