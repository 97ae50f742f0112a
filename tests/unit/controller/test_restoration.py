"""Nothing that ended comes back with a backup, and the ledger says where the domain comes from."""

import asyncio
import random
from dataclasses import replace

import pytest

from tests.unit.controller.planes import JumpingClock
from tests.unit.domain.things import AT, a_thing
from thingstead.controller.backup import Backup, authenticate, sign
from thingstead.controller.composition import compose
from thingstead.controller.config import ControllerConfig
from thingstead.controller.directory import KEYS
from thingstead.controller.foundation import Foundation
from thingstead.controller.restoration import has_to_join, newer_entries, take_up
from thingstead.crypto.keystore import MemoryKeyStore
from thingstead.domain.ledger import entry, head
from thingstead.domain.ledger.entry import Draft, Kind
from thingstead.domain.ledger.head import TreeHead
from thingstead.domain.ledger.tree import MerkleTree
from thingstead.domain.lifecycle import LifecycleState, Restriction
from thingstead.domain.plane import Demand, PlaneName
from thingstead.enforcement.dry_run import DryRun
from thingstead.errors import AuthenticationError, DecodeError, StateError, StorageError, ThingsteadError
from thingstead.identifier import KeyId
from thingstead.planes.groups import record as group_record
from thingstead.simulator.virtual.memory import MemoryFetcher, MemoryHeads, MemorySegment
from thingstead.storage.memory import MemoryStore
from thingstead.storage.policy_file import parse_policy
from thingstead.storage.records import PlaneRecords
from thingstead.transport.resolver import HostsResolver

KEYS_OF_HOME = MemoryKeyStore()
for _name, _type in KEYS.items():
    KEYS_OF_HOME.create(KeyId(_name), _type)
LEDGER = KEYS_OF_HOME.handle(KeyId("ledger"))
_S, _R = LifecycleState, Restriction
_GONE = [_S.DECOMMISSIONED, _S.RE_OWNED]


def leaves(count):
    drafts = [Draft(AT, Kind.REFUSAL, "thing", None, "replay", {"count": one}) for one in range(count)]
    return tuple([entry.encode(draft.numbered(place)) for place, draft in enumerate(drafts)])


def backup_of(*things, planes=None, known=3):
    backup = Backup("home", AT, "", "", (), {}, things, planes or {}, leaves(known))
    return authenticate(sign(backup, LEDGER), LEDGER.public)


def signed_head(size, key=LEDGER, domain="home", over=None):
    over = leaves(size) if over is None else over
    tree = MerkleTree(lambda start, stop: over[start:stop])
    for one in over:
        tree.append(one)
    return head.sign(TreeHead(size, tree.root(), AT, domain), key)


class _Home:
    def settings_text(self):
        return ""

    def operators_text(self):
        return ""

    def policy_text(self):
        return ""

    def anchors(self):
        return ()


async def _nothing(_image):
    return []


def composed(seed=3):
    foundation = Foundation(
        config=ControllerConfig(),
        files=_Home(),
        policy=parse_policy(""),
        anchors=(),
        keys=KEYS_OF_HOME,
        store=MemoryStore(),
        heads=MemoryHeads(),
        revocations=MemoryHeads(),
        enforcement=DryRun("a test"),
        fetcher=MemoryFetcher(),
        resolver=HostsResolver({}, offline=True),
        segment=MemorySegment(),
        scan_image=_nothing,
        clock=JumpingClock(),
        random_bytes=random.Random(seed).randbytes,
    )
    return compose(foundation, asyncio.TaskGroup())


def taken_up(backup, newer=0, seed=3):
    async def story():
        controller = composed(seed)
        await take_up(controller, backup, newer)
        return controller

    return asyncio.run(story())


def entries(controller):
    return [entry.decode(leaf) for leaf in controller.foundation.store.leaves()]


# --- what the head outside says


@pytest.mark.parametrize(
    ("kept", "error"),
    [
        (b"", DecodeError),
        (signed_head(3, KEYS_OF_HOME.handle(KeyId("access"))), AuthenticationError),
        (signed_head(3, domain="elsewhere"), DecodeError),
        (signed_head(3, over=leaves(2)), StorageError),
        (signed_head(2, over=leaves(3)), StorageError),
        (signed_head(3, over=tuple(reversed(leaves(3)))), StorageError),
    ],
    ids=["none", "another key", "another domain", "fewer", "more", "others"],
)
def test_a_head_that_is_not_of_this_ledger_stops_the_restore(kept, error):
    with pytest.raises(error):
        newer_entries(backup_of(), kept)


@pytest.mark.parametrize(("size", "newer"), [(None, None), (0, 0), (2, 0), (3, 0), (4, 1), (99, 96)])
def test_a_head_says_how_much_was_decided_since_and_no_head_says_nothing(size, newer):
    assert newer_entries(backup_of(), None if size is None else signed_head(size)) == newer


# --- what comes back


@pytest.mark.parametrize(
    "known",
    [(b"leaf",), leaves(3)[1:], tuple(reversed(leaves(3))), (*leaves(2), leaves(1)[0])],
    ids=["no leaf", "the first missing", "reversed", "one twice"],
)
def test_a_ledger_that_is_none_is_not_taken_up(known):
    backup = backup_of()
    broken = sign(replace(backup.backup, leaves=known), LEDGER)
    with pytest.raises(DecodeError):
        taken_up(authenticate(broken, LEDGER.public))


@pytest.mark.parametrize("plane", [PlaneName.IDENTITY, PlaneName.SOFTWARE, PlaneName.NETWORK])
def test_a_plane_that_refuses_what_it_should_take_up_stops_the_restore(plane):
    with pytest.raises((ThingsteadError, ValueError)):
        taken_up(backup_of(planes={plane: {"thing/thing-abcdefghijklmnop": b"\xff"}}))


def test_an_association_that_somebody_put_into_a_backup_is_refused():
    with pytest.raises(StateError, match="must not hold associations"):
        taken_up(backup_of(a_thing(), planes={PlaneName.ACCESS: {a_thing().id: b"keys"}}))


@pytest.mark.parametrize("state", [_S.OPERATIONAL, _S.MAINTENANCE])
@pytest.mark.parametrize("restriction", _R)
def test_a_thing_that_was_in_has_to_join_again_and_every_plane_is_asked_to_restrict_it(state, restriction):
    thing = a_thing(state=state, restriction=restriction, version=7)
    controller = taken_up(backup_of(thing))
    restored = controller.register.thing(thing.id)
    assert restored == replace(thing, state=_S.RE_BOOTSTRAPPING, version=8)
    owed = controller.register.obligations(thing.id)
    assert {one.plane: one.demand for one in owed} == dict.fromkeys(PlaneName, Demand.RESTRICT)
    assert {one.transition_id for one in owed} == {restored.transition_id}
    assert not controller.server.is_live(thing.id)
    assert has_to_join(thing)


@pytest.mark.parametrize("state", _GONE)
@pytest.mark.parametrize("restriction", _R)
def test_a_thing_that_had_left_stays_gone_and_every_plane_is_asked_to_withdraw_it(state, restriction):
    thing = a_thing(state=state, restriction=restriction, version=9)
    controller = taken_up(backup_of(thing))
    assert controller.register.thing(thing.id) == thing
    owed = {one.plane: one.demand for one in controller.register.obligations(thing.id)}
    assert owed == dict.fromkeys(PlaneName, Demand.WITHDRAW)
    assert not has_to_join(thing)


@pytest.mark.parametrize("state", [_S.INSTALLED, _S.BOOTSTRAPPING, _S.RE_BOOTSTRAPPING, _S.END_OF_LIFE])
def test_a_thing_that_was_not_in_by_itself_is_where_it_was(state):
    thing = a_thing(state=state)
    controller = taken_up(backup_of(thing))
    assert controller.register.thing(thing.id) == thing
    assert not has_to_join(thing)


def test_the_ledger_goes_on_behind_what_it_had_and_names_its_backup():
    backup = backup_of(a_thing(), a_thing(1, state=_S.DECOMMISSIONED))
    controller = taken_up(backup, newer=5)
    assert tuple(controller.foundation.store.leaves(0, 3)) == leaves(3)
    restored, moved = entries(controller)[3:]
    assert (restored.kind, restored.cause, restored.actor) == (Kind.CONFIGURATION, "restored", "restore")
    assert (restored.details["backup"], restored.details["entries"], restored.details["newer"]) == (backup.digest, 3, 5)
    assert (moved.kind, moved.thing, moved.details["to"]) == (Kind.TRANSITION, a_thing().id, "re-bootstrapping")


def test_a_group_begins_anew_under_keys_that_never_were_and_who_was_put_out_stays_out():
    documents = {PlaneName.GROUPS: {"lamps": a_thing(1).id.encode(), "fans": b""}}
    domains = [taken_up(backup_of(planes=documents), seed=seed) for seed in range(2)]
    first, second = (domain.planes.groups for domain in domains)
    lamps, again = first.group("lamps"), second.group("lamps")
    assert (lamps.barred, lamps.members) == (frozenset({a_thing(1).id}), ())
    assert lamps.prefix != again.prefix
    disks = [PlaneRecords(PlaneName.GROUPS, domain.foundation.store).load() for domain in domains]
    secrets = [group_record.decode(disk["group/lamps"]).master_secret for disk in disks]
    assert secrets[0] != secrets[1]
    assert [record.name for record in first.groups()] == ["fans", "lamps"]
