"""What the access plane's process tells of what it does; `test_remote_access` has the rest of it."""

import asyncio
from datetime import timedelta

from tests.unit.controller.planes import JumpingClock
from tests.unit.domain.things import AT, a_thing
from thingstead.controller.access_engine import ToldAssociations, ToldRecords, ToldStandings
from thingstead.crypto.algorithm import AlgorithmId
from thingstead.domain.plane import PlaneName
from thingstead.domain.ports import Association
from thingstead.planes.access.standing import AccessStanding
from thingstead.protocols.ace import aif
from thingstead.protocols.ace.aif import Permission, Scope
from thingstead.secret import Secret
from thingstead.storage.memory import MemoryStore
from thingstead.storage.records import PlaneRecords

THING = a_thing().id


def telling():
    told = []
    return told, lambda *said: told.append(said)


def test_an_association_goes_over_whole_and_nobody_is_asked_what_is_live():
    told, tell = telling()
    associations = ToldAssociations(tell)
    associations.install(
        Association(THING, b"s", b"r", None, Secret(b"secret"), b"salt", AlgorithmId.AES_CCM_16_64_128, fresh=True)
    )
    associations.end(THING)
    associations.sequence_reserved(THING, 5)
    keys = b"secret", b"salt", int(AlgorithmId.AES_CCM_16_64_128), int(AlgorithmId.SHA_256)
    assert told == [("install", THING, b"s", b"r", None, *keys, 0, True), ("end", THING)]
    assert not associations.is_live(THING)
    assert associations.last_acceptance(THING) is None


def test_how_a_thing_stands_is_told_and_that_it_is_gone():
    told, tell = telling()
    standings = ToldStandings(JumpingClock(), tell)
    scope, end = Scope({"/senml": Permission.POST}), AT + timedelta(days=1)
    standings.keep(THING, AccessStanding(scope, end, b"cti", b"abc", 0, suspended=False))
    standings.drop(THING)
    assert told == [("standing", THING, aif.encode(scope), end, b"cti", b"abc", 0, False), ("gone", THING)]


def test_a_document_is_told_once_it_is_on_disk():
    told, tell = telling()
    store = MemoryStore()
    records = ToldRecords(PlaneRecords(PlaneName.ACCESS, store, prefix="trl/"), "trl/", tell)
    asyncio.run(records.write({"a": b"b"}))
    assert told == [("documents", "trl/", {"a": b"b"})]
    assert records.load() == {"a": b"b"}
