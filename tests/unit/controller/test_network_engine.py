"""The network plane in another process: begun with makers and things, told of new makers, asked where things are."""

import asyncio
from contextlib import closing
from dataclasses import replace

import pytest

from tests.hosting import hosted
from tests.unit.controller.planes import JumpingClock
from tests.unit.controller.test_network import ACME, AUTHORITY, BROOK, Web
from tests.unit.domain.things import a_thing
from tests.unit.planes.network.fakes import CLOUD, URL, described
from tests.unit.planes.network.test_rule_book import LESS, flow
from thingstead.cli.hosting import network_host
from thingstead.controller.config import CoapConfig, ControllerConfig, NamesConfig, NetworkConfig
from thingstead.controller.network_engine import NetworkEngine, RemoteNetwork
from thingstead.controller.whereabouts import Whereabouts
from thingstead.domain.anchor import TrustAnchor
from thingstead.domain.ledger import entry
from thingstead.domain.ledger.entry import Kind
from thingstead.domain.name import NameAnswer
from thingstead.domain.plane import PlaneName, Standing
from thingstead.domain.register import Register
from thingstead.domain.unit import Snapshot
from thingstead.enforcement.dry_run import DryRun
from thingstead.errors import ConfigError, DecodeError, ForbiddenError, PolicyError, StateError, TransportError
from thingstead.storage.memory import MemoryStore
from thingstead.storage.records import PlaneRecords
from thingstead.transport.engine_socket import EngineSocket
from thingstead.transport.resolver import HostsResolver

THING = a_thing(mud_url=URL)
MAC = bytes.fromhex("020000000001")


def a_host(store, rules, *, unsigned=True, learns=False):
    settings = NetworkConfig(local=["10.77.0.0/16"], insecure_unsigned_mud=unsigned)
    return network_host(
        store,
        config=ControllerConfig(
            coap=CoapConfig(host="10.77.0.1"), network=settings, names=NamesConfig(enabled=learns, host="10.77.0.1")
        ),
        keeper=rules,
        files=Web(described(CLOUD)),
        resolve=HostsResolver({"cloud.acme.example": ("192.0.2.7",)}, offline=True),
        mac_of=lambda _ip: MAC,
        clock=JumpingClock(),
    )


def told(path, story, *, anchors=lambda: (ACME,), **settings):
    """Tell a story to a network plane elsewhere, and to who keeps its rules."""
    own, rules = MemoryStore(), DryRun("a test")
    places = Whereabouts(PlaneRecords(PlaneName.NETWORK, own, prefix="place/"), mac_of=lambda _ip: MAC)
    asyncio.run(places.note(THING.id, "10.77.1.1"))
    register = Register(Snapshot(things=(THING,)))
    with hosted(lambda: a_host(own, rules, **settings), path), closing(EngineSocket(path, patience=5)) as engine:
        plane = RemoteNetwork(engine, store=MemoryStore(), register=register, anchors=anchors)
        return asyncio.run(story(plane, rules))


@pytest.fixture
def path(tmp_path):
    return tmp_path / "network.socket"


def test_what_the_register_says_is_in_force_once_it_has_begun(path):
    async def story(plane, rules):
        assert plane.mode == "nobody yet"
        await plane.resume(())
        assert plane.mode == "dry_run"
        assert (await rules.standing(THING.id)).admitted
        assert [(place.mac, str(place.ip)) for place in plane.places()] == [(MAC, "10.77.1.1")]
        await plane.note(THING.id, "10.77.1.2")
        assert str(plane.places()[0].ip) == "10.77.1.2"
        assert plane.located() == {THING.id: plane.places()}
        await plane.place(THING.id, ("10.77.1.2", "fd77::2"), MAC)
        assert [str(one.ip) for one in plane.located()[THING.id]] == ["10.77.1.2", "fd77::2"]
        await plane.withdraw(THING, cause="retired", transition_id=THING.transition_id)
        assert (await plane.probe(THING)).standing is Standing.REFUSED
        with pytest.raises(ForbiddenError):
            await plane.admit(THING, cause="joined", transition_id=THING.transition_id)

    told(path, story)


@pytest.mark.spec("RFC 9726 3")
def test_what_a_thing_is_told_reaches_the_plane_before_it_reaches_the_thing(path):
    async def story(plane, rules):
        await plane.resume(())
        assert plane.names() == ()
        answer = NameAnswer("cloud.acme.example", ((bytes([192, 0, 2, 7]), 60),), (), bytes([10, 77, 1, 1]))
        await plane.learn(answer)
        (row,) = plane.names()
        assert (row.name, row.hosts[0][0], row.shared) == ("cloud.acme.example", bytes([192, 0, 2, 7]), "")
        opened = {str(rule.remote) for rule in rules._changes[THING.id].rules}
        assert "192.0.2.7/32" in opened

    told(path, story, learns=True)


def test_a_file_is_fetched_there_and_one_that_cannot_be_had_is_an_error_here(path):
    async def story(plane, _rules):
        await plane.resume(())
        assert await plane.obtain(URL) == described(CLOUD)
        with pytest.raises(TransportError, match=r"can be had: \S"):
            await plane.obtain("https://mud.acme.example/gone.json")

    told(path, story)


def test_makers_are_told_when_they_change(path):
    trusted: list[tuple[TrustAnchor, ...]] = [(ACME,)]

    async def story(plane, _rules):
        await plane.resume(())
        trusted[0] = (ACME, BROOK)
        await plane.refresh()
        await plane.refresh()
        await plane.watch()
        return plane._told

    assert told(path, story, anchors=lambda: trusted[0]) == (ACME, BROOK)


def test_the_owners_rules_are_kept_there_and_the_ledger_is_told_here(path):
    async def story(plane, rules):
        await plane.resume(())
        assert await plane.put_rule(LESS, "owner") == (THING.id,)
        assert await plane.owner_rules() == (LESS,)
        assert rules._changes[THING.id].denied
        (reason,) = await plane.explain(THING.id, (flow("192.0.2.7", 443, names=("cloud.acme.example",)),))
        assert (reason.allowed, reason.by, reason.rule) == (False, "owner", LESS.id)
        assert await plane.drops() == ()
        assert await plane.remove_rule(LESS.id, "maintainer:ben") == LESS
        with pytest.raises(ConfigError):
            await plane.remove_rule(LESS.id, "owner")
        with pytest.raises(PolicyError, match="controller"):
            await plane.put_rule(replace(LESS, remote="10.77.0.1/32", protocol=17, ports=(5683, 5683)), "owner")
        assert not rules._changes[THING.id].denied
        told = [entry.decode(leaf) for leaf in plane._outbox._store.leaves()]
        assert [(one.kind, one.cause, one.actor) for one in told] == [
            (Kind.NETWORK_POLICY, "owner-refusal", "owner"),
            (Kind.NETWORK_POLICY, "owner-rule-revoked", "maintainer:ben"),
        ]

    told(path, story)


def test_an_anchor_that_is_none_is_refused():
    def make(_anchors):
        raise AssertionError("it was not begun")

    engine = NetworkEngine(make, Whereabouts(PlaneRecords(PlaneName.NETWORK, MemoryStore()), mac_of=lambda _ip: MAC))
    with pytest.raises(DecodeError):
        engine.trust((AUTHORITY.certificate.der,))
    with pytest.raises(StateError, match="not begun"):
        engine.mode()
