"""HSS/LMS verification, against keys and signatures of pyhsslms; liboqs's are the conformance area lms."""

import pyhsslms.pyhsslms as peer
import pytest
from cryptography.exceptions import InvalidSignature

from thingstead.crypto.hss_lms import HssPublicKey

DATA = b"release 7"
FAMILIES = {
    "sha256-32": (0x01, 0x05),
    "sha256-24": (0x05, 0x0A),
    "shake256-32": (0x09, 0x0F),
    "shake256-24": (0x0D, 0x14),
}
WIDTHS = {1: 0, 2: 1, 4: 2}
COUNT, LEAF, ONE_TIME_TYPE = slice(0, 4), slice(4, 8), slice(8, 12)


def number(value):
    return value.to_bytes(4, "big")


def peer_key(family="sha256-32", width=4, levels=1):
    first_one_time, first_tree = FAMILIES[family]
    return peer.HssPrivateKey(
        levels=levels, lms_type=number(first_tree), lmots_type=number(first_one_time + WIDTHS[width])
    )


@pytest.fixture(scope="module")
def made():
    key = peer_key(levels=2)
    return key.publicKey().serialize(), key.sign(DATA)


@pytest.mark.spec("RFC 8554 6.3")
@pytest.mark.spec("RFC 9858 3")
@pytest.mark.parametrize("width", sorted(WIDTHS))
@pytest.mark.parametrize("family", sorted(FAMILIES))
def test_a_signature_of_every_family_and_width_verifies(family, width):
    key = peer_key(family, width)
    public = HssPublicKey.from_public_bytes(key.publicKey().serialize())
    for data in (b"", DATA):
        public.verify(key.sign(data), data)
    with pytest.raises(InvalidSignature):
        public.verify(key.sign(data), DATA + b"\x00")


@pytest.mark.spec("RFC 8554 6.3")
def test_every_leaf_of_two_levels_of_trees_signs():
    key = peer_key(width=1, levels=2)
    public = HssPublicKey.from_public_bytes(key.publicKey().serialize())
    # One more than a tree has leaves: the last one is signed by a tree that the root signed afterwards.
    for place in range(33):
        data = number(place)
        public.verify(key.sign(data), data)


@pytest.mark.spec("RFC 8554 6.3")
def test_no_altered_byte_of_a_signature_verifies(made):
    encoded, signature = made
    public = HssPublicKey.from_public_bytes(encoded)
    public.verify(signature, DATA)
    for place in range(0, len(signature), 7):
        altered = signature[:place] + bytes((signature[place] ^ 0x80,)) + signature[place + 1 :]
        with pytest.raises(InvalidSignature):
            public.verify(altered, DATA)


@pytest.mark.spec("RFC 8554 6.3")
def test_no_part_of_a_signature_and_nothing_longer_verifies(made):
    encoded, signature = made
    public = HssPublicKey.from_public_bytes(encoded)
    for size in (*range(0, len(signature), 61), len(signature) - 1):
        with pytest.raises(InvalidSignature):
            public.verify(signature[:size], DATA)
    with pytest.raises(InvalidSignature):
        public.verify(signature + b"\x00", DATA)


@pytest.mark.spec("RFC 8554 6.3")
@pytest.mark.parametrize(
    ("field", "value"),
    [
        (COUNT, 0),
        (COUNT, 2),
        (COUNT, 0xFFFFFFFF),
        (LEAF, 1),
        (LEAF, 32),
        (LEAF, 0xFFFFFFFF),
        (ONE_TIME_TYPE, 0),
        (ONE_TIME_TYPE, 4),
        (ONE_TIME_TYPE, 0xFFFFFFFF),
    ],
)
def test_a_signature_with_another_number_in_its_head_is_refused(made, field, value):
    encoded, signature = made
    altered = signature[: field.start] + number(value) + signature[field.stop :]
    with pytest.raises(InvalidSignature):
        HssPublicKey.from_public_bytes(encoded).verify(altered, DATA)


def test_a_signature_of_another_key_is_refused(made):
    _, signature = made
    other = HssPublicKey.from_public_bytes(peer_key(levels=2).publicKey().serialize())
    with pytest.raises(InvalidSignature):
        other.verify(signature, DATA)


def test_the_same_tree_with_fewer_levels_is_another_key(made):
    encoded, signature = made
    with pytest.raises(InvalidSignature):
        HssPublicKey.from_public_bytes(number(1) + encoded[4:]).verify(signature, DATA)


@pytest.mark.spec("RFC 8554 6.1")
@pytest.mark.parametrize(
    "encoded",
    [
        b"",
        number(1),
        number(0) + number(5) + number(3) + bytes(48),
        number(9) + number(5) + number(3) + bytes(48),
        number(1) + number(4) + number(3) + bytes(48),
        number(1) + number(0x19) + number(3) + bytes(48),
        number(1) + number(5) + number(0) + bytes(48),
        number(1) + number(5) + number(0x11) + bytes(48),
        number(1) + number(5) + number(7) + bytes(48),
        number(1) + number(0x0A) + number(3) + bytes(40),
        number(1) + number(5) + number(3) + bytes(47),
        number(1) + number(5) + number(3) + bytes(49),
        number(1) + number(0x0A) + number(7) + bytes(48),
    ],
    ids=(
        *("empty", "levels alone", "no level", "nine levels", "no tree", "no tree either", "no one-time key"),
        *("no one-time key either", "two sizes", "two sizes the other way", "short", "long", "long for 24"),
    ),
)
def test_what_is_no_key_is_refused(encoded):
    with pytest.raises(ValueError, match=r"cut short|expected|parameter sets"):
        HssPublicKey.from_public_bytes(encoded)
