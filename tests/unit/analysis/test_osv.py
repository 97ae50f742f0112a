"""A record is read, with what decides and nothing else, or refused with its place."""

import json

import pytest

from thingstead.analysis.osv import Affected, parse_record, read_record
from thingstead.domain.release_policy import Severity
from thingstead.errors import DecodeError

pytestmark = pytest.mark.requirement("R-18")
PACKAGE = {"name": "libcoap", "ecosystem": "OSS-Fuzz"}


def record(**changes):
    fields = {"id": "OSV-2022-133", "summary": "Overflow", "affected": [{"package": PACKAGE, "versions": ["v4.3.0"]}]}
    return fields | changes


def rated(**changes):
    found = read_record(record(**changes))
    return found.rated(found.affected[0] if found.affected else Affected())


def test_a_record_is_kept_as_it_is_used():
    found = parse_record(json.dumps(record(details="left out", references=[{}])).encode())
    assert found == read_record(record())
    assert parse_record(found.encode()) == found
    assert b"left out" not in found.encode()


@pytest.mark.parametrize(
    ("changes", "severity"),
    [
        (
            {"severity": [{"type": "CVSS_V3", "score": "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"}]},
            Severity.CRITICAL,
        ),
        ({"severity": [{"type": "CVSS_V3", "score": "CVSS:3.0/AV:L/AC:L/PR:L/UI:N/S:U/C:H/I:N/A:N"}]}, Severity.MEDIUM),
        ({"severity": [{"type": "CVSS_V3", "score": "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:N"}]}, Severity.LOW),
        ({"database_specific": {"severity": "moderate"}}, Severity.MEDIUM),
        ({"affected": [{"package": PACKAGE, "ecosystem_specific": {"severity": "LOW"}}]}, Severity.LOW),
        ({"database_specific": {"severity": ["odd"]}}, Severity.HIGH),
        ({}, Severity.HIGH),
    ],
)
def test_how_bad_is_read_from_vector_or_word_and_counts_as_high_where_nobody_says(changes, severity):
    assert rated(**changes) is severity


@pytest.mark.parametrize(
    "value",
    [
        None,
        [],
        {},
        {"id": ""},
        {"id": "../etc"},
        {"id": "a b"},
        record(affected={}),
        record(affected=[{"package": {"name": "x"}}]),
        record(affected=[{"versions": [1]}]),
        record(affected=[{"versions": ["x" * 1025]}]),
        record(affected=[{"ranges": [{"events": []}]}]),
        record(affected=[{"ranges": [{"type": "GIT", "events": [{"fixed": 7}]}]}]),
        record(affected=[{}] * 1001),
        record(severity="HIGH"),
    ],
)
def test_what_is_no_record_is_refused(value):
    with pytest.raises(DecodeError):
        read_record(value)
    with pytest.raises(DecodeError) as refusal:
        parse_record(json.dumps(value).encode())
    assert refusal.value.reason == "osv"


@pytest.mark.parametrize("data", [b"", b"{", b"\xff", b"[" * 200_000, b" " * (4 << 20) + b"{}"])
def test_what_is_no_json_is_refused(data):
    with pytest.raises(DecodeError):
        parse_record(data)


def test_a_refusal_names_the_place():
    with pytest.raises(DecodeError, match=r"\$\.affected\[0\]\.package"):
        read_record(record(affected=[{"package": {"ecosystem": "npm"}}]))
