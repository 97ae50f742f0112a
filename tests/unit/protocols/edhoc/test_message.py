import pytest

from tests.unit.protocols.edhoc import rfc9529 as rfc
from thingstead.errors import DecodeError
from thingstead.protocols.cbor import codec
from thingstead.protocols.edhoc.credential import kccs_reference, kid_reference
from thingstead.protocols.edhoc.ead import EadItem, encode_ead
from thingstead.protocols.edhoc.error import PeerError
from thingstead.protocols.edhoc.message import (
    Limits,
    decode_byte_string,
    decode_message_1,
    decode_plaintext_2,
    decode_plaintext_3,
    decode_plaintext_4,
    encode_message_1,
    encode_plaintext,
)

G_X = bytes.fromhex("741a13d7ba048fbb615e94386aa3b61bea5b3d8f65f32620b749bee8d278efa9")
ITEM = EadItem(15, b"credential")


@pytest.mark.spec("RFC 9528 5.2.1")
def test_message_1_is_read():
    read = decode_message_1(rfc.MESSAGE_1 + encode_ead([ITEM]))
    assert (read.method, read.suites, read.g_x, read.c_i, read.ead_1) == (3, (6, 2), rfc.G_X, rfc.C_I, (ITEM,))


@pytest.mark.parametrize("suites", [(2,), (3, 2)])
def test_message_1_survives_the_wire(suites):
    message = encode_message_1(3, suites, rfc.G_X, c_i=b"long", ead_1=encode_ead([ITEM]))
    read = decode_message_1(message)
    assert (read.suites, read.c_i, read.ead_1) == (suites, b"long", (ITEM,))


@pytest.mark.spec("RFC 9529 4")
@pytest.mark.parametrize(
    ("fault", "message"),
    [
        ("array around the message", b"\x84\x03\x02" + codec.encode(G_X) + b"\x0e"),
        ("byte string around C_I", b"\x03\x02" + codec.encode(G_X) + b"\x41\x0e"),
        ("array around one suite", b"\x03\x81\x02" + codec.encode(G_X) + b"\x0e"),
        ("text as G_X", b"\x03\x02" + codec.encode(" air speed of a unladen swallow ") + b"\x0e"),
        ("long form of METHOD", b"\x19\x00\x03\x02" + codec.encode(G_X) + b"\x0e"),
        ("array of indefinite length", b"\x03\x9f\x06\x02\xff" + codec.encode(G_X) + b"\x0e"),
        ("nothing", b""),
        ("no C_I", b"\x03\x02" + codec.encode(G_X)),
        ("true as METHOD", b"\xf5\x02" + codec.encode(G_X) + b"\x0e"),
        ("true as suite", b"\x03\xf5" + codec.encode(G_X) + b"\x0e"),
        ("text as suite", b"\x03\x82\x02\x61\x61" + codec.encode(G_X) + b"\x0e"),
        ("map as C_I", b"\x03\x02" + codec.encode(G_X) + b"\xa0"),
        ("EAD value without label", b"\x03\x02" + codec.encode(G_X) + b"\x0e\x41\x01"),
        ("cut in an item", b"\x03\x02\x58\x20\x74"),
        ("long length of G_X", b"\x03\x02\x59\x00\x20" + G_X + b"\x0e"),
        ("tag around METHOD", b"\xc1\x03\x02" + codec.encode(G_X) + b"\x0e"),
    ],
)
def test_malformed_message_1_is_refused(fault, message):
    with pytest.raises(DecodeError):
        decode_message_1(message)


@pytest.mark.spec("RFC 9528 9.7")
@pytest.mark.parametrize(
    ("limits", "ead"),
    [(Limits(max_message=32), b""), (Limits(max_suites=1), b""), (Limits(max_ead_items=2), b"\x01\x02\x03")],
)
def test_limits_hold(limits, ead):
    with pytest.raises(DecodeError):
        decode_message_1(rfc.MESSAGE_1 + ead, limits=limits)


def test_sequence_of_very_many_items_is_refused():
    with pytest.raises(DecodeError):
        decode_message_1(rfc.MESSAGE_1 + b"\x00" * 4000)


def test_limits_that_the_keystream_cannot_meet_are_misuse():
    with pytest.raises(ValueError, match="8160"):
        Limits(max_message=8161)


@pytest.mark.spec("RFC 9528 5.3.1")
def test_byte_string_is_read():
    assert decode_byte_string(rfc.MESSAGE_4) == rfc.MESSAGE_4[1:]


@pytest.mark.spec("RFC 9529 4")
@pytest.mark.parametrize("wire", ["", "60", "f5", "a0", "8141ff", "5801ff", "5f41ffff", "41ff00", "41ff41ff", "42ff"])
def test_anything_but_one_byte_string_is_refused(wire):
    with pytest.raises(DecodeError):
        decode_byte_string(bytes.fromhex(wire))


@pytest.mark.spec("RFC 9528 6")
def test_error_message_in_place_of_a_message_is_told():
    with pytest.raises(PeerError) as refusal:
        decode_byte_string(rfc.ERROR)
    assert refusal.value.error.suites == (2,)


def test_plaintext_2_is_read():
    read = decode_plaintext_2(rfc.PLAINTEXT_2, proof_size=8)
    assert (read.c_r, read.reference.kid, read.proof, read.ead) == (rfc.C_R, b"\x32", rfc.MAC_2, ())


def test_plaintext_3_keeps_the_bytes_of_ead_with_padding():
    ead = b"\x00\x41\xe9" + encode_ead([ITEM])
    plaintext = encode_plaintext(kid_reference(b"\x2b"), rfc.MAC_3, c_r=None, ead=ead)
    assert plaintext == rfc.PLAINTEXT_3 + ead
    read = decode_plaintext_3(plaintext, proof_size=8)
    assert (read.ead, read.ead_bytes, read.c_r) == ((ITEM,), ead, b"")


def test_credential_by_value_keeps_its_bytes_through_a_plaintext():
    unsorted = bytes.fromhex("a21818010102")
    plaintext = encode_plaintext(kccs_reference(unsorted), bytes(8), c_r=b"\x18", ead=b"")
    read = decode_plaintext_2(plaintext, proof_size=8)
    assert (read.c_r, read.reference.kccs) == (b"\x18", unsorted)


@pytest.mark.spec("RFC 9529 4")
@pytest.mark.parametrize(
    "plaintext",
    [
        "27a10442321048fa5efa2ebf920bf3",  # a map around a lone kid
        "27413248fa5efa2ebf920bf3",  # a byte string where the integer form exists
        "273244fa5efa2e",  # a MAC of 4 bytes
        "",
        "27",
        "2732",
        "48fa5efa2ebf920bf3",
        "273268fa5efa2ebf920bf3",
        "273248fa5efa2ebf920bf34100",
        "2732580800000000000000000000",
        "a03248fa5efa2ebf920bf3",
    ],
)
def test_malformed_plaintext_2_is_refused(plaintext):
    with pytest.raises(DecodeError):
        decode_plaintext_2(bytes.fromhex(plaintext), proof_size=8)


@pytest.mark.parametrize("plaintext", ["", "2b", "2b40", "2b4700000000000000", "4132480000000000000000"])
def test_malformed_plaintext_3_is_refused(plaintext):
    with pytest.raises(DecodeError):
        decode_plaintext_3(bytes.fromhex(plaintext), proof_size=8)


def test_plaintext_4_is_ead_alone():
    assert decode_plaintext_4(b"") == ()
    assert decode_plaintext_4(encode_ead([ITEM])) == (ITEM,)
    with pytest.raises(DecodeError):
        decode_plaintext_4(b"\x41\x01")
