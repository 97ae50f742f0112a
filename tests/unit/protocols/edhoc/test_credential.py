import pytest

from tests.unit.protocols.edhoc import rfc9529 as rfc
from thingstead.crypto.algorithm import AlgorithmId
from thingstead.crypto.key import KeyType, generate
from thingstead.errors import DecodeError
from thingstead.protocols.cbor import codec
from thingstead.protocols.cwt import token
from thingstead.protocols.edhoc.credential import (
    Credential,
    compact_reference,
    expand_reference,
    kccs_reference,
    kid_reference,
    read_credential,
)


def expanded(raw):
    return expand_reference(codec.decode(raw), raw)


@pytest.mark.spec("RFC 9528 3.5.3.2")
@pytest.mark.parametrize(
    ("kid", "compact"), [("ff", "41ff"), ("21", "21"), ("32", "32"), ("", "40"), ("3210", "423210")]
)
def test_kid_alone_travels_bare(kid, compact):
    id_cred = kid_reference(bytes.fromhex(kid))
    assert compact_reference(id_cred).hex() == compact
    reference = expanded(bytes.fromhex(compact))
    assert (reference.id_cred, reference.kid) == (id_cred, bytes.fromhex(kid))


def test_claims_set_by_value_keeps_its_bytes():
    unsorted = bytes.fromhex("a2 18 02 01 01 02".replace(" ", ""))
    id_cred = kccs_reference(unsorted)
    assert compact_reference(id_cred) == id_cred
    reference = expanded(id_cred)
    assert (reference.kccs, reference.id_cred, reference.kid) == (unsorted, id_cred, None)


def test_other_parameters_are_read():
    token = codec.encode([b"", {}, b"claims", b"tag"])
    kcwt = expanded(b"\xa2\x0d" + token + b"\x04\x41\x01")
    assert (kcwt.kcwt, kcwt.kid) == (token, b"\x01")
    assert expanded(codec.encode({34: [-15, b"12345678"]})).x5t == (-15, b"12345678")
    assert expanded(codec.encode({33: b"der"})).x5chain == (b"der",)
    assert expanded(codec.encode({33: [b"leaf", b"root"]})).x5chain == (b"leaf", b"root")
    assert expanded(codec.encode({35: codec.Tag(32, "coap://x"), "private": 1})).x5u == "coap://x"


@pytest.mark.parametrize(
    "raw",
    [
        "a1044132",  # RFC 9529 chapter 4: a map around a lone kid
        "a104423210",
        "4132",  # RFC 9529 chapter 4: a byte string where the integer form exists
        "a0",
        "f5",
        "6132",
        "1818",
        "a20401181800",  # kid that is no byte string
        "a1c4a10000",  # labels that are neither integer nor text: a tagged map, a list, a float, true, a byte string
        "a1c4810000",
        "a2f9440041320001",
        "a2f500044132",
        "a241ff00044132",
        "a10e01",
        "a10e4101",
        "a11822822e01",
        "a11822812e",
        "a1182241ff",
        "a1182282f54101",
        "a1182181410a",
        "a1182101",
        "a11821820102",
        "bf0e182aff",
        "bf044101181841ffff",
        "b803044101181841ff181900",
        "a9000001000200030005000600070008000900",
    ],
)
def test_malformed_references_are_refused(raw):
    with pytest.raises(DecodeError):
        expanded(bytes.fromhex(raw))


@pytest.mark.parametrize("id_cred", ["", "a0", "80", "41ff", "a1044132ff", "a118044132", "bf044132ff"])
def test_credential_without_a_header_map_is_refused(id_cred):
    with pytest.raises(DecodeError):
        Credential(bytes.fromhex(id_cred), rfc.CRED_R, rfc.CREDENTIAL_R.public)


@pytest.mark.parametrize("cred", ["", "0101", "a1", "5820"])
def test_credential_that_is_not_one_item_is_refused(cred):
    with pytest.raises(DecodeError):
        Credential(kid_reference(b"k"), bytes.fromhex(cred), rfc.CREDENTIAL_R.public)


@pytest.mark.spec("RFC 9528 3.5.2")
def test_claims_set_is_read_with_its_key():
    assert read_credential(rfc.CRED_R, rfc.CREDENTIAL_R.id_cred) == rfc.CREDENTIAL_R


def test_cwt_is_read_with_its_key_and_without_its_tag():
    issuer = generate(KeyType.ED25519)
    values = {1: "maker", 8: {1: {1: 2, -1: 1, -2: rfc.CREDENTIAL_R.public.x, -3: rfc.CREDENTIAL_R.public.y}}}
    tagged = token.issue(values, issuer, signature_id=AlgorithmId.EDDSA)
    credential = read_credential(tagged, kid_reference(b"k"))
    assert token.CWT_HEAD + credential.cred == tagged
    assert credential.public == rfc.CREDENTIAL_R.public
    assert read_credential(credential.cred, kid_reference(b"k")) == credential


@pytest.mark.parametrize("encoded", ["", "a0", "a10801", "84", "f6", "01", "d83da0"])
def test_what_holds_no_key_is_no_credential(encoded):
    with pytest.raises(DecodeError):
        read_credential(bytes.fromhex(encoded), kid_reference(b"k"))
