import pytest

from thingstead.crypto.algorithm import REGISTRY, AlgorithmId, Kind
from thingstead.crypto.digest import hmac_tag
from thingstead.crypto.mac import aes_expand, mac_tag, verify_mac
from thingstead.errors import AuthenticationError, UnsupportedError
from thingstead.secret import Secret

KEY = Secret(bytes(range(32)))
MACS = [row for row in REGISTRY.values() if row.kind is Kind.MAC]


@pytest.mark.spec("RFC 9053 3")
@pytest.mark.parametrize("row", MACS, ids=lambda row: row.name)
def test_every_mac_of_the_registry_verifies_what_it_made_and_nothing_else(row):
    key = Secret(bytes(range(row.key_size)))
    tag = mac_tag(key, b"data", row.id)
    assert len(tag) == row.output_size
    verify_mac(key, b"data", tag, row.id)
    for data, wrong in ((b"date", tag), (b"data", tag[:-1]), (b"data", bytes(len(tag))), (b"data", b"")):
        with pytest.raises(AuthenticationError):
            verify_mac(key, data, wrong, row.id)


@pytest.mark.parametrize("row", MACS, ids=lambda row: row.name)
def test_a_key_of_another_length_is_refused(row):
    with pytest.raises(ValueError, match="takes a key"):
        mac_tag(Secret(bytes(row.key_size + 1)), b"", row.id)


def test_an_hmac_is_the_one_of_the_digests_and_aes_is_none():
    number = AlgorithmId.HMAC_256_256
    assert mac_tag(KEY, b"data", number) == hmac_tag(KEY, b"data", number)
    with pytest.raises(UnsupportedError):
        hmac_tag(KEY, b"data", AlgorithmId.AES_MAC_256_64)
    with pytest.raises(UnsupportedError):
        mac_tag(KEY, b"data", AlgorithmId.A256GCM)


@pytest.mark.spec("RFC 9053 3.2")
def test_the_aes_mac_of_a_block_is_its_encryption_and_the_last_block_is_padded():
    # FIPS 197 appendix B: one block under an IV of zeros.
    key = Secret(bytes.fromhex("2b7e151628aed2a6abf7158809cf4f3c"))
    block = bytes.fromhex("3243f6a8885a308d313198a2e0370734")
    tag = mac_tag(key, block, AlgorithmId.AES_MAC_128_128)
    assert tag.hex() == "3925841d02dc09fbdc118597196a0b32"
    assert mac_tag(key, block, AlgorithmId.AES_MAC_128_64) == tag[:8]
    assert mac_tag(key, block[:15] + b"\0", AlgorithmId.AES_MAC_128_128) == mac_tag(
        key, block[:15], AlgorithmId.AES_MAC_128_128
    )


@pytest.mark.spec("RFC 9053 5.1")
def test_a_longer_expansion_begins_with_the_shorter_one():
    long = aes_expand(KEY, info=b"info", size=64)
    assert aes_expand(KEY, info=b"info", size=16) == mac_tag(KEY, b"info\x01", AlgorithmId.AES_MAC_256_128)
    assert [aes_expand(KEY, info=b"info", size=size) for size in (1, 17, 32)] == [long[:1], long[:17], long[:32]]
    assert aes_expand(KEY, info=b"other", size=16) != long[:16]


@pytest.mark.parametrize("size", [0, -1, 255 * 16 + 1])
def test_no_more_is_derived_than_can_be_counted(size):
    with pytest.raises(ValueError, match="to derive"):
        aes_expand(KEY, info=b"", size=size)
