"""One path for each group: only a thing whose token names the group gets its keys there."""

import asyncio
from typing import Any

import pytest

from tests.unit.domain.things import a_thing
from tests.unit.endpoint import ladder
from tests.unit.planes.groups.parties import MAY_JOIN, Domain, joining
from thingstead.controller.group_resource import GroupResources
from thingstead.endpoint.event import AssociationId, ExchangeId, RequestReceived
from thingstead.endpoint.resource import Resources
from thingstead.errors import DecodeError, ForbiddenError
from thingstead.protocols.ace.aif import Permission, Scope
from thingstead.protocols.ace.groupcomm import GroupKeys
from thingstead.protocols.ace.groupcomm_join import JoinResponse, decode_challenge
from thingstead.protocols.coap.message import request
from thingstead.protocols.coap.registry import Code, ContentFormat

pytestmark = pytest.mark.spec("RFC 9594 4.3.1")
THING, STRANGER = a_thing(1), a_thing(2)
ALL = Scope({f"/ace-group/{name}": int(Permission.GET | Permission.POST) for name in ("lamps", "doors")})


class Server:
    """Runs what takes time at once, and keeps what came of it."""

    def __init__(self):
        self.outcomes = []

    def deferred(self, work):
        def begin(call):
            self.outcomes.append(work(call))

        return begin


class Site:
    """A Group Manager behind its paths, and who asks there."""

    def __init__(self):
        self.domain = Domain()
        self.waiting: set[str] = set()
        server: Any = Server()
        self.server = server
        self.resources = Resources(lambda event: None if event.association is None else (event.association, ALL))
        self.groups = GroupResources(self.resources, self.server, self.domain.manager, self.require)

    def require(self, thing):
        if thing in self.waiting:
            raise ForbiddenError("it waits for evidence", reason="attestation")

    async def ask(self, method, thing=THING, payload=b"", name="lamps"):
        message = request(method, f"/ace-group/{name}", payload=payload)
        event = RequestReceived(
            ExchangeId(1), message, ladder.THING, AssociationId(thing.id), None, None, None, False, False
        )
        answer = self.resources.answer(event, 0.0)
        return answer if self.server.outcomes == [] else await self.server.outcomes.pop()


def play(story):
    async def whole():
        site = Site()
        await site.domain.manager.create("lamps")
        site.groups.serve()
        await site.domain.admitted(THING, MAY_JOIN)
        return await story(site)

    return asyncio.run(whole())


@pytest.mark.parametrize("payload", [b"", b"\xff", b"\xa0", joining(b"challenge").encode()])
def test_who_may_not_join_gets_neither_challenge_nor_keys(payload):
    async def story(site):
        with pytest.raises((ForbiddenError, DecodeError)):
            await site.ask(Code.POST, STRANGER, payload)

    play(story)


@pytest.mark.requirement("R-22")
def test_a_thing_whose_evidence_does_not_pass_gets_no_keys():
    async def story(site):
        site.waiting.add(THING.id)
        with pytest.raises(ForbiddenError, match="evidence"):
            await site.ask(Code.POST, payload=joining(b"challenge").encode())

    play(story)


def test_who_is_no_member_is_not_told_the_keys():
    with pytest.raises(ForbiddenError) as refused:
        play(lambda site: site.ask(Code.GET))
    assert refused.value.spec == "RFC 9594 §4.3.2"


def test_a_group_that_is_not_there_has_no_path():
    assert play(lambda site: site.ask(Code.GET, name="doors")).code == Code.NOT_FOUND


def test_a_request_without_a_payload_is_answered_by_a_challenge():
    answer = play(lambda site: site.ask(Code.POST))
    assert answer.code == Code.BAD_REQUEST
    assert answer.uint_option(12) == ContentFormat.ACE_GROUPCOMM_CBOR
    assert decode_challenge(answer.payload)


def test_a_member_joins_once_and_may_ask_for_its_keys_again():
    async def story(site):
        challenge = decode_challenge((await site.ask(Code.POST)).payload)
        joined = await site.ask(Code.POST, payload=joining(challenge).encode())
        return joined, await site.ask(Code.GET)

    joined, told = play(story)
    assert (joined.code, told.code) == (Code.CREATED, Code.CONTENT)
    assert JoinResponse.decode(joined.payload).keys.num == GroupKeys.decode(told.payload).num


def test_a_group_that_is_made_later_is_served_and_none_twice():
    async def story(site):
        await site.domain.manager.create("doors")
        site.groups.serve()
        site.groups.serve()
        with pytest.raises(ForbiddenError):
            await site.ask(Code.GET, name="doors")
        return site.resources.paths(public=False)

    assert play(story) == ["/ace-group/doors", "/ace-group/lamps"]


@pytest.mark.requirement("R-22")
def test_a_member_whose_evidence_passes_no_more_gets_no_newer_keys():
    async def story(site):
        await site.domain.joined(THING)
        assert (await site.ask(Code.GET)).code == Code.CONTENT
        site.waiting.add(THING.id)
        with pytest.raises(ForbiddenError, match="evidence"):
            await site.ask(Code.GET)

    play(story)
