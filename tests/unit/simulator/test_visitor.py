"""Visitors of a demo's thing read its lamp, while it is in a domain, and can do nothing else."""

import json
from dataclasses import replace

import pytest

from tests.scenarios import world as scenario
from tests.unit.endpoint.ladder import endpoint, events
from thingstead.endpoint.association import Association
from thingstead.endpoint.event import AssociationId
from thingstead.protocols.cbor import codec
from thingstead.protocols.coap.message import request
from thingstead.protocols.coap.registry import Code
from thingstead.protocols.oscore.context import SequenceNumbers
from thingstead.protocols.oscore.replay import ReplayWindow
from thingstead.protocols.profile import path
from thingstead.simulator.virtual import thing as virtual
from thingstead.simulator.visitor import VisitedAgent, commands, prepare
from thingstead.storage import oscore_form

VISITOR, HERE, THERE = AssociationId("visitor"), ("192.0.2.77", 40000), ("192.0.2.1", 5683)


def libcoaps(home):
    return oscore_form.parse_libcoap((home / "visitors" / "libcoap.conf").read_bytes())


def aiocoaps(home):
    folder = home / "visitors" / "aiocoap"
    return oscore_form.parse_aiocoap({file.name: file.read_bytes() for file in folder.iterdir()}).parameters


class Visitor:
    def __init__(self, parameters):
        self.own = endpoint()
        self.own.install(Association(VISITOR, parameters.derive(SequenceNumbers(), ReplayWindow())))

    def ask(self, agent, method, toid):
        now = agent.now
        self.own.send_request(request(method, toid, payload=b"\xf5"), THERE, now, association=VISITOR)
        for _ in range(3):
            for data, _destination in self.own.datagrams_to_send(now):
                agent.receive_datagram(data, HERE, now)
            agent.run(now)
            for data, destination in agent.datagrams_to_send(now):
                if destination == HERE:
                    self.own.receive_datagram(data, THERE, now)
        (event,) = events(self.own)
        return event.message if hasattr(event, "message") else event.error


@pytest.fixture
def play(tmp_path, monkeypatch):
    """A thing that was prepared for visitors and has joined."""
    prepare(tmp_path)
    monkeypatch.setattr(virtual, "Agent", VisitedAgent)

    def play(story):
        async def whole(world):
            thing = world.thing("A0001")
            thing.config = replace(thing.config, home=tmp_path)
            thing.start()
            await world.until(lambda: thing.is_joined)
            await story(world, thing)

        scenario.play(whole)

    return play


@pytest.mark.spec("RFC 8613 8")
@pytest.mark.parametrize("theirs", [libcoaps, aiocoaps])
def test_a_visitor_reads_the_lamp_and_can_do_nothing_else(play, tmp_path, theirs):
    async def story(_world, thing):
        visitor = Visitor(theirs(tmp_path))
        told = visitor.ask(thing.agent, Code.GET, path.LIGHT)
        assert (told.code, told.payload) == (Code.CONTENT, codec.encode(False))
        assert visitor.ask(thing.agent, Code.PUT, path.LIGHT).code == Code.METHOD_NOT_ALLOWED
        assert visitor.ask(thing.agent, Code.POST, path.WIPE).code == Code.FORBIDDEN
        assert not thing.agent.hardware.actuator.is_on()
        assert thing.is_joined

    play(story)


def test_a_thing_that_is_in_no_domain_tells_its_visitors_nothing(play, tmp_path):
    async def story(_world, thing):
        thing.agent.member = None
        assert Visitor(libcoaps(tmp_path)).ask(thing.agent, Code.GET, path.LIGHT).code == Code.UNAUTHORIZED

    play(story)


@pytest.mark.spec("RFC 8613 B.1.2")
def test_after_a_restart_a_visitor_proves_that_it_is_there(play, tmp_path):
    async def story(_world, thing):
        visitor = Visitor(libcoaps(tmp_path))
        visitor.ask(thing.agent, Code.GET, path.LIGHT)
        thing.agent.close()
        thing.crash()
        thing.start()
        assert visitor.ask(thing.agent, Code.GET, path.LIGHT).code == Code.CONTENT

    play(story)


def test_what_is_prepared_is_kept_and_only_its_owners(tmp_path):
    prepare(tmp_path)
    before = {file: file.read_bytes() for file in (tmp_path / "visitors").rglob("*") if file.is_file()}
    prepare(tmp_path)
    assert {file: file.read_bytes() for file in before} == before
    assert all(file.stat().st_mode & 0o077 == 0 for file in (tmp_path / "visitors").rglob("*"))
    assert libcoaps(tmp_path).master_secret != aiocoaps(tmp_path).master_secret


def test_a_command_names_files_that_are_there(tmp_path):
    prepare(tmp_path)
    typed = commands(tmp_path, "coap://192.0.2.1:5683", within="nsenter -n ")
    assert all(
        line.startswith("nsenter -n ") and line.endswith("coap://192.0.2.1:5683/light") for line in typed.values()
    )
    conf, sequence = typed["libcoap"].split()[4].split(",")
    assert tmp_path.joinpath(conf).exists()
    assert tmp_path.joinpath(sequence).exists()
    credentials = json.loads(tmp_path.joinpath(typed["aiocoap"].split()[4]).read_bytes())
    assert tmp_path.joinpath(credentials["coap://*"]["oscore"]["basedir"], "settings.json").exists()
