import pytest

from thingstead.crypto.algorithm import AlgorithmId
from thingstead.crypto.key import KeyType, generate
from thingstead.errors import DecodeError
from thingstead.planes.access.holding import Holding, decode_holding, encode_holding
from thingstead.protocols.cbor import codec
from thingstead.protocols.edhoc.session import OscoreParameters
from thingstead.secret import Secret

_OSCORE = OscoreParameters(Secret(bytes(16)), b"salt", b"s", b"r", AlgorithmId.AES_CCM_16_64_128, AlgorithmId.SHA_256)
_HOLDING = Holding(_OSCORE, generate(KeyType.P256).public, b"token", b"granted", reserved=64, suspended=True)
_FIELDS = codec.decode(encode_holding(_HOLDING))


def test_what_is_read_back_is_what_was_kept():
    again = decode_holding(encode_holding(_HOLDING))
    assert encode_holding(again) == encode_holding(_HOLDING)
    assert again.oscore.master_secret.reveal() == bytes(16)
    assert (again.public, again.reserved, again.suspended) == (_HOLDING.public, 64, True)


def test_a_holding_that_is_printed_shows_no_key():
    assert "\\x00\\x00" not in repr(_HOLDING)


@pytest.mark.parametrize("place", range(len(_FIELDS)))
def test_a_field_of_another_type_is_refused(place):
    fields = [*_FIELDS[:place], None, *_FIELDS[place + 1 :]]
    with pytest.raises(DecodeError):
        decode_holding(codec.encode(fields))


@pytest.mark.parametrize("place", range(len(_FIELDS[0])))
def test_oscore_parameters_of_another_type_are_refused(place):
    oscore = [*_FIELDS[0][:place], None, *_FIELDS[0][place + 1 :]]
    with pytest.raises(DecodeError):
        decode_holding(codec.encode([oscore, *_FIELDS[1:]]))


@pytest.mark.parametrize("document", [b"", b"\x80", b"\xa0", codec.encode(_FIELDS[:5]), codec.encode([*_FIELDS, 1])])
def test_what_is_no_holding_is_refused(document):
    with pytest.raises(DecodeError):
        decode_holding(document)
