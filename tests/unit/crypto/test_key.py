import pytest

from thingstead.crypto.algorithm import REGISTRY, AlgorithmId, Kind
from thingstead.crypto.key import KeyType, PublicKey, generate, private_key, verify
from thingstead.errors import AuthenticationError, DecodeError, UnsupportedError
from thingstead.secret import Secret

SIGNERS = {
    AlgorithmId.ES256: KeyType.P256,
    AlgorithmId.ESP256: KeyType.P256,
    AlgorithmId.ES384: KeyType.P384,
    AlgorithmId.ESP384: KeyType.P384,
    AlgorithmId.ES512: KeyType.P521,
    AlgorithmId.ESP512: KeyType.P521,
    AlgorithmId.EDDSA: KeyType.ED25519,
    AlgorithmId.ED25519: KeyType.ED25519,
    AlgorithmId.ML_DSA_44: KeyType.ML_DSA_44,
    AlgorithmId.ML_DSA_65: KeyType.ML_DSA_65,
    AlgorithmId.ML_DSA_87: KeyType.ML_DSA_87,
}
KEYS = {key_type: generate(key_type) for key_type in KeyType if key_type is not KeyType.HSS_LMS}
AGREEING = (KeyType.P256, KeyType.P384, KeyType.P521, KeyType.X25519, KeyType.X448, KeyType.ED25519)


def named(value):
    return getattr(value, "name", "")


@pytest.mark.spec("RFC 6979 A.2.5")
def test_the_p256_signature_of_the_rfc_verifies():
    key = private_key(
        KeyType.P256, Secret(bytes.fromhex("c9afa9d845ba75166b5c215767b1d6934e50c3db36e89b127b8a622b120f6721"))
    )
    assert key.public.x.hex() == "60fed4ba255a9d31c961eb74c6356d68c049b8923b61fa6ce669622e60f29fb6"
    assert key.public.y.hex() == "7903fe1008b8bc99a41ae9e95628bc64f2f1b20c2d7e9f5177a3c294d4462299"
    signature = bytes.fromhex(
        "efd48b2aacb6a8fd1140dd9cd45e81d69d2c877b56aaf991c34d0ea84eaf3716"
        "f7cb1c942d657c41d436c7a1b6e29f65f3e900dbb9aff4064dc4ab2f843acda8"
    )
    verify(key.public, signature=signature, data=b"sample", signature_id=AlgorithmId.ESP256)


@pytest.mark.spec("RFC 8032 7.1")
def test_the_ed25519_signature_of_the_rfc_is_made_and_verifies():
    key = private_key(
        KeyType.ED25519, Secret(bytes.fromhex("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60"))
    )
    assert key.public.x.hex() == "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a"
    signature = key.sign(b"", AlgorithmId.ED25519)
    assert signature.hex() == (
        "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e06522490155"
        "5fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b"
    )
    verify(key.public, signature=signature, data=b"", signature_id=AlgorithmId.ED25519)


def test_the_table_of_signers_here_is_the_registry():
    verified_only = {AlgorithmId.HSS_LMS}
    assert set(SIGNERS) | verified_only == {row.id for row in REGISTRY.values() if row.kind is Kind.SIGNATURE}


@pytest.mark.spec("RFC 8554 5.2")
def test_keys_with_a_state_are_not_made_here():
    for make in (generate, lambda key_type: private_key(key_type, Secret(bytes(32)))):
        with pytest.raises(UnsupportedError, match="HSS_LMS keys are not made from a seed here"):
            make(KeyType.HSS_LMS)


@pytest.mark.parametrize(("number", "key_type"), SIGNERS.items(), ids=named)
def test_a_signature_has_its_length_and_verifies_over_its_data_only(number, key_type):
    key = KEYS[key_type]
    signature = key.sign(b"data", number)
    assert len(signature) == REGISTRY[number].output_size
    verify(key.public, signature=signature, data=b"data", signature_id=number)
    size = len(signature)
    for wrong in (b"", signature[:-1], signature + b"\x00", bytes(size), b"\xff" * size, signature[::-1]):
        with pytest.raises(AuthenticationError):
            verify(key.public, signature=wrong, data=b"data", signature_id=number)
    with pytest.raises(AuthenticationError):
        verify(key.public, signature=signature, data=b"dato", signature_id=number)


@pytest.mark.parametrize("key_type", list(KEYS), ids=named)
def test_a_key_signs_and_verifies_with_its_own_algorithms_only(key_type):
    for number in AlgorithmId:
        if SIGNERS.get(number) is key_type:
            continue
        with pytest.raises(UnsupportedError):
            KEYS[key_type].sign(b"data", number)
        with pytest.raises(UnsupportedError):
            verify(KEYS[key_type].public, signature=bytes(64), data=b"data", signature_id=number)


@pytest.mark.parametrize("key_type", list(KEYS), ids=named)
def test_a_private_key_is_rebuilt_from_its_bytes_and_shows_none(key_type):
    key = KEYS[key_type]
    value = key.private_bytes()
    assert private_key(key_type, value).public == key.public
    assert repr(key) == f"<SoftwareKey {key_type.name}>"
    for size in (0, len(value) - 1, len(value) + 1):
        with pytest.raises(DecodeError):
            private_key(key_type, Secret(bytes(size)))


@pytest.mark.parametrize("key_type", [KeyType.P256, KeyType.P384, KeyType.P521], ids=named)
def test_a_scalar_outside_the_group_is_refused(key_type):
    size = len(KEYS[key_type].private_bytes())
    for value in (bytes(size), b"\xff" * size):
        with pytest.raises(DecodeError):
            private_key(key_type, Secret(value))


@pytest.mark.parametrize("key_type", AGREEING, ids=named)
def test_two_keys_agree_on_one_secret(key_type):
    one, two = KEYS[key_type], generate(key_type)
    assert one.agree(two.public) == two.agree(one.public)
    assert len(one.agree(two.public)) == len(one.public.x)


@pytest.mark.parametrize("key_type", list(KEYS), ids=named)
def test_keys_of_two_types_or_of_none_that_agrees_do_not_agree(key_type):
    for other, peer in KEYS.items():
        if other is not key_type or other not in AGREEING:
            with pytest.raises(UnsupportedError):
                KEYS[key_type].agree(peer.public)


@pytest.mark.spec("RFC 7748 6.1")
@pytest.mark.parametrize("x", [bytes(32), b"\x01" + bytes(31), b"\xec" + b"\xff" * 30 + b"\x7f"])
def test_a_point_of_small_order_gives_no_secret(x):
    with pytest.raises(DecodeError, match="full group"):
        KEYS[KeyType.X25519].agree(PublicKey(KeyType.X25519, x))


@pytest.mark.spec("RFC 8032 5.1")
@pytest.mark.parametrize(
    "x",
    [
        "00" * 32,
        "00" * 31 + "80",
        "01" + "00" * 31,
        "01" + "00" * 30 + "80",
        "ec" + "ff" * 30 + "7f",
        "ed" + "ff" * 30 + "7f",
        "ee" + "ff" * 30 + "7f",
        "ff" * 32,
        "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
    ],
)
def test_an_edwards_point_of_small_order_or_with_a_second_name_is_no_key(x):
    with pytest.raises(DecodeError):
        PublicKey(KeyType.ED25519, bytes.fromhex(x))


@pytest.mark.spec("RFC 9053 7")
@pytest.mark.parametrize("key_type", list(KEYS), ids=named)
def test_a_public_key_of_another_length_is_refused(key_type):
    public = KEYS[key_type].public
    for x, y in (
        (b"", public.y),
        (public.x[:-1], public.y),
        (public.x + b"\x00", public.y),
        (public.x, public.y + b"\x00"),
        (public.x, public.y[:-1] or b"\x00"),
    ):
        with pytest.raises(DecodeError):
            PublicKey(key_type, x, y)


@pytest.mark.spec("RFC 9053 7.1.1")
def test_a_point_off_its_curve_is_refused():
    public = KEYS[KeyType.P256].public
    with pytest.raises(DecodeError):
        PublicKey(KeyType.P256, public.x, bytes(32))
    with pytest.raises(DecodeError):
        PublicKey(KeyType.P256, b"\xff" * 32, public.y)


@pytest.mark.parametrize("key_type", [KeyType.P256, KeyType.P384, KeyType.P521], ids=named)
def test_a_point_is_completed_from_its_x(key_type):
    public = KEYS[key_type].public
    assert PublicKey.from_x(key_type, public.x, odd=bool(public.y[-1] & 1)) == public
    assert PublicKey.from_x(key_type, public.x, odd=not public.y[-1] & 1) != public
    for x in (b"", public.x[:-1], b"\xff" * len(public.x)):
        with pytest.raises(DecodeError):
            PublicKey.from_x(key_type, x)


def test_a_key_without_y_is_its_x():
    public = KEYS[KeyType.X25519].public
    assert PublicKey.from_x(KeyType.X25519, public.x) == public
    assert public.raw == public.x
    assert KEYS[KeyType.P256].public.raw == KEYS[KeyType.P256].public.x + KEYS[KeyType.P256].public.y


@pytest.mark.spec("RFC 8410 4")
def test_the_der_of_a_key_ends_in_the_key():
    for key_type in (KeyType.ED25519, KeyType.X25519, KeyType.ML_DSA_44):
        public = KEYS[key_type].public
        assert public.subject_public_key_info().endswith(public.x)
