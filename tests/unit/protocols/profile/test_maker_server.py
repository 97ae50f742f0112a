"""The card of a maker's server is read back whole, or nobody is asked."""

from __future__ import annotations

import pytest

from thingstead.crypto.key import KeyType, generate
from thingstead.errors import ThingsteadError
from thingstead.protocols.cbor import codec
from thingstead.protocols.cose import key as cose_key
from thingstead.protocols.profile.maker_server import MAX_BYTES, MakerServer, decode, encode, from_list, to_list

SESSION, VOUCHER = generate(KeyType.P256).public, generate(KeyType.P256).public
CARD = MakerServer("aurora", "coap://192.0.2.1:5699", SESSION, VOUCHER)
FIELDS = codec.decode(encode(CARD))
OTHER_CURVE = cose_key.public_map(generate(KeyType.ED25519).public)


def test_it_says_where_the_server_is_and_which_key_is_for_what():
    assert decode(encode(CARD)) == from_list(to_list(CARD)) == CARD
    assert (CARD.place.host, CARD.place.port) == ("192.0.2.1", 5699)
    assert MakerServer("aurora", "coap://masa.aurora.example", SESSION, VOUCHER).place.port == 5683


@pytest.mark.parametrize("place", range(len(FIELDS)))
@pytest.mark.parametrize("other", [None, 1.5, "", {}, True], ids=repr)
def test_a_field_of_another_kind_is_refused(place, other):
    with pytest.raises(ThingsteadError):
        decode(codec.encode([*FIELDS[:place], other, *FIELDS[place + 1 :]]))


@pytest.mark.parametrize(
    "location",
    [
        "",
        "192.0.2.1",
        "https://192.0.2.1",
        "coaps://192.0.2.1",
        "coap+tcp://192.0.2.1",
        "coap://192.0.2.1/x",
        "coap://192.0.2.1?x",
        "coap://192.0.2.1:0",
        "coap://" + "a" * 250,
    ],
)
def test_what_is_no_place_of_a_server_over_coap_is_refused(location):
    with pytest.raises(ThingsteadError):
        decode(codec.encode([*FIELDS[:2], location, *FIELDS[3:]]))


@pytest.mark.parametrize("maker", ["", "a" * 33, "au\nrora"])
def test_a_name_that_is_none_is_refused(maker):
    with pytest.raises(ThingsteadError):
        decode(codec.encode([1, maker, *FIELDS[2:]]))


@pytest.mark.parametrize("place", [3, 4])
def test_a_key_of_another_curve_is_refused(place):
    with pytest.raises(ThingsteadError):
        decode(codec.encode([*FIELDS[:place], OTHER_CURVE, *FIELDS[place + 1 :]]))


@pytest.mark.parametrize(
    "data", [b"", encode(CARD)[:-1], encode(CARD) + b"\0", codec.encode(FIELDS[:-1]), bytes(MAX_BYTES + 1)]
)
def test_another_file_is_refused(data):
    with pytest.raises(ThingsteadError):
        decode(data)
