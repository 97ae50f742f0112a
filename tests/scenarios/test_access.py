"""What a token lets its holder do, and nothing else: every path, every method, every state of a grant."""

from dataclasses import replace
from datetime import timedelta

import pytest

from tests.scenarios.world import POLICY, play
from thingstead.agent import association as association_codec
from thingstead.agent.story import Request
from thingstead.crypto.algorithm import AlgorithmId
from thingstead.errors import ThingsteadError
from thingstead.identifier import KeyId
from thingstead.protocols.ace import token
from thingstead.protocols.ace.aif import Permission, Scope
from thingstead.protocols.coap.message import request
from thingstead.protocols.coap.registry import Code
from thingstead.protocols.cwt import ccs

_METHODS = (Code.GET, Code.POST, Code.PUT, Code.DELETE, Code.FETCH, Code.PATCH, Code.IPATCH)
_MISSPELT = ("/", "/Senml", "/senml/x", "/senmlx", "/wipe", "/.well-known/edhoc/x", "/unknown")
_REFUSED = {Code.UNAUTHORIZED, Code.FORBIDDEN, Code.METHOD_NOT_ALLOWED, Code.NOT_FOUND}


def _paths(resources):
    return [*resources.paths(public=False), *_MISSPELT]


def _matrix(paths, scope):
    """All requests that `scope` does not hold."""
    for path in paths:
        for method in _METHODS:
            if not scope.grants.get(path, 0) >> (method - 1) & 1:
                yield path, method


@pytest.mark.requirement("R-35")
def test_no_request_of_a_thing_beyond_its_scope_is_served():
    async def story(world):
        (thing,) = await world.joined("A0001")
        resources = world.domain.controller.resources
        scope = world.domain.controller.planes.access.scope_of(thing.id)
        public = resources.paths(public=True)
        asked = 0
        for path, method in _matrix(_paths(resources), scope):
            if path in public:
                continue
            answer = await world.ask(thing, request(method, path, payload=b"\xf6"))
            assert answer.code in _REFUSED, (path, method, answer.code)
            asked += 1
        assert asked > 60

    play(story)


@pytest.mark.requirement("R-35")
def test_no_request_of_the_domain_beyond_its_scope_is_served_by_a_thing():
    async def story(world):
        (thing,) = await world.joined("A0001")
        member = thing.agent.member
        switched = thing.lamp.switched
        public = thing.agent.resources.paths(public=True)
        for path, method in _matrix(_paths(thing.agent.resources), member.scope):
            if path in public:
                continue
            message = request(method, path, payload=b"\xf5")
            answer = await world.domain.controller.server.request(thing.id, message)
            assert answer.code in _REFUSED, (path, method, answer.code)
        assert thing.lamp.switched == switched
        assert thing.is_joined

    play(story, policy=POLICY.replace('"/light" = ["GET", "PUT"]', '"/light" = ["GET"]'))


@pytest.mark.requirement("R-35")
def test_a_thing_that_is_suspended_expired_or_retired_is_served_nothing_that_is_not_public():
    async def story(world):
        things = await world.joined("A0001", "A0002", "A0003")
        suspended, retired, expired = things
        for thing in things:
            thing.agent.stories.stop_all(world.clock.now())
        await world.domain.ask("thing.quarantine", thing=suspended.id)
        thing_id = retired.id
        kept = dict(retired.disk)
        await world.domain.ask("thing.retire", thing=thing_id)
        retired.crash()
        retired.disk.update(kept)
        retired.start()
        world.clock.skew += timedelta(days=91)
        resources = world.domain.controller.resources
        for thing in (suspended, expired):
            for path in sorted(set(resources.paths(public=False)) - set(resources.paths(public=True))):
                for method in _METHODS:
                    code = await _code(world, thing, request(method, path))
                    assert code in {Code.UNAUTHORIZED, None}, (thing.serial, path, method, code)
        assert world.domain.controller.planes.access.scope_of(thing_id) is None

    play(story)


@pytest.mark.requirement("R-35")
@pytest.mark.parametrize("path", ["/senml", "/credential", "/update"])
def test_what_comes_in_clear_is_refused_whatever_it_asks(path):
    async def story(world):
        (thing,) = await world.joined("A0001")
        for method in _METHODS:
            answer = await world.ask(thing, request(method, path), protected=False)
            assert answer.code == Code.UNAUTHORIZED

    play(story)


def _edited(world, thing, association):
    changed = bytearray(association.granted_token)
    changed[len(changed) // 2] ^= 1
    return bytes(changed)


def _issued(world, thing, **changes):
    keys = world.domain.keys
    own = ccs.decode(thing.agent.association.domain_credential)
    values = {
        "issuer": "home",
        "subject": "home",
        "audience": thing.id,
        "scope": Scope({"/light": int(Permission.PUT)}),
        "at": world.clock.utc().replace(microsecond=0),
        "expires": world.clock.utc().replace(microsecond=0) + timedelta(days=1),
        "cti": bytes(8),
        "signature_id": AlgorithmId.ESP256,
    }
    holder = changes.pop("holder", own.public)
    signer = changes.pop("signer", keys.handle(KeyId("access")))
    return token.issue(holder, signer, **(values | changes))


_WRONG = {
    "edited": _edited,
    "for another audience": lambda world, thing, _kept: _issued(world, thing, audience="thing-aaaaaaaaaaaaaaaa"),
    "of another issuer": lambda world, thing, _kept: _issued(world, thing, issuer="elsewhere"),
    "bound to another key": lambda world, thing, _kept: _issued(
        world, thing, holder=world.domain.keys.handle(KeyId("ledger")).public
    ),
    "signed by another key": lambda world, thing, _kept: _issued(
        world, thing, signer=world.domain.keys.handle(KeyId("identity"))
    ),
    "run out": lambda world, thing, _kept: _issued(
        world,
        thing,
        at=world.clock.utc().replace(microsecond=0) - timedelta(days=9),
        expires=world.clock.utc().replace(microsecond=0) - timedelta(days=1),
    ),
    "the thing's own": lambda _world, _thing, kept: kept.access_token,
}


@pytest.mark.requirement("R-35")
@pytest.mark.parametrize("wrong", _WRONG)
def test_a_thing_takes_no_wrong_token_of_its_domain(wrong):
    async def story(world):
        (thing,) = await world.joined("A0001")
        kept = thing.agent.association
        changed = replace(kept, granted_token=_WRONG[wrong](world, thing, kept))
        thing.crash()
        world.network.on_path = lambda _datagram: ()
        thing.disk["association"] = association_codec.encode(changed)
        thing.start()
        await world.sleep(5)
        assert not thing.is_joined

    play(story)


async def _code(world, thing, message):
    """The code of an answer, None where the request could not even be sent or was refused unprotected."""
    answers = []

    def story():
        try:
            answers.append((yield Request(message)).code)
        except ThingsteadError:
            answers.append(None)

    thing.agent.stories.start("test", story(), world.clock.now())
    thing.flush()
    await world.until(lambda: answers)
    return answers[0]
