"""A maker goes from keys to keys, and its file says how to whoever trusts the first ones."""

from datetime import UTC, date, datetime

import pytest

from thingstead.crypto.key import KeyType
from thingstead.domain import anchor as anchor_file
from thingstead.errors import ConfigError, StateError
from thingstead.phases.manufacture import Model
from thingstead.protocols.cwt import ccs
from thingstead.protocols.profile.key_set import KeySet
from thingstead.simulator import maker_rekey
from thingstead.simulator.factory import bear_thing, make_maker, open_maker

AT = datetime(2027, 1, 1, tzinfo=UTC)
MODEL = Model("LX-1", 2, "https://m.example/lx-1.json", date(2031, 1, 1))


@pytest.fixture
def maker(tmp_path):
    return make_maker(tmp_path / "m", name="m", domain="m.example", at=AT, kinds=("p256",))


def kinds(anchor):
    return [key.type for key in anchor.release_keys]


@pytest.mark.requirement("R-87")
def test_from_a_classical_key_to_a_post_quantum_one_and_back(maker):
    before = maker_rekey.read(maker)
    overlap = maker_rekey.introduce(maker, ("ml-dsa-65",), at=AT)
    assert kinds(overlap) == [KeyType.P256, KeyType.ML_DSA_65]
    after = maker_rekey.retire(open_maker(maker.root), at=AT)
    assert kinds(after) == [KeyType.ML_DSA_65]
    assert maker_rekey.read(maker) == after
    assert anchor_file.succeeds(after, before) == after.steps
    maker_rekey.go_back(open_maker(maker.root), at=AT)
    home = maker_rekey.retire(open_maker(maker.root), at=AT)
    assert (home.release_keys, home.update_keys.number) == (before.release_keys, 4)


def test_an_introduction_is_taken_back(maker):
    maker_rekey.introduce(maker, ("ml-dsa-44",), at=AT)
    after = maker_rekey.take_back(open_maker(maker.root), at=AT)
    assert (kinds(after), after.update_keys.number) == ([KeyType.P256], 2)


def test_to_a_hybrid_that_keeps_the_old_key(maker):
    maker_rekey.introduce(maker, ("ml-dsa-44",), keeps=True, is_hybrid=True, at=AT)
    after = maker_rekey.retire(open_maker(maker.root), at=AT)
    assert str(KeySet(after.release_keys, after.signing)) == "1 of 1 classical and 1 of 1 post-quantum"


def test_in_overlap_the_maker_signs_with_both_and_things_are_born_with_the_old_keys(maker, tmp_path):
    maker_rekey.introduce(maker, ("ml-dsa-44",), at=AT)
    overlap = open_maker(maker.root)
    assert [key.public.type for key in overlap.maker.release_keys] == [KeyType.P256, KeyType.ML_DSA_44]
    credential = ccs.encode(maker.maker.anchor.public, subject="home")

    def born(name, by):
        return bear_thing(tmp_path / name, by.maker, MODEL, name, whose=credential, at=AT)

    early = born("early", overlap)
    assert ([key.type for key in early.release_anchors], early.release_step) == ([KeyType.P256], 0)
    maker_rekey.retire(overlap, at=AT)
    late = born("late", open_maker(maker.root))
    assert ([key.type for key in late.release_anchors], late.release_step) == ([KeyType.ML_DSA_44], 2)


@pytest.mark.parametrize("step", [maker_rekey.retire, maker_rekey.take_back])
def test_nothing_ends_that_was_not_begun(maker, step):
    with pytest.raises(StateError):
        step(maker, at=AT)


def test_nobody_goes_back_who_never_went(maker):
    with pytest.raises(ConfigError):
        maker_rekey.go_back(maker, at=AT)


def test_keys_are_not_introduced_twice(maker):
    maker_rekey.introduce(maker, ("ml-dsa-44",), at=AT)
    with pytest.raises(StateError):
        maker_rekey.introduce(open_maker(maker.root), ("ml-dsa-65",), at=AT)


@pytest.mark.parametrize("made", [(), ("rsa",)])
def test_keys_that_are_none_are_not_introduced(maker, made):
    with pytest.raises(ConfigError):
        maker_rekey.introduce(maker, made, at=AT)


def test_without_the_old_key_nothing_is_signed_and_the_file_stays(maker):
    before = maker.anchor.read_bytes()
    (maker.root / "keys" / "release-p256").unlink()
    with pytest.raises(ConfigError, match="too few"):
        maker_rekey.introduce(open_maker(maker.root), ("ml-dsa-44",), at=AT)
    assert maker.anchor.read_bytes() == before


def test_a_maker_without_its_file_is_told(maker):
    maker.anchor.unlink()
    with pytest.raises(ConfigError):
        maker_rekey.read(maker)
