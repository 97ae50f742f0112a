"""What an owner asks about whose a thing is."""

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest

from tests.unit.controller.planes import JumpingClock
from tests.unit.domain.things import AT, a_thing
from thingstead.controller import operation_ownership
from thingstead.controller.notary import Notary
from thingstead.controller.operation import Operations
from thingstead.controller.operation_ownership import seller
from thingstead.crypto.digest import digest
from thingstead.crypto.key import KeyType, generate
from thingstead.domain.ledger.entry import Draft, Kind
from thingstead.domain.unit import Unit
from thingstead.errors import StateError
from thingstead.phases.decommission import Farewell
from thingstead.planes.identity.handover import MAX_BYTES
from thingstead.protocols.profile.papers import Papers
from thingstead.simulator.virtual.memory import MemoryHeads
from thingstead.storage.memory import MemoryStore

KEY = generate(KeyType.P256)
LAMP = a_thing(1)
PAPERS = Papers(b"", b"", ())


def the_seller(*drafts):
    store = MemoryStore()
    notary = Notary(store, MemoryHeads(), key=KEY, domain="home", clock=JumpingClock())
    asyncio.run(store.commit(Unit(entries=drafts)))
    return seller(store, notary, key=KEY, ledger_key=KEY.public, domain="home")


@pytest.mark.parametrize(
    ("farewell", "cause"), [(Farewell(b""), "handed-over"), (Farewell(b"", papers=PAPERS), "retired")]
)
def test_without_papers_or_a_decision_there_is_no_file(farewell, cause):
    write = the_seller(Draft(AT, Kind.TRANSITION, "owner", LAMP.id, cause))
    with pytest.raises(StateError):
        write(LAMP.id, farewell, 0)


def test_a_decision_from_before_is_not_this_one():
    wiped = {"wipe_receipt": digest(b"")}
    write = the_seller(Draft(AT, Kind.TRANSITION, "owner", LAMP.id, "handed-over", wiped))
    assert write(LAMP.id, Farewell(b"", papers=PAPERS), 0)
    with pytest.raises(StateError):
        write(LAMP.id, Farewell(b"", papers=PAPERS), 1)
    with pytest.raises(StateError):
        write(LAMP.id, Farewell(b"of another end", papers=PAPERS), 0)


@pytest.mark.parametrize("content", [None, bytes(MAX_BYTES + 1)], ids=["absent", "too long"])
def test_a_file_that_cannot_be_read_is_refused_by_its_name(tmp_path, content):
    path = tmp_path / "lamp.handover"
    if content is not None:
        path.write_bytes(content)
    nobody: Any = SimpleNamespace(accept=None)
    table = Operations(*operation_ownership.rows(nobody, nobody, nobody, adoption=nobody, anchors=nobody, clock=nobody))
    answer = asyncio.run(table.answer({"operation": "thing.accept", "arguments": {"file": str(path)}}))
    assert answer["error"]["kind"] == "ConfigError"
    assert str(path) in answer["error"]["message"]
