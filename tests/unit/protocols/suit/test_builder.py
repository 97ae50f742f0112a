from dataclasses import replace
from datetime import UTC, datetime

import pytest

from tests.unit.protocols.suit.releases import BOTH, CLASSIC, CLASSIC_SIGNER, RELEASE
from thingstead.protocols.cbor import codec
from thingstead.protocols.cose import sign1
from thingstead.protocols.suit import envelope
from thingstead.protocols.suit.builder import Draft, assemble, build, claims, sign
from thingstead.protocols.suit.manifest import decode_manifest
from thingstead.protocols.suit.registry import Member


def test_the_same_release_gives_the_same_bytes():
    assert envelope.encode(build(RELEASE)) == envelope.encode(build(replace(RELEASE)))
    assert build(RELEASE).digest != build(replace(RELEASE, version="1.1.1")).digest


def test_a_signature_is_added_to_those_that_are_there():
    once = sign(build(RELEASE), BOTH[:1])
    twice = sign(once, BOTH[1:])
    assert twice.blocks[0] == once.blocks[0]
    assert len(twice.blocks) == 2


def test_optional_members_appear_only_when_they_are_set():
    full = replace(RELEASE, reference_uri="coap://a/b", use_before=datetime(2030, 1, 1, tzinfo=UTC))
    assert decode_manifest(build(RELEASE)).reference_uri == ""
    assert decode_manifest(build(full)).reference_uri == "coap://a/b"
    assert decode_manifest(build(full)).sequences[Member.INSTALL][0].parameters[4] == 1893456000


@pytest.mark.parametrize(
    "change", [{"vendor_id": b"x"}, {"class_id": b""}, {"sequence_number": -1}, {"image_size": -1}, {"component": ()}]
)
def test_a_release_that_no_thing_could_match_is_not_made(change):
    with pytest.raises(ValueError, match=r"identifiers|release"):
        replace(RELEASE, **change)


@pytest.mark.parametrize("member", [Member.VALIDATE, Member.INSTALL])
def test_only_a_severable_member_that_is_there_is_severed(member):
    with pytest.raises(ValueError, match="severable member that is there"):
        assemble(Draft(1, sections={Member.VALIDATE: ((14, 0),)}, severed=frozenset({member})))


def test_a_block_of_another_kind_claims_nothing():
    signed = sign(build(RELEASE), BOTH[:1])
    other = codec.encode(codec.Tag(98, [b"", {}, None, []]))
    strange = sign1.sign(b"", CLASSIC, signature_id=CLASSIC_SIGNER.signature_id, tagged=False)
    assert claims(replace(signed, blocks=(*signed.blocks, other, strange))) == (CLASSIC_SIGNER,)
