import copy
import pickle

import pytest

from thingstead.secret import Secret

BYTES = b"correct horse battery staple"
SECRET = Secret(BYTES)


@pytest.mark.requirement("R-31")
@pytest.mark.parametrize("show", [repr, str, "{}".format, "{!r}".format, "%s".__mod__, "{:>40}".format, ascii])
def test_a_secret_shows_its_length_only(show):
    for shown in (show(SECRET), show([SECRET]) if show in {repr, str, ascii} else show(SECRET)):
        assert "<Secret of 28 bytes>" in shown
        assert "horse" not in shown


def test_a_secret_reveals_itself_in_one_way_only():
    assert SECRET.reveal() == BYTES
    assert len(SECRET) == 28
    with pytest.raises(TypeError):
        bytes(SECRET)  # type: ignore[call-overload]  # the point of the test
    with pytest.raises(AttributeError):
        SECRET.value = b""  # type: ignore[attr-defined]  # the point of the test


def test_secrets_are_equal_by_their_bytes_and_to_nothing_else():
    assert Secret(BYTES) == SECRET
    assert Secret(BYTES[:-1]) != SECRET
    assert SECRET != BYTES


def test_a_secret_is_neither_hashed_nor_pickled_nor_copied():
    with pytest.raises(TypeError):
        hash(SECRET)
    for leak in (pickle.dumps, copy.copy, copy.deepcopy):
        with pytest.raises(TypeError, match="not pickled"):
            leak(SECRET)
