import pytest

from thingstead.crypto.algorithm import AlgorithmId
from thingstead.crypto.key import KeyType, generate
from thingstead.errors import AuthenticationError, UnsupportedError, UntrustedError
from thingstead.protocols.profile import release
from thingstead.protocols.suit import authentication, builder, envelope
from thingstead.protocols.suit.builder import Release
from thingstead.protocols.suit.digest import digest_of

CLASSIC, QUANTUM = generate(KeyType.P256), generate(KeyType.ML_DSA_44)
BOTH = (CLASSIC.public, QUANTUM.public)


def signed(*keys):
    unsigned = builder.build(
        Release(
            component=release.FIRMWARE,
            vendor_id=bytes(16),
            class_id=bytes(16),
            sequence_number=2,
            version="1.1.0",
            image_digest=digest_of(b"image"),
            image_size=5,
            uri=release.IMAGE_URI,
        )
    )
    return envelope.decode(envelope.encode(builder.sign(unsigned, [(release.signer(key.public), key) for key in keys])))


@pytest.mark.requirement("R-29")
def test_a_release_that_every_key_signed_is_authentic():
    proved = authentication.authenticate(signed(CLASSIC, QUANTUM), *release.authentication(BOTH))
    assert [one.signature_id for one in proved.signers] == [AlgorithmId.ESP256, AlgorithmId.ML_DSA_44]


@pytest.mark.requirement("R-29")
@pytest.mark.parametrize("key", [CLASSIC, QUANTUM], ids=["ESP256", "ML-DSA-44"])
def test_one_of_two_signatures_is_not_enough(key):
    with pytest.raises(UntrustedError):
        authentication.authenticate(signed(key), *release.authentication(BOTH))


@pytest.mark.requirement("R-29")
def test_a_release_of_another_makers_keys_is_refused():
    others = (generate(KeyType.P256), generate(KeyType.ML_DSA_44))
    with pytest.raises((UntrustedError, AuthenticationError)):
        authentication.authenticate(signed(*others), *release.authentication(BOTH))


@pytest.mark.parametrize("key_type", [KeyType.P384, KeyType.P521, KeyType.X25519, KeyType.ML_KEM_1024])
def test_a_key_of_another_type_signs_no_release(key_type):
    with pytest.raises(UnsupportedError, match="release key"):
        release.signer(generate(key_type).public)
