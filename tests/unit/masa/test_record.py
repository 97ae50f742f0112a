"""The record is on disk before a voucher goes out, and survives a crash."""

import json

import pytest

from thingstead.errors import StorageError
from thingstead.masa.record import FileRecord, Vouched

ONE = Vouched("2026-11-23T12:00:00+00:00", "A-1", "ab" * 32, "01" * 32)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "vouched.jsonl"


def written(path, *lines):
    record = FileRecord(path)
    for line in lines:
        record.add(line)
    record.close()


def test_a_line_each_is_read_again(path):
    written(path, ONE)
    record = FileRecord(path)
    assert (record.count("A-1"), record.is_used(ONE.ek_ct), record.is_used("02" * 32)) == (1, True, False)
    record.close()
    assert json.loads(path.read_text()) == {
        "at": ONE.at,
        "serial": "A-1",
        "domain": ONE.domain,
        "ek_ct": ONE.ek_ct,
    }
    assert path.stat().st_mode & 0o777 == 0o600


def test_half_a_line_at_the_end_is_cut_off(path):
    written(path, ONE)
    whole = path.read_bytes()
    path.write_bytes(whole + whole[:20])
    written(path, Vouched(ONE.at, "A-2", ONE.domain, "03" * 32))
    assert [json.loads(line)["serial"] for line in path.read_text().splitlines()] == ["A-1", "A-2"]


@pytest.mark.parametrize("line", [b"{}", b"[]", b"7", b"{", b"\xff", b'{"at": 1, "what": 2}'])
def test_a_damaged_line_is_named(path, line):
    written(path, ONE)
    path.write_bytes(path.read_bytes() + line + b"\n")
    with pytest.raises(StorageError, match="line 2"):
        FileRecord(path)


def test_a_link_in_its_place_is_not_followed(path, tmp_path):
    path.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(StorageError):
        FileRecord(path)


def test_what_the_disk_does_not_take_is_not_remembered(path):
    record = FileRecord(path)
    record.close()
    with pytest.raises((StorageError, OSError)):
        record.add(ONE)
    assert record.count("A-1") == 0
