import pytest

from tests.unit.protocols.group_oscore.group import GM_CREDENTIAL, context, group, identity
from thingstead.crypto.algorithm import AlgorithmId
from thingstead.crypto.key import KeyType, PublicKey
from thingstead.errors import DecodeError, UnsupportedError
from thingstead.protocols.group_oscore.algorithms import GroupAlgorithms
from thingstead.protocols.group_oscore.context import GroupContext, OwnIdentity
from thingstead.protocols.oscore.context import SequenceNumbers
from thingstead.secret import Secret


@pytest.mark.spec("RFC 10021 2.2")
@pytest.mark.parametrize("kid", [b"sw", b"ha", bytes(8)], ids=["ours", "taken", "too long"])
def test_a_kid_names_one_member_of_an_epoch(kid):
    switch, *_ = group()
    with pytest.raises(ValueError, match="RFC 10021"):
        switch.add_member(kid, identity("porch")[1])


@pytest.mark.spec("RFC 10021 2.2")
def test_the_smaller_nonce_limits_our_sender_id():
    key, credential = identity("switch")
    with pytest.raises(ValueError, match="at most 6 bytes"):
        GroupContext(
            b"g1",
            master_secret=Secret(bytes(16)),
            master_salt=b"",
            gm_credential=GM_CREDENTIAL,
            algorithms=GroupAlgorithms(group_encryption_id=AlgorithmId.A128CTR, signature_id=AlgorithmId.ED25519),
            own=OwnIdentity(bytes(7), credential, key, SequenceNumbers()),
        )


@pytest.mark.spec("RFC 10021 3.3")
def test_a_nonce_takes_the_start_of_a_longer_common_iv():
    mixed = GroupAlgorithms(group_encryption_id=AlgorithmId.A128CTR, signature_id=AlgorithmId.ED25519)
    switch = context("switch", algorithms=mixed)
    long, short = (switch.nonce(b"", 0, algorithm_id=number) for number in (10, AlgorithmId.A128CTR))
    assert (len(long), short) == (13, long[:12])
    assert switch.nonce(b"sw", 5, algorithm_id=10)[-1] == long[-1] ^ 5


@pytest.mark.spec("RFC 10021 2.5.1")
def test_both_ends_derive_the_same_pairwise_keys():
    switch, hall, _ = group()
    to_hall, from_hall = switch.pairwise_ciphers(switch.members[b"ha"])
    to_switch, from_switch = hall.pairwise_ciphers(hall.members[b"sw"])
    nonce = bytes(13)
    assert from_switch.decrypt(nonce, to_hall.encrypt(nonce, b"x", b""), b"") == b"x"
    assert from_hall.decrypt(nonce, to_switch.encrypt(nonce, b"x", b""), b"") == b"x"
    assert to_hall.encrypt(nonce, b"x", b"") != to_switch.encrypt(nonce, b"x", b"")


@pytest.mark.spec("RFC 10021 2.5.2")
@pytest.mark.parametrize("y", [1, 2**255 - 20], ids=["1", "-1"])
def test_an_edwards_key_without_montgomery_form_is_no_credential(y):
    with pytest.raises(DecodeError):
        PublicKey(KeyType.ED25519, y.to_bytes(32, "little"))


@pytest.mark.spec("RFC 10021 2.5.1")
def test_keys_of_two_curves_do_not_agree():
    switch = context("switch", members=("switch",))
    p256 = GroupAlgorithms()
    member = switch.add_member(b"x", identity("hall", p256)[1])
    with pytest.raises(UnsupportedError):
        switch.pairwise_ciphers(member)


@pytest.mark.spec("RFC 10021 12.2")
@pytest.mark.requirement("R-63")
@pytest.mark.parametrize("changed", [{"gid": b"g2"}, {"secret": bytes(15) + b"\1"}], ids=["Gid", "Master Secret"])
def test_another_epoch_shares_no_key(changed):
    old, new = context("switch"), context("switch", **changed)
    assert old.signature_encryption_key != new.signature_encryption_key
    nonce = bytes(13)
    assert old.own_group_cipher.encrypt(nonce, b"x", b"") != new.own_group_cipher.encrypt(nonce, b"x", b"")
    for one, other in ((old, new), (new, old)):
        cipher = other.group_cipher_of(other.members[b"ha"])
        assert cipher.encrypt(nonce, b"x", b"") != one.group_cipher_of(one.members[b"ha"]).encrypt(nonce, b"x", b"")
