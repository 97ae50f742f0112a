"""The table of who holds what is the tests that hold it."""

from pathlib import Path

from tests.scenarios.threats.stolen import rows, written
from thingstead.controller.directory import KEYS

SECURITY = Path(__file__).resolve().parents[2] / "SECURITY.md"


def test_the_page_is_as_the_tests_say():
    assert written(SECURITY.read_text()) == SECURITY.read_text(), (
        "run `python -m tests.scenarios.threats.stolen SECURITY.md`"
    )


def test_no_key_of_a_domain_is_without_a_row():
    assert {row.key for row in rows() if row.key} == {*KEYS, "owner"}


def test_no_part_has_two_rows_and_no_row_is_half_told():
    parts = [row.part for row in rows()]
    assert len(parts) == len(set(parts))
    assert all(row.part and row.holder and row.falls and row.stays for row in rows())
