"""A thing says who it is only to the domain that its maker's voucher names, and keeps only a whole grant."""

import asyncio
import random
from dataclasses import replace
from datetime import timedelta

import pytest

from tests.unit.domain.things import AT
from tests.unit.phases.test_bootstrap import _DOMAIN_KEY, _GRANT, _THING_KEY, _bootstrap
from tests.unit.phases.test_manufacture import MAKER, MODEL
from thingstead.agent.joining import Joining, back_off
from thingstead.agent.story import Request
from thingstead.crypto.key import KeyType, PublicKey, generate
from thingstead.errors import (
    AuthenticationError,
    DecodeError,
    ExpiredError,
    SecurityError,
    ThingsteadError,
    TransportError,
    UnsupportedError,
    UntrustedError,
)
from thingstead.phases.manufacture import bear, bear_unsold
from thingstead.protocols.cbor import codec
from thingstead.protocols.coap.message import Message
from thingstead.protocols.coap.registry import Code
from thingstead.protocols.cwt.credential import authenticate_maker_identity
from thingstead.protocols.edhoc.coap_carriage import parse_request
from thingstead.protocols.edhoc.error import ErrorCode, ErrorMessage, WrongSuiteError, encode_error
from thingstead.protocols.lake_authz import voucher
from thingstead.protocols.lake_authz.message import VoucherRequest
from thingstead.protocols.lake_authz.voucher import Binding
from thingstead.protocols.profile import birth as birth_record
from thingstead.protocols.profile.grant import encode_granted
from thingstead.protocols.profile.maker_server import MakerServer

pytestmark = pytest.mark.requirement("R-61")
THING = ("192.0.2.1", 5683)


def joining(sold_to=_DOMAIN_KEY.public, known_domain=None, *, combines=False):
    born = bear(
        MAKER,
        MODEL,
        "A0001",
        thing_key=_THING_KEY.public,
        domain_key=sold_to,
        at=AT,
        voucher_expires=AT + timedelta(days=1),
    )
    return Joining(born, _THING_KEY, b"\x05", known_domain, combines)


def is_error(asked):
    """Whether a request brings an EDHOC error message in place of a later message."""
    if asked.message.code != Code.POST:
        return False
    c_r, behind = parse_request(asked.message.payload)
    return c_r is not None and behind[0] < 0x40


class Attempt:
    """One attempt of a thing at a domain that would take it in."""

    def __init__(self, at=AT, **thing):
        self.domain, _ = _bootstrap()
        self.domain._authenticate = lambda encoded, _at: identity(encoded)
        self.story = joining(**thing).story(at)
        self.told: list[bytes] = []
        self.requests = [next(self.story)]
        self.sent = [self.requests[0].message]

    def message_2(self):
        return asyncio.run(self.domain.answer(self.sent[-1].payload, THING, now=0.0, at=AT))

    def step(self, answer=None):
        """Give the story an answer, the domain's own if none is given."""
        if answer is None:
            payload = self.domain.answer(self.sent[-1].payload, THING, now=0.0, at=AT)
            answer = Message(Code.CHANGED, payload=asyncio.run(payload))
        asked = self.story.send(answer)
        if is_error(asked):
            # Whatever is answered to an error, or not, the attempt ends as it would have.
            self.told.append(asked.message.payload)
            self.story.send(Message(Code.BAD_REQUEST))
        self.requests.append(asked)
        self.sent.append(asked.message)


def identity(encoded):
    from_maker = MAKER.anchor.public
    return authenticate_maker_identity(encoded, from_maker, accept=frozenset({-9}), maker="acme", at=AT)


@pytest.mark.parametrize("code", [Code.EMPTY, Code.CONTENT, Code.BAD_REQUEST, Code.UNAUTHORIZED])
@pytest.mark.parametrize("steps", [0, 1])
def test_a_domain_that_does_not_go_on_is_an_attempt_that_failed(code, steps):
    attempt = Attempt()
    for _ in range(steps):
        attempt.step()
    with pytest.raises(DecodeError, match="expected the other side to go on"):
        attempt.step(Message(code, payload=b"error"))


@pytest.mark.parametrize("payload", [b"", b"\xff", bytes(60)])
@pytest.mark.parametrize("steps", [0, 1])
def test_an_answer_that_is_no_edhoc_ends_the_attempt(payload, steps):
    attempt = Attempt()
    for _ in range(steps):
        attempt.step()
    with pytest.raises(ThingsteadError):
        attempt.step(Message(Code.CHANGED, payload=payload))


def test_a_domain_that_it_was_not_sold_to_learns_nothing():
    attempt = Attempt(sold_to=generate(KeyType.P256).public)
    with pytest.raises(UntrustedError):
        attempt.step()
    assert len(attempt.sent) == 1
    assert [parse_request(one)[1] for one in attempt.told] == [b"\x01\x67refused"]


@pytest.mark.spec("RFC 9528 5.3.3")
def test_a_domain_is_told_that_its_message_2_was_refused_and_no_more():
    attempt = Attempt(sold_to=generate(KeyType.P256).public)
    attempt.story.send(Message(Code.CHANGED, payload=attempt.message_2()))
    with pytest.raises(UntrustedError):
        attempt.story.throw(TransportError("no response in time"))


def wrong_suite(*suites):
    return Message(Code.BAD_REQUEST, payload=encode_error(ErrorMessage(ErrorCode.WRONG_SUITE, suites=suites)))


def offered(payload):
    return codec.decode_sequence(payload)[2]


@pytest.mark.spec("RFC 9528 6.3.1")
def test_a_domain_that_wants_the_other_suite_is_offered_it_behind_the_first():
    attempt = Attempt()
    attempt.domain._suites = lambda: (3,)
    with pytest.raises(WrongSuiteError) as refusal:
        attempt.message_2()
    attempt.step(wrong_suite(*refusal.value.suites))
    assert [offered(one.payload) for one in attempt.sent] == [2, [2, 3]]
    attempt.step()
    with pytest.raises(StopIteration) as ended:
        attempt.step()
    assert ended.value.value.access_token == _GRANT.access_token


@pytest.mark.requirement("R-27")
@pytest.mark.spec("RFC 9528 6.3.1")
def test_a_forged_refusal_leads_to_no_worse_suite_and_to_no_loop():
    attempt = Attempt()
    attempt.step(wrong_suite(3))
    with pytest.raises(WrongSuiteError):
        attempt.message_2()
    with pytest.raises(DecodeError, match="it refused"):
        attempt.step(wrong_suite(3))


@pytest.mark.parametrize("suites", [(2,), (2, 3)])
def test_a_refusal_that_names_the_suite_offered_ends_the_attempt(suites):
    with pytest.raises(DecodeError, match="it refused"):
        Attempt().step(wrong_suite(*suites))


@pytest.mark.parametrize("suites", [(0,), (24, 25), (-21,)])
def test_a_domain_with_no_suite_of_ours_ends_the_attempt(suites):
    with pytest.raises(UnsupportedError):
        Attempt().step(wrong_suite(*suites))


@pytest.mark.spec("RFC 9528 6")
def test_an_error_is_not_answered_by_an_error():
    attempt = Attempt()
    attempt.step()
    with pytest.raises(ThingsteadError):
        attempt.step(Message(Code.CHANGED, payload=b"\x01\x67refused"))
    with pytest.raises(StopIteration):
        next(attempt.story)
    assert attempt.told == []


@pytest.mark.spec("RFC 8366")
def test_a_voucher_that_ran_out_takes_nobody_in_but_a_member_again():
    late = AT + timedelta(days=2)
    with pytest.raises(ExpiredError):
        Attempt(late).step()
    attempt = Attempt(late, known_domain=_DOMAIN_KEY.public)
    attempt.step()
    assert len(attempt.sent) == 2


def test_another_domain_than_the_known_one_needs_its_voucher():
    with pytest.raises(UntrustedError):
        Attempt(sold_to=generate(KeyType.P256).public, known_domain=generate(KeyType.P256).public).step()


def test_what_is_granted_is_returned_to_be_kept():
    attempt = Attempt()
    attempt.step()
    with pytest.raises(StopIteration) as ended:
        attempt.step()
    kept = ended.value.value
    assert (kept.access_token, kept.granted_token) == (_GRANT.access_token, _GRANT.granted_token)
    assert (kept.thing_credential, kept.issuer_credential) == (_GRANT.thing_credential, _GRANT.issuer_credential)
    assert kept.recipient_id == b"\x05"
    assert all(message.path == "/.well-known/edhoc" for message in attempt.sent)


@pytest.mark.spec("RFC 9668 3.2.1")
def test_it_asks_for_its_grant_in_the_message_that_brings_message_3():
    attempt = Attempt(combines=True)
    attempt.step()
    asked = attempt.requests[-1]
    assert (asked.message.code, asked.message.path) == (Code.GET, "/grant")
    assert asked.session.message_3
    assert asked.session.oscore.recipient_id == b"\x05"
    with pytest.raises(StopIteration) as ended:
        attempt.step(Message(Code.CONTENT, payload=encode_granted(_GRANT)))
    kept = ended.value.value
    assert (kept.access_token, kept.issuer_credential) == (_GRANT.access_token, _GRANT.issuer_credential)
    assert kept.master_secret == asked.session.oscore.master_secret


@pytest.mark.parametrize("payload", [b"", b"\x40", bytes(4), b"\x41\x00" * 3, b"\x41\x00" * 5, b"\xff"])
def test_a_grant_that_is_not_whole_is_kept_by_nobody(payload):
    attempt = Attempt(combines=True)
    attempt.step()
    with pytest.raises(DecodeError):
        attempt.step(Message(Code.CONTENT, payload=payload))


@pytest.mark.spec("RFC 7252 4.2")
@pytest.mark.parametrize(("attempt", "doubled"), [(0, 1), (1, 2), (2, 4), (5, 32), (6, 32), (10**6, 32)])
def test_the_wait_doubles_to_an_end_and_chance_adds_less_than_half(attempt, doubled):
    assert back_off(attempt, 3.0, bytes) == 3.0 * doubled
    longest = back_off(attempt, 3.0, lambda size: b"\xff" * size)
    assert 3.0 * doubled * 1.499 < longest < 3.0 * doubled * 1.5


@pytest.mark.spec("RFC 7252 4.2")
def test_things_that_failed_together_do_not_knock_together_again():
    assert len({back_off(0, 1.0, random.Random(seed).randbytes) for seed in range(100)}) > 90


SERVER, STRANGER = generate(KeyType.P256), generate(KeyType.P256)
CARD = MakerServer("acme", "coap://192.0.2.1", generate(KeyType.P256).public, SERVER.public)


class Vouched:
    """A join of a thing without a written voucher, at a domain that has a server's answer to hand over."""

    def __init__(self, *, server=CARD, known_domain=None, owner=None, combines=False, by=SERVER):
        self.born = bear_unsold(MAKER, MODEL, "A0001", thing_key=_THING_KEY.public, server=server, at=AT)
        self.kept: list[tuple[bytes, PublicKey]] = []
        self.joining = Joining(
            self.born, _THING_KEY, b"\x05", known_domain, combines, owner, keep=lambda *kept: self.kept.append(kept)
        )
        self.by = by
        self.asked: list[VoucherRequest] = []
        self.tamper = lambda voucher: voucher
        self.domain, _ = _bootstrap()
        self.domain._authenticate = lambda encoded, _at: identity(encoded)
        self.domain._admit = self.admit

    async def admit(self, newcomer):
        if newcomer.question is None:
            return _GRANT
        self.asked.append(newcomer.question)
        question = newcomer.question
        key = voucher.answer_key(question.suite, question.ek_ct, self.by)
        about = Binding(question.h_21, question.id_cred_i, self.domain._credential.cred)
        return replace(_GRANT, voucher=self.tamper(voucher.issue(key, about, opaque=b"first link")))

    def run(self):
        """To the end; the association."""
        story = self.joining.story(AT)
        asked = next(story)
        try:
            while True:
                assert isinstance(asked, Request)
                payload = asyncio.run(self.domain.answer(asked.message.payload, THING, now=0.0, at=AT))
                asked = story.send(Message(Code.CHANGED, payload=payload))
                if is_error(asked):
                    story.send(Message(Code.BAD_REQUEST))
        except StopIteration as end:
            return end.value


@pytest.mark.spec("draft-ietf-lake-authz-07 4.4.4")
def test_a_thing_that_asks_keeps_the_first_link_before_it_is_in():
    attempt = Vouched()
    assert attempt.run().access_token == _GRANT.access_token
    assert attempt.kept == [(b"first link", _DOMAIN_KEY.public)]
    (question,) = attempt.asked
    assert question.id_cred_i == birth_record.credential(attempt.born, _THING_KEY.public).id_cred


def test_a_thing_that_asks_waits_for_message_4_even_if_it_would_combine():
    attempt = Vouched(combines=True)
    assert attempt.run() is not None
    assert len(attempt.kept) == 1


@pytest.mark.parametrize("whose", ["known_domain", "owner"])
def test_who_knows_whose_it_is_asks_nobody(whose):
    attempt = Vouched(**{whose: _DOMAIN_KEY.public})
    assert attempt.run() is not None
    assert (attempt.asked, attempt.kept) == ([], [])


@pytest.mark.requirement("R-27")
@pytest.mark.parametrize(
    ("tamper", "by"),
    [
        (lambda _voucher: b"", SERVER),
        (lambda voucher: voucher[:-1] + bytes([voucher[-1] ^ 1]), SERVER),
        (lambda _voucher: bytes(24), SERVER),
        (lambda voucher: voucher, STRANGER),
    ],
    ids=["missing", "altered", "made-up", "by-another"],
)
def test_without_its_maker_s_own_word_it_keeps_nothing_of_the_domain(tamper, by):
    attempt = Vouched(by=by)
    attempt.tamper = tamper
    with pytest.raises(SecurityError):
        attempt.run()
    assert attempt.kept == []


@pytest.mark.requirement("R-27")
def test_a_link_that_is_not_taken_ends_the_join():
    attempt = Vouched()

    def refuse(_link, _key):
        raise UntrustedError("names another", reason="custody")

    attempt.joining = replace(attempt.joining, keep=refuse)
    with pytest.raises(UntrustedError, match="names another"):
        attempt.run()


@pytest.mark.requirement("R-27")
def test_a_voucher_that_nobody_asked_for_is_refused():
    attempt = Vouched(owner=_DOMAIN_KEY.public)

    async def unasked(_newcomer):
        return replace(_GRANT, voucher=bytes(24))

    attempt.domain._admit = unasked
    with pytest.raises(UnsupportedError):
        attempt.run()


@pytest.mark.requirement("R-27")
def test_a_voucher_of_another_session_is_no_answer():
    first, second = Vouched(), Vouched()
    seen: list[bytes] = []

    def note(shown):
        seen.append(shown)
        return shown

    first.tamper = note
    first.run()
    second.tamper = lambda _shown: seen[0]
    with pytest.raises(AuthenticationError):
        second.run()
    assert second.kept == []
