from dataclasses import replace
from typing import Any

import pytest

from tests.unit.protocols.suit.releases import CLASS, FIRMWARE, RELEASE, VENDOR, authentic, signed
from thingstead.errors import AuthenticationError, DecodeError, UnsupportedError
from thingstead.protocols.cbor import codec
from thingstead.protocols.suit.builder import build
from thingstead.protocols.suit.digest import digest_of_member
from thingstead.protocols.suit.envelope import Envelope, Limits
from thingstead.protocols.suit.manifest import Content, Manifest, decode_manifest, open_manifest

SEQUENCE = codec.encode([3, 15])
COMMON = codec.encode({2: [[b"firmware"]]})
PLAIN: dict[Any, Any] = {1: 1, 2: 5, 3: COMMON}


def content(members, severed=None, limits=None):
    encoded = codec.encode(members)
    digest = digest_of_member(encoded)
    subject = Envelope(digest, digest.encode(), (), encoded, severed or {})
    return decode_manifest(subject, limits=limits or Limits())


def test_a_built_release_reads_back():
    subject = open_manifest(authentic(signed()))
    assert subject.content.sequence_number == 7
    assert subject.content.components == (FIRMWARE,)
    assert subject.content.version_of(FIRMWARE) == "1.1.0"
    assert subject.content.version_of((b"other",)) == ""
    assert {int(key) for key in subject.content.sequences} == {7, 9, 20}
    assert subject.content.shared[0].parameters[1] == VENDOR
    assert subject.content.shared[0].parameters[2] == CLASS
    assert subject.digest == build(RELEASE).digest


def test_a_manifest_that_was_only_looked_at_is_not_one_to_execute():
    assert isinstance(decode_manifest(build(RELEASE)), Content)
    with pytest.raises(TypeError):
        Manifest(decode_manifest(build(RELEASE)), build(RELEASE).digest, authentic(signed()), object())


@pytest.mark.spec("draft-ietf-suit-manifest 8.4.12")
def test_a_severed_member_is_read_from_the_envelope_when_its_digest_matches():
    digest = digest_of_member(SEQUENCE)
    members = {**PLAIN, 20: [digest.algorithm_id, digest.value]}
    assert len(content(members, {20: SEQUENCE}).sequences[20]) == 1
    assert content(members).missing == {20}
    with pytest.raises(AuthenticationError) as caught:
        content(members, {20: codec.encode([3, 14])})
    assert caught.value.reason == "severed-digest"


@pytest.mark.spec("draft-ietf-suit-manifest 8.4.12")
@pytest.mark.parametrize("members", [PLAIN, {**PLAIN, 20: SEQUENCE}], ids=["unnamed", "in-line as well"])
def test_a_severed_member_that_the_manifest_does_not_digest_is_refused(members):
    with pytest.raises(DecodeError, match="digest of the severed"):
        content(members, {20: SEQUENCE})


def test_all_texts_are_kept_by_language_and_component():
    texts = codec.encode({"en-US": {1: "about", (b"firmware",): {6: "2.0", 5: "lamp"}}})
    read = content({**PLAIN, 23: texts})
    assert read.texts["en-US"] == {((), 1): "about", (FIRMWARE, 5): "lamp", (FIRMWARE, 6): "2.0"}


@pytest.mark.parametrize(
    "members",
    [
        [],
        {1: 1, 2: 5},
        {**PLAIN, 2: -1},
        {**PLAIN, 2: 1 << 64},
        {**PLAIN, 2: True},
        {**PLAIN, 3: {}},
        {**PLAIN, 3: codec.encode([])},
        {**PLAIN, 3: codec.encode({2: [b"firmware"]})},
        {**PLAIN, 3: codec.encode({2: [[1]]})},
        {**PLAIN, 3: codec.encode({2: [[b"a"], [b"a"]]})},
        {**PLAIN, 3: codec.encode({2: {}})},
        {**PLAIN, 3: codec.encode({2: [[b"a"]], 4: [3, 15]})},
        {**PLAIN, 4: 1},
        {**PLAIN, 5: "id"},
        {**PLAIN, 7: [3, 15]},
        {**PLAIN, 7: [-16, bytes(32)]},
        {**PLAIN, 20: 1},
        {**PLAIN, 20: [-16, b""]},
        {**PLAIN, 23: codec.encode({"en": {1: 2}})},
        {**PLAIN, 23: codec.encode({"en": {(b"a",): {"6": "x"}}})},
        {**PLAIN, 23: codec.encode({1: {}})},
        {**PLAIN, 23: codec.encode([])},
    ],
)
def test_what_is_not_a_manifest_is_refused(members):
    with pytest.raises(DecodeError):
        content(members)


@pytest.mark.spec("draft-ietf-suit-manifest 8.4.1")
@pytest.mark.parametrize("members", [{**PLAIN, 1: 2}, {**PLAIN, 1: True}, {**PLAIN, 99: b""}, {**PLAIN, "x": 1}])
def test_another_version_or_an_unknown_member_is_refused(members):
    with pytest.raises(UnsupportedError):
        content(members)
    with pytest.raises(UnsupportedError):
        content({**PLAIN, 3: codec.encode({2: [[b"a"]], 9: 1})})


def test_more_components_or_commands_than_the_limits_are_refused():
    many = codec.encode({2: [[bytes([number])] for number in range(17)]})
    with pytest.raises(DecodeError, match="at most 16 components"):
        content({**PLAIN, 3: many})
    with pytest.raises(DecodeError, match="at most 1 commands"):
        content({**PLAIN, 7: SEQUENCE, 20: SEQUENCE}, limits=Limits(max_commands=1))


def test_a_manifest_that_is_not_deterministic_is_refused():
    odd = replace(build(RELEASE), manifest=bytes.fromhex("a30202010103") + codec.encode(COMMON))
    with pytest.raises(DecodeError, match="deterministic"):
        decode_manifest(odd)
