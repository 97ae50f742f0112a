import pytest

from tests.unit.protocols.suit.releases import AT, CLASS, CLASSIC, NEW, QUANTUM, VENDOR
from thingstead.crypto.key import KeyType, generate
from thingstead.errors import UnsupportedError, UntrustedError
from thingstead.phases.maintain import make_release, sign_release
from thingstead.protocols.profile import release as profile
from thingstead.protocols.suit import authentication, envelope
from thingstead.protocols.suit.manifest import open_manifest


def made(use_before=None):
    return make_release(
        NEW, vendor_id=VENDOR, class_id=CLASS, sequence_number=7, version="1.1.0", use_before=use_before
    )


@pytest.mark.requirement("R-29")
def test_a_release_under_every_key_is_authentic_and_says_what_it_was_made_of():
    keys, policy = profile.authentication([CLASSIC.public, QUANTUM.public])
    came = envelope.decode(envelope.encode(sign_release(made(), [CLASSIC, QUANTUM])))
    content = open_manifest(authentication.authenticate(came, keys, policy)).content
    assert (content.sequence_number, content.version_of(profile.FIRMWARE)) == (7, "1.1.0")


@pytest.mark.requirement("R-29")
@pytest.mark.parametrize("signing", [[CLASSIC], [QUANTUM]], ids=["classic", "quantum"])
def test_one_signature_of_two_is_not_enough(signing):
    keys, policy = profile.authentication([CLASSIC.public, QUANTUM.public])
    with pytest.raises(UntrustedError):
        authentication.authenticate(sign_release(made(), signing), keys, policy)


def test_the_same_release_is_the_same_bytes_until_it_is_signed():
    assert made(use_before=AT) == made(use_before=AT)
    assert made() != made(use_before=AT)


def test_a_key_of_another_type_signs_no_release():
    with pytest.raises(UnsupportedError):
        sign_release(made(), [generate(KeyType.X25519)])
