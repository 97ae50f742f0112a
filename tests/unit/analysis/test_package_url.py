"""A package URL is read to the same package whoever wrote it."""

import pytest

from thingstead.analysis.package_url import parse_purl
from thingstead.errors import DecodeError


@pytest.mark.parametrize(
    ("text", "package", "version"),
    [
        ("pkg:generic/openssl@3.0.1", "pkg:generic/openssl", "3.0.1"),
        (
            "pkg:deb/debian/dnsmasq@2.90-4~deb12u1?arch=arm64&distro=bookworm",
            "pkg:deb/debian/dnsmasq",
            "2.90-4~deb12u1",
        ),
        ("pkg:npm/%40angular/core@12.3.1", "pkg:npm/@angular/core", "12.3.1"),
        ("pkg:npm/@angular/core", "pkg:npm/@angular/core", ""),
        ("pkg:golang/google.golang.org/genproto@v1#sub/path", "pkg:golang/google.golang.org/genproto", "v1"),
        ("PKG:GitHub/obgm/libcoap@v4.3.0", "pkg:github/obgm/libcoap", "v4.3.0"),
        ("pkg://generic//zlib", "pkg:generic/zlib", ""),
    ],
)
def test_type_path_and_version_are_told_apart(text, package, version):
    found = parse_purl(text)
    assert (found.package, found.version) == (package, version)


def test_qualifiers_are_decoded():
    found = parse_purl("pkg:generic/x@1?vcs_url=git%2Bhttps://host.example/x.git%40abc&Arch=arm")
    assert found.qualifiers == {"vcs_url": "git+https://host.example/x.git@abc", "arch": "arm"}


@pytest.mark.parametrize(
    "text",
    [
        "",
        "http://host.example/x",
        "pkg:",
        "pkg:generic",
        "pkg:generic/",
        "pkg:/name",
        "pkg:7zip/x",
        "pkg:ge neric/x",
        "pkg:generic/x?arch",
        "pkg:generic/x?=1",
        "pkg:generic/x\n",
        "pkg:generic/" + "x" * 1024,
    ],
)
def test_what_is_none_is_refused(text):
    with pytest.raises(DecodeError) as refusal:
        parse_purl(text)
    assert refusal.value.reason == "purl"
