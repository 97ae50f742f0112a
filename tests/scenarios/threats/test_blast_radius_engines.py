"""Who holds the process of one plane, under `--separate`: each test puts a thief in its place, who says and does what
the process can, and tries what it cannot.
"""

from dataclasses import replace
from typing import Any

import pytest

from tests.scenarios.apart import apart, at_once
from tests.scenarios.groups import command, is_settled, kept_keys, lamps, record, send
from tests.scenarios.test_update import Releases
from tests.scenarios.threats.forgery import believed
from tests.scenarios.threats.stolen import stolen
from tests.scenarios.threats.test_blast_radius import as_the_domain, goes_on, key
from tests.scenarios.world import play
from thingstead.controller.engines import remote_engine
from thingstead.domain.ledger import entry
from thingstead.domain.ledger.entry import Draft, Kind
from thingstead.domain.network import NetworkChange
from thingstead.domain.plane import Demand, PlaneName, Probe, Receipt, Standing
from thingstead.errors import ForbiddenError
from thingstead.identifier import KeyId
from thingstead.planes.groups import record as group_record
from thingstead.planes.groups.group_manager import Parcel
from thingstead.planes.groups.roster import MemberRecord, encode_roster
from thingstead.planes.identity.status_list import CredentialStanding, CredentialStatus
from thingstead.protocols.ace import aif
from thingstead.protocols.ace.aif import Permission, Scope
from thingstead.protocols.ace.groupcomm_registry import Role
from thingstead.protocols.group_oscore.protection import protect_group_request
from thingstead.transport.engine_socket import Ask, Outcome, plain

pytestmark = pytest.mark.slow


@pytest.fixture(autouse=True)
def in_one_thread(monkeypatch):
    """As `apart.at_once` says."""
    at_once(monkeypatch)


class Thief:
    """Answers as a host does, and says whatever it likes.

    Args:
        world: for its clock.
        plane: whose process was taken.
        told: what it tells the relying party in the controller's process, at each answer.
        entries: what it wants on the ledger.
    """

    def __init__(self, world, plane, *, told=(), entries=()):
        self._world = world
        self._plane = plane
        self.told = list(told)
        self._leaves = entries
        self.asked = []

    async def answer(self, message):
        self.asked.append(message)
        if message[0] == Ask.ENTRIES:
            return [int(Outcome.DONE), self._leaves[message[1] :], len(self._leaves), []]
        return [int(Outcome.DONE), self._result(message[1], message[2]), len(self._leaves), self.told]

    def _result(self, name, values):
        at = self._world.clock.utc()
        if name in tuple(Demand):
            return plain(Receipt(self._plane, values[0]["id"], Demand(name), values[2], at, "done"))
        if name == "probe":
            return plain(Probe(self._plane, values[0]["id"], Standing.REFUSED, "a thief", at))
        return {"mode": "nftables", "refresh": "nftables", "known": [0, []], "snapshot": {}}.get(name, [])


def leaf(world, kind, thing=None):
    return entry.encode(Draft(world.clock.utc(), kind, "owner", thing, "forged").numbered(0))


def forged(world):
    """Entries of the ledger that say so."""
    return [one for one in world.domain.entries() if one.cause == "forged"]


async def _given(value):
    return value


FOREIGN = (Kind.TRANSITION, Kind.RESTRICTION, Kind.APPROVAL, Kind.CONFIGURATION, Kind.RECEIPT, Kind.GROUP)


async def refused_entries(world, plane, *kinds):
    """What is not the plane's to write on the ledger, its process cannot have written there."""
    remote: Any = remote_engine(next(one for one in world.domain.controller.planes if one.name is plane))
    before = len(forged(world))
    for kind in kinds or FOREIGN:
        remote._outbox._fetch = lambda _start, kind=kind: _given([leaf(world, kind)])
        with pytest.raises(ForbiddenError, match="on the ledger"):
            await remote._outbox.take(remote._outbox._taken + 1)
    assert len(forged(world)) == before


@stolen(
    "the network plane's process, with `--separate`",
    holder="its user, which has no key",
    falls="what packets pass, of every thing: MUD files are read there, and the enforcer obeys it; what it says of its "
    "own rules, on the ledger too",
    stays="cryptography of all planes: who was cut off there stays so; telemetry, tokens, credentials, releases, keys; "
    "nothing else is written on the ledger",
)
def test_whoever_holds_the_network_plane_lets_packets_pass_and_nobody_in(tmp_path):
    async def story(world):
        async with apart(world, tmp_path) as parts:
            gone, _ = await world.joined("A0001", "A0002")
            await world.domain.ask("thing.quarantine", thing=gone.id)
            thief = Thief(world, PlaneName.NETWORK)
            parts.again(PlaneName.NETWORK, lambda: thief)
            await world.domain.enforcement.apply(NetworkChange(gone.id, (), frozenset()))
            assert (await world.domain.enforcement.standing(gone.id)).admitted
            await goes_on(world)
            assert thief.asked
            assert not world.domain.controller.server.is_live(gone.id)
            assert world.domain.controller.planes.access.scope_of(gone.id) is None
            thief.told = [["admit", [gone.id, None]]]
            with pytest.raises(ForbiddenError, match="not its to say"):
                await world.domain.controller.planes.network.watch()
            await refused_entries(world, PlaneName.NETWORK, *(set(Kind) - {Kind.NETWORK_POLICY}))

    play(story)


@stolen(
    "the data plane's process, with `--separate`",
    holder="its user, which has no key",
    falls="telemetry that is kept is read, changed and erased, and disclosures are told that never were",
    stays="who may report, and what: that is asked where messages come in; every other plane; things, keys, and the "
    "rest of the ledger",
)
def test_whoever_holds_the_data_plane_has_what_is_kept_and_lets_nobody_report(tmp_path):
    async def story(world):
        async with apart(world, tmp_path) as parts:
            gone, lamp = await world.joined("A0001", "A0002")
            await world.until(lambda: lamp.has_reported)
            await world.domain.controller.planes.data.flush()
            assert any(key.startswith(lamp.id) for key, _ in parts.stores[PlaneName.DATA].documents(PlaneName.DATA))
            await world.domain.ask("thing.retire", thing=gone.id)
            thief = Thief(world, PlaneName.DATA, entries=[leaf(world, Kind.DISCLOSURE, lamp.id)])
            parts.again(PlaneName.DATA, lambda: thief)
            await goes_on(world)
            assert [one.kind for one in forged(world)] == [Kind.DISCLOSURE]
            data = world.domain.controller.planes.data
            assert not data.accepts(gone.id)
            thief.told = [["admit", [gone.id, None]]]
            with pytest.raises(ForbiddenError, match="not its to say"):
                await data.flush()
            await refused_entries(world, PlaneName.DATA)

    play(story)


@stolen(
    "the software plane's process, with `--separate`",
    holder="its user, which has no key",
    falls="what is offered, and what is said of who runs what; no release can be had while it is held",
    stays="things: each verifies a release under its maker's keys itself; every other plane, keys, and the rest of the "
    "ledger",
)
def test_whoever_holds_the_software_plane_offers_what_no_thing_installs(tmp_path):
    async def story(world):
        async with apart(world, tmp_path) as parts:
            releases = Releases(world, tmp_path)
            (lamp,) = await world.joined("A0001")
            encoded, image = releases.make()
            assert "result" in await releases.publish(encoded, image)
            software = world.domain.controller.planes.software
            (line,) = [seat.line for seat in software._shelf.seats.values() if seat.line is not None]
            offer = software.poll(lamp.id)
            evil = plain(offer) | {"image": bytes(5000), "etag": b"evil", "version": "6.6.6"}
            parts.again(
                PlaneName.SOFTWARE,
                lambda: Thief(world, PlaneName.SOFTWARE, told=[["offer", [[[plain(line), evil]]]], ["take_back", []]]),
            )
            assert list(software.targets("LX-1")) == []
            await world.until(lamp.agent.updating.refused.total, within=300)
            assert lamp.agent.status()["version"] == "1.0.0"
            await goes_on(world)
            await refused_entries(world, PlaneName.SOFTWARE)

    play(story)


@stolen(
    "the identity plane's process, with `--separate`",
    holder="its user, which has the key `identity`",
    falls="what falls with its key, and what peers are told of credentials",
    stays="what stays with its key: nobody is let in, commanded or listened to for a credential; every other plane and "
    "key, and the rest of the ledger",
)
def test_whoever_holds_the_identity_plane_has_credentials_believed_and_nobody_let_in(tmp_path):
    async def story(world):
        async with apart(world, tmp_path) as parts:
            own = parts.keys._own.handle(KeyId("identity"))
            gone, _ = await world.joined("A0001", "A0002")
            await world.domain.ask("thing.quarantine", thing=gone.id)
            forged_row = CredentialStanding(b"forged", CredentialStatus.VALID, world.clock.utc().replace(year=2030))
            told = [["keep", [gone.id, plain(forged_row)]]]
            parts.again(PlaneName.IDENTITY, lambda: Thief(world, PlaneName.IDENTITY, told=told))
            identity = world.domain.controller.planes.identity
            await identity.begin()
            assert identity.status(b"forged") is CredentialStatus.VALID
            assert believed(world, own) == {"credential"}
            assert believed(world, key(world, "identity")) == set()
            assert not world.domain.controller.server.is_live(gone.id)
            await goes_on(world)
            await refused_entries(world, PlaneName.IDENTITY)

    play(story)


@stolen(
    "the access plane's process, with `--separate`",
    holder="its user, which has the key `access`",
    falls="what falls with its key; what each thing may do at the domain, and which tokens are told to be revoked; "
    "OSCORE contexts, which lie there",
    stays="credentials, groups, releases, what is kept of telemetry; the kernel's rules; who joins; the rest of the "
    "ledger",
)
def test_whoever_holds_the_access_plane_gives_rights_and_nothing_of_other_planes(tmp_path):
    async def story(world):
        async with apart(world, tmp_path) as parts:
            own = parts.keys._own.handle(KeyId("access"))
            gone, _ = await world.joined("A0001", "A0002")
            await world.domain.ask("thing.quarantine", thing=gone.id)
            scope, at = aif.encode(Scope({"/senml": Permission.POST})), world.clock.utc().replace(year=2030)
            told = [["standing", plain([gone.id, scope, at, b"cti", b"abc", 0, False])]]
            parts.again(PlaneName.ACCESS, lambda: Thief(world, PlaneName.ACCESS, told=told))
            access = world.domain.controller.planes.access
            await access.begin()
            assert access.scope_of(gone.id) is not None
            assert believed(world, own) == {"token"}
            assert believed(world, key(world, "access")) == set()
            assert not world.domain.controller.planes.data.accepts(gone.id)
            assert (await world.domain.enforcement.standing(gone.id)).barred
            await goes_on(world)
            await refused_entries(world, PlaneName.ACCESS)

    play(story)


class GroupThief(Thief):
    """One that has keys of a group handed to whom it likes."""

    parcels: tuple[Parcel, ...] = ()

    def _result(self, name, values):
        if name == "parcels":
            return plain([one for one in self.parcels if values[1] == b""])
        return None if name in ("renew", "confirm", "seat") else super()._result(name, values)


@stolen(
    "the groups plane's process, with `--separate`",
    holder="its user, which has the key `groups`",
    falls="what falls with its key, and the keys of all groups, which it makes: every group is read and commanded; who "
    "is in which group, with what right there",
    stays="single things, credentials, tokens, releases, what is kept of telemetry; the kernel's rules; who joins the "
    "domain: whom another plane cut off is handed no keys; no epoch comes back; the rest of the ledger",
)
def test_whoever_holds_the_groups_plane_has_all_groups_and_nobody_who_was_cut_off_is_told(tmp_path):
    async def story(world):
        one, gone = await lamps(world, "A0001", "A0002")
        async with apart(world, tmp_path) as parts:
            await world.domain.ask("thing.quarantine", thing=gone.id)
            await world.until(lambda: is_settled(world, [one]))
            own, before = parts.keys._own.handle(KeyId("groups")), record(world)
            kept = group_record.decode(dict(parts.stores[PlaneName.GROUPS].documents(PlaneName.GROUPS))["group/lamps"])
            thief = GroupThief(world, PlaneName.GROUPS, entries=[*parts.stores[PlaneName.GROUPS].leaves()])
            parts.again(PlaneName.GROUPS, lambda: thief)
            assert believed(world, own) == {"proof of the group manager"}
            assert believed(world, key(world, "groups")) == set()
            inside = as_the_domain(kept_keys(one), one, own, secret=kept.master_secret)
            send(world, protect_group_request(command(), context=inside)[0], gone)
            await world.until(one.lamp.is_on)
            # It says that who was cut off is in again, in a later epoch, and has keys for it.
            member = MemberRecord(gone.id, b"\x09", b"any", Role.RESPONDER, Scope({}), world.clock.utc())
            forged_roster = replace(before, num=before.num + 1, members=(*before.members, member))
            thief.told = [["roster", [encode_roster(forged_roster)]]]
            thief.parcels = (Parcel(gone.id, b"\x09", before.num + 1, b"keys"),)
            groups = world.domain.controller.planes.groups
            sent = len(world.network.sent)
            await groups.distribute("lamps")
            assert groups.group("lamps") == forged_roster
            assert not [one for one in world.network.sent[sent:] if one.destination == gone.address]
            assert not world.domain.controller.server.is_live(gone.id)
            thief.told = [["roster", [encode_roster(before)]]]
            await groups.tidy()
            assert groups.group("lamps") == forged_roster
            thief.told = [["admit", [gone.id, None]]]
            with pytest.raises(ForbiddenError, match="not its to say"):
                await groups.tidy()
            thief.told = []
            await goes_on(world)
            await refused_entries(world, PlaneName.GROUPS, *[kind for kind in FOREIGN if kind is not Kind.GROUP])

    play(story)
