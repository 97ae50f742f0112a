from types import MappingProxyType

import pytest

from thingstead.errors import AuthenticationError, DecodeError, UnsupportedError
from thingstead.planes.software import rehearsal
from thingstead.protocols.profile.release import FIRMWARE, IMAGE_URI, STAGING
from thingstead.protocols.suit.digest import digest_of
from thingstead.protocols.suit.effect import CheckImageMatch, CopyComponent, Fetch, SetActive, Swap, Write

IMAGE, PLAIN = b"ciphertext", b"plaintext of it"
ACTIVE = SetActive((FIRMWARE,), 2, digest_of(b"manifest"))
FETCHED = [Fetch(STAGING, IMAGE_URI, len(IMAGE)), CheckImageMatch(STAGING, digest_of(IMAGE), len(IMAGE))]
DECRYPTED = [*FETCHED, CopyComponent(FIRMWARE, STAGING, b"info"), CheckImageMatch(FIRMWARE, digest_of(PLAIN), 15)]


RADIO = (b"radio",)
BESIDE = Fetch(RADIO, f"{IMAGE_URI}?radio.bin", 5)
WHOLE = [Fetch(FIRMWARE, IMAGE_URI, 10), CheckImageMatch(FIRMWARE, digest_of(IMAGE), 10)]


def test_an_image_beside_the_first_is_compared_with_its_own_digest():
    compared = CheckImageMatch(RADIO, digest_of(b"radio"), 5)
    both = SetActive((FIRMWARE, RADIO), 2, digest_of(b"manifest"))
    assert played(*WHOLE, BESIDE, compared, both, further={"radio.bin": b"radio"}) == digest_of(IMAGE)
    with pytest.raises(AssertionError):
        played(*WHOLE, BESIDE, compared, both, further={"radio.bin": b"other"})


@pytest.mark.parametrize("further", [{}, {"other.bin": b"radio"}, {"radio.bin": b"longer"}])
def test_an_image_beside_the_first_that_is_not_there_whole_is_refused(further):
    with pytest.raises((UnsupportedError, DecodeError)):
        played(*WHOLE, BESIDE, further=further)


def played(*effects, image=IMAGE, further=MappingProxyType({})):
    """Rehearse effects; every comparison must hold."""

    def steps():
        for one in effects:
            answer = yield one
            assert answer is (True if isinstance(one, CheckImageMatch) else None)

    return rehearsal.rehearse(steps(), image, further)


def test_what_is_fetched_is_what_is_installed():
    whole = [Fetch(FIRMWARE, IMAGE_URI, 10), CheckImageMatch(FIRMWARE, digest_of(IMAGE), 10), ACTIVE]
    assert played(*whole) == digest_of(IMAGE)


def test_what_is_copied_as_it_is_is_what_is_installed():
    assert played(*FETCHED, CopyComponent(FIRMWARE, STAGING), ACTIVE) == digest_of(IMAGE)


@pytest.mark.requirement("R-71")
def test_of_what_is_encrypted_things_will_measure_the_plaintext_s_digest():
    assert played(*DECRYPTED, ACTIVE) == digest_of(PLAIN)


@pytest.mark.requirement("R-71")
def test_ciphertext_that_is_not_what_is_published_is_refused():
    with pytest.raises(AuthenticationError):
        played(Write(FIRMWARE, b"other", b"info"), CheckImageMatch(FIRMWARE, digest_of(PLAIN), 15), ACTIVE)


@pytest.mark.parametrize(
    ("effects", "error"),
    [
        ([Fetch(FIRMWARE, IMAGE_URI, 11)], DecodeError),
        ([Fetch(FIRMWARE, "/elsewhere", 10)], UnsupportedError),
        ([Fetch(FIRMWARE, IMAGE_URI, 10, b"arguments")], UnsupportedError),
        ([CopyComponent(FIRMWARE, STAGING, b"info")], UnsupportedError),
        ([Swap(FIRMWARE, STAGING)], UnsupportedError),
        ([Write(FIRMWARE, b"other"), ACTIVE], AuthenticationError),
        ([Write(FIRMWARE, IMAGE, arguments=b"difference"), Write(FIRMWARE, b"", b""), ACTIVE], AuthenticationError),
        ([*FETCHED, ACTIVE], AuthenticationError),
        ([*DECRYPTED, CheckImageMatch(FIRMWARE, digest_of(PLAIN, -44), 15), ACTIVE], UnsupportedError),
    ],
)
def test_what_no_thing_takes_or_installs_something_else_is_refused(effects, error):
    with pytest.raises(error):
        played(*effects)


def test_what_was_never_fetched_does_not_match():
    run = rehearsal._Rehearsal({"": IMAGE})
    assert run.execute(CheckImageMatch(FIRMWARE, digest_of(IMAGE), 10)) is False
    run.execute(Fetch(FIRMWARE, IMAGE_URI, 10))
    assert run.execute(CheckImageMatch(FIRMWARE, digest_of(IMAGE), 11)) is False
