"""Things are waited for from when somebody listens, and strangers never."""

import pytest

from tests.unit.analysis.detectors.traffic import LAMP, SCENE, STRANGER, syn
from thingstead.analysis.detectors.last_heard import LastHeard
from thingstead.errors import DecodeError


def test_things_are_kept_and_strangers_are_not():
    heard = LastHeard()
    heard.hear(syn(5), SCENE)
    heard.hear(syn(6, mac=STRANGER), SCENE)
    assert heard.kept(SCENE, 10) == [[LAMP, 5]]
    heard.drop(LAMP)
    assert not heard.kept(SCENE, 10)


def test_who_has_no_address_yet_is_not_back():
    heard = LastHeard()
    heard.hear(syn(5), SCENE)
    asking = syn(6)
    asking.source = bytes(len(asking.source))
    heard.hear(asking, SCENE)
    assert heard.kept(SCENE, 10) == [[LAMP, 5]]


def test_time_in_which_nobody_listened_is_no_silence():
    heard = LastHeard()
    heard.take_up([[LAMP, 5]], 1000.0)
    assert dict(heard.items()) == {LAMP: 5.0}
    assert heard.silence(5.0, 1010.0) == 10.0
    assert heard.silence(1005.0, 1010.0) == 5.0


@pytest.mark.parametrize("kept", [None, [[LAMP]], [[LAMP, 5.0]], [["lamp", 5]]])
def test_anything_else_is_refused(kept):
    with pytest.raises(DecodeError):
        LastHeard().take_up(kept, 0.0)
