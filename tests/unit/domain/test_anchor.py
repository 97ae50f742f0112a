from dataclasses import replace

import pytest

from thingstead.crypto.key import KeyType, private_key
from thingstead.domain import anchor
from thingstead.domain.anchor import TrustAnchor
from thingstead.errors import DecodeError
from thingstead.protocols.cbor import codec
from thingstead.protocols.profile.maker_server import MakerServer, to_list
from thingstead.secret import Secret

KEY = private_key(KeyType.P256, Secret(bytes(31) + b"\x05")).public
AURORA = TrustAnchor("aurora", KEY, (KEY,), bytes(16), (b"certificate",), "aurora.example")


def test_an_anchor_is_read_as_it_was_written():
    assert anchor.decode(anchor.encode(AURORA)) == AURORA


SERVER = MakerServer("aurora", "coap://192.0.2.1", KEY, KEY)


def test_an_anchor_may_bring_the_makers_server():
    asks = replace(AURORA, server=SERVER)
    assert anchor.decode(anchor.encode(asks)) == asks


@pytest.mark.parametrize("rest", [[], [None], [[]], [to_list(replace(SERVER, maker="borealis"))], [to_list(SERVER), 1]])
def test_a_server_that_is_none_or_of_another_maker_is_refused(rest):
    with pytest.raises(DecodeError):
        anchor.decode(codec.encode([2, *codec.decode(anchor.encode(AURORA))[1:], *rest]))


@pytest.mark.parametrize("host", ["aurora.example", "mud.aurora.example", "MUD.Aurora.Example"])
def test_a_maker_speaks_for_its_name_and_what_is_below_it(host):
    assert AURORA.speaks_for(host)


@pytest.mark.parametrize("host", ["borealis.example", "notaurora.example", "aurora.example.evil", "example", ""])
def test_a_maker_speaks_for_no_other_name(host):
    assert not AURORA.speaks_for(host)


def test_a_maker_without_a_name_speaks_for_nobody():
    assert not TrustAnchor("aurora", KEY, (KEY,), bytes(16)).speaks_for("")


@pytest.mark.parametrize("position", range(7))
def test_a_field_of_another_kind_is_refused(position):
    fields = codec.decode(anchor.encode(AURORA))
    fields[position] = None
    with pytest.raises(DecodeError):
        anchor.decode(codec.encode(fields))
