"""A thing trusts other keys because those that it trusts say so, and a power cut leaves it with one or the other."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from tests.unit.agent.updates import BIRTH
from thingstead.agent.update_anchor import UPDATE_KEYS, UpdateAnchor
from thingstead.crypto.algorithm import AlgorithmId
from thingstead.crypto.key import KeyType, generate
from thingstead.errors import AuthenticationError, DecodeError, StorageError, UntrustedError
from thingstead.protocols.cbor import codec
from thingstead.protocols.profile import key_set, succession, update_poll
from thingstead.protocols.profile.key_set import EVERY_KEY, KeySet

AT = datetime(2027, 1, 1, tzinfo=UTC)
OLD, NEW, STRANGER = generate(KeyType.P256), generate(KeyType.ML_DSA_44), generate(KeyType.P256)
BORN = replace(BIRTH, release_anchors=(OLD.public,), verifies=frozenset({int(AlgorithmId.ESP256)}))
BEGIN = succession.begin(KeySet((OLD.public,)))
INTRODUCTION = succession.introduce(BEGIN, KeySet((NEW.public,)), [OLD, NEW], at=AT)
OVERLAP = succession.follow(BEGIN, INTRODUCTION)
RETIREMENT = succession.retire(OVERLAP, [OLD, NEW], at=AT)
RETURN = succession.take_back(OVERLAP, [OLD], at=AT)


class Memory(dict[str, bytes]):
    """A home, whose disk may be full."""

    is_full = False

    def load(self, name):
        return self.get(name)

    def save(self, name, value):
        if self.is_full:
            raise StorageError("disk full")
        self[name] = value


@pytest.fixture
def home():
    return Memory()


def anchor(home, born=BORN):
    return UpdateAnchor(home, lambda: born)


def test_a_thing_begins_with_what_its_maker_gave(home):
    assert anchor(home).keys() == BEGIN
    assert anchor(home).born() == BORN
    assert home == {}


@pytest.mark.requirement("R-87")
def test_it_walks_to_the_overlap_and_on_to_the_new_keys_and_outlives_a_power_cut(home):
    anchor(home).walk(INTRODUCTION)
    both = anchor(home).born()
    assert set(both.release_anchors) == {OLD.public, NEW.public}
    assert len(both.signing.groups) == 2
    anchor(home).walk(RETIREMENT)
    assert anchor(home).born().release_anchors == (NEW.public,)
    assert anchor(home).keys().number == 2


def test_it_walks_back(home):
    anchor(home).walk(INTRODUCTION)
    anchor(home).walk(RETURN)
    assert anchor(home).born().release_anchors == (OLD.public,)
    assert anchor(home).keys().number == 2


STOLEN = succession.introduce(BEGIN, KeySet((STRANGER.public,)), [STRANGER], at=AT)


@pytest.mark.parametrize(
    ("step", "error"),
    [
        (STOLEN, UntrustedError),
        (RETIREMENT, UntrustedError),
        (succession.sign(STOLEN, [NEW]), UntrustedError),
        (INTRODUCTION[:-1] + bytes([INTRODUCTION[-1] ^ 1]), AuthenticationError),
        (b"", DecodeError),
    ],
)
def test_a_step_of_somebody_else_changes_nothing(home, step, error):
    with pytest.raises(error):
        anchor(home).walk(step)
    assert home == {}


def test_no_step_is_walked_twice(home):
    anchor(home).walk(INTRODUCTION)
    before = dict(home)
    with pytest.raises(UntrustedError):
        anchor(home).walk(INTRODUCTION)
    assert home == before


def test_a_full_disk_leaves_it_where_it_is(home):
    home.is_full = True
    with pytest.raises(StorageError):
        anchor(home).walk(INTRODUCTION)
    assert anchor(home).keys() == BEGIN


def test_steps_of_a_maker_whose_part_another_took_count_no_more(home):
    anchor(home).walk(INTRODUCTION)
    adopted = replace(BORN, release_anchors=(STRANGER.public,), signing=EVERY_KEY)
    assert anchor(home, adopted).born().release_anchors == (STRANGER.public,)


def test_who_was_born_with_the_new_keys_walks_none_of_the_old_steps(home):
    retired = succession.follow(OVERLAP, RETIREMENT)
    late = replace(BORN, release_anchors=(NEW.public,), release_step=2)
    assert anchor(home, late).keys() == retired
    back = succession.introduce(retired, KeySet((OLD.public,)), [OLD, NEW], at=AT)
    anchor(home, late).walk(back)
    assert anchor(home, late).keys().number == 3


def test_it_says_where_it_is_and_what_it_verifies(home):
    told = update_poll.read(anchor(home).query())
    assert told == update_poll.Standing(BEGIN.digest[:8], BORN.verifies)


def test_a_policy_of_some_keys_counts_from_birth(home):
    chosen = key_set.threshold((OLD.public, STRANGER.public), 1)
    born = replace(BORN, release_anchors=chosen.keys, signing=chosen.signing)
    assert anchor(home, born).keys().effective == chosen
    with pytest.raises(UntrustedError):
        anchor(home, born).walk(INTRODUCTION)


@pytest.mark.parametrize("kept", [b"", b"\x80", codec.encode([b"", b""]), codec.encode([BEGIN.digest, b"x"])])
def test_what_is_damaged_is_told(home, kept):
    home[UPDATE_KEYS] = kept
    if kept == codec.encode([b"", b""]):
        assert anchor(home).keys() == BEGIN
    else:
        with pytest.raises(DecodeError):
            anchor(home).keys()
