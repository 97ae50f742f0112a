"""What a thing asks its maker's server, and that no other answer will do."""

from __future__ import annotations

import pytest

from thingstead.agent.vouching import Session, ask
from thingstead.crypto.key import KeyType, generate
from thingstead.errors import AuthenticationError, SecurityError, ThingsteadError, UnsupportedError, UntrustedError
from thingstead.protocols.cwt import ccs
from thingstead.protocols.edhoc.credential import Credential, kccs_reference, kid_reference
from thingstead.protocols.edhoc.ead import EadItem
from thingstead.protocols.edhoc.suite import cipher_suite
from thingstead.protocols.lake_authz import voucher
from thingstead.protocols.lake_authz.message import VOUCHER, VOUCHER_INFO, decode_voucher_info
from thingstead.protocols.lake_authz.voucher import Binding
from thingstead.protocols.profile.maker_server import MakerServer

pytestmark = pytest.mark.requirement("R-27")

SERVER, STRANGER, DOMAIN_KEY = generate(KeyType.P256), generate(KeyType.P256), generate(KeyType.P256)
CARD = MakerServer("aurora", "coap://192.0.2.1", generate(KeyType.P256).public, SERVER.public)
SUITE = cipher_suite(2)
SESSION = Session(SUITE, b"message 1", b"message 2")
OWN = Credential(kid_reference(bytes(8)), b"\xa0", generate(KeyType.P256).public)
_CLAIMS = ccs.encode(DOMAIN_KEY.public, subject="home")
DOMAIN = Credential(kccs_reference(_CLAIMS), _CLAIMS, DOMAIN_KEY.public)
QUESTION = ask(CARD, SESSION, own=OWN, domain=DOMAIN)
H_21 = voucher.session_hash(SUITE, SESSION.message_1, SESSION.message_2)


def answered(question=QUESTION, *, by=SERVER, h_21=H_21, thing=OWN.id_cred, domain=_CLAIMS, said=b"link"):
    """What the server would send about these."""
    key = voucher.answer_key(SUITE, question.info.ek_ct, by)
    return voucher.issue(key, Binding(h_21, thing, domain), opaque=said)


def items(*vouchers):
    return tuple([EadItem(-VOUCHER, one) for one in vouchers])


@pytest.mark.spec("draft-ietf-lake-authz-07 4.3.1")
def test_the_question_says_where_the_server_is_and_brings_a_fresh_key():
    item = QUESTION.item()
    assert item.label == -VOUCHER_INFO
    info = decode_voucher_info(item.value or b"")
    assert (info.location, len(info.ek_ct)) == ("coap://192.0.2.1", 32)
    assert ask(CARD, SESSION, own=OWN, domain=DOMAIN).info.ek_ct != info.ek_ct


@pytest.mark.spec("draft-ietf-lake-authz-07 4.4.4")
def test_the_answer_for_this_session_thing_and_domain_is_read():
    assert QUESTION.answer((EadItem(-26, b"token"), *items(answered()))) == b"link"


@pytest.mark.parametrize(
    "shown",
    [
        answered(by=STRANGER),
        answered(h_21=bytes(32)),
        answered(thing=kid_reference(b"\x01" * 8)),
        answered(domain=ccs.encode(STRANGER.public, subject="home")),
        answered(domain=ccs.encode(DOMAIN_KEY.public, subject="others")),
        answered(ask(CARD, SESSION, own=OWN, domain=DOMAIN)),
        answered()[:-1] + bytes([answered()[-1] ^ 1]),
        b"",
        bytes(8),
    ],
    ids=["by-another", "session", "thing", "domain", "domain-name", "replayed", "altered", "empty", "zeros"],
)
def test_a_voucher_that_is_not_the_answer_is_refused(shown):
    with pytest.raises(ThingsteadError) as refused:
        QUESTION.answer(items(shown))
    assert isinstance(refused.value, AuthenticationError) or not shown


@pytest.mark.parametrize("shown", [(), (answered(), answered())], ids=["none", "two"])
def test_no_voucher_or_several_are_none(shown):
    with pytest.raises(UntrustedError) as refused:
        QUESTION.answer(items(*shown))
    assert refused.value.reason == "no voucher"


def test_a_voucher_without_the_first_link_says_nothing():
    with pytest.raises(SecurityError) as refused:
        QUESTION.answer(items(answered(said=None)))
    assert refused.value.reason == "custody"


@pytest.mark.parametrize("number", [0, 24])
def test_a_suite_of_another_curve_asks_nothing(number):
    with pytest.raises(UnsupportedError):
        ask(CARD, Session(cipher_suite(number), b"1", b"2"), own=OWN, domain=DOMAIN)
