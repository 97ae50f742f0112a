import asyncio
from dataclasses import replace
from datetime import date, timedelta

import pytest

from tests.unit.domain.things import AT
from thingstead.agent.joining import Joining
from thingstead.crypto.key import KeyType, generate
from thingstead.errors import (
    AuthenticationError,
    DecodeError,
    PolicyError,
    StateError,
    TransportError,
    UnsupportedError,
    UntrustedError,
)
from thingstead.phases.bootstrap import Bootstrap, HalfOpen
from thingstead.phases.manufacture import Maker, Model, bear, bear_unsold
from thingstead.phases.unwelcome import Unwelcome
from thingstead.planes.identity.registrar import Registrar
from thingstead.protocols.coap.message import Message
from thingstead.protocols.coap.registry import Code
from thingstead.protocols.cwt import ccs
from thingstead.protocols.edhoc.certificate import x5u_reference
from thingstead.protocols.edhoc.coap_carriage import frame_message_1, frame_message_3, parse_request
from thingstead.protocols.edhoc.credential import Credential, kccs_reference, kid_reference
from thingstead.protocols.edhoc.ead import EadItem
from thingstead.protocols.edhoc.initiator import Initiator
from thingstead.protocols.edhoc.pending import PendingSessions
from thingstead.protocols.edhoc.shared_key import METHOD_PSK, SharedCredential
from thingstead.protocols.edhoc.suite import cipher_suite
from thingstead.protocols.lake_authz.message import VOUCHER, VOUCHER_INFO, VoucherInfo, VoucherRequest
from thingstead.protocols.lake_authz.voucher import session_hash
from thingstead.protocols.profile import birth as birth_record
from thingstead.protocols.profile import join
from thingstead.protocols.profile.grant import Grant
from thingstead.protocols.profile.maker_server import MakerServer

_THING, _ELSEWHERE = ("192.0.2.1", 5683), ("192.0.2.66", 5683)
_DOMAIN_KEY, _THING_KEY = generate(KeyType.P256), generate(KeyType.P256)
_CCS = ccs.encode(_DOMAIN_KEY.public, subject="home")
_CREDENTIAL = Credential(id_cred=kccs_reference(_CCS), cred=_CCS, public=_DOMAIN_KEY.public)
_MAKER = Maker("acme", "acme.example", generate(KeyType.P256), (generate(KeyType.P256),))
_GRANT = Grant(b"token", b"granted", b"credential", b"issuer")


def _born(domain_key=_DOMAIN_KEY.public, maker=_MAKER):
    return bear(
        maker,
        Model("LX-1", 2, "https://acme.example/lx-1.json", date(2031, 1, 1)),
        "A0001",
        thing_key=_THING_KEY.public,
        domain_key=domain_key,
        at=AT,
        voucher_expires=AT + timedelta(days=1),
    )


def _joining(**sold):
    return Joining(_born(**sold), _THING_KEY, b"\x05").story(AT)


_THING_IDENTITY = _born().maker_identity


class NoCodes:
    """A domain whose owner added no install code."""

    def has_open(self) -> bool:
        return False

    async def attempt(self, kid: bytes) -> SharedCredential:
        raise AssertionError("nobody may get here")

    async def settle(self, maker_identity: bytes) -> None:
        """Nothing came by a code."""

    async def introduce(self, kid: bytes, maker_identity: bytes) -> None:
        raise AssertionError("nobody may get here")


def _bootstrap(admit=None, limit=64, codes=None):
    admitted = []

    async def take_in(newcomer):
        admitted.append(newcomer)
        return _GRANT

    numbers = iter(range(0x800000, 0x900000))
    registrar = Registrar({"acme": _MAKER.anchor.public})
    bootstrap = Bootstrap(
        _CREDENTIAL,
        _DOMAIN_KEY,
        authenticate=lambda identity, at: registrar.authenticate(identity, at=at),
        admit=admit or take_in,
        connection_id=lambda: next(numbers).to_bytes(3, "big"),
        pending=PendingSessions[HalfOpen](limit=limit, lifetime=30.0),
        unwelcome=Unwelcome(share=2),
        codes=codes or NoCodes(),
    )
    return bootstrap, admitted


def _answer(bootstrap, payload, source=_THING, now=0.0):
    return asyncio.run(bootstrap.answer(payload, source, now=now, at=AT))


def _until_message_3(bootstrap, **joining):
    story = _joining(**joining)
    message_2 = _answer(bootstrap, next(story).message.payload)
    return story, story.send(Message(Code.CHANGED, payload=message_2)).message.payload


def test_a_thing_that_is_welcome_gets_its_grant_and_both_sides_the_same_keys():
    bootstrap, admitted = _bootstrap()
    story, message_3 = _until_message_3(bootstrap)
    message_4 = _answer(bootstrap, message_3)
    with pytest.raises(StopIteration) as end:
        story.send(Message(Code.CHANGED, payload=message_4))
    (newcomer,) = admitted
    assert (newcomer.identity.serial, newcomer.source) == ("A0001", "192.0.2.1")
    assert end.value.value.master_secret == newcomer.oscore.master_secret
    assert end.value.value.access_token == b"token"


@pytest.mark.requirement("R-15")
def test_message_3_counts_once():
    bootstrap, admitted = _bootstrap()
    _, message_3 = _until_message_3(bootstrap)
    _answer(bootstrap, message_3)
    with pytest.raises(StateError):
        _answer(bootstrap, message_3)
    assert len(admitted) == 1


def _initiator():
    credential = join.identity_credential(_THING_IDENTITY, _THING_KEY.public)
    return Initiator(
        method=join.METHOD,
        suites=join.SUITES,
        credential=credential,
        key=_THING_KEY,
        connection_id=b"\x05",
        ephemeral=generate,
    )


@pytest.mark.spec("RFC 9528 3.8")
@pytest.mark.parametrize("label", [*sorted(frozenset().union(*join.EAD_LABELS.values())), 99])
def test_a_critical_item_that_means_nothing_in_message_1_ends_the_handshake(label):
    bootstrap, _ = _bootstrap()
    message_1, _ = _initiator().message_1([EadItem(-label, b"x")])
    with pytest.raises(UnsupportedError):
        _answer(bootstrap, frame_message_1(message_1))
    assert bootstrap.half_open == 0


@pytest.mark.spec("RFC 9528 3.8")
@pytest.mark.parametrize("item", [EadItem(-join.ACCESS_TOKEN, b"token"), EadItem(-99), EadItem(-join.CUSTODY_HEAD)])
def test_a_critical_item_that_means_nothing_in_message_3_ends_the_handshake(item):
    bootstrap, admitted = _bootstrap()
    message_1, waiting = _initiator().message_1()
    offered = waiting.receive(_answer(bootstrap, frame_message_1(message_1)))
    authenticated = offered.authenticate(join.domain_credential(offered.id_cred_r))
    message_3, _ = authenticated.message_3([*join.identity_item(_THING_IDENTITY), item])
    with pytest.raises((UnsupportedError, DecodeError)):
        _answer(bootstrap, frame_message_3(offered.c_r, message_3))
    assert admitted == []


@pytest.mark.spec("RFC 9528 3.5.3")
@pytest.mark.parametrize(
    "id_cred",
    [kid_reference(b"zzzz"), kid_reference(b""), kccs_reference(_CCS), x5u_reference("coap://[::1]/x")],
    ids=["another's kid", "an empty kid", "claims by value", "x5u"],
)
def test_a_thing_that_calls_itself_by_anything_but_its_identity_is_refused(id_cred):
    bootstrap, admitted = _bootstrap()
    own = _initiator()
    lying = replace(own, credential=replace(own.credential, id_cred=id_cred))
    message_1, waiting = lying.message_1()
    offered = waiting.receive(_answer(bootstrap, frame_message_1(message_1)))
    authenticated = offered.authenticate(join.domain_credential(offered.id_cred_r))
    message_3, _ = authenticated.message_3(join.identity_item(_THING_IDENTITY))
    with pytest.raises((DecodeError, UntrustedError)):
        _answer(bootstrap, frame_message_3(offered.c_r, message_3))
    assert admitted == []


def test_message_3_after_its_time_finds_nobody():
    bootstrap, admitted = _bootstrap()
    _, message_3 = _until_message_3(bootstrap)
    with pytest.raises(StateError):
        _answer(bootstrap, message_3, now=31.0)
    assert admitted == []


@pytest.mark.requirement("R-27")
def test_a_forged_message_3_does_not_end_the_handshake_it_names():
    bootstrap, admitted = _bootstrap()
    _, message_3 = _until_message_3(bootstrap)
    with pytest.raises(AuthenticationError):
        _answer(bootstrap, message_3[:-1] + bytes([message_3[-1] ^ 1]))
    _answer(bootstrap, message_3)
    assert len(admitted) == 1


@pytest.mark.requirement("R-59")
def test_a_maker_that_nobody_trusts_is_refused_before_policy_is_asked():
    bootstrap, admitted = _bootstrap()
    stranger = Maker("nobody", "nobody.example", generate(KeyType.P256), ())
    _, message_3 = _until_message_3(bootstrap, maker=stranger)
    with pytest.raises(UntrustedError):
        _answer(bootstrap, message_3)
    assert admitted == []


@pytest.mark.requirement("R-59")
def test_what_policy_refuses_gets_no_message_4():
    async def refuse(_newcomer):
        raise PolicyError("not here")

    bootstrap, _ = _bootstrap(refuse)
    _, message_3 = _until_message_3(bootstrap)
    with pytest.raises(PolicyError):
        _answer(bootstrap, message_3)


async def _is_gone(_newcomer):
    raise UntrustedError("it was retired and stays so", reason="retired")


@pytest.mark.requirement("R-09")
def test_a_thing_that_left_is_refused_at_message_3_and_takes_no_room():
    bootstrap, _ = _bootstrap(_is_gone)
    _, message_3 = _until_message_3(bootstrap)
    with pytest.raises(UntrustedError):
        _answer(bootstrap, message_3)
    assert bootstrap.half_open == 0


@pytest.mark.requirement("R-09")
def test_where_things_come_from_that_left_nobody_begins_anew_until_the_share_is_back():
    bootstrap, _ = _bootstrap(_is_gone)
    for _ in range(2):
        _, message_3 = _until_message_3(bootstrap)
        with pytest.raises(UntrustedError):
            _answer(bootstrap, message_3)
    message_1 = next(_joining()).message.payload
    with pytest.raises(TransportError) as refusal:
        _answer(bootstrap, message_1)
    assert (refusal.value.reason, bootstrap.half_open) == ("unwelcome", 0)
    _answer(bootstrap, message_1, source=_ELSEWHERE)
    _answer(bootstrap, message_1, now=1.0)


@pytest.mark.parametrize("error", [PolicyError("not yet", reason="held"), StateError("no disk")], ids=["held", "fault"])
def test_who_waits_or_meets_a_fault_of_ours_uses_up_nothing(error):
    async def refuse(_newcomer):
        raise error

    bootstrap, _ = _bootstrap(refuse)
    for _ in range(5):
        _, message_3 = _until_message_3(bootstrap)
        with pytest.raises(type(error)):
            _answer(bootstrap, message_3)


def test_what_is_forged_uses_up_nothing_of_the_address_it_says():
    bootstrap, admitted = _bootstrap(_is_gone)
    _, message_3 = _until_message_3(bootstrap)
    for _ in range(5):
        with pytest.raises(AuthenticationError):
            _answer(bootstrap, message_3[:-1] + bytes([message_3[-1] ^ 1]))
    _until_message_3(bootstrap)
    assert admitted == []


@pytest.mark.requirement("R-61")
def test_a_thing_sold_to_another_domain_stops_before_it_says_who_it_is():
    bootstrap, admitted = _bootstrap()
    story = _joining(domain_key=generate(KeyType.P256).public)
    message_2 = _answer(bootstrap, next(story).message.payload)
    told = story.send(Message(Code.CHANGED, payload=message_2)).message.payload
    assert parse_request(told)[1] == b"\x01\x67refused"
    with pytest.raises(UntrustedError):
        story.send(Message(Code.BAD_REQUEST))
    assert admitted == []


@pytest.mark.parametrize("payload", [b"", b"\xf5", b"\xff", b"\xf4\x01", bytes(40)])
def test_what_is_no_edhoc_is_refused_and_keeps_no_room(payload):
    bootstrap, _ = _bootstrap()
    with pytest.raises((DecodeError, StateError)):
        _answer(bootstrap, payload)


@pytest.mark.spec("RFC 9528 9.7")
def test_in_a_crowd_a_source_has_to_show_itself_before_it_takes_room():
    bootstrap, _ = _bootstrap(limit=4)
    message_1 = next(_joining()).message.payload
    assert bootstrap.is_reachable(message_1, _THING, 0.0)
    _answer(bootstrap, message_1)
    assert not bootstrap.is_reachable(message_1, _THING, 0.0)
    assert bootstrap.is_reachable(message_1, _THING, 31.0)


@pytest.mark.requirement("R-37")
def test_message_3_shows_that_its_source_is_reachable_only_from_where_message_2_went():
    bootstrap, _ = _bootstrap()
    _, message_3 = _until_message_3(bootstrap)
    assert bootstrap.is_reachable(message_3, _THING, 0.0)
    assert not bootstrap.is_reachable(message_3, _ELSEWHERE, 0.0)


@pytest.mark.requirement("R-28")
def test_without_an_open_code_the_method_with_a_shared_key_is_not_accepted():
    bootstrap, _ = _bootstrap()
    message_1 = next(_joining()).message.payload
    with pytest.raises(UnsupportedError):
        _answer(bootstrap, message_1[:1] + bytes([METHOD_PSK]) + message_1[2:])
    assert bootstrap.half_open == 0


_CARD = MakerServer("acme", "coap://192.0.2.1", generate(KeyType.P256).public, generate(KeyType.P256).public)


def _asking(bootstrap, *, credential=None, ead_3=None):
    """message_3 of a thing that has its maker's server asked."""
    born = bear_unsold(
        _MAKER,
        Model("LX-1", 2, "https://acme.example/lx-1.json", date(2031, 1, 1)),
        "A0001",
        thing_key=_THING_KEY.public,
        server=_CARD,
        at=AT,
    )
    own = birth_record.credential(born, _THING_KEY.public)
    initiator = Initiator(
        method=join.METHOD,
        suites=join.SUITES,
        credential=own if credential is None else replace(own, id_cred=credential),
        key=_THING_KEY,
        connection_id=b"\x05",
        ephemeral=generate,
    )
    message_1, waiting = initiator.message_1()
    message_2 = _answer(bootstrap, frame_message_1(message_1))
    offered = waiting.receive(message_2)
    info = VoucherInfo(_CARD.location, generate(KeyType.P256).public.x)
    items = (*join.identity_item(born.maker_identity), info.item()) if ead_3 is None else ead_3(born, info)
    message_3, _ = offered.authenticate(_CREDENTIAL).message_3(items)
    h_21 = session_hash(cipher_suite(2), message_1, message_2)
    return frame_message_3(offered.c_r, message_3), VoucherRequest(cipher_suite(2), info.ek_ct, h_21, own.id_cred)


@pytest.mark.spec("draft-ietf-lake-authz-07 4.4.3")
def test_a_question_for_the_maker_s_server_is_about_this_session_and_this_thing():
    bootstrap, admitted = _bootstrap()
    message_3, question = _asking(bootstrap)
    _answer(bootstrap, message_3)
    assert [one.question for one in admitted] == [question]
    assert len(question.id_cred_i) == len(kid_reference(bytes(8)))


@pytest.mark.requirement("R-59")
def test_a_thing_that_calls_itself_by_the_name_of_another_is_not_asked_about():
    bootstrap, admitted = _bootstrap()
    message_3, _ = _asking(bootstrap, credential=kid_reference(bytes(8)))
    with pytest.raises(UntrustedError) as refused:
        _answer(bootstrap, message_3)
    assert (refused.value.reason, admitted) == ("name", [])


@pytest.mark.spec("draft-ietf-lake-authz-07 4.4.3")
@pytest.mark.parametrize(
    "ead_3",
    [
        lambda born, info: (*join.identity_item(born.maker_identity), info.item(), info.item()),
        lambda born, info: (*join.identity_item(born.maker_identity), EadItem(-VOUCHER_INFO, b"\x60")),
        lambda born, info: (*join.identity_item(born.maker_identity), EadItem(-VOUCHER, b"voucher")),
        lambda _born, info: (info.item(),),
    ],
    ids=["two", "malformed", "a-voucher", "no-identity"],
)
def test_a_question_that_cannot_be_asked_ends_the_join(ead_3):
    bootstrap, admitted = _bootstrap()
    message_3, _ = _asking(bootstrap, ead_3=ead_3)
    with pytest.raises((DecodeError, UnsupportedError)):
        _answer(bootstrap, message_3)
    assert admitted == []
