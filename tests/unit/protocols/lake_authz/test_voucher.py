"""A voucher holds for one session, one thing and one domain."""

import dataclasses

import pytest

from thingstead.crypto.digest import digest
from thingstead.crypto.key import KeyType, generate
from thingstead.errors import AuthenticationError, DecodeError, ProtocolError, SecurityError, UnsupportedError
from thingstead.protocols.cbor import codec
from thingstead.protocols.edhoc.schedule import seal
from thingstead.protocols.edhoc.suite import SUITES, cipher_suite
from thingstead.protocols.lake_authz import voucher
from thingstead.protocols.lake_authz.voucher import Binding, ValidVoucher

SUITE = cipher_suite(2)
SERVER = generate(KeyType.P256)
ABOUT = Binding(h_21=bytes(32), id_cred_i=bytes.fromhex("a1044401020304"), cred_v=bytes.fromhex("a10801"))


def both(suite=SUITE, server=SERVER):
    ek_ct, of_thing = voucher.begin(suite, server.public, generate)
    return of_thing, voucher.answer_key(suite, ek_ct, server)


@pytest.mark.spec("draft-ietf-lake-authz-07 4.3.2")
@pytest.mark.parametrize("number", sorted(SUITES))
@pytest.mark.parametrize("opaque", [None, b"", b"floor 3"])
def test_thing_and_server_agree_under_every_suite(number, opaque):
    suite = cipher_suite(number)
    of_thing, of_server = both(suite, generate(suite.curve))
    held = voucher.authenticate(voucher.issue(of_server, ABOUT, opaque=opaque), of_thing, ABOUT)
    assert (held.binding, held.opaque) == (ABOUT, opaque)


def test_without_more_to_say_a_voucher_is_its_tag():
    assert len(voucher.issue(both()[1], ABOUT)) == 8


@pytest.mark.parametrize("field", [field.name for field in dataclasses.fields(Binding)])
def test_a_voucher_of_another_session_thing_or_domain_is_refused(field):
    of_thing, of_server = both()
    other = dataclasses.replace(ABOUT, **{field: getattr(ABOUT, field)[:-1] + b"\xff"})
    with pytest.raises(AuthenticationError):
        voucher.authenticate(voucher.issue(of_server, other), of_thing, ABOUT)


def test_what_is_bound_cannot_be_shifted_from_one_field_to_the_next():
    of_thing, of_server = both()
    shifted = Binding(ABOUT.h_21 + ABOUT.id_cred_i[:1], ABOUT.id_cred_i[1:], ABOUT.cred_v)
    with pytest.raises(AuthenticationError):
        voucher.authenticate(voucher.issue(of_server, shifted), of_thing, ABOUT)


def test_a_voucher_of_another_server_is_refused():
    ek_ct, of_thing = voucher.begin(SUITE, SERVER.public, generate)
    of_other = voucher.answer_key(SUITE, ek_ct, generate(KeyType.P256))
    with pytest.raises(AuthenticationError):
        voucher.authenticate(voucher.issue(of_other, ABOUT), of_thing, ABOUT)


def test_a_voucher_for_another_ephemeral_key_is_refused():
    with pytest.raises(AuthenticationError):
        voucher.authenticate(voucher.issue(both()[1], ABOUT), both()[0], ABOUT)


@pytest.mark.parametrize("size", range(8))
def test_a_voucher_shorter_than_a_tag_is_refused(size):
    with pytest.raises((ProtocolError, SecurityError)):
        voucher.authenticate(bytes(size), both()[0], ABOUT)


@pytest.mark.parametrize("plaintext", [b"\x01", b"\x40\x40", b"\x61a", codec.encode(bytes(513)), b"\x41"])
def test_something_else_than_opaque_information_inside_is_refused(plaintext):
    of_thing, of_server = both()
    aad = codec.encode_sequence(ABOUT.h_21, ABOUT.id_cred_i, ABOUT.cred_v)
    made = seal(SUITE, of_server.prk, (2, 3), th=b"", plaintext=plaintext, external_aad=aad)
    with pytest.raises(DecodeError):
        voucher.authenticate(made, of_thing, ABOUT)


def test_more_opaque_information_than_fits_is_not_sent():
    with pytest.raises(ValueError, match="512"):
        voucher.issue(both()[1], ABOUT, opaque=bytes(513))


@pytest.mark.parametrize("number", [0, 24, -21])
def test_a_suite_of_another_key_exchange_than_the_servers_key_is_refused(number):
    with pytest.raises(UnsupportedError):
        voucher.begin(cipher_suite(number), SERVER.public, generate)
    with pytest.raises(UnsupportedError):
        voucher.answer_key(cipher_suite(number), bytes(32), SERVER)


@pytest.mark.parametrize("ek_ct", [bytes(31), b"\xff" * 32])
def test_no_point_of_the_curve_is_refused(ek_ct):
    with pytest.raises(DecodeError):
        voucher.answer_key(SUITE, ek_ct, SERVER)


@pytest.mark.spec("draft-ietf-lake-authz-07 4.3.2")
def test_the_session_hash_is_over_message_2_and_the_hash_of_message_1():
    message_1, message_2 = b"\x03\x02\x41\x00\x07", b"\x43abc"
    expected = digest(message_2 + b"\x58\x20" + digest(message_1))
    assert voucher.session_hash(SUITE, message_1, message_2) == expected


def test_only_authentication_makes_a_valid_voucher():
    with pytest.raises(TypeError):
        ValidVoucher(ABOUT, None, object())
