import pytest

from thingstead.crypto.key import KeyType, generate
from thingstead.crypto.keystore import FileKeyStore
from thingstead.domain.anchor import TrustAnchor
from thingstead.errors import ConfigError
from thingstead.simulator import release_keys


@pytest.fixture
def keys(tmp_path):
    return FileKeyStore(tmp_path)


def test_an_interrupted_call_is_taken_up_and_another_one_makes_new_keys(keys):
    kinds = ("p256", "p256", "ml-dsa-44")
    first = [key.public for key in release_keys.created(keys, kinds, again=False)]
    assert [key.public for key in release_keys.created(keys, kinds, again=False)] == first
    assert [key.type for key in first] == [KeyType.P256, KeyType.P256, KeyType.ML_DSA_44]
    later = [key.public for key in release_keys.created(keys, ("p256",), again=True)]
    assert not set(later) & set(first)


@pytest.mark.parametrize("kinds", [(), ("",), ("p256", "rsa"), ("P256",), ("hss-lms",)])
def test_a_kind_that_is_not_kept_in_files_is_refused(keys, kinds):
    with pytest.raises(ConfigError):
        release_keys.created(keys, kinds, again=False)
    assert not keys.ids()


def test_those_in_hand_that_sign_now_are_told_in_the_anchors_order(keys):
    mine, spare = release_keys.created(keys, ("p256", "p256"), again=False)
    elsewhere = generate(KeyType.P256).public
    anchor = TrustAnchor("acme", elsewhere, (elsewhere, mine.public), bytes(16))
    assert [key.public for key in release_keys.held(keys, anchor)] == [mine.public]
    assert spare.public not in anchor.release_keys


@pytest.mark.parametrize(("threshold", "is_hybrid"), [(3, False), (2, True), (-1, True)])
def test_a_policy_that_the_keys_cannot_meet_is_refused(keys, threshold, is_hybrid):
    made = [key.public for key in release_keys.created(keys, release_keys.USUAL, again=False)]
    with pytest.raises(ConfigError):
        release_keys.choose(made, threshold=threshold, is_hybrid=is_hybrid)
