"""Members of a release are understood, or refused with the member and the place."""

import json
from datetime import UTC, datetime

import pytest

from thingstead.analysis.consequence import Consequences, parse_words, read_members
from thingstead.errors import DecodeError, UnsupportedError
from thingstead.protocols.mud.builder import Description, Service, render
from thingstead.protocols.mud.file import Remote, RemoteKind

AT = datetime(2026, 11, 23, tzinfo=UTC)
SBOM = json.dumps({"bomFormat": "CycloneDX", "specVersion": "1.6", "components": [{"name": "zlib"}]}).encode()
MUD = render(
    Description(
        "https://mud.example/lamp.json",
        AT,
        "lamp",
        "Example",
        "LX-1",
        (Service(Remote(RemoteKind.DNS_NAME, "cloud.example"), 6, 443),),
    )
)
WORDS = json.dumps({"en": "Mends a leak.\nNothing else.", "de": "Behebt ein Leck."}).encode()
FILES = {"sbom.cdx.json": SBOM, "mud.json": MUD, "words.json": WORDS, "reference.corim": b"\xd9", "image.bin": b"x"}


def test_members_are_read_and_payloads_are_not():
    found = read_members(FILES, at=AT)
    assert found.sbom is not None
    assert found.rules is not None
    assert [one.name for one in found.sbom.components] == ["zlib"]
    assert found.rules.dns_names == ("cloud.example",)
    assert found.reference_values == b"\xd9"
    assert found.words["de"] == "Behebt ein Leck."


def test_a_release_that_brings_nothing_says_nothing():
    assert read_members({"image.bin": b"x"}, at=AT) == Consequences()


@pytest.mark.parametrize(
    ("language", "begins"), [("de", "Behebt"), ("de-CH", "Behebt"), ("fr", "Mends"), ("en", "Mends")]
)
@pytest.mark.requirement("R-69")
def test_the_owner_reads_their_language_or_english(language, begins):
    assert read_members(FILES, at=AT).say(language).startswith(begins)
    assert Consequences(words={"nl": "Dicht een lek."}).say("fr") == "Dicht een lek."
    assert Consequences().say("en") == ""


@pytest.mark.parametrize(
    ("name", "data", "error"),
    [
        ("sbom.cdx.json", b"{}", DecodeError),
        ("sbom.cdx.json", SBOM.replace(b"1.6", b"9.6"), UnsupportedError),
        ("mud.json", b"{}", DecodeError),
        ("mud.json", MUD.replace(b'"mud-version": 1', b'"mud-version": 2'), UnsupportedError),
        ("words.json", b"[]", DecodeError),
    ],
)
def test_a_member_outside_its_format_is_refused_by_its_name(name, data, error):
    with pytest.raises(error, match=f"^{name}: ") as refusal:
        read_members({**FILES, name: data}, at=AT)
    assert refusal.value.reason == "member"


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\xff",
        b"[]",
        b'{"en": ""}',
        b'{"en": 7}',
        b'{"english": "x"}',
        b'{"EN": "x"}',
        b'{"en\\n": "x"}',
        b'{"en": "\\u001b[2J"}',
        json.dumps({"en": "x" * 2001}).encode(),
        json.dumps({f"{one}{other}": "x" for one in "abcdefghij" for other in "abcdefg"}).encode(),
        b" " * (65 << 10),
    ],
)
def test_what_are_no_words_is_refused(data):
    with pytest.raises(DecodeError):
        parse_words(data)
