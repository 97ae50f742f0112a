"""What goes with a release is what those who signed its manifest said goes with it."""

import pytest

from thingstead.crypto.key import KeyType, generate
from thingstead.errors import AuthenticationError, DecodeError, SecurityError, UntrustedError
from thingstead.phases.maintain import make_release, sign_release
from thingstead.protocols.cbor import codec
from thingstead.protocols.cose import sign
from thingstead.protocols.profile import release as profile
from thingstead.protocols.profile import release_statement
from thingstead.protocols.profile.release_statement import (
    MEDIA_TYPES,
    MemberName,
    ReleaseStatement,
    Statement,
    encode,
    member,
    open_statement,
    sign_statement,
)
from thingstead.protocols.suit import authentication
from thingstead.protocols.suit.digest import digest_of

KEYS = [generate(KeyType.P256), generate(KeyType.ML_DSA_44)]
FILES = {MemberName.SBOM.value: b"{}", MemberName.WORDS.value: b'{"en":"Mends a leak."}', "image.bin": b"image"}
PLACES, POLICY = profile.authentication([key.public for key in KEYS])


def signed_envelope(version="1.0.0"):
    made = make_release(b"image", vendor_id=bytes(16), class_id=bytes(16), sequence_number=1, version=version)
    return authentication.authenticate(sign_release(made, KEYS), PLACES, POLICY)


ENVELOPE = signed_envelope()
STATEMENT = Statement(ENVELOPE.envelope.digest, {name: member(name, data) for name, data in FILES.items()})
SIGNERS = [(profile.signer(key.public), key) for key in KEYS]
SIGNED = sign_statement(STATEMENT, SIGNERS)


def bent(payload, signers=SIGNERS, aad=b"thingstead release statement"):
    rows = [sign.Signer(key, signer.signature_id, signer.kid) for signer, key in signers]
    return sign.sign(codec.encode(payload), rows, external_aad=aad)


def test_a_statement_names_what_lies_in_the_folder():
    opened = open_statement(SIGNED, ENVELOPE, PLACES)
    assert opened.statement == STATEMENT == release_statement.decode(SIGNED)
    assert opened.signers == ENVELOPE.signers
    assert opened.statement.members[MemberName.SBOM].media_type == MEDIA_TYPES[MemberName.SBOM]
    assert opened.statement.members["image.bin"].media_type == "application/octet-stream"
    opened.verify(FILES)


def test_people_who_are_apart_sign_one_after_the_other():
    first = sign_statement(STATEMENT, SIGNERS[:1])
    both = sign_statement(STATEMENT, SIGNERS[1:], signed=first)
    assert open_statement(both, ENVELOPE, PLACES).statement == STATEMENT
    with pytest.raises(UntrustedError, match="each of the 2"):
        open_statement(first, ENVELOPE, PLACES)


def test_nobody_signs_below_what_somebody_else_changed():
    other = Statement(digest_of(b"another manifest"), STATEMENT.members)
    with pytest.raises(AuthenticationError, match="another statement"):
        sign_statement(other, SIGNERS[1:], signed=sign_statement(STATEMENT, SIGNERS[:1]))


@pytest.mark.parametrize(
    "files",
    [
        {**FILES, "more.bin": b""},
        {name: data for name, data in FILES.items() if name != MemberName.SBOM},
        {},
    ],
)
def test_a_file_more_or_less_is_refused(files):
    with pytest.raises(UntrustedError) as refusal:
        open_statement(SIGNED, ENVELOPE, PLACES).verify(files)
    assert refusal.value.reason == "member"


@pytest.mark.parametrize("name", FILES)
def test_an_altered_file_is_refused_by_its_name(name):
    with pytest.raises(AuthenticationError, match=name) as refusal:
        open_statement(SIGNED, ENVELOPE, PLACES).verify({**FILES, name: FILES[name] + b" "})
    assert refusal.value.reason == "member-digest"


def test_the_statement_of_another_release_is_refused():
    with pytest.raises(AuthenticationError, match="another manifest"):
        open_statement(SIGNED, signed_envelope("1.0.1"), PLACES)


def test_a_signature_by_another_key_or_for_another_purpose_is_refused():
    stranger = generate(KeyType.P256)
    posing = [(SIGNERS[0][0], stranger), SIGNERS[1]]
    for data in (sign_statement(STATEMENT, posing), bent(codec.decode(encode(STATEMENT)), aad=b"something else")):
        with pytest.raises(AuthenticationError):
            open_statement(data, ENVELOPE, PLACES)
    with pytest.raises(UntrustedError):
        open_statement(sign_statement(STATEMENT, [(profile.signer(stranger.public), stranger)]), ENVELOPE, PLACES)


def test_two_signatures_under_one_name_are_refused():
    with pytest.raises(DecodeError, match="one signature of each"):
        open_statement(sign_statement(STATEMENT, [*SIGNERS, SIGNERS[0]]), ENVELOPE, PLACES)


def test_no_byte_of_a_statement_can_be_altered():
    step = 41
    for offset in range(0, len(SIGNED), step):
        altered = bytearray(SIGNED)
        altered[offset] ^= 0x01
        with pytest.raises((SecurityError, DecodeError)):
            open_statement(bytes(altered), ENVELOPE, PLACES)


@pytest.mark.parametrize(
    "payload",
    [
        [],
        [2, [-16, bytes(32)], {}],
        [True, [-16, bytes(32)], {}],
        [1, [-16, bytes(31)], {}],
        [1, [-16, bytes(32)], {7: ["a/b", bytes(32)]}],
        [1, [-16, bytes(32)], {"../etc/passwd": ["a/b", bytes(32)]}],
        [1, [-16, bytes(32)], {"a/b": ["a/b", bytes(32)]}],
        [1, [-16, bytes(32)], {"": ["a/b", bytes(32)]}],
        [1, [-16, bytes(32)], {".hidden": ["a/b", bytes(32)]}],
        [1, [-16, bytes(32)], {"a\n": ["a/b", bytes(32)]}],
        [1, [-16, bytes(32)], {"a": ["text", bytes(32)]}],
        [1, [-16, bytes(32)], {"a": ["a/b", bytes(31)]}],
        [1, [-16, bytes(32)], {"a": ["a/b"]}],
        [1, [-16, bytes(32)], {f"file-{number}": ["a/b", bytes(32)] for number in range(33)}],
    ],
)
def test_what_is_no_statement_is_refused_whoever_signed_it(payload):
    with pytest.raises(DecodeError):
        open_statement(bent(payload), ENVELOPE, PLACES)


def test_a_statement_says_what_it_says_itself():
    rows = [sign.Signer(key, signer.signature_id, signer.kid) for signer, key in SIGNERS]
    detached = sign.sign(encode(STATEMENT), rows, external_aad=b"thingstead release statement", detached=True)
    with pytest.raises(DecodeError):
        open_statement(detached, ENVELOPE, PLACES)


def test_headers_that_nobody_signed_are_refused():
    array = codec.decode(codec.encode(codec.decode(SIGNED).value))
    body = [array[0], {3: "text/plain"}, *array[2:]]
    first = [array[3][0][0], {**array[3][0][1], 5: b"iv"}, array[3][0][2]]
    for elements in (body, [*array[:3], [first, *array[3][1:]]]):
        with pytest.raises(DecodeError):
            open_statement(codec.encode(codec.Tag(98, elements)), ENVELOPE, PLACES)


def test_a_verified_statement_is_made_by_nobody_else():
    with pytest.raises(TypeError):
        ReleaseStatement(STATEMENT, ENVELOPE.signers, SIGNED, object())
