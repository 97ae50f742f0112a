"""What a thing tells of others, it tells its domain alone."""

import pytest

from tests.unit.endpoint import ladder
from thingstead.agent import standing
from thingstead.endpoint.event import AssociationId, ExchangeId, RequestReceived
from thingstead.endpoint.resource import Call, Resources
from thingstead.errors import DecodeError, ForbiddenError
from thingstead.protocols.ace.token import token_hash
from thingstead.protocols.coap.message import request
from thingstead.protocols.coap.registry import Code
from thingstead.protocols.profile.standing import HolderQuestion, MemberStanding, StandingQuestion

pytestmark = pytest.mark.requirement("R-09")
_HASH = token_hash(b"a token")
_MEMBER, _HOLDER = MemberStanding(True, 7, None), MemberStanding(False, 0, None)


def ask(payload, *, by_domain=True):
    asked = []

    def answer(standing):
        def told(question):
            asked.append(question)
            return standing

        return told

    resources = Resources(lambda _event: None)
    standing.serve(resources, member=answer(_MEMBER), holder=answer(_HOLDER))
    message = request(Code.FETCH, "/standing", payload=payload)
    known = AssociationId("domain") if by_domain else None
    event = RequestReceived(ExchangeId(1), message, ladder.THING, known, None, None, None, True, False)
    response = resources._handlers["/standing"][Code.FETCH](Call(message, event, "domain", 0.0))
    assert response is not None
    return MemberStanding.decode(response.payload), asked


def test_who_answers_depends_on_what_is_asked():
    question = StandingQuestion("lamps", bytes(32))
    assert ask(question.encode()) == (_MEMBER, [question])
    assert ask(HolderQuestion((_HASH,)).encode()) == (_HOLDER, [(_HASH,)])


@pytest.mark.parametrize("question", [StandingQuestion("lamps", bytes(32)), HolderQuestion((_HASH,))], ids=["of", "by"])
def test_a_member_of_a_group_is_told_nothing_of_others(question):
    with pytest.raises(ForbiddenError):
        ask(question.encode(), by_domain=False)


@pytest.mark.parametrize("payload", [b"", b"\xff", b"\x80", b"\x81\x80"], ids=bytes.hex)
def test_what_is_no_question_is_refused(payload):
    with pytest.raises(DecodeError):
        ask(payload)
