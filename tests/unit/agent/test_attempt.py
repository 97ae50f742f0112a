"""A thing tries one way after the other, each under a fresh identifier of its own."""

from datetime import date, timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from tests.scenarios.world import make_maker
from tests.unit.agent.test_introduction import CODE, Home
from tests.unit.domain.things import AT
from thingstead.agent.attempt import Attempts
from thingstead.agent.introduction import INSTALL_CODE
from thingstead.agent.ownership import Ownership
from thingstead.agent.story import Request
from thingstead.crypto.key import KeyType, generate
from thingstead.crypto.keystore import MemoryKeyStore
from thingstead.phases.manufacture import Model, bear
from thingstead.protocols.edhoc.coap_carriage import parse_request
from thingstead.protocols.edhoc.message import decode_message_1
from thingstead.protocols.edhoc.shared_key import METHOD_PSK
from thingstead.protocols.profile import join
from thingstead.protocols.profile.birth import IDENTITY_KEY

DOMAIN = generate(KeyType.P256).public
IN_USE = b"\x05"
MEMBER: Any = SimpleNamespace(context=SimpleNamespace(recipient=SimpleNamespace(id=IN_USE)), domain_key=DOMAIN)


def first_message(number=0, *, member=None, code=None, drawn=(b"\x07",)):
    """message_1 of the attempt after so many that failed."""
    home, keys, chance = Home(), MemoryKeyStore(), iter(drawn)
    key = keys.create(IDENTITY_KEY, KeyType.P256).public
    model = Model("LX-1", 2, "https://acme.example/lx-1.json", date(2027, 1, 1))
    until = AT + timedelta(days=1)
    birth = bear(make_maker("acme"), model, "A1", thing_key=key, domain_key=DOMAIN, at=AT, voucher_expires=until)
    if code is not None:
        home.save(INSTALL_CODE, code.secret.reveal())
    ownership = Ownership(home, birth, utc=lambda: AT)
    attempts = Attempts(
        home, keys, birth, ownership, former=lambda: None, utc=lambda: AT, random_bytes=lambda size: next(chance)
    )
    wanted = next(attempts.story(number, member))
    assert isinstance(wanted, Request)
    return decode_message_1(parse_request(wanted.message.payload)[1])


@pytest.mark.parametrize("number", range(4))
def test_a_thing_without_a_code_joins_by_its_voucher(number):
    assert first_message(number).method == join.METHOD


@pytest.mark.parametrize(("number", "method"), [(0, METHOD_PSK), (1, join.METHOD), (2, METHOD_PSK), (3, join.METHOD)])
def test_a_thing_with_a_label_tries_its_code_and_its_voucher_in_turn(number, method):
    assert first_message(number, code=CODE).method == method


@pytest.mark.spec("RFC 9528 3.3.2")
def test_a_member_that_joins_anew_takes_another_identifier_than_the_one_in_use():
    assert first_message(member=MEMBER, drawn=(IN_USE, IN_USE, b"\x09")).c_i == b"\x09"
    assert first_message(drawn=(IN_USE,)).c_i == IN_USE
