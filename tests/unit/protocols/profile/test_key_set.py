"""A policy of signatures fits its keys, or there is none."""

import pytest

from thingstead.crypto.key import KeyType, generate
from thingstead.errors import DecodeError, PolicyError, ThingsteadError
from thingstead.protocols.profile import key_set
from thingstead.protocols.profile.key_set import EVERY_KEY, KeyGroup, KeySet, SigningPolicy, key_id

CLASSICAL = [generate(KeyType.P256).public, generate(KeyType.ED25519).public]
QUANTUM = [generate(KeyType.ML_DSA_44).public, generate(KeyType.ML_DSA_65).public]
KEYS = (*CLASSICAL, *QUANTUM)


def test_no_policy_means_every_key():
    assert KeySet(KEYS).groups == (KeyGroup(4, tuple(key_id(key) for key in KEYS)),)
    assert key_set.from_list([], KEYS) == KeySet(KEYS, EVERY_KEY)


def test_a_hybrid_asks_for_some_of_each_family():
    found = key_set.hybrid(KEYS)
    assert [(one.name, one.at_least, len(one.kids)) for one in found.groups] == [
        ("classical", 1, 2),
        ("post-quantum", 1, 2),
    ]
    assert str(found) == "1 of 2 classical and 1 of 2 post-quantum"


@pytest.mark.parametrize("made", [key_set.hybrid(KEYS, at_least=2), key_set.threshold(KEYS, 3), KeySet(KEYS)])
def test_a_policy_is_read_as_it_was_written(made):
    assert key_set.from_list(key_set.to_list(made.signing), made.keys) == made


@pytest.mark.parametrize("keys", [CLASSICAL, QUANTUM, CLASSICAL[:1]])
def test_a_hybrid_of_one_family_is_none(keys):
    with pytest.raises(PolicyError) as caught:
        key_set.hybrid(keys)
    assert caught.value.reason == "one-group"


@pytest.mark.parametrize("at_least", [-1, 0, 5])
def test_a_threshold_that_nobody_or_anybody_meets_is_refused(at_least):
    with pytest.raises(PolicyError) as caught:
        key_set.threshold(KEYS, at_least)
    assert caught.value.reason == "threshold"


@pytest.mark.parametrize("at_least", [0, 3])
def test_a_hybrid_that_a_family_cannot_meet_or_need_not_is_refused(at_least):
    with pytest.raises(PolicyError) as caught:
        key_set.hybrid(KEYS, at_least=at_least)
    assert caught.value.reason == "threshold"


def test_the_same_key_twice_is_refused():
    for keys, groups in (
        ((KEYS[0], KEYS[0]), ()),
        (KEYS, (KeyGroup(2, (key_id(KEYS[0]), key_id(KEYS[0]))),)),
    ):
        with pytest.raises(PolicyError) as caught:
            KeySet(keys, SigningPolicy(groups))
        assert caught.value.reason == "same-key"


def test_two_keys_of_one_key_identifier_are_refused(monkeypatch):
    monkeypatch.setattr(key_set, "key_id", lambda _key: bytes(8))
    with pytest.raises(PolicyError) as caught:
        KeySet(KEYS)
    assert caught.value.reason == "same-key"


def test_a_key_that_is_not_there_counts_for_nobody():
    with pytest.raises(PolicyError) as caught:
        KeySet(KEYS, SigningPolicy((KeyGroup(1, (b"somebody",)),)))
    assert caught.value.reason == "unknown-key"


def test_more_keys_than_a_thing_keeps_are_refused():
    with pytest.raises(PolicyError):
        KeySet(tuple(KEYS) * 5)


FIRST, SECOND = key_id(KEYS[0]), key_id(KEYS[2])


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (None, "signing"),
        ([None], "signing"),
        ([["", 1]], "signing"),
        ([["", 1, FIRST]], "signing"),
        ([["", 1, [1]]], "signing"),
        ([["", True, [FIRST]]], "signing"),
        ([["", 0, [FIRST]]], "threshold"),
        ([["", 2, [FIRST]]], "threshold"),
        ([["", 1, []]], "threshold"),
        ([["", 1, [FIRST, FIRST]]], "same-key"),
        ([["classical", 1, [FIRST]], ["post-quantum", 1, [FIRST, SECOND]]], "same-key"),
        ([["", 1, [b"somebody"]]], "unknown-key"),
    ],
)
def test_what_is_no_policy_or_fits_no_keys_is_refused(value, reason):
    with pytest.raises(DecodeError) as caught:
        key_set.from_list(value, KEYS)
    assert caught.value.reason == reason


def test_both_asks_for_what_either_asks_alone():
    old, new = KeySet(KEYS[:1]), key_set.hybrid((KEYS[0], KEYS[2]))
    together = key_set.both(old, new)
    assert together.keys == (KEYS[0], KEYS[2])
    assert [one.at_least for one in together.groups] == [1, 1, 1]


def test_both_of_too_many_keys_is_refused():
    many = [generate(KeyType.ED25519).public for _ in range(9)]
    more = [generate(KeyType.ED25519).public for _ in range(8)]
    with pytest.raises(ThingsteadError):
        key_set.both(KeySet(tuple(many)), KeySet(tuple(more)))
