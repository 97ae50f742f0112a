"""What a client brings to /authz-info, and the code that it gets for what it should not have brought."""

from dataclasses import replace
from datetime import timedelta

import pytest

from tests.unit.agent.peers import LIGHT, MATERIAL, SWITCH, SWITCH_AT, TOKEN_KEY, Light
from tests.unit.agent.test_peer_server import meet
from thingstead.agent.session_table import PEER_PREFIX
from thingstead.crypto.key import KeyType, generate
from thingstead.endpoint.event import AssociationId
from thingstead.protocols.ace import sealed_token
from thingstead.protocols.ace.aif import Scope
from thingstead.protocols.ace.token_upload import TokenUpload, UploadAnswer
from thingstead.protocols.cbor import codec
from thingstead.protocols.coap.message import request
from thingstead.protocols.coap.registry import Code
from thingstead.secret import Secret

pytestmark = [pytest.mark.requirement("R-35"), pytest.mark.requirement("R-57")]
_NONCE, _ID = bytes(8), b"\x16\x45"
_OTHER = generate(KeyType.P256)
_MET = AssociationId(PEER_PREFIX + SWITCH)


def post(payload, content_format=19):
    return request(Code.POST, "/authz-info", payload=payload, content_format=content_format)


def upload(light, access_token=None, nonce=_NONCE, own_id=_ID, **changes):
    shown = light.issue_sealed() if access_token is None else access_token
    return light.answer(post(TokenUpload(shown, nonce, own_id).encode()), **changes)


def waiting(light):
    return dict(light.server._table._waiting)


def proven(light, **changes):
    """An upload, and the first request under its keys; returns the association."""
    upload(light, light.issue_sealed(**changes))
    (name,) = waiting(light)
    light.server.grant(light.event(request(Code.GET, "/light"), association=name))
    return name


def update(light, access_token, association, content_format=19):
    payload = TokenUpload(access_token).encode() if content_format == 19 else access_token
    return light.answer(post(payload, content_format), association=association)


@pytest.fixture
def light():
    return Light()


@pytest.mark.spec("RFC 9203 4.2")
def test_a_token_is_answered_with_a_nonce_and_an_identifier_that_lead_to_the_same_keys(light):
    answer = upload(light)
    assert answer.code == Code.CREATED
    told = UploadAnswer.decode(answer.payload, own_id=_ID)
    client = MATERIAL.context(nonce_1=_NONCE, nonce_2=told.nonce, sender_id=told.recipient_id, recipient_id=_ID)
    (name,) = waiting(light)
    server = light.endpoint.association(name).context
    assert (server.sender.id, server.recipient.id) == (_ID, told.recipient_id)
    sealed = client.sender.aead.encrypt(client.sender.nonce(0), b"on", b"")
    assert server.recipient.aead.decrypt(server.recipient.nonce(0), sealed, b"") == b"on"


@pytest.mark.spec("RFC 9203 7")
def test_the_same_upload_twice_never_leads_to_the_same_keys(light):
    shown = light.issue_sealed()
    answers = set()
    for _ in range(8):
        light.clock.seconds += 1
        answers.add(upload(light, shown, is_fresh=True).payload)
    bases = {light.endpoint.association(name).context.sender.nonce_base for name in waiting(light)}
    assert (len(answers), len(bases)) == (8, 8)


@pytest.mark.spec("RFC 9203 4.2")
@pytest.mark.parametrize("own_id", [b"", b"\x00", bytes(7)])
def test_the_identifier_is_never_the_clients(light, own_id):
    candidates = iter([own_id, b"one", b"one", b"two"])
    light.server._uploads._random_bytes = lambda size: bytes(size) if size == 8 else next(candidates)
    assert UploadAnswer.decode(upload(light, own_id=own_id).payload, own_id=own_id).recipient_id == b"one"
    assert UploadAnswer.decode(upload(light, own_id=own_id).payload, own_id=own_id).recipient_id == b"two"


def test_nothing_is_granted_before_the_keys_are_shown_to_be_known(light):
    upload(light)
    assert light.server.sessions() == {}
    assert light.answer(request(Code.PUT, "/light")).code == Code.UNAUTHORIZED


def test_the_first_request_under_them_opens_the_session(light):
    name = proven(light)
    event = light.event(request(Code.PUT, "/light"), association=name)
    assert light.server.grant(event) == (_MET, Scope({"/light": 4}))


def _ended(light):
    now = light.clock.utc()
    return light.issue_sealed(at=now - timedelta(hours=2), expires=now - timedelta(hours=1))


def _revoked(light):
    shown = light.issue_sealed()
    light.revoke(shown)
    return shown


_TOKENS = {
    "no token": (lambda _light: b"\xf6", Code.BAD_REQUEST),
    "empty": (lambda _light: b"", Code.BAD_REQUEST),
    "cut short": (lambda light: light.issue_sealed()[:-1], Code.BAD_REQUEST),
    "longer": (lambda light: light.issue_sealed() + b"\x00", Code.BAD_REQUEST),
    "edited": (lambda light: light.issue_sealed()[:-1] + b"\x00", Code.UNAUTHORIZED),
    "sealed for another": (lambda light: light.issue_sealed(token_key=Secret(bytes(16))), Code.UNAUTHORIZED),
    "of another signer": (lambda light: light.issue_sealed(signer=_OTHER), Code.UNAUTHORIZED),
    "of another issuer": (lambda light: light.issue_sealed(issuer="elsewhere"), Code.UNAUTHORIZED),
    "ended": (_ended, Code.UNAUTHORIZED),
    "revoked": (_revoked, Code.UNAUTHORIZED),
    "for another thing": (lambda light: light.issue_sealed(audience=SWITCH), Code.FORBIDDEN),
    "bound to a key": (lambda light: light.issue(), Code.BAD_REQUEST),
    "bound to a key, sealed": (
        lambda light: sealed_token.seal(light.issue(), TOKEN_KEY, nonce=bytes(13)),
        Code.BAD_REQUEST,
    ),
    "of a secret that was told before": (lambda light: light.issue_sealed(material=b"\x01"), Code.BAD_REQUEST),
    "of a secret in clear": (lambda light: light.issue(holder=MATERIAL), Code.BAD_REQUEST),
    "of another AEAD": (lambda light: light.issue_sealed(material=replace(MATERIAL, aead_id=99)), Code.BAD_REQUEST),
    "of a short secret": (
        lambda light: light.issue_sealed(material=replace(MATERIAL, master_secret=Secret(bytes(8)))),
        Code.BAD_REQUEST,
    ),
}


@pytest.mark.spec("RFC 9200 5.10.1.1")
@pytest.mark.parametrize("wrong", _TOKENS)
def test_a_wrong_token_gets_its_code_and_keeps_nothing(light, wrong):
    make, code = _TOKENS[wrong]
    answer = upload(light, make(light))
    assert (answer.code, answer.payload) == (code, b"")
    assert waiting(light) == {}


@pytest.mark.spec("RFC 9203 4.2")
@pytest.mark.parametrize(
    ("nonce", "own_id"), [(None, _ID), (_NONCE, None), (None, None), (_NONCE, bytes(8)), (_NONCE, bytes(13))]
)
def test_without_nonce_or_with_an_identifier_that_fits_no_nonce_it_is_a_bad_request(light, nonce, own_id):
    assert upload(light, nonce=nonce, own_id=own_id).code == Code.BAD_REQUEST
    assert waiting(light) == {}


@pytest.mark.parametrize("payload", [b"", b"\xa0", b"\x80", b"token", b"\xa1\x01\x60", b"\xbf", bytes(4096)])
def test_what_is_no_upload_is_a_bad_request(light, payload):
    assert light.answer(post(payload)).code == Code.BAD_REQUEST


@pytest.mark.spec("draft-ietf-ace-edhoc-oscore-profile-11 4.1")
def test_a_token_of_edhocs_profile_does_not_come_in_clear(light):
    assert light.answer(post(light.issue(), content_format=61)).code == Code.BAD_REQUEST


def test_another_content_format_is_refused(light):
    assert light.answer(post(TokenUpload(light.issue_sealed()).encode(), 60)).code == Code.UNSUPPORTED_CONTENT_FORMAT


@pytest.mark.spec("RFC 9200 5.10.1.2")
@pytest.mark.parametrize("method", [Code.GET, Code.PUT, Code.DELETE, Code.FETCH])
def test_nothing_else_is_done_there(light, method):
    assert light.answer(request(method, "/authz-info")).code == Code.METHOD_NOT_ALLOWED


def test_who_is_in_no_domain_takes_no_token(light):
    shown = light.issue_sealed()
    light.server.leave()
    assert upload(light, shown).code == Code.UNAUTHORIZED


@pytest.mark.requirement("R-36")
@pytest.mark.spec("RFC 9200 5.10.1.2")
def test_a_flood_with_a_recorded_token_is_slowed_down_and_bounded(light):
    shown = light.issue_sealed()
    codes = [upload(light, shown, source=(f"192.0.2.{host}", 5683), is_fresh=True).code for host in range(100)]
    assert codes.count(Code.CREATED) == 4
    assert codes.count(Code.TOO_MANY_REQUESTS) == 96
    assert upload(light, is_fresh=True).code == Code.CREATED, "another token is not hindered"
    assert len(waiting(light)) <= 16
    light.clock.seconds += 10
    assert upload(light, shown, is_fresh=True).code == Code.CREATED


@pytest.mark.requirement("R-36")
def test_what_is_counted_of_tokens_is_bounded(light):
    for _ in range(100):
        upload(light, is_fresh=True)
    assert len(light.server._uploads._rates) == 64


@pytest.mark.requirement("R-36")
@pytest.mark.spec("RFC 9175 2.4")
def test_in_a_crowd_a_source_shows_itself_first(light):
    shown = light.issue_sealed()
    for host in range(4):
        assert upload(light, shown, source=(f"192.0.2.{host}", 5683)).code == Code.CREATED
    assert upload(light) is None, "an Echo is asked for"
    assert upload(light, is_fresh=True).code == Code.CREATED


@pytest.mark.requirement("R-36")
def test_strangers_cost_no_signature_and_leave_nothing(light, monkeypatch):
    def fail(*_arguments, **_named):
        raise AssertionError("a signature was verified")

    strange = light.issue_sealed(token_key=Secret(bytes(16)))
    monkeypatch.setattr("thingstead.crypto.key.verify", fail)
    for _ in range(200):
        assert upload(light, strange).code == Code.UNAUTHORIZED
    assert waiting(light) == {}


@pytest.mark.spec("RFC 9203 4.2")
def test_another_token_under_the_same_secret_changes_the_rights(light):
    name = proven(light)
    answer = update(light, light.issue_sealed(material=MATERIAL.id, scope=Scope({"/light": 1})), name)
    assert (answer.code, answer.payload) == (Code.CREATED, b"")
    event = light.event(request(Code.PUT, "/light"), association=name)
    assert light.server.grant(event) == (_MET, Scope({"/light": 1}))


@pytest.mark.spec("draft-ietf-ace-edhoc-oscore-profile-11 4.6")
def test_another_token_of_a_series_changes_the_rights_of_a_session_by_edhoc(light):
    meet(light, light.issue(series=b"series"))
    answer = update(light, light.issue(series=b"series", scope=Scope({"/light": 1})), _MET, 61)
    assert (answer.code, answer.payload) == (Code.CREATED, b"")
    assert light.server.grant(light.event(request(Code.PUT, "/light"), association=_MET))[1] == Scope({"/light": 1})


@pytest.mark.spec("RFC 9203 4.1")
def test_nonce_and_identifier_are_passed_over_there(light):
    name = proven(light)
    said = TokenUpload(light.issue_sealed(material=MATERIAL.id), _NONCE, _ID).encode()
    assert light.answer(post(said), association=name).payload == b""


_UPDATES = {
    "no token": lambda _light: b"\xf6",
    "of another secret": lambda light: light.issue_sealed(material=b"\x02"),
    "a first one": lambda light: light.issue_sealed(),
    "bound to a key": lambda light: light.issue(series=MATERIAL.id),
    "of another client": lambda light: light.issue_sealed(material=MATERIAL.id, subject="thing-aaaaaaaaaaaaaaaa"),
    "for another thing": lambda light: light.issue_sealed(material=MATERIAL.id, audience=SWITCH),
    "of another signer": lambda light: light.issue_sealed(material=MATERIAL.id, signer=_OTHER),
    "in clear": lambda light: light.issue(holder=MATERIAL.id),
    "empty": lambda _light: b"",
}


@pytest.mark.spec("RFC 9203 4.2")
@pytest.mark.parametrize("wrong", _UPDATES)
def test_a_wrong_one_is_unauthorized_and_changes_nothing(light, wrong):
    name = proven(light)
    assert update(light, _UPDATES[wrong](light), name).code == Code.UNAUTHORIZED
    assert light.server.grant(light.event(request(Code.PUT, "/light"), association=name))[1] == Scope({"/light": 4})


_SERIES = {
    "of another series": lambda light: light.issue(series=b"other"),
    "of none": lambda light: light.issue(),
    "bound to another key": lambda light: light.issue(series=b"series", holder=_OTHER.public),
    "of another client": lambda light: light.issue(series=b"series", subject=LIGHT),
    "of a secret": lambda light: light.issue_sealed(material=b"series"),
}


@pytest.mark.spec("draft-ietf-ace-edhoc-oscore-profile-11 4.6")
@pytest.mark.parametrize("wrong", _SERIES)
def test_a_session_by_edhoc_takes_no_token_but_of_its_series_and_key(light, wrong):
    meet(light, light.issue(series=b"series"))
    assert update(light, _SERIES[wrong](light), _MET, 61).code == Code.UNAUTHORIZED
    assert light.server.grant(light.event(request(Code.PUT, "/light"), association=_MET))[1] == Scope({"/light": 4})


def test_a_session_without_a_series_takes_none_at_all(light):
    meet(light)
    assert update(light, light.issue(), _MET, 61).code == Code.UNAUTHORIZED


@pytest.mark.parametrize("changes", [{"association": "domain"}, {"group": "group-lamps"}])
def test_who_comes_under_other_keys_brings_no_token(light, changes):
    assert upload(light, **changes).code == Code.UNAUTHORIZED
    assert waiting(light) == {}


def test_a_longer_body_is_refused(light):
    name = proven(light)
    assert light.answer(post(codec.encode({1: bytes(4096)})), association=name).code == Code.UNAUTHORIZED
    assert light.answer(post(bytes(4096), 61), association=name).code == Code.UNAUTHORIZED


def test_the_answer_goes_to_whom_it_may(light):
    assert upload(light, source=SWITCH_AT).code == Code.CREATED
    (name,) = waiting(light)
    assert light.endpoint.association(name).address is None, "a source in clear is not believed"
