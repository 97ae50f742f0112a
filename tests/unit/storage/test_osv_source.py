"""Records are read from where an owner has them, each by itself, and never more than is bearable."""

import json
import zipfile
from pathlib import Path

import pytest

from tests.conftest import require
from thingstead.analysis.sbom import Component
from thingstead.analysis.vulnerability import Feed
from thingstead.errors import ConfigError
from thingstead.storage.osv_source import Limits, read_feed

pytestmark = pytest.mark.requirement("R-18")
SHARED = Path(__file__).resolve().parents[3] / "../shared/data/osv"
RECORD = {"id": "X-1", "affected": [{"package": {"name": "zlib", "ecosystem": "OSS-Fuzz"}, "versions": ["1.2"]}]}
_PACKAGE = b"package: {name: zlib, ecosystem: OSS-Fuzz}"
YAML = b"id: X-2\naffected:\n- " + _PACKAGE + b"\n  versions: ['1.3']\nmodified: 2026-01-01\n"


@pytest.fixture
def folder(tmp_path):
    folder = tmp_path / "osv"
    (folder / "deep").mkdir(parents=True)
    (folder / "a.json").write_text(json.dumps(RECORD))
    (folder / "deep" / "b.yaml").write_bytes(YAML)
    (folder / "README.md").write_text("no record")
    return folder


def names(path, **limits):
    return [record.id for record in read_feed(path, limits=Limits(**limits)).records]


def test_a_folder_is_read_whole_in_json_and_yaml(folder):
    assert names(folder) == ["X-1", "X-2"]
    assert names(folder / "a.json") == ["X-1"]
    assert names(folder / "deep" / "b.yaml") == ["X-2"]


def test_a_zip_is_read_as_a_folder_is(folder, tmp_path):
    with zipfile.ZipFile(tmp_path / "all.zip", "w") as archive:
        for path in folder.rglob("*.*"):
            archive.write(path, path.relative_to(folder))
    assert sorted(names(tmp_path / "all.zip")) == ["X-1", "X-2"]


def test_what_is_no_record_is_told_and_costs_the_others_nothing(folder):
    (folder / "c.json").write_text("{}")
    (folder / "d.yaml").write_text("a: [")
    (folder / "e.yaml").write_text("- 1")
    found = read_feed(folder)
    assert [record.id for record in found.records] == ["X-1", "X-2"]
    assert [name for name, _ in found.passed_over] == ["c.json", "d.yaml", "e.yaml"]


def test_a_few_lines_do_not_stand_for_a_heap(folder):
    bomb = "a: &a [x, x, x]\nb: &b [*a, *a, *a]\nid: *b\n"
    (folder / "bomb.yaml").write_text(bomb)
    (folder / "wide.yaml").write_text("id: X\nx: [" + "1," * 50 + "]\n")
    (folder / "deep.yaml").write_text("[" * 5_000)
    found = read_feed(folder, limits=Limits(max_events=40))
    assert [name for name, _ in found.passed_over] == ["bomb.yaml", "deep.yaml", "wide.yaml"]
    assert "without aliases" in dict(found.passed_over)["bomb.yaml"]


def test_a_record_over_the_bound_is_passed_over_whatever_the_zip_says(tmp_path):
    with zipfile.ZipFile(tmp_path / "big.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("big.json", b" " * 10_000_000)
    found = read_feed(tmp_path / "big.zip", limits=Limits(max_bytes=1000))
    assert [name for name, _ in found.passed_over] == ["big.json"]


def test_more_than_is_bearable_is_refused(folder):
    for limits in ({"max_records": 1}, {"max_total": 10}):
        with pytest.raises(ConfigError, match="at most"):
            names(folder, **limits)


def test_nothing_to_read_is_refused(tmp_path):
    (tmp_path / "empty").mkdir()
    (tmp_path / "cut.zip").write_bytes(b"PK\x03\x04" + bytes(40) + b"PK\x05\x06" + bytes(18))
    for path in (tmp_path / "absent", tmp_path / "empty", tmp_path / "cut.zip"):
        with pytest.raises(ConfigError):
            read_feed(path)


def test_yaml_builds_nothing_but_plain_values(tmp_path):
    (tmp_path / "x.yaml").write_text("id: !!python/object/apply:os.system ['true']\n")
    assert read_feed(tmp_path).passed_over[0][0] == "x.yaml"


@pytest.mark.slow
def test_records_of_others_are_read_and_matched():
    require(SHARED.is_dir(), "../shared/data/osv", "put the shared folder beside the checkout")
    found = read_feed(SHARED)
    assert (len(found.records), found.passed_over) == (100, [])
    wanted = Component("dnsmasq", "2.90", None, (), "/components/0")
    assert {known.id for known in Feed(found.records).match([wanted]) if known.verdict == "affected"}
