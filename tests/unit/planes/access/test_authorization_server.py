"""What is on disk is what was decided last, whatever else was being written meanwhile."""

import asyncio
import random
from contextlib import suppress
from datetime import timedelta

import pytest

from tests.unit.controller.planes import JumpingClock
from tests.unit.domain.things import a_thing
from thingstead.controller.issuing import Issuing
from thingstead.crypto.algorithm import AlgorithmId
from thingstead.crypto.key import KeyType, generate
from thingstead.domain.lifecycle import Restriction
from thingstead.domain.peer_policy import PeerDecision
from thingstead.errors import StateError, StorageError, TransportError
from thingstead.planes.access.authorization_server import AuthorizationServer
from thingstead.planes.access.issued_tokens import IssuedToken, IssuedTokens
from thingstead.planes.access.join_tokens import Proposal
from thingstead.planes.access.relying_party import RelyingParties
from thingstead.protocols.ace.aif import Scope
from thingstead.protocols.ace.token import token_hash
from thingstead.protocols.ace.token_endpoint import TokenRequest
from thingstead.protocols.edhoc.session import OscoreParameters
from thingstead.secret import Secret

_THING = a_thing()
_QUARANTINED = _THING.evolve(restriction=Restriction.QUARANTINED)
_KEY, _HOLDER, _PUBLIC = (generate(KeyType.P256) for _ in range(3))


class SlowRecords:
    """Keeps in the order of the calls, and lets others run before each call returns."""

    def __init__(self, documents=None):
        self.documents = dict(documents or {})

    def load(self):
        return dict(self.documents)

    def read(self, key):
        return self.documents.get(key)

    def scan(self, first, last):
        return iter(sorted(item for item in self.documents.items() if first <= item[0] < last))

    async def write(self, changes, *, entries=()):
        for key, document in changes.items():
            if document is None:
                self.documents.pop(key, None)
            else:
                self.documents[key] = document
        for _ in range(3):
            await asyncio.sleep(0)


class Live:
    """Associations that are live, with the numbers that they may use."""

    def __init__(self):
        self.live = {}

    def install(self, association):
        self.live[association.thing] = association.sequence

    def end(self, thing):
        return int(self.live.pop(thing, None) is not None)

    def sequence_reserved(self, thing, upto):
        if thing in self.live:
            self.live[thing] = upto

    def is_live(self, thing):
        return thing in self.live

    def last_acceptance(self, thing):
        return None


async def nobody(_thing, _message):
    raise TransportError("off")


def server(records, live, tokens=None):
    return AuthorizationServer(
        records,
        _KEY,
        live,
        tokens or IssuedTokens(SlowRecords(), clock=JumpingClock()),
        RelyingParties(nobody),
        domain="home",
        holder=_HOLDER.public,
        clock=JumpingClock(),
        random_bytes=random.Random(1).randbytes,
        validity=timedelta(days=30),
    )


def proposal(number):
    identifiers = (bytes([number]), bytes([number, 1, 1]))
    oscore = OscoreParameters(
        Secret(bytes([number]) * 16), bytes(8), *identifiers, AlgorithmId.AES_CCM_16_64_128, AlgorithmId.SHA_256
    )
    return Proposal(_PUBLIC.public, oscore, Scope({"/senml": 2}), Scope({}))


async def joined(plane, number=1):
    plane.propose(_THING.id, proposal(number))
    await plane.admit(_THING, cause="joined", transition_id=_THING.transition_id)


def after_restart(records, *, admitted=(_THING.id,)):
    live = Live()
    plane = server(SlowRecords(records.documents), live)
    plane.resume(admitted)
    return live.live


@pytest.mark.requirement("R-09")
def test_numbers_reserved_while_a_thing_is_cut_off_do_not_bring_it_back():
    async def story():
        records, live = SlowRecords(), Live()
        plane = server(records, live)
        await joined(plane)
        cut = plane.restrict(_QUARANTINED, cause="doubt", transition_id=_QUARANTINED.transition_id)
        await asyncio.gather(cut, plane.reserve(_THING.id, 256))
        assert plane.scope_of(_THING.id) is None
        return after_restart(records)

    assert asyncio.run(story()) == {}


@pytest.mark.requirement("R-09")
def test_numbers_reserved_while_a_thing_is_withdrawn_do_not_bring_it_back():
    async def story():
        records, live = SlowRecords(), Live()
        plane = server(records, live)
        await joined(plane)
        gone = plane.withdraw(_THING, cause="retired", transition_id=_THING.transition_id)
        await asyncio.gather(plane.reserve(_THING.id, 256), gone, plane.reserve(_THING.id, 512))
        return records.documents

    assert asyncio.run(story()) == {}


@pytest.mark.spec("RFC 8613 B.1.1")
def test_numbers_reserved_under_an_old_association_do_not_replace_the_new_one():
    async def story():
        records, live = SlowRecords(), Live()
        plane = server(records, live)
        await joined(plane, 1)
        await asyncio.gather(joined(plane, 2), plane.reserve(_THING.id, 256))
        again = server(SlowRecords(records.documents), Live())
        return plane.tokens_of(_THING.id) == again.tokens_of(_THING.id)

    assert asyncio.run(story())


@pytest.mark.spec("RFC 8613 B.1.1")
def test_after_a_restart_numbers_go_on_above_what_was_reserved():
    async def story():
        records, live = SlowRecords(), Live()
        plane = server(records, live)
        await joined(plane)
        await plane.reserve(_THING.id, 256)
        return after_restart(records)

    assert asyncio.run(story()) == {_THING.id: 256}


@pytest.mark.requirement("R-09")
def test_whom_the_states_do_not_admit_is_not_live_after_a_restart():
    async def story():
        records = SlowRecords()
        await joined(server(records, Live()))
        return after_restart(records, admitted=())

    assert asyncio.run(story()) == {}


def test_what_was_proposed_before_a_thing_was_cut_off_is_not_granted_when_it_returns():
    async def story():
        records, live = SlowRecords(), Live()
        plane = server(records, live)
        await joined(plane, 1)
        before = plane.tokens_of(_THING.id)
        plane.propose(_THING.id, proposal(2))
        await plane.restrict(_QUARANTINED, cause="doubt", transition_id=_QUARANTINED.transition_id)
        await plane.admit(_THING, cause="cleared", transition_id=_THING.transition_id)
        return plane.tokens_of(_THING.id) == before

    assert asyncio.run(story())


class FullRecords(SlowRecords):
    """A disk that takes nothing while `is_full`."""

    is_full = False

    async def write(self, changes, *, entries=()):
        if self.is_full:
            raise StorageError("no space left")
        await super().write(changes, entries=entries)


@pytest.mark.requirement("R-09")
def test_keys_that_could_not_be_erased_are_erased_by_the_next_attempt():
    async def story():
        records, live = FullRecords(), Live()
        plane = server(records, live)
        await joined(plane)
        records.is_full = True
        with pytest.raises(StorageError):
            await plane.withdraw(_THING, cause="retired", transition_id=_THING.transition_id)
        assert live.live == {}
        records.is_full = False
        await plane.withdraw(_THING, cause="retired", transition_id=_THING.transition_id)
        return records.documents

    assert asyncio.run(story()) == {}


@pytest.mark.requirement("R-09")
def test_what_a_join_left_behind_that_came_to_nothing_is_granted_to_nobody():
    async def story():
        plane = server(SlowRecords(), Live())
        plane.propose(_THING.id, proposal(1))
        plane.retract(_THING.id)
        await plane.admit(_THING, cause="released", transition_id=_THING.transition_id)
        return plane.scope_of(_THING.id)

    assert asyncio.run(story()) is None


def test_tokens_are_handed_out_from_disk_and_to_nobody_once_they_are_gone_there():
    async def story():
        records = SlowRecords()
        plane = server(records, Live())
        await joined(plane)
        handed_out = plane.tokens_of(_THING.id)
        records.documents.clear()
        for ask in (plane.tokens_of, plane.holder_of):
            with pytest.raises(StorageError):
                ask(_THING.id)
        return handed_out, plane.scope_of(_THING.id)

    (access_token, granted_token), scope = asyncio.run(story())
    assert access_token != granted_token
    assert scope == Scope({"/senml": 2, "/grant": 1, "/revoke/trl": 1, "/token": 2, "/introspect": 2})


def test_a_thing_is_withdrawn_even_where_its_document_is_gone_from_disk():
    async def story():
        records = SlowRecords()
        plane = server(records, Live())
        await joined(plane)
        records.documents.clear()
        await plane.withdraw(_THING, cause="retired", transition_id=_THING.transition_id)
        return plane.scope_of(_THING.id)

    assert asyncio.run(story()) is None


def test_things_of_equal_scope_share_it():
    async def story():
        plane = server(SlowRecords(), Live())
        for thing in (_THING, a_thing(1)):
            plane.propose(thing.id, proposal(1 if thing is _THING else 2))
            await plane.admit(thing, cause="joined", transition_id=thing.transition_id)
        return plane.scope_of(_THING.id), plane.scope_of(a_thing(1).id)

    one, other = asyncio.run(story())
    assert one is other


_PEER_TOKEN = IssuedToken("thing-bbbbbbbbbbbbbbbb", _THING.id, JumpingClock().utc() + timedelta(days=1))
_HASH = b"\x01" + bytes(32)


@pytest.mark.requirement("R-09")
@pytest.mark.spec("RFC 9770 5.1")
@pytest.mark.parametrize("end", ["restrict", "withdraw"])
def test_what_a_thing_has_at_others_and_they_at_it_is_revoked_when_it_goes(end):
    async def story():
        tokens = IssuedTokens(SlowRecords(), clock=JumpingClock())
        plane = server(SlowRecords(), Live(), tokens)
        await joined(plane)
        await tokens.note(_HASH, _PEER_TOKEN)
        await getattr(plane, end)(_QUARANTINED, cause="doubt", transition_id=_QUARANTINED.transition_id)
        return tokens.find(_HASH)

    assert asyncio.run(story()).is_revoked


@pytest.mark.spec("RFC 9770 5.1")
def test_the_tokens_of_its_join_are_on_the_list_when_a_thing_is_withdrawn():
    async def story():
        tokens = IssuedTokens(SlowRecords(), clock=JumpingClock())
        plane = server(SlowRecords(), Live(), tokens)
        await joined(plane)
        held = plane.tokens_of(_THING.id)
        await plane.withdraw(_THING, cause="retired", transition_id=_THING.transition_id)
        return {token_hash(one) for one in held}, {name for name, one in tokens.of("") if one.is_revoked}

    held, revoked = asyncio.run(story())
    assert held == revoked


@pytest.mark.requirement("R-09")
@pytest.mark.parametrize("end", ["restrict", "withdraw"])
@pytest.mark.parametrize("leaves", [0, 1], ids=["client", "server"])
@pytest.mark.parametrize("turns", range(12))
def test_no_token_counts_that_is_issued_while_one_of_its_two_goes(end, leaves, turns):
    client, light = a_thing(0), a_thing(1)
    gone = (client, light)[leaves]
    decision = PeerDecision("switches", Scope({"/light": 4}), timedelta(hours=2))

    async def story():
        tokens = IssuedTokens(SlowRecords(), clock=JumpingClock())
        plane = server(SlowRecords(), Live(), tokens)
        for number, thing in enumerate((client, light), 1):
            plane.propose(thing.id, proposal(number))
            await plane.admit(thing, cause="joined", transition_id=thing.transition_id)
        issuer = Issuing("home", _KEY, JumpingClock(), random.Random(1).randbytes).issuer(tokens, plane)

        async def ask():
            with suppress(StateError):
                await issuer.issue(client.id, light.id, TokenRequest(light.id), decision)

        async with asyncio.TaskGroup() as both:
            both.create_task(ask())
            for _ in range(turns):
                await asyncio.sleep(0)
            await getattr(plane, end)(gone, cause="doubt", transition_id=gone.transition_id)
        return [one for _, one in tokens.of(gone.id) if not one.is_revoked]

    assert asyncio.run(story()) == []
