import json

import pytest

from tests.conformance.outcome import ManifestEntry, Verdict
from tests.conformance.walk import ManifestError, load_manifest, walk


def entry(file, area="cbor", cases=1):
    return ManifestEntry(area=area, file=file, cases=cases, source="", note="")


def run(tmp_path, cases, count=None):
    (tmp_path / "cases.json").write_text(cases if isinstance(cases, str) else json.dumps(cases))
    count = len(cases) if count is None else count
    return walk(tmp_path, [entry("cases.json", cases=count)])["cbor"]


def test_a_case_that_holds_is_counted_as_passed(tmp_path):
    tally = run(tmp_path, [{"hex": "1864", "roundtrip": True, "decoded": 100}])
    assert tally.as_json() == {
        "cases": 1,
        "passed": 1,
        "failed": 0,
        "not_covered": 0,
        "failures": [],
        "not_covered_reasons": {},
    }


@pytest.mark.parametrize(
    "case",
    [
        {"hex": "1864", "roundtrip": True, "decoded": 101},
        {"hex": "1801", "roundtrip": True, "decoded": 1},
        {"hex": "18", "roundtrip": True, "decoded": 1},
        {"hex": "f5", "roundtrip": True, "decoded": 1},
        {"hex": "zz", "roundtrip": True, "decoded": 1},
        {"roundtrip": True},
        {"hex": "00", "diagnostic": "{1: "},
        7,
    ],
    ids=["value", "encoding", "short", "type", "not hex", "no hex", "diagnostic", "not a case"],
)
def test_a_case_that_does_not_hold_is_named_with_its_file(tmp_path, case):
    tally = run(tmp_path, [case])
    assert tally.verdicts == {Verdict.FAILED: 1}
    assert tally.failures[0]["file"] == "cases.json"


@pytest.mark.spec("RFC 8949 3.3")
@pytest.mark.parametrize("data", ["f818", "81f800", "a1f81f01"])
def test_a_two_byte_simple_value_below_32_passes_only_by_being_refused(tmp_path, data):
    assert run(tmp_path, [{"hex": data, "roundtrip": True, "diagnostic": "simple(24)"}]).verdicts == {Verdict.PASSED: 1}


@pytest.mark.parametrize("text", ["", "{", "[1", "\x00"])
def test_a_file_that_is_not_json_fails_as_many_cases_as_it_should_hold(tmp_path, text):
    assert run(tmp_path, text, count=3).verdicts == {Verdict.FAILED: 3}


def test_a_missing_file_fails_and_a_companion_is_not_run(tmp_path):
    tallies = walk(tmp_path, [entry("absent.json", cases=2), entry("companion.bin", cases=0)])
    assert tallies["cbor"].verdicts == {Verdict.FAILED: 2}


def test_a_file_outside_the_folder_is_not_opened(tmp_path):
    (tmp_path / "cases.json").write_text("[]")
    inner = tmp_path / "inner"
    inner.mkdir()
    assert walk(inner, [entry("../cases.json")])["cbor"].failures[0]["reason"].endswith("outside its folder")


@pytest.mark.parametrize("area", ["teep", "../areas/cbor", "__init__", "os"])
def test_an_unknown_area_is_listed_as_not_covered(tmp_path, area):
    assert walk(tmp_path, [entry("x", area=area, cases=4)])[area].verdicts == {Verdict.NOT_COVERED: 4}


@pytest.mark.parametrize(
    "manifest",
    [
        None,
        "",
        "{}x",
        "[1]",
        '[{"file": "x"}]',
        '[{"area":"a","file":"b","cases":"n"}]',
        '[{"area":"a","file":"b","cases":-1}]',
        "[" * 100_000,
    ],
)
def test_a_manifest_that_cannot_be_read_gives_one_sentence(tmp_path, manifest):
    if manifest is not None:
        (tmp_path / "MANIFEST.json").write_text(manifest)
    with pytest.raises(ManifestError, match="expected a list of area, file"):
        load_manifest(tmp_path)


@pytest.mark.parametrize("file", ["", ".", "\0", "x" * 5000, "/etc/passwd", "loop"])
def test_what_is_no_file_of_the_folder_fails_and_the_walk_goes_on(tmp_path, file):
    (tmp_path / "loop").symlink_to("loop")
    (tmp_path / "cases.json").write_text('[{"hex": "00", "decoded": 0}]')
    tally = walk(tmp_path, [entry(file, cases=2), entry("cases.json"), entry("cases.json")])["cbor"]
    assert tally.verdicts == {Verdict.FAILED: 2, Verdict.PASSED: 2}


@pytest.mark.parametrize("area", ["COSE", "group_oscore", "cose pq"])
def test_an_area_is_the_same_however_its_words_are_joined(tmp_path, area):
    assert walk(tmp_path, [entry("absent", area=area)])[area].verdicts == {Verdict.FAILED: 1}


@pytest.mark.parametrize("data", [b"", b"{}", b"null", b"[1]", b"[" * 100_000, b"\xff\xfe", b'{"cases": [1, {}]}'])
@pytest.mark.parametrize(
    "area",
    ["cbor", "cose", "cose-pq", "oscore", "group-oscore", "edhoc", "suit-manifest-spec", "suit", "senml", "mud"],
)
def test_a_file_that_says_nothing_never_passes(tmp_path, area, data):
    (tmp_path / "cases").write_bytes(data)
    tally = walk(tmp_path, [entry("cases", area=area, cases=2)])[area]
    assert tally.verdicts[Verdict.PASSED] == 0
    assert tally.verdicts.total() == 2


def test_a_file_with_far_more_cases_than_announced_is_cut(tmp_path):
    tally = run(tmp_path, "[" + "0," * 5000 + "0]", count=1)
    assert tally.verdicts.total() < 2000
