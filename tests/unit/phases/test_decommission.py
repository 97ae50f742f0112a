import asyncio
from datetime import timedelta

import pytest

from tests.unit.controller.planes import JumpingClock
from tests.unit.domain.things import AT, a_thing
from thingstead.crypto.digest import digest
from thingstead.crypto.key import KeyType, generate
from thingstead.errors import SecurityError, StateError, TransportError
from thingstead.phases.decommission import Decommission, Farewell
from thingstead.protocols.coap.message import Message
from thingstead.protocols.coap.registry import Code
from thingstead.protocols.profile import wipe
from thingstead.protocols.profile.custody import Owner

pytestmark = pytest.mark.requirement("R-09")

_THING = a_thing().id
_KEY, _OWNER = generate(KeyType.P256), generate(KeyType.P256)


class _Records:
    def __init__(self):
        self.documents = {}

    def load(self):
        return dict(self.documents)

    async def write(self, changes, *, entries=()):
        self.documents.update(changes)


def _receipt(request, thing=_THING, key=_KEY):
    nonce = wipe.decode_request(request.payload).nonce
    return Message(Code.CHANGED, payload=wipe.sign(thing, "home", ("association",), at=AT, nonce=nonce, key=key))


def _part(answer, records=None, holder=lambda _thing: _KEY.public):
    async def ask(_thing, request, within):
        assert within == 15.0
        result = answer(request)
        if isinstance(result, Exception):
            raise result
        return result

    decommission = Decommission(
        records or _Records(),
        ask=ask,
        holder=holder,
        domain="home",
        owner=_OWNER,
        clock=JumpingClock(),
        random_bytes=lambda size: bytes(range(size)),
    )
    return decommission, asyncio.run(decommission.part(_THING))


@pytest.mark.parametrize(
    ("answer", "failure"),
    [
        (lambda _request: TransportError("silent", reason="timeout"), "timeout"),
        (lambda _request: StateError("gone", reason="ended"), "ended"),
        (lambda _request: SecurityError("4.01", reason="refused"), "refused"),
        (lambda _request: Message(Code.FORBIDDEN), "not-wiped"),
        (lambda _request: Message(Code.CHANGED, payload=b"fine"), "malformed"),
        (lambda request: _receipt(request, thing="thing-2"), "receipt"),
        (lambda request: _receipt(request, key=generate(KeyType.P256)), "unauthenticated"),
    ],
)
def test_whatever_a_thing_does_instead_the_parting_goes_on_and_says_that_there_is_no_receipt(answer, failure):
    records = _Records()
    decommission, farewell = _part(answer, records)
    assert farewell == Farewell(b"", failure=failure)
    assert farewell.evidence() == {"wipe_receipt": None, "no_receipt": failure}
    assert (records.documents, decommission.kept(_THING, None, since=None)) == ({}, None)


def test_a_thing_that_holds_no_token_is_not_asked():
    def holder(_thing):
        raise StateError("no token", reason="none")

    _, farewell = _part(lambda _request: pytest.fail("asked"), holder=holder)
    assert farewell.failure == "none"


def test_a_receipt_is_kept_and_its_hash_is_the_evidence():
    records = _Records()
    decommission, farewell = _part(_receipt, records)
    assert farewell.erased == ("association",)
    assert farewell.evidence() == {"wipe_receipt": digest(farewell.receipt)}
    assert decommission.kept(_THING, None, since=None) == farewell
    again, _ = _part(lambda _request: pytest.fail("asked"), records)
    assert again.kept(_THING, None, since=None) == farewell


def test_a_receipt_alone_as_it_was_kept_before_is_read_and_used_for_nothing():
    records = _Records()
    records.documents[_THING] = wipe.sign(_THING, "home", (), at=AT, nonce=bytes(16), key=_KEY)
    decommission, farewell = _part(_receipt, records)
    assert farewell.erased == ("association",), "it was asked"
    assert decommission.kept(_THING, None, since=None) == farewell


def test_what_a_thing_gave_in_another_life_is_not_used_in_this_one():
    decommission, farewell = _part(_receipt)
    assert decommission.kept(_THING, None, since=farewell.at) is None
    assert decommission.kept(_THING, None, since=farewell.at - timedelta(seconds=1)) == farewell


def test_what_it_gave_for_one_owner_is_not_used_for_another_nor_where_nobody_was_named():
    decommission, _ = _part(_receipt)
    assert decommission.kept(_THING, Owner("buyer", _OWNER.public), since=None) is None
