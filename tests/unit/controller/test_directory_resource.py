"""The directory's paths: each needs its right, a thing reaches its own registration alone, and we ask nobody unseen."""

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest

from tests.unit.planes.access.test_resource_directory import ONE, TWO, Desk
from thingstead.controller.directory_resource import DirectoryResource
from thingstead.endpoint.event import AssociationId, ExchangeId, RequestReceived
from thingstead.endpoint.resource import Resources
from thingstead.protocols.ace.aif import Scope
from thingstead.protocols.coap.message import Message, request
from thingstead.protocols.coap.registry import Code

ALL = Scope({"/rd": 2, "/rd/own": 10, "/.well-known/rd": 2, "/rd-lookup/ep": 1, "/rd-lookup/res": 1})
AT = ("192.0.2.1", 5683)


class Site(Desk):
    def __init__(self, scope=ALL):
        super().__init__()
        self.challenged: list[object] = []
        self.said = Message(Code.CONTENT, payload=b"</light>;rt=light")
        self.resources_ = Resources(lambda event: None if event.association is None else (event.association, scope))
        server: Any = SimpleNamespace(
            deferred=lambda work: lambda call: self._run(work, call),
            challenge=self.challenged.append,
            request=self._tell,
        )
        DirectoryResource(self.directory, server).serve(self.resources_)

    def _run(self, work, call):
        return asyncio.run(work(call))

    async def _tell(self, thing, asked, *, within):
        assert asked.path == "/.well-known/core"
        return self.said

    def ask(self, method, path, *query, payload=b"", whom=ONE, is_fresh=True):
        links = 40 if payload else None
        message = request(method, path, payload=payload, query=query, content_format=links)
        association = None if whom is None else AssociationId(whom)
        event = RequestReceived(ExchangeId(1), message, AT, association, None, None, None, is_fresh, False)
        return self.resources_.answer(event, 0.0)

    def code(self, *words, **changes):
        return self.ask(*words, **changes).code


def location(message):
    return [value for number, value in message.options if number == 8]


@pytest.mark.spec("RFC 9176 5")
def test_from_registration_to_removal():
    site = Site()
    made = site.ask(Code.POST, "/rd", "ep=one", "lt=60", payload=b"</light>;rt=light")
    assert (made.code, location(made)) == (Code.CREATED, [b"rd", b"own"])
    found = site.ask(Code.GET, "/rd-lookup/res", "rt=light", whom=TWO)
    assert found.payload == b'<coap://192.0.2.1:5683/light>;rt="light"'
    assert site.code(Code.POST, "/rd/own", "lt=120") == Code.CHANGED
    assert b'lt="120"' in site.ask(Code.GET, "/rd-lookup/ep").payload
    assert site.code(Code.DELETE, "/rd/own") == Code.DELETED
    assert site.ask(Code.GET, "/rd-lookup/ep").payload == b""


@pytest.mark.requirement("R-34")
@pytest.mark.spec("RFC 9176 7.1")
def test_a_thing_reaches_no_registration_but_its_own():
    site = Site()
    site.ask(Code.POST, "/rd", "ep=one")
    assert site.code(Code.POST, "/rd", "ep=one", whom=TWO) == Code.FORBIDDEN
    assert site.code(Code.POST, "/rd/own", "lt=1", "ep=one", whom=TWO) == Code.NOT_FOUND
    assert site.code(Code.DELETE, "/rd/own", whom=TWO) == Code.NOT_FOUND
    assert site.endpoints() == ["one"]


@pytest.mark.parametrize(
    ("method", "path", "query", "payload"),
    [
        (Code.POST, "/rd", (), b""),
        (Code.POST, "/rd", ("ep=",), b""),
        (Code.POST, "/rd", ("ep=a", "base=coap://203.0.113.9"), b""),
        (Code.POST, "/rd", ("ep=a",), b"nonsense"),
        (Code.POST, "/rd/own", ("lt=x",), b""),
        (Code.POST, "/rd/own", ("lt=5",), b"</a>"),
        (Code.GET, "/rd-lookup/ep", ("page=1",), b""),
        (Code.POST, "/.well-known/rd", ("lt=5",), b""),
    ],
)
def test_nonsense_changes_nothing(method, path, query, payload):
    site = Site()
    assert site.code(method, path, *query, payload=payload) == Code.BAD_REQUEST
    assert len(site.directory) == 0


@pytest.mark.requirement("R-35")
@pytest.mark.parametrize(
    ("method", "path"),
    [(Code.POST, "/rd"), (Code.DELETE, "/rd/own"), (Code.POST, "/.well-known/rd"), (Code.GET, "/rd-lookup/ep")],
)
def test_each_path_needs_its_right(method, path):
    assert Site(Scope({})).code(method, path, "ep=a") == Code.FORBIDDEN
    assert Site().code(method, path, "ep=a", whom=None) == Code.UNAUTHORIZED


@pytest.mark.spec("RFC 9176 5.1")
def test_who_registers_simply_is_asked_what_it_has():
    site = Site()
    assert site.code(Code.POST, "/.well-known/rd", "ep=one", "lt=60") == Code.CHANGED
    assert site.resources("rt=light") == ["coap://192.0.2.1:5683/light"]


@pytest.mark.spec("RFC 9176 7.4")
def test_nobody_is_asked_before_its_source_has_shown_itself():
    site = Site()
    assert site.ask(Code.POST, "/.well-known/rd", "ep=one", is_fresh=False) is None
    assert len(site.challenged) == 1
    assert len(site.directory) == 0


def test_who_does_not_say_what_it_has_is_not_registered():
    site = Site()
    site.said = Message(Code.NOT_FOUND)
    assert site.code(Code.POST, "/.well-known/rd", "ep=one") == Code.GATEWAY_TIMEOUT
    assert len(site.directory) == 0
