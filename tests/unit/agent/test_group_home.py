"""What a thing keeps of its groups: nothing of one epoch is ever taken for another's."""

from datetime import UTC, datetime

import pytest

from tests.unit.protocols.ace.test_groupcomm import keys
from thingstead.agent.group_home import GroupHome, KeptKeys
from thingstead.errors import DecodeError, StorageError
from thingstead.simulator.virtual.memory import Fate, HomeLife

pytestmark = pytest.mark.spec("RFC 8613 B.1.1")
KEPT = KeptKeys(keys(), datetime(2026, 12, 1, tzinfo=UTC))


def home(disk=None):
    disk = {} if disk is None else disk
    return GroupHome(HomeLife(disk, Fate())), disk


def test_keys_are_read_back():
    groups, _disk = home()
    groups.save(KEPT)
    assert groups.load("lamps") == KEPT
    assert groups.names() == ["lamps"]
    assert groups.load("doors") is None


@pytest.mark.parametrize("data", [b"", b"\x80", b"\x83\x02\x01\x40", b"\x83\x01\x01\x41\xff"])
def test_damaged_keys_are_refused(data):
    groups, _disk = home({"group-lamps": data})
    with pytest.raises(DecodeError):
        groups.load("lamps")


def test_numbers_go_on_under_their_gid_and_begin_anew_under_another():
    groups, _disk = home()
    groups.reserve("lamps", b"one", 256)
    assert (groups.reserved("lamps", b"one"), groups.reserved("lamps", b"two")) == (256, 0)


def test_a_late_request_takes_nothing_back():
    groups, _disk = home()
    groups.reserve("lamps", b"one", 512)
    groups.reserve("lamps", b"one", 256)
    assert groups.reserved("lamps", b"one") == 512


def test_keys_that_are_dropped_leave_their_numbers_behind():
    groups, _disk = home()
    groups.save(KEPT)
    groups.reserve("lamps", b"one", 256)
    groups.drop("lamps")
    assert groups.names() == []
    assert groups.reserved("lamps", b"one") == 256


@pytest.mark.parametrize("data", [b"", b"\x80", b"\x82\x01\x02", b"\x82\x41\x01"])
def test_damaged_numbers_are_no_numbers(data):
    groups, _disk = home({"sequence-lamps": data})
    with pytest.raises((StorageError, DecodeError)):
        groups.reserved("lamps", b"one")
    with pytest.raises((StorageError, DecodeError)):
        groups.reserve("lamps", b"one", 256)


def test_what_is_forgotten_is_gone_whole():
    groups, disk = home()
    groups.save(KEPT)
    groups.reserve("lamps", b"one", 256)
    groups.forget("lamps")
    assert disk == {}
