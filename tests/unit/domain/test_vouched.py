"""A document counts with an entry of the right kind that holds its digest, under the ledger's key, or not at all."""

import pytest

from tests.unit.domain.test_release_result import KEY, entry_of, recorded
from thingstead.crypto.key import KeyType, generate
from thingstead.domain import vouched
from thingstead.domain.ledger.entry import Kind
from thingstead.domain.vouched import Vouched
from thingstead.errors import AuthenticationError, DecodeError, UnsupportedError, UntrustedError
from thingstead.protocols.cbor import codec

pytestmark = pytest.mark.requirement("R-84")
KINDS = frozenset({Kind.EXAMINATION})
DOCUMENT = codec.encode(["document"])
ENTRY = entry_of(DOCUMENT, Kind.EXAMINATION)
FILE = vouched.enclose(DOCUMENT, ENTRY, recorded(ENTRY))


@pytest.mark.spec("RFC 9942 5.2.1")
def test_the_ledgers_key_proves_it_and_nothing_else_does():
    proved = vouched.authenticate(FILE, KEY.public, kinds=KINDS)
    assert (proved.document, proved.entry.kind) == (DOCUMENT, Kind.EXAMINATION)
    with pytest.raises(AuthenticationError):
        vouched.authenticate(FILE, generate(KeyType.P256).public, kinds=KINDS)
    with pytest.raises(TypeError):
        Vouched(DOCUMENT, proved.entry, object())


def test_an_entry_of_another_kind_says_nothing_of_it():
    with pytest.raises(UntrustedError) as refused:
        vouched.authenticate(FILE, KEY.public, kinds=frozenset({Kind.RELEASE}))
    assert refused.value.reason == "entry"


def test_another_document_under_the_same_entry_is_refused():
    with pytest.raises(UntrustedError):
        vouched.authenticate(vouched.enclose(b"other", ENTRY, recorded(ENTRY)), KEY.public, kinds=KINDS)


def test_every_changed_byte_is_refused():
    for place in range(len(FILE)):
        changed = FILE[:place] + bytes([FILE[place] ^ 1]) + FILE[place + 1 :]
        with pytest.raises((AuthenticationError, DecodeError, UnsupportedError, UntrustedError)):
            vouched.authenticate(changed, KEY.public, kinds=KINDS)


@pytest.mark.parametrize("data", [b"", b"\x80", codec.encode([2, DOCUMENT, ENTRY, b""]), codec.encode([1, DOCUMENT])])
def test_what_is_no_such_file_is_refused(data):
    with pytest.raises(DecodeError):
        vouched.authenticate(data, KEY.public, kinds=KINDS)
