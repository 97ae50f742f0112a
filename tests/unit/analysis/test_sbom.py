"""An SBOM is read to its components, each with its place, or refused."""

import json

import pytest

from thingstead.analysis.sbom import Limits, parse_sbom
from thingstead.errors import DecodeError, UnsupportedError

pytestmark = pytest.mark.requirement("R-18")
COMMIT = "0123456789" * 4


def document(*components, **changes):
    fields = {"bomFormat": "CycloneDX", "specVersion": "1.6", "components": list(components)} | changes
    return json.dumps(fields).encode()


def test_components_come_with_versions_package_urls_and_places():
    sbom = parse_sbom(
        document(
            {"type": "library", "name": "libcoap", "version": "4.3.0", "purl": "pkg:generic/libcoap@4.3.0"},
            {"type": "library", "group": "org.example", "name": "core", "components": [{"name": "in", "version": "1"}]},
            unknown={"members": ["are", "passed over"]},
        )
    )
    assert [(str(one), one.place) for one in sbom.components] == [
        ("pkg:generic/libcoap 4.3.0", "/components/0"),
        ("org.example/core", "/components/1"),
        ("in 1", "/components/1/components/0"),
    ]


def test_a_version_may_stand_in_the_package_url_alone():
    (found,) = parse_sbom(document({"name": "x", "purl": "pkg:generic/x@7"})).components
    assert found.version == "7"


def test_commits_come_from_the_pedigree_and_from_package_urls():
    pedigree = {"name": "x", "version": "1", "pedigree": {"commits": [{"uid": COMMIT.upper()}, {"uid": "short"}]}}
    forge = {"name": "y", "purl": f"pkg:github/a/y@{COMMIT}"}
    cloned = {"name": "z", "version": "2", "purl": f"pkg:generic/z?vcs_url=git%2Bhttps://h.example/z.git%40{COMMIT}"}
    assert [one.commits for one in parse_sbom(document(pedigree, forge, cloned)).components] == [(COMMIT,)] * 3


def test_the_document_may_say_which_image_it_is_about():
    subject = {"name": "lamp", "hashes": [{"alg": "SHA-256", "content": "ab" * 32}, {"alg": "MD5", "content": "00"}]}
    assert parse_sbom(document(metadata={"component": subject})).subject == (b"\xab" * 32,)
    with pytest.raises(DecodeError, match="/metadata/component/hashes"):
        parse_sbom(document(metadata={"component": subject | {"hashes": [{"alg": "SHA-256", "content": "xy"}]}}))


def test_the_parts_of_the_subject_count():
    subject = {"name": "lamp", "components": [{"name": "bootloader", "version": "3"}]}
    assert [str(one) for one in parse_sbom(document(metadata={"component": subject})).components] == ["bootloader 3"]


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"[]",
        b"{}",
        b"\xff\xfe",
        b"[" * 100_000,
        document(bomFormat="SPDX"),
        document(components={}),
        document({"version": "1"}),
        document({"name": 7}),
        document({"name": "x" * 1025}),
        document({"name": "x\n"}),
        document({"name": "x", "version": "\x1b[31m"}),
        document({"name": "x", "hashes": [{"alg": "SHA-256"}]}),
    ],
)
def test_what_is_no_sbom_is_refused(data):
    with pytest.raises(DecodeError) as refusal:
        parse_sbom(data)
    assert refusal.value.reason == "sbom"


def test_a_refusal_names_the_place():
    with pytest.raises(DecodeError, match="/components/1/purl: expected a package URL"):
        parse_sbom(document({"name": "x"}, {"name": "y", "purl": "y@1"}))


def test_another_version_of_the_format_is_refused():
    with pytest.raises(UnsupportedError, match="/specVersion"):
        parse_sbom(document(specVersion="9.0"))


def test_more_than_is_bearable_is_refused():
    many = document(*[{"name": f"c{number}"} for number in range(5)])
    assert len(parse_sbom(many, limits=Limits(max_components=5)).components) == 5
    with pytest.raises(DecodeError, match="/components/4: expected at most 4"):
        parse_sbom(many, limits=Limits(max_components=4))
    with pytest.raises(DecodeError, match="at most 10 bytes"):
        parse_sbom(many, limits=Limits(max_bytes=10))
    nested: dict[str, object] = {"name": "x"}
    for _ in range(20):
        nested = {"name": "x", "components": [nested]}
    with pytest.raises(DecodeError, match="nested too deep"):
        parse_sbom(document(nested))
