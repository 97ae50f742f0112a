import pytest

from thingstead.errors import DecodeError
from thingstead.protocols.cbor import codec
from thingstead.protocols.edhoc.identifier import decode_identifier, encode_identifier

pytestmark = pytest.mark.spec("RFC 9528 3.3.2")


@pytest.mark.parametrize(
    ("identifier", "wire"),
    [("21", "21"), ("0d", "0d"), ("18", "4118"), ("38", "4138"), ("abcd", "42abcd"), ("", "40"), ("37", "37")],
)
def test_identifier_has_one_form_on_the_wire(identifier, wire):
    encoded = encode_identifier(bytes.fromhex(identifier))
    assert encoded.hex() == wire
    assert decode_identifier(codec.decode(encoded)).hex() == identifier


@pytest.mark.parametrize("wire", ["410e", "4120", "4137", "4100", "1818", "3818", "f5", "a0", "6161", "80", "f6"])
def test_other_forms_are_refused(wire):
    with pytest.raises(DecodeError):
        decode_identifier(codec.decode(bytes.fromhex(wire)))
