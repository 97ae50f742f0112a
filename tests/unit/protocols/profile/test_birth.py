"""What the factory gave a thing is read back whole, or the thing does not start."""

from dataclasses import replace

import pytest

from thingstead.crypto.key import KeyType, generate
from thingstead.errors import ThingsteadError
from thingstead.protocols.cbor import codec
from thingstead.protocols.cose import key as cose_key
from thingstead.protocols.profile import key_set
from thingstead.protocols.profile.birth import Birth, decode, encode
from thingstead.protocols.profile.maker_server import MakerServer

ANCHOR = generate(KeyType.P256).public
RELEASES = (generate(KeyType.P256).public, generate(KeyType.ML_DSA_44).public)
BORN = Birth("A0001", b"identity", b"voucher", ANCHOR, RELEASES, bytes(16), bytes(range(16)))
FIELDS = codec.decode(encode(BORN))


@pytest.mark.parametrize("place", range(len(FIELDS)))
@pytest.mark.parametrize("other", [None, 1.5, [5], {}])
def test_a_field_of_another_kind_is_refused(place, other):
    with pytest.raises(ThingsteadError):
        decode(codec.encode([*FIELDS[:place], other, *FIELDS[place + 1 :]]))


@pytest.mark.parametrize("value", [[], FIELDS[:-1], [*FIELDS, b""], [2, *FIELDS[1:]], {}, b"", 1])
def test_another_format_is_refused(value):
    with pytest.raises(ThingsteadError, match="expected a birth record of format 1"):
        decode(codec.encode(value))


@pytest.mark.parametrize("place", [4, 5])
def test_an_anchor_without_a_public_key_is_refused(place):
    symmetric = {1: 4, -1: bytes(16)}
    other = [symmetric] if place == 5 else symmetric
    with pytest.raises(ThingsteadError):
        decode(codec.encode([*FIELDS[:place], other, *FIELDS[place + 1 :]]))


ASKS = replace(BORN, voucher=b"", server=MakerServer("aurora", "coap://192.0.2.1", ANCHOR, RELEASES[0]))


def test_a_thing_that_asks_its_makers_server_keeps_the_card():
    assert decode(encode(ASKS)) == ASKS


@pytest.mark.parametrize("rest", [[], [None], [[]], [["aurora", "coap://192.0.2.1", {}, {}]], [b"", b""]])
def test_a_card_that_is_none_is_refused(rest):
    with pytest.raises(ThingsteadError):
        decode(codec.encode([2, *FIELDS[1:], *rest]))


def test_what_was_given_is_read_back():
    assert decode(encode(BORN)) == BORN
    assert FIELDS[4] == cose_key.public_map(ANCHOR)


TODAY = replace(BORN, signing=key_set.hybrid(RELEASES).signing, release_step=2, verifies=frozenset({-9, -48}))


@pytest.mark.parametrize("server", [None, ASKS.server])
def test_how_many_must_sign_and_what_a_thing_verifies_is_read_back(server):
    assert decode(encode(replace(TODAY, server=server))) == replace(TODAY, server=server)


def test_a_record_of_yesterday_means_every_key():
    yesterday = decode(codec.encode([1, *FIELDS[1:]]))
    assert (yesterday.signing, yesterday.release_step, yesterday.verifies) == (key_set.EVERY_KEY, 0, frozenset())
    assert codec.decode(encode(yesterday))[0] == 1


@pytest.mark.parametrize(
    "rest",
    [
        [],
        [None, []],
        [None, [], 0],
        [None, None, 0, []],
        [None, [], -1, []],
        [None, [], 0, None],
        [None, [], 0, ["ESP256"]],
        [None, [], 0, [1] * 17],
        [None, [["", 3, [b"x"]]], 0, []],
        [[], [], 0, []],
    ],
)
def test_a_policy_or_a_capability_that_is_none_is_refused(rest):
    with pytest.raises(ThingsteadError):
        decode(codec.encode([3, *FIELDS[1:], *rest]))
