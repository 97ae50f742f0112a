from typing import Any

import pytest

from thingstead.errors import DecodeError
from thingstead.protocols.cbor import codec
from thingstead.protocols.coswid import tag
from thingstead.protocols.coswid.tag import Coswid, File, Party

PLAIN = {0: "id", 12: 1, 1: "OS", 13: "3.1.4", 2: {31: "Acme", 33: 2}}
FILES = {17: [{24: "a", 7: [1, bytes(32)]}], 16: {24: "lib", 26: {17: {24: "b"}}}}


@pytest.mark.spec("RFC 9393 2.3")
@pytest.mark.parametrize("value", [PLAIN, codec.Tag(1398229316, PLAIN)])
def test_name_version_and_maker_are_read_with_its_tag_or_without(value):
    assert tag.decode(codec.encode(value)) == Coswid("id", "OS", "3.1.4", 1, (Party("Acme", (2,)),))


@pytest.mark.spec("RFC 9393 2.9.2")
def test_files_of_folders_are_read_too():
    meant, found = (tag.from_map({**PLAIN, key: FILES}) for key in (6, 3))
    assert meant.files == found.files == (File("a", (1, bytes(32))), File("b"))
    assert (meant.is_evidence, found.is_evidence) == (False, True)


def nested(levels):
    folder: dict[int, Any] = {24: "f"}
    for _ in range(levels):
        folder = {24: "f", 26: {16: folder}}
    return {16: folder}


@pytest.mark.parametrize(
    "value",
    [
        [],
        {},
        {**PLAIN, 0: b"123"},
        {**PLAIN, 1: b"OS"},
        {**PLAIN, 2: {31: "Acme"}},
        {**PLAIN, 2: []},
        {**PLAIN, 12: "1"},
        {key: value for key, value in PLAIN.items() if key != 1},
        {**PLAIN, 6: {17: {7: [1, bytes(32)]}}},
        {**PLAIN, 6: {17: {24: "a", 7: [1, b"short"]}}},
        {**PLAIN, 6: {}},
        {**PLAIN, 6: nested(9)},
        codec.Tag(501, PLAIN),
    ],
)
def test_a_tag_outside_its_grammar_is_refused(value):
    with pytest.raises(DecodeError):
        tag.from_map(value)
