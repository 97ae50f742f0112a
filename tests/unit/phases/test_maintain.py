import pytest

from tests.unit.protocols.suit.releases import AT, CLASS, CLASSIC, NEW, QUANTUM, VENDOR
from thingstead.crypto.algorithm import AlgorithmId
from thingstead.crypto.key import KeyType, generate
from thingstead.errors import AuthenticationError, StateError, UnsupportedError, UntrustedError
from thingstead.phases.maintain import collect, make_release, sign_release, sign_with, state, yet_to_sign
from thingstead.protocols.profile import release as profile
from thingstead.protocols.profile import release_statement
from thingstead.protocols.suit import authentication, envelope
from thingstead.protocols.suit.authentication import Signer
from thingstead.protocols.suit.manifest import open_manifest
from thingstead.secret import Secret


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


KEYS = [(profile.signer(key.public), key) for key in (CLASSIC, QUANTUM)]
FILES = {"image.bin": NEW}


def test_a_key_that_has_signed_is_not_asked_again():
    once = sign_with(made(), KEYS[:1])
    assert yet_to_sign(once, KEYS) == KEYS[1:]
    with pytest.raises(StateError) as refused:
        yet_to_sign(sign_with(once, KEYS[1:]), KEYS)
    assert refused.value.reason == "signed"


def test_no_more_sign_than_things_read():
    crowd = [(Signer(bytes([number]), AlgorithmId.ESP256), CLASSIC) for number in range(9)]
    for refuse in (lambda: sign_with(made(), crowd), lambda: yet_to_sign(made(), crowd)):
        with pytest.raises(StateError) as refused:
            refuse()
        assert refused.value.reason == "blocks"
    halves = [sign_with(made(), crowd[:5]), sign_with(made(), crowd[5:])]
    with pytest.raises(StateError):
        collect(halves[0], b"", [(halves[1], b"")])


def test_what_was_signed_apart_is_the_same_release_put_together():
    copies = [(sign_with(made(), [key]), state(made(), FILES, [key])) for key in KEYS]
    signed, statement = collect(made(), b"", copies)
    assert collect(signed, statement, copies) == (signed, statement)
    keys, policy = profile.authentication([CLASSIC.public, QUANTUM.public])
    proved = authentication.authenticate(signed, keys, policy)
    release_statement.open_statement(statement, proved, keys).verify(FILES)


def test_signatures_of_another_release_or_over_other_files_are_not_collected():
    other = make_release(NEW, vendor_id=VENDOR, class_id=CLASS, sequence_number=8, version="1.1.0")
    with pytest.raises(AuthenticationError, match="another release"):
        collect(made(), b"", [(sign_with(other, KEYS), b"")])
    ours, theirs = state(made(), FILES, KEYS[:1]), state(made(), {}, KEYS[1:])
    with pytest.raises(AuthenticationError, match="something else"):
        collect(made(), ours, [(made(), theirs)])


def test_a_statement_gets_each_signature_once_and_none_of_who_only_makes_macs():
    shared = (Signer(b"shared", AlgorithmId.HMAC_256_256), Secret(bytes(32)))
    assert state(made(), FILES, [shared]) == b""
    first = state(made(), FILES, [KEYS[0], shared])
    assert state(made(), FILES, KEYS[:1], signed=first) == first
    with pytest.raises(AuthenticationError):
        state(made(), {}, KEYS[1:], signed=first)
