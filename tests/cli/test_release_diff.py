"""What changes from one release to the next, on the command line."""

import json
import shutil
from datetime import UTC, datetime

import pytest

from thingstead.protocols.mud.builder import Description, Service, render
from thingstead.protocols.mud.file import Remote, RemoteKind
from thingstead.simulator.factory import make_maker

AT = datetime(2026, 11, 23, tzinfo=UTC)


@pytest.fixture(scope="module")
def workshop(tmp_path_factory):
    folder = tmp_path_factory.mktemp("workshop")
    make_maker(folder / "aurora", name="aurora", domain="aurora.example", at=AT)
    (folder / "image-1").write_bytes(bytes(20_000))
    (folder / "image-2").write_bytes(bytes(24_000))
    return folder


@pytest.fixture
def here(tmp_path, monkeypatch, workshop, run):
    shutil.copytree(workshop, tmp_path, dirs_exist_ok=True)
    monkeypatch.chdir(tmp_path)
    for number, version, hosts in ((1, "1.2", ("a.example",)), (2, "1.3", ("a.example", "b.example"))):
        name = f"lamp-{number}"
        made = run(
            *("release", "new", "--image", f"image-{number}", "--model", "LX-1", "--version", f"{number}.0"),
            *("--sequence", str(number), "--maker", "aurora", "--output", name),
        )
        assert made[0] == 0, made
        part = {"name": "zlib", "version": version, "purl": f"pkg:generic/zlib@{version}"}
        bom = {"bomFormat": "CycloneDX", "specVersion": "1.6", "components": [part]}
        (tmp_path / name / "sbom.cdx.json").write_text(json.dumps(bom))
        services = tuple(Service(Remote(RemoteKind.DNS_NAME, host), 6, 443) for host in hosts)
        mud = Description("https://mud.example/l.json", AT, "lamp", "Example", "LX-1", services)
        (tmp_path / name / "mud.json").write_bytes(render(mud))
    (tmp_path / name / "words.json").write_text('{"en": "Now with weather."}')
    affected = {"package": {"name": "zlib", "ecosystem": "OSS-Fuzz"}, "versions": ["1.3"]}
    (tmp_path / "x.json").write_text(json.dumps({"id": "X-1", "affected": [affected]}))
    return tmp_path


def test_a_person_reads_what_changes(here, run):
    code, out, _ = run("release", "diff", "lamp-1", "lamp-2", "--osv", "x.json", "--class", "C2", "--link", "BLE")
    assert code == 0
    for line in (
        "Now with weather.",
        "changed: pkg:generic/zlib 1.2 -> 1.3",
        "gained: X-1 (high, affected) in pkg:generic/zlib 1.3: version 1.3 is listed",
        "new: it may contact b.example, by TCP on port 443 (web)",
        "image 24000 bytes (+4000)",
        "2) C2: yes; two images and the envelope take",
        "next: thingstead release publish lamp-2",
    ):
        assert line in out
    assert "LoRaWAN" not in out


def test_a_program_reads_the_same(here, run):
    code, out, _ = run("release", "diff", "lamp-1", "lamp-2", "--json")
    told = json.loads(out)
    assert code == 0
    assert [row["sequence"] for row in told["releases"]] == [1, 2]
    assert told["vulnerabilities"] == []
    assert len(told["airtime"]) == 9


def test_nothing_changes_from_a_release_to_itself(here, run):
    out = run("release", "diff", "lamp-1", "lamp-1")[1]
    for line in ("the same parts", "the same destinations", "not looked for; give --osv", "image 20000 bytes (+0)"):
        assert line in out


@pytest.mark.parametrize(
    "words",
    [
        ("lamp-1", "absent"),
        ("lamp-1", "aurora"),
        ("lamp-1", "lamp-2", "--osv", "absent"),
        ("lamp-1", "lamp-2", "--class", "C7"),
        ("lamp-1", "lamp-2", "--link", "string"),
    ],
)
def test_what_cannot_be_compared_is_refused(here, run, words):
    assert run("release", "diff", *words)[0] != 0


def test_a_member_that_cannot_be_read_is_named(here, run):
    (here / "lamp-2" / "mud.json").write_text("{}")
    code, _, err = run("release", "diff", "lamp-1", "lamp-2")
    assert code == 11
    assert "mud.json: " in err
