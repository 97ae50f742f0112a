import pytest

from thingstead.crypto.algorithm import AlgorithmId
from thingstead.crypto.key import KeyType, PublicKey, generate
from thingstead.errors import DecodeError, UnsupportedError
from thingstead.protocols.cbor import codec
from thingstead.protocols.cose import key
from thingstead.secret import Secret

# RFC 9679 §6: the EC2 example key and its thumbprint.
X = bytes.fromhex("65eda5a12577c2bae829437fe338701a10aaa375e1bb5b5de108de439c08551d")
Y = bytes.fromhex("1e52ed75701163f7f9e40ddf9f341b3dc9ba860af7e0ca7ca7e9eecd0084d19c")
THUMBPRINT = bytes.fromhex("496bd8afadf307e5b08c64b0421bf9dc01528a344a43bda88fadd1669da253ec")
EC2: dict[object, object] = {1: 2, 2: b"meriadoc.brandybuck@buckland.example", -1: 1, -2: X, -3: Y}


@pytest.mark.spec("RFC 9679 6")
def test_the_thumbprint_of_the_rfc_is_ours():
    decoded = key.decode(codec.encode(EC2))
    assert key.thumbprint(decoded.require_public()) == THUMBPRINT
    assert decoded.kid == b"meriadoc.brandybuck@buckland.example"


@pytest.mark.spec("RFC 9053 7.1.1")
def test_a_compressed_point_is_the_same_key():
    assert key.from_map({**EC2, -3: bool(Y[-1] & 1)}) == key.from_map(EC2)
    assert key.from_map({**EC2, -3: not Y[-1] & 1}) != key.from_map(EC2)


@pytest.mark.spec("RFC 9053 7")
@pytest.mark.parametrize(
    "key_type",
    [
        KeyType.P256,
        KeyType.P384,
        KeyType.P521,
        KeyType.X25519,
        KeyType.ED25519,
        KeyType.ML_DSA_44,
        KeyType.ML_DSA_65,
        KeyType.ML_DSA_87,
    ],
    ids=lambda value: value.name,
)
def test_every_public_key_survives_its_map(key_type):
    public = generate(key_type).public
    decoded = key.decode(codec.encode(key.public_map(public, kid=b"k")))
    assert (decoded.public, decoded.kid, decoded.private, decoded.symmetric) == (public, b"k", None, None)


@pytest.mark.spec("RFC 9052 7.1")
def test_alg_and_key_ops_bind_the_key():
    decoded = key.from_map({**EC2, 3: -9, 4: [2]})
    assert decoded.alg == AlgorithmId.ESP256
    assert decoded.key_ops == {key.KeyOperation.VERIFY}
    assert key.public_map(decoded.require_public(), alg=-9)[3] == -9


@pytest.mark.spec("RFC 9053 7.1.1")
def test_a_private_half_must_fit_the_public_one():
    own, other = generate(KeyType.P256), generate(KeyType.P256)
    entries = key.public_map(own.public)
    decoded = key.from_map({**entries, -4: own.private_bytes().reveal()})
    assert decoded.private is not None
    assert decoded.private.public == own.public
    with pytest.raises(DecodeError, match="private half"):
        key.from_map({**entries, -4: other.private_bytes().reveal()})


@pytest.mark.spec("RFC 9964 3")
def test_an_akp_key_takes_its_parameter_set_from_alg_and_its_seed_from_minus_two():
    own = generate(KeyType.ML_DSA_44)
    entries = key.public_map(own.public)
    assert (entries[1], entries[3]) == (7, -48)
    decoded = key.from_map({**entries, -2: own.private_bytes().reveal()})
    assert decoded.private is not None
    assert decoded.private.public == own.public
    with pytest.raises(DecodeError):
        key.from_map({**entries, 3: -49})
    for alg in (None, -9):
        with pytest.raises(UnsupportedError, match="AKP"):
            key.from_map({1: 7, 3: alg, -1: own.public.x} if alg else {1: 7, -1: own.public.x})


@pytest.mark.spec("RFC 9053 6.1")
def test_a_symmetric_key_is_a_secret_and_no_public_key():
    decoded = key.from_map({1: 4, -1: b"0123456789abcdef"})
    assert decoded.symmetric == Secret(b"0123456789abcdef")
    assert "0123" not in repr(decoded)
    with pytest.raises(DecodeError, match="public key"):
        decoded.require_public()


@pytest.mark.spec("RFC 9052 7")
@pytest.mark.parametrize(
    ("entries", "error"),
    [
        ([], DecodeError),
        ({}, DecodeError),
        ({1: "EC2"}, DecodeError),
        ({1.0: 2, **{k: v for k, v in EC2.items() if k != 1}}, DecodeError),
        ({**EC2, b"": 1}, DecodeError),
        ({**EC2, 2: "kid"}, DecodeError),
        ({**EC2, 3: "ES256"}, UnsupportedError),
        ({**EC2, 4: []}, DecodeError),
        ({**EC2, 4: ["verify"]}, DecodeError),
        ({**EC2, 4: 2}, DecodeError),
        ({**EC2, -1: 8}, UnsupportedError),
        ({**EC2, -1: True}, UnsupportedError),
        ({**EC2, -1: [1]}, UnsupportedError),
        ({**EC2, 1: 3}, UnsupportedError),
        ({**EC2, 1: 1}, UnsupportedError),
        ({**EC2, -2: X[1:]}, DecodeError),
        ({**EC2, -2: bytes(32)}, DecodeError),
        ({**EC2, -3: Y[::-1]}, DecodeError),
        ({**EC2, -3: None}, DecodeError),
        ({**EC2, -4: bytes(32)}, DecodeError),
        ({1: 1, -1: 6, -2: bytes(31)}, DecodeError),
        ({1: 4}, DecodeError),
        ({1: 4, -1: "text"}, DecodeError),
    ],
)
def test_a_key_outside_its_grammar_is_refused(entries, error):
    with pytest.raises(error):
        key.decode(codec.encode(entries))


@pytest.mark.spec("RFC 9679 4")
def test_the_thumbprint_leaves_kid_and_alg_out():
    public = generate(KeyType.ED25519).public
    assert key.thumbprint(PublicKey(KeyType.ED25519, public.x)) == key.thumbprint(public)
    assert len(key.thumbprint(public, AlgorithmId.SHA_384)) == 48


HSS_PUBLIC = bytes.fromhex("000000010000000500000003") + bytes(range(16)) + bytes(32)


@pytest.mark.spec("RFC 8778 5")
@pytest.mark.parametrize("alg", [None, AlgorithmId.HSS_LMS])
def test_an_hss_lms_key_is_read_and_written(alg):
    public = PublicKey(KeyType.HSS_LMS, HSS_PUBLIC)
    encoded = codec.encode(key.public_map(public, alg=alg))
    assert codec.decode(encoded) == {1: 5, -1: HSS_PUBLIC} | ({} if alg is None else {3: -46})
    assert key.decode(encoded).public == public


@pytest.mark.spec("RFC 8778 5")
@pytest.mark.parametrize(
    "entries",
    [{1: 5}, {1: 5, -1: HSS_PUBLIC[:-1]}, {1: 5, -1: "text"}, {1: 5, -1: HSS_PUBLIC, 3: -7}],
    ids=["no key", "short key", "text", "another algorithm"],
)
def test_what_is_no_hss_lms_key_is_refused(entries):
    with pytest.raises((DecodeError, UnsupportedError)):
        key.from_map(entries)
