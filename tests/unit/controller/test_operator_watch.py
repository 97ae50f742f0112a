"""A change of who may ask is on the ledger once, whenever it was made."""

import asyncio

import pytest

from tests.unit.controller.planes import JumpingClock
from thingstead.controller.operator_watch import OperatorWatch
from thingstead.domain.ledger import entry
from thingstead.domain.ledger.entry import Kind
from thingstead.errors import ConfigError, StorageError
from thingstead.storage.memory import MemoryStore

pytestmark = pytest.mark.requirement("R-62")


class Home:
    def __init__(self):
        self.text, self.store, self.is_broken = "", MemoryStore(), False
        self.watch = self.again()

    def again(self):
        return OperatorWatch(self, self.store, clock=JumpingClock())

    def operators_text(self):
        if self.is_broken:
            raise ConfigError("cannot be read")
        return self.text

    def look(self):
        asyncio.run(self.watch.look())
        return [entry.decode(leaf) for leaf in self.store.leaves()]


def test_a_change_is_noted_once_and_over_a_restart():
    home = Home()
    assert home.look() == []
    home.text = "auditor user:7 carla\n"
    (first,) = home.look()
    assert (first.kind, first.thing, first.cause) == (Kind.CONFIGURATION, None, "operators")
    home.watch = home.again()
    assert len(home.look()) == 1
    home.text = ""
    home.watch = home.again()
    assert len(home.look()) == 2
    assert len(home.look()) == 2


def test_a_file_that_cannot_be_read_is_no_change_and_one_that_was_not_noted_is_looked_at_again(monkeypatch):
    home = Home()
    home.is_broken = True
    assert home.look() == []
    home.is_broken, home.text = False, "auditor user:7\n"
    commit = home.store.commit

    async def full(_unit):
        raise StorageError("no space left")

    monkeypatch.setattr(home.store, "commit", full)
    with pytest.raises(StorageError):
        home.look()
    monkeypatch.setattr(home.store, "commit", commit)
    assert len(home.look()) == 1
