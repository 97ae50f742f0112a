import pytest

from thingstead.crypto.algorithm import AlgorithmId
from thingstead.crypto.key import KeyType, generate
from thingstead.errors import AuthenticationError, DecodeError, UnsupportedError, UntrustedError
from thingstead.protocols.profile import key_set, release
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


@pytest.mark.requirement("R-87")
@pytest.mark.parametrize("key", [CLASSIC, QUANTUM], ids=["ESP256", "ML-DSA-44"])
def test_a_hybrid_takes_one_of_each_family(key):
    hybrid = key_set.hybrid(BOTH)
    proved = authentication.authenticate(signed(CLASSIC, QUANTUM), *release.authentication(BOTH, hybrid.signing))
    assert len(proved.signers) == 2
    with pytest.raises(UntrustedError):
        authentication.authenticate(signed(key), *release.authentication(BOTH, hybrid.signing))


def test_without_a_key_nobody_signs():
    with pytest.raises(UntrustedError):
        release.authentication(())


def test_one_of_two_is_enough_where_the_maker_said_so():
    one = key_set.threshold(BOTH, 1)
    for key in (CLASSIC, QUANTUM):
        assert authentication.authenticate(signed(key), *release.authentication(BOTH, one.signing)).signers


def test_what_is_both_asks_no_key_twice():
    both = key_set.both(key_set.KeySet(BOTH), key_set.hybrid(BOTH))
    proved = authentication.authenticate(signed(CLASSIC, QUANTUM), *release.authentication(both.keys, both.signing))
    assert len(proved.signers) == 2


def test_who_is_missing_is_told_without_a_refusal():
    counted = release.tally(signed(CLASSIC), BOTH, key_set.hybrid(BOTH).signing)
    assert counted.signed == (release.signer(CLASSIC.public),)
    assert [one.name for one in counted.lacking] == ["", "post-quantum"]
    assert not release.tally(signed(CLASSIC, QUANTUM), BOTH).lacking


def test_an_image_beside_the_first_goes_by_its_file_name():
    assert release.image_uri("radio.bin") == "/update/image?radio.bin"
    assert release.image_name("/update/image?radio.bin") == "radio.bin"
    assert release.image_name("/update/image") == ""


@pytest.mark.parametrize("name", ["", "a/b", "A.bin", "../x", "a b", "a?b", "x" * 65, "ä"])
def test_a_name_that_is_no_plain_file_name_is_refused(name):
    with pytest.raises(DecodeError):
        release.image_uri(name)
    assert release.image_name(f"/update/image?{name}") is None


@pytest.mark.parametrize("uri", ["/update", "/update/image/", "coap://a/update/image?x", "#radio", ""])
def test_a_uri_of_something_else_names_no_image(uri):
    assert release.image_name(uri) is None
