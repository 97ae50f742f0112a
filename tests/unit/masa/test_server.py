"""The maker's server on the wire: who gets a voucher, and mostly who does not."""

from dataclasses import replace

import pytest

from tests.unit.masa.wire import (
    AT,
    BUYER,
    KEY,
    OTHER,
    STRANGER,
    THING,
    VOUCHER,
    Wire,
    asked,
    credential,
    in_memory,
    sold,
)
from thingstead.crypto.digest import digest
from thingstead.crypto.key import generate
from thingstead.errors import AuthenticationError, ConfigError, StorageError, UntrustedError
from thingstead.masa.record import Record
from thingstead.protocols.cbor import codec
from thingstead.protocols.coap.message import MessageType, encode_as, request
from thingstead.protocols.coap.registry import Code
from thingstead.protocols.edhoc.credential import kid_reference
from thingstead.protocols.edhoc.suite import cipher_suite
from thingstead.protocols.lake_authz import message, voucher
from thingstead.protocols.lake_authz.voucher import Binding
from thingstead.protocols.profile import custody


@pytest.fixture
def wire():
    return Wire()


@pytest.mark.spec("draft-ietf-lake-authz-07 5.4.1")
def test_a_buyer_gets_a_voucher_that_its_thing_accepts(wire):
    question, key = asked()
    answer = wire.voucher(question.encode(), wire.meet())
    assert answer.code == Code.CHANGED
    voucher.authenticate(message.decode_response(answer.payload), key, Binding(question.h_21, THING, BUYER.cred))
    assert wire.record.count("A-1") == wire.server.vouched == 1


def test_a_voucher_that_one_domain_fetched_is_nothing_to_another(wire):
    question, key = asked()
    got = message.decode_response(wire.voucher(question.encode(), wire.meet()).payload)
    thief = credential(STRANGER, "home")
    with pytest.raises(AuthenticationError):
        voucher.authenticate(got, key, Binding(question.h_21, THING, thief.cred))


def test_no_credential_of_the_thing_is_told_even_if_it_is_asked_for(wire):
    question, _ = asked(fetch=True)
    answer = wire.voucher(question.encode(), wire.meet())
    assert len(codec.decode(answer.payload)) == 1


@pytest.mark.spec("draft-ietf-lake-authz-07 5.4.1")
@pytest.mark.parametrize(
    ("thing", "code", "payload", "reason"),
    [
        (OTHER, Code.FORBIDDEN, b"\x00", "not sold"),
        (kid_reference(b"\x01\x02\x03\x05"), Code.BAD_REQUEST, b"", "unknown thing"),
        (b"\xa0", Code.BAD_REQUEST, b"", "unknown thing"),
    ],
)
def test_what_was_not_sold_to_the_domain_is_refused(wire, thing, code, payload, reason):
    answer = wire.voucher(asked(thing=thing)[0].encode(), wire.meet())
    assert (answer.code, answer.payload) == (code, payload)
    assert wire.server.refused == {reason: 1}
    assert wire.server.vouched == 0


@pytest.mark.parametrize("payload", [b"", b"\x80", b"\xff", b"\xa0", asked()[0].encode() + b"\0"])
def test_what_is_no_request_is_refused(wire, payload):
    assert wire.voucher(payload, wire.meet()).code == Code.BAD_REQUEST
    assert wire.server.vouched == 0


@pytest.mark.parametrize("number", [0, 6, 24])
def test_a_suite_of_another_curve_than_the_servers_key_is_refused(wire, number):
    suite = cipher_suite(number)
    ek_ct = voucher.begin(suite, generate(suite.curve).public, generate)[0]
    question = message.VoucherRequest(suite, ek_ct, bytes(suite.hash_size), THING)
    assert wire.voucher(question.encode(), wire.meet()).code == Code.BAD_REQUEST
    assert wire.record.count("A-1") == 0


def test_a_key_that_is_no_point_is_not_put_on_record(wire):
    question = message.VoucherRequest(cipher_suite(2), b"\xff" * 32, bytes(32), THING)
    assert wire.voucher(question.encode(), wire.meet()).code == Code.BAD_REQUEST
    assert wire.record.count("A-1") == 0


def test_who_proved_nothing_is_told_nothing(wire):
    question, _ = asked()
    answer = wire.ask(request(Code.POST, message.VOUCHER_REQUEST_PATH, payload=question.encode()))
    assert answer.code == Code.UNAUTHORIZED
    assert wire.server.refused == {"unprotected": 1}


def test_who_bought_nothing_gets_no_session():
    wire = Wire(key=STRANGER)
    answer, _ = wire.offer()
    assert answer.code == Code.UNAUTHORIZED
    assert wire.server.refused == {"no customer": 1}


def test_who_shows_a_buyers_credential_without_its_key_gets_no_session():
    wire = Wire(key=STRANGER)
    answer, _ = wire.offer(replace(BUYER, public=STRANGER.public))
    assert answer.code == Code.BAD_REQUEST
    assert wire.server.refused == {"unauthenticated": 1}


@pytest.mark.parametrize("session", [b"1", b"2"], ids=["same question", "another"])
def test_one_ephemeral_key_serves_one_voucher(wire, session):
    question, _ = asked()
    association = wire.meet()
    wire.voucher(question.encode(), association)
    again = message.VoucherRequest(question.suite, question.ek_ct, digest(session), THING)
    assert (again == question) is (session == b"1")
    answer = wire.voucher(again.encode(), association)
    assert (answer.code, answer.payload) == (Code.FORBIDDEN, b"\x00")
    assert wire.server.refused == {"used key": 1}
    assert wire.record.count("A-1") == 1


@pytest.mark.requirement("R-11")
@pytest.mark.spec("draft-ietf-lake-authz-07 4.3.2")
def test_the_thing_finds_the_first_link_of_its_custody_in_the_voucher(wire):
    question, key = asked()
    got = message.decode_response(wire.voucher(question.encode(), wire.meet()).payload)
    held = voucher.authenticate(got, key, Binding(question.h_21, THING, BUYER.cred))
    server = VOUCHER.public
    chain = custody.authenticate(
        b"", (held.opaque or b"",), anchor=STRANGER.public, serial="A-1", supported_until=AT, server=server
    )
    assert [(one.name, one.key) for one in chain.owners] == [("aurora", server), ("home", BUYER.public)]
    assert chain.owner.since == AT


@pytest.mark.parametrize("name", ["", "h" * 65, "ho\nme"], ids=["none", "long", "unprintable"])
def test_a_domain_without_a_name_gets_no_voucher(wire, name):
    wire.credential = credential(KEY, name)
    answer = wire.voucher(asked()[0].encode(), wire.meet())
    assert answer.code == Code.BAD_REQUEST
    assert wire.record.count("A-1") == 0


def test_a_sale_that_is_taken_back_counts_at_once():
    sales = [sold()]
    wire = Wire(sales=lambda: sales[0])
    association = wire.meet()
    sales[0] = type(sales[0])()
    assert wire.voucher(asked()[0].encode(), association).code == Code.BAD_REQUEST


def test_a_damaged_sales_file_refuses_everybody():
    state = [sold()]

    def sales():
        if not state:
            raise ConfigError("line 3")
        return state[0]

    wire = Wire(sales=sales)
    association = wire.meet()
    state.clear()
    assert wire.voucher(asked()[0].encode(), association).code == Code.INTERNAL_SERVER_ERROR
    assert wire.offer()[0].code >> 5 == 5


def test_what_cannot_be_put_on_record_is_not_vouched_for():
    class Full(Record):
        def add(self, one):
            raise StorageError("disk full")

    wire = Wire(record=Full())
    answer = wire.voucher(asked()[0].encode(), wire.meet())
    assert (answer.code, answer.payload) == (Code.INTERNAL_SERVER_ERROR, b"")
    assert wire.server.vouched == 0


def test_a_flood_of_first_messages_leaves_a_buyer_its_session(wire):
    g_x = codec.encode(generate(KEY.public.type).public.x)
    for port in range(200):
        payload = b"\xf5\x03\x02" + g_x + codec.encode(port % 24)
        message_1 = request(Code.POST, "/.well-known/edhoc", payload=payload)
        flood = encode_as(message_1, MessageType.NON, port, b"")
        wire.server.receive_datagram(flood, ("198.51.100.9", 1024 + port), wire.now)
        wire.server.run(wire.now)
        wire.server.datagrams_to_send(wire.now)
    assert wire.voucher(asked()[0].encode(), wire.meet()).code == Code.CHANGED


def test_a_session_that_the_server_has_forgotten_is_counted_as_dropped(wire):
    association = wire.meet()
    wire.server = Wire().server
    wire._carry = in_memory(wire.server)
    with pytest.raises(UntrustedError, match=r"4\.01"):
        wire.voucher(asked()[0].encode(), association)
    assert sum(wire.server.dropped.values()) == 1
    assert wire.server.refused == {}
