import pytest

from thingstead.endpoint.event import AssociationId, ExchangeId, RequestReceived
from thingstead.endpoint.resource import Call, Resources
from thingstead.errors import DecodeError, ForbiddenError
from thingstead.protocols.ace.aif import Permission, Scope
from thingstead.protocols.coap.block import entity_tag
from thingstead.protocols.coap.message import Message, request
from thingstead.protocols.coap.problem import Problem, decode_problem
from thingstead.protocols.coap.registry import Code, OptionNumber

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


@pytest.mark.spec("RFC 7252 5.8")
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
        (_event(Code.POST, "/hello", association=None), Code.METHOD_NOT_ALLOWED, "unknown method"),
        (_event(8, "/light", association=None), Code.METHOD_NOT_ALLOWED, "unknown method"),
        (_event(31, "/nothing", association=None), Code.METHOD_NOT_ALLOWED, "unknown method"),
        (_event(31, "/light"), Code.METHOD_NOT_ALLOWED, "method"),
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


def _ask(code, *options, association="thing", path="/light", **registered):
    written = []

    def write(call):
        written.append(call)
        return Message(Code.CHANGED)

    resources = Resources(lambda event: None if event.association is None else (event.association, _SCOPE))
    told = [(int(OptionNumber.CONTENT_FORMAT), b"")]
    resources.register("/light", Code.GET, lambda _call: Message(Code.CONTENT, options=told, payload=b"off"))
    resources.register("/light", Code.PUT, write, **registered)
    resources.register("/hello", Code.GET, lambda _call: Message(Code.CONTENT, payload=b"hello"), public=True)
    event = _event(code, path, association=association)
    event.message = event.message.with_options(*[(int(number), value) for number, value in options])
    answer = resources.answer(event, 0.0)
    return answer, len(written)


@pytest.mark.spec("RFC 7252 5.10.8")
@pytest.mark.parametrize(
    ("option", "code", "writes"),
    [
        ((OptionNumber.IF_MATCH, entity_tag(b"off")), Code.CHANGED, 1),
        ((OptionNumber.IF_MATCH, b""), Code.CHANGED, 1),
        ((OptionNumber.IF_MATCH, entity_tag(b"on")), Code.PRECONDITION_FAILED, 0),
        ((OptionNumber.IF_NONE_MATCH, b""), Code.PRECONDITION_FAILED, 0),
        ((OptionNumber.CONTENT_FORMAT, b"\x32"), Code.UNSUPPORTED_CONTENT_FORMAT, 0),
        ((OptionNumber.CONTENT_FORMAT, b"\x3c"), Code.CHANGED, 1),
        ((OptionNumber.ACCEPT, b"\x3c"), Code.NOT_ACCEPTABLE, 0),
    ],
)
def test_nothing_is_written_unless_every_condition_holds(option, code, writes):
    answer, written = _ask(Code.PUT, option, consumes=(60,))
    assert (answer.code, written) == (code, writes)


@pytest.mark.spec("RFC 9290 2")
@pytest.mark.parametrize(
    ("option", "title"),
    [((OptionNumber.IF_NONE_MATCH, b""), "precondition"), ((OptionNumber.ACCEPT, b"\x3c"), "not-acceptable")],
)
def test_a_peer_is_told_by_name_what_its_request_lacks(option, title):
    answer, _ = _ask(Code.PUT, option)
    assert decode_problem(answer.payload) == Problem(title=title)


@pytest.mark.spec("RFC 9290 5")
@pytest.mark.parametrize(
    ("code", "path", "association"),
    [(Code.GET, "/hello", None), (Code.GET, "/nothing", "thing"), (Code.PUT, "/light", None), (Code.GET, "/x", None)],
)
def test_nobody_else_is_told_more_than_a_code(code, path, association):
    answer, _ = _ask(code, (OptionNumber.ACCEPT, b"\x3c"), path=path, association=association)
    assert answer.code >= Code.BAD_REQUEST
    assert answer.payload == b""


@pytest.mark.requirement("R-35")
def test_a_condition_tells_who_may_not_read_nothing_about_what_is_there():
    scope = Scope({"/light": int(Permission.PUT)})
    resources = Resources(lambda event: (event.association, scope))
    resources.register("/light", Code.GET, lambda _call: pytest.fail("read"))
    resources.register("/light", Code.PUT, lambda _call: pytest.fail("written"))
    event = _event(Code.PUT, "/light")
    event.message = event.message.with_options((int(OptionNumber.IF_MATCH), entity_tag(b"off")))
    answer = resources.answer(event, 0.0)
    assert answer is not None
    assert answer.code == Code.METHOD_NOT_ALLOWED


@pytest.mark.spec("RFC 7252 5.9.1.3")
def test_a_client_that_has_the_representation_is_told_that_it_is_valid():
    answer, _ = _ask(Code.GET, (OptionNumber.ETAG, entity_tag(b"off")))
    assert (answer.code, answer.payload) == (Code.VALID, b"")


@pytest.mark.spec("RFC 9200 5.3")
def test_a_stranger_can_be_told_more_and_nobody_else_is():
    resources = _resources()
    resources.on_stranger = lambda refusal, now: Message(refusal.code, payload=b"%d" % now)
    assert resources.answer(_event(Code.PUT, "/light", association=None), 7.0).payload == b"7"
    assert resources.answer(_event(Code.GET, "/nothing", association=None), 7.0).payload == b"7"
    assert resources.answer(_event(Code.GET, "/secret"), 7.0).payload == b""
    assert resources.answer(_event(Code.POST, "/hello", association=None), 7.0).payload == b""


@pytest.mark.requirement("R-16")
@pytest.mark.parametrize("association", ["thing", None])
def test_a_resource_learns_how_far_a_right_reaches(association):
    seen = []
    resources = _resources()

    def tell(call):
        seen.append(call.scope)
        return Message(Code.CONTENT)

    resources.register("/told", Code.GET, tell, public=True)
    resources.answer(_event(Code.GET, "/told", association=association), 0.0)
    assert seen == [None if association is None else _SCOPE]
