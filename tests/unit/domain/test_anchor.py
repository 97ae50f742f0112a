from dataclasses import replace
from datetime import UTC, datetime

import pytest

from thingstead.crypto.key import KeyType, generate, private_key
from thingstead.domain import anchor
from thingstead.domain.anchor import TrustAnchor
from thingstead.errors import DecodeError, SecurityError, ThingsteadError, UntrustedError
from thingstead.protocols.cbor import codec
from thingstead.protocols.profile import key_set, succession
from thingstead.protocols.profile.key_set import EVERY_KEY, KeySet
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


AT = datetime(2027, 1, 1, tzinfo=UTC)
OLD, NEW = generate(KeyType.P256), generate(KeyType.ML_DSA_44)
ACME = replace(AURORA, maker="acme", release_keys=(OLD.public,))
BEGIN = ACME.update_keys
NEXT = KeySet((NEW.public,))
INTRODUCTION = succession.introduce(BEGIN, NEXT, [OLD, NEW], at=AT)
OVERLAP = succession.follow(BEGIN, INTRODUCTION)
RETIREMENT = succession.retire(OVERLAP, [OLD, NEW], at=AT)
MOVED = anchor.follow(ACME, [INTRODUCTION, RETIREMENT])


@pytest.mark.parametrize("server", [None, replace(SERVER, maker="acme")])
def test_a_policy_of_signatures_is_read_as_it_was_written(server):
    hybrid = key_set.hybrid((OLD.public, NEW.public))
    asks = replace(ACME, release_keys=hybrid.keys, signing=hybrid.signing, server=server)
    assert anchor.decode(anchor.encode(asks)) == asks


def test_a_file_of_yesterday_means_every_key_and_stays_one_of_yesterday():
    fields = codec.decode(anchor.encode(AURORA))
    assert fields[0] == 1
    assert anchor.decode(codec.encode(fields)).signing == EVERY_KEY


@pytest.mark.requirement("R-87")
def test_an_anchor_whose_keys_were_followed_by_others_says_how():
    assert (MOVED.release_keys, MOVED.first, len(MOVED.states)) == ((NEW.public,), KeySet((OLD.public,)), 3)
    assert anchor.decode(anchor.encode(MOVED)) == MOVED
    assert set(anchor.follow(ACME, [INTRODUCTION]).release_keys) == {OLD.public, NEW.public}


def test_an_anchor_with_a_step_of_somebody_else_is_refused():
    fields = codec.decode(anchor.encode(MOVED))
    stolen = succession.introduce(BEGIN, NEXT, [generate(KeyType.P256), NEW], at=AT)
    for steps in ([stolen], [RETIREMENT], [INTRODUCTION, INTRODUCTION], [b"x"], [None], [INTRODUCTION] * 17):
        with pytest.raises(ThingsteadError):
            anchor.decode(codec.encode([*fields[:-1], steps]))


@pytest.mark.parametrize("rest", [[], [None], [None, []], [None, [], None], [[], [], []], [None, [["", 2, []]], []]])
def test_a_policy_that_is_none_is_refused(rest):
    with pytest.raises(DecodeError):
        anchor.decode(codec.encode([3, *codec.decode(anchor.encode(ACME))[1:], *rest]))


def test_the_steps_by_which_one_anchor_follows_another_are_told():
    assert anchor.succeeds(MOVED, ACME) == (INTRODUCTION, RETIREMENT)
    assert anchor.succeeds(MOVED, MOVED) == ()
    assert anchor.succeeds(MOVED, anchor.follow(ACME, [INTRODUCTION])) == (RETIREMENT,)


def test_an_anchor_that_does_not_follow_is_refused():
    strangers = (
        replace(MOVED, maker="brook"),
        replace(MOVED, identity_key=OLD.public),
        replace(ACME, release_keys=(NEW.public,)),
        ACME,
    )
    for other in strangers:
        with pytest.raises(SecurityError) as caught:
            anchor.succeeds(other, anchor.follow(ACME, [INTRODUCTION]))
        assert isinstance(caught.value, UntrustedError)


@pytest.mark.requirement("R-76")
def test_an_anchor_in_anothers_place_says_how_many_steps_end_with_that():
    assert anchor.dropped_steps(MOVED, ACME) == anchor.dropped_steps(MOVED, MOVED) == 0
    assert anchor.dropped_steps(MOVED, anchor.follow(ACME, [INTRODUCTION])) == 0
    assert anchor.dropped_steps(ACME, MOVED) == 2
    assert anchor.dropped_steps(anchor.follow(ACME, [INTRODUCTION]), MOVED) == 2
    assert anchor.dropped_steps(replace(ACME, release_keys=(NEW.public,)), MOVED) == 2
