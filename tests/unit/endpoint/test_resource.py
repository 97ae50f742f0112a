import pytest

from thingstead.endpoint.event import AssociationId, ExchangeId, RequestReceived
from thingstead.endpoint.resource import Call, Resources
from thingstead.errors import DecodeError, ForbiddenError
from thingstead.protocols.ace.aif import Permission, Scope
from thingstead.protocols.coap.code import Code
from thingstead.protocols.coap.message import Message, request

_SCOPE = Scope({"/light": int(Permission.GET | Permission.PUT), "/gone": int(Permission.GET)})


def _event(code, path, *, association="thing"):
    known = None if association is None else AssociationId(association)
    return RequestReceived(
        ExchangeId(1), request(code, path), ("192.0.2.1", 5683), known, None, None, None, False, False
    )


def _resources(handler=lambda _call: Message(Code.CHANGED)):
    resources = Resources(lambda event: None if event.association is None else (event.association, _SCOPE))
    resources.register("/light", Code.PUT, handler)
    resources.register("/hello", Code.GET, handler, public=True)
    resources.register("/secret", Code.GET, handler)
    return resources


@pytest.mark.requirement("R-35")
@pytest.mark.parametrize(
    ("event", "code", "reason"),
    [
        (_event(Code.PUT, "/light", association=None), Code.UNAUTHORIZED, "unprotected"),
        (_event(Code.GET, "/nothing", association=None), Code.UNAUTHORIZED, "unprotected"),
        (_event(Code.GET, "/secret"), Code.FORBIDDEN, "forbidden"),
        (_event(Code.GET, "/nothing"), Code.FORBIDDEN, "forbidden"),
        (_event(Code.DELETE, "/light"), Code.METHOD_NOT_ALLOWED, "method"),
        (_event(Code.GET, "/light"), Code.METHOD_NOT_ALLOWED, "unknown method"),
        (_event(Code.GET, "/gone"), Code.NOT_FOUND, "unknown path"),
        (_event(Code.POST, "/hello"), Code.FORBIDDEN, "forbidden"),
    ],
)
def test_what_is_not_granted_or_not_there_is_refused_and_counted(event, code, reason):
    told = []
    resources = _resources(lambda _call: pytest.fail("reached the handler"))
    resources.on_refusal = lambda _event, peer, why: told.append((peer, why))
    answer = resources.answer(event, 0.0)
    assert answer is not None
    assert (answer.code, answer.payload) == (code, b"")
    assert resources.refused == {reason: 1}
    assert told == [(event.association, reason)]


@pytest.mark.parametrize(
    ("error", "code"), [(DecodeError("no"), Code.BAD_REQUEST), (ForbiddenError("no"), Code.FORBIDDEN)]
)
def test_a_handler_s_error_becomes_its_code_and_says_no_more(error, code):
    def fail(_call):
        raise error

    answer = _resources(fail).answer(_event(Code.PUT, "/light"), 0.0)
    assert answer is not None
    assert (answer.code, answer.payload) == (code, b"")


def test_a_bug_in_a_handler_is_not_hidden():
    with pytest.raises(ZeroDivisionError):
        _resources(lambda _call: 1 / 0).answer(_event(Code.PUT, "/light"), 0.0)


@pytest.mark.parametrize("path", ["light", "", "/light"])
def test_a_path_that_is_relative_or_taken_cannot_be_registered(path):
    with pytest.raises(ValueError, match="path"):
        _resources().register(path, Code.PUT, lambda _call: None)


def test_what_is_granted_reaches_its_handler_with_its_peer():
    calls: list[Call] = []
    _resources(calls.append).answer(_event(Code.PUT, "/light"), 7.0)
    assert [(call.peer, call.now, call.request.code) for call in calls] == [("thing", 7.0, Code.PUT)]


def test_a_public_resource_answers_anyone():
    for association in (None, "thing"):
        answer = _resources().answer(_event(Code.GET, "/hello", association=association), 0.0)
        assert answer is not None
        assert answer.code == Code.CHANGED


def test_what_is_withdrawn_is_there_no_more():
    resources = _resources()
    assert resources.paths(public=True) == ["/hello"]
    resources.withdraw("/hello")
    resources.withdraw("/hello")
    answer = resources.answer(_event(Code.GET, "/hello", association=None), 0.0)
    assert answer is not None
    assert answer.code == Code.UNAUTHORIZED
    assert resources.paths(public=False) == ["/light", "/secret"]


@pytest.mark.requirement("R-35")
@pytest.mark.parametrize(
    ("event", "permitted"),
    [
        (_event(Code.PUT, "/light"), True),
        (_event(Code.GET, "/hello", association=None), True),
        (_event(Code.GET, "/light", association=None), False),
        (_event(Code.DELETE, "/light"), False),
        (_event(Code.GET, "/secret"), False),
        (_event(Code.GET, "/hello"), True),
    ],
)
def test_a_later_block_is_decided_on_as_its_request_was(event, permitted):
    assert _resources().permits(event) is permitted
