import asyncio
from datetime import timedelta

import pytest

from tests.unit.domain.things import AT, a_thing
from thingstead.domain.plane import Standing
from thingstead.errors import TransportError
from thingstead.planes.groups import record as group_record
from thingstead.planes.groups.relying_party import RelyingParties
from thingstead.planes.groups.standing import probe_of
from thingstead.protocols.ace.aif import Scope
from thingstead.protocols.ace.groupcomm_registry import Role
from thingstead.protocols.coap.message import Message
from thingstead.protocols.coap.registry import Code
from thingstead.protocols.profile.standing import MemberStanding, StandingQuestion, thumbprint

ASKED, ONE, TWO = (a_thing(number).id for number in (0, 1, 2))
LATER = AT + timedelta(minutes=1)


def a_group(name, *things):
    record = group_record.create(name, random_bytes=bytes, at=AT)
    for thing in things:
        record = record.with_member(thing, thing.encode(), roles=Role.RESPONDER, scope=Scope({}), at=AT)
    return record


LAMPS = a_group("lamps", ASKED, ONE, TWO)


class DomainSays:
    """The domain's own membership: in which groups it would accept the thing."""

    def __init__(self, *groups):
        self._groups = groups

    def accepts_member(self, name, credential):
        assert credential == ASKED.encode()
        return name in self._groups


NOWHERE = DomainSays()


def probe(*groups, says=None, domain=NOWHERE, last_response=None):
    """Ask about `ASKED` while each member says what `says` holds for it, and who is not in it nothing."""
    questions = []

    async def ask(thing, message):
        questions.append((thing, StandingQuestion.decode(message.payload)))
        if thing not in (says or {}):
            raise TransportError("silent")
        return Message(Code.CONTENT, payload=says[thing].encode())

    parties = RelyingParties(ask, within=0.01)
    asking = probe_of(
        ASKED,
        groups,
        parties,
        live=domain,
        utc=lambda: LATER + len(questions) * _TAKES,
        last_response=lambda: last_response,
    )
    return asyncio.run(asking), questions


_TAKES = timedelta(seconds=1)
"""That one question takes."""

NO, YES = MemberStanding(False, 1, None), MemberStanding(True, 1, AT)


def test_a_thing_that_was_in_no_group_is_asked_about_nowhere():
    told, questions = probe(a_group("lamps", ONE), says={ONE: YES})
    assert (told.standing, told.detail, questions) == (Standing.ABSENT, "never in a group", [])


def test_every_other_member_is_asked_about_the_credential_and_the_thing_itself_is_not():
    _, questions = probe(LAMPS)
    question = StandingQuestion("lamps", thumbprint(ASKED.encode()))
    assert questions == [(ONE, question), (TWO, question)]


def test_one_member_that_accepts_is_enough_to_be_accepted():
    told, _ = probe(LAMPS, says={ONE: NO, TWO: YES})
    assert (told.standing, told.last_acceptance) == (Standing.ACCEPTED, AT)
    assert told.detail == f"lamps: 2 refuse, {TWO} accept"


def test_the_domain_as_a_member_answers_where_all_others_are_silent():
    told, _ = probe(LAMPS, domain=DomainSays("lamps"))
    assert told.standing is Standing.ACCEPTED
    assert told.detail == f"lamps: 0 refuse, the domain accept, {ONE}, {TWO} silent"


def test_silence_is_no_acceptance_and_no_refusal():
    told, _ = probe(LAMPS, says={ONE: NO})
    assert (told.standing, told.relying_party) == (Standing.REFUSED, "1 members and the domain")
    assert told.detail == f"lamps: 2 refuse, {TWO} silent"


def test_who_left_is_asked_about_by_the_credential_it_left_with():
    told, questions = probe(LAMPS.without_member(ASKED), says={ONE: NO, TWO: NO})
    assert {question.thumbprint for _, question in questions} == {thumbprint(ASKED.encode())}
    assert told.detail == "lamps: 3 refuse"


def test_one_group_that_accepts_among_several_is_told_by_name():
    told, _ = probe(LAMPS, a_group("doors", ASKED, ONE), says={ONE: NO, TWO: NO}, domain=DomainSays("doors"))
    assert told.standing is Standing.ACCEPTED
    assert told.detail == "lamps: 3 refuse; doors: 1 refuse, the domain accept"


@pytest.mark.parametrize(
    ("members", "domain", "last"),
    [(NO, None, None), (YES, None, AT), (NO, LATER, LATER), (YES, LATER, LATER), (YES, AT - timedelta(1), AT)],
)
def test_the_last_acceptance_is_the_latest_that_anybody_tells_of(members, domain, last):
    told, _ = probe(LAMPS, says={ONE: members}, last_response=domain)
    assert told.last_acceptance == last


def test_the_clock_is_read_when_all_have_answered():
    told, questions = probe(LAMPS, says={ONE: YES, TWO: NO})
    assert told.at == LATER + len(questions) * _TAKES
