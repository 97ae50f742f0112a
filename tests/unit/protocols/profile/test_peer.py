import pytest

from thingstead.crypto.key import KeyType, generate
from thingstead.errors import DecodeError
from thingstead.protocols.cwt import ccs
from thingstead.protocols.edhoc.ead import EadItem
from thingstead.protocols.profile import peer

_KEY = generate(KeyType.P256).public


@pytest.mark.spec("RFC 9528 3.5.2")
def test_both_sides_make_the_same_credential_of_a_key_and_a_name():
    made = peer.credential(_KEY, "thing-aaaaaaaaaaaaaaaa")
    assert made == peer.credential(_KEY, "thing-aaaaaaaaaaaaaaaa")
    read = ccs.decode(made.cred)
    assert (read.public, read.subject, len(read.kid)) == (_KEY, "thing-aaaaaaaaaaaaaaaa", 4)


def test_another_name_or_key_is_another_credential():
    made = {peer.credential(key, name).cred for key in (_KEY, generate(KeyType.P256).public) for name in "ab"}
    assert len(made) == 4


def test_a_token_travels_in_one_critical_item():
    (item,) = peer.token_item(b"token")
    assert item.critical
    assert peer.decode_token([EadItem(0, b"padding"), item]) == b"token"


@pytest.mark.parametrize("items", [(), (EadItem(26),), peer.token_item(b"a") * 2, (EadItem(15, b"token"),)])
def test_no_token_or_more_than_one_is_refused(items):
    with pytest.raises(DecodeError):
        peer.decode_token(items)
