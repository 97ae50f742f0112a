"""A file of permits names each thing once, and the key that it must prove."""

import pytest

from thingstead.crypto.key import KeyType, generate
from thingstead.errors import DecodeError, ThingsteadError
from thingstead.protocols.cbor import codec
from thingstead.protocols.cose import key as cose_key
from thingstead.protocols.profile.permit import Carried, PermitFile

pytestmark = pytest.mark.requirement("R-07")
KEY = generate(KeyType.P256).public
FILE = PermitFile("home", "ben", (Carried("thing-a", b"token", KEY), Carried("thing-b", b"token", KEY)))


def test_a_file_is_read_back():
    assert PermitFile.decode(FILE.encode()) == FILE


@pytest.mark.parametrize(
    "data",
    [
        b"",
        codec.encode(1),
        codec.encode([2, "home", "ben", [["a", b"", cose_key.public_map(KEY)]]]),
        codec.encode([1, "home", "ben", []]),
        codec.encode([1, "home", "ben", [["a", b""]]]),
        codec.encode([1, "home", "ben", [["a", b"", {}]]]),
        codec.encode([1, "home", "ben", [["a", b"", cose_key.public_map(KEY)]] * 2]),
        codec.encode([1, "home", "ben", [[str(n), b"", cose_key.public_map(KEY)] for n in range(1025)]]),
        FILE.encode()[:-1],
    ],
)
def test_no_other_is(data):
    with pytest.raises(ThingsteadError):
        PermitFile.decode(data)


def test_what_is_none_is_a_fault_of_whoever_wrote_it():
    with pytest.raises(DecodeError):
        PermitFile.decode(b"\x00")
