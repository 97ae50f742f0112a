"""What changes from one release to the next is said, in rows for people and programs."""

import json
from datetime import UTC, date, datetime

import pytest

from thingstead.analysis.consequence import read_members
from thingstead.analysis.link_profile import LINKS
from thingstead.analysis.osv import read_record
from thingstead.analysis.release_diff import Change, Frame, Side, compare, report
from thingstead.analysis.vulnerability import Feed
from thingstead.crypto.algorithm import AlgorithmId
from thingstead.domain.crypto_policy import CryptoPolicy
from thingstead.protocols.mud.builder import Description, Service, render
from thingstead.protocols.mud.file import Remote, RemoteKind

AT = datetime(2026, 11, 23, tzinfo=UTC)
CLASSIC, QUANTUM = int(AlgorithmId.ESP256), int(AlgorithmId.ML_DSA_44)


def hole(identifier, name, *versions):
    affected = {"package": {"name": name, "ecosystem": "OSS-Fuzz"}, "versions": list(versions)}
    return read_record({"id": identifier, "affected": [affected]})


FEED = Feed([hole("X-1", "zlib", "1.2"), hole("X-2", "libcoap", "4.3.0", "4.3.1"), hole("X-3", "mbedtls", "3.0")])
FRAME = Frame(AT.date(), FEED, CryptoPolicy(), links=(LINKS["802.15.4"], LINKS["LoRaWAN DR0"]))


def side(version, components, hosts=(), *, image=50_000, envelope=600, algorithms=(CLASSIC,), words=None):
    parts = [{"name": name, "version": of, "purl": f"pkg:generic/{name}@{of}"} for name, of in components.items()]
    services = tuple(Service(Remote(RemoteKind.DNS_NAME, host), 6, 443) for host in hosts)
    files = {
        "sbom.cdx.json": json.dumps({"bomFormat": "CycloneDX", "specVersion": "1.6", "components": parts}).encode(),
        "mud.json": render(Description("https://mud.example/l.json", AT, "lamp", "Example", "LX-1", services)),
    }
    if words:
        files["words.json"] = json.dumps({"en": words}).encode()
    return Side(version, int(version), image, envelope, algorithms, read_members(files, at=AT))


OLD = side("1", {"zlib": "1.2", "libcoap": "4.3.0", "gone": "1"}, ["a.example", "b.example"])
NEW = side(
    "2",
    {"zlib": "1.3", "libcoap": "4.3.1", "mbedtls": "3.0"},
    ["a.example", "c.example"],
    image=60_000,
    envelope=3_000,
    algorithms=(CLASSIC, QUANTUM),
    words="Now with cloud.",
)
DIFF = compare(OLD, NEW, FRAME)


def test_parts_that_come_go_and_change_are_told():
    assert DIFF.components == (
        Change("pkg:generic/gone", "1", ""),
        Change("pkg:generic/libcoap", "4.3.0", "4.3.1"),
        Change("pkg:generic/mbedtls", "", "3.0"),
        Change("pkg:generic/zlib", "1.2", "1.3"),
    )


@pytest.mark.requirement("R-18")
def test_holes_that_come_go_and_stay_are_told():
    assert [[one.id for one in rows] for rows in (DIFF.gained, DIFF.lost, DIFF.kept)] == [["X-3"], ["X-1"], ["X-2"]]


def test_new_and_gone_destinations_are_said_in_words():
    rows = report(DIFF)["destinations"]
    assert rows == [
        {"change": "new", "words": "it may contact c.example, by TCP on port 443 (web)"},
        {"change": "gone", "words": "it may contact b.example, by TCP on port 443 (web)"},
    ]
    assert DIFF.network.widens


@pytest.mark.requirement("R-75")
def test_sizes_airtime_and_algorithms_come_with_the_three_answers():
    told = report(DIFF)
    assert told["growth"] == {"image": 10_000, "envelope": 2_400}
    assert [row["link"] for row in told["airtime"]] == ["802.15.4", "LoRaWAN DR0"]
    assert all(row["more_frames"] > 0 for row in told["airtime"])
    assert told["algorithms"] == {"new": ["ML-DSA-44"], "gone": []}
    assert DIFF.changes_algorithms
    assert {row["question"] for row in told["agility"]} == {1, 2, 3}
    assert [one.about for one in DIFF.unsafe] == ["C0", "C1", "LoRaWAN DR0"]
    assert told["words"] == "Now with cloud."


def test_a_release_beside_itself_changes_nothing():
    same = compare(OLD, OLD, FRAME)
    told = report(same)
    assert (told["components"], told["destinations"]) == ([], [])
    assert [row["change"] for row in told["vulnerabilities"]] == ["kept", "kept"]
    assert not same.changes_algorithms


def test_what_a_release_does_not_say_is_not_guessed():
    bare = Side("3", 3, 10, 10, (CLASSIC,), read_members({}, at=AT))
    found = compare(NEW, bare, Frame(date(2026, 11, 23), Feed(), CryptoPolicy(), links=()))
    assert all(one.new == "" for one in found.components)
    assert (found.gained, found.transfers) == ((), ())
    assert not found.network.widens


def test_the_report_is_plain_json():
    assert json.loads(json.dumps(report(DIFF))) == report(DIFF)


def test_a_part_that_is_there_twice_has_both_versions():
    twice = json.dumps(
        {
            "bomFormat": "CycloneDX",
            "specVersion": "1.6",
            "components": [{"name": "x", "version": "2"}, {"name": "x", "version": "1"}, {"name": "y"}],
        }
    ).encode()
    new = Side("3", 3, 10, 10, (CLASSIC,), read_members({"sbom.cdx.json": twice}, at=AT))
    rows = compare(Side("2", 2, 10, 10, (CLASSIC,), read_members({}, at=AT)), new, FRAME).components
    assert rows == (Change("x", "", "1, 2"), Change("y", "", "without version"))
