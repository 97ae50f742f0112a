import pytest

from thingstead.crypto.algorithm import AlgorithmId
from thingstead.crypto.key import KeyType, generate, private_key
from thingstead.errors import AuthenticationError, DecodeError, UnsupportedError, UntrustedError
from thingstead.protocols.cbor import codec
from thingstead.protocols.suit.encryption import DecryptionKeys, Shared, Static, decrypt, decrypt_pieces, encrypt
from thingstead.secret import Secret

A = AlgorithmId
IMAGE = b"This is a real firmware image."
WRAPPING = Secret(b"a" * 16)
DEVICE = private_key(KeyType.P256, Secret(bytes(31) + b"\x21"))
OTHER = private_key(KeyType.P256, Secret(bytes(31) + b"\x22"))
KEYS: DecryptionKeys = {b"kid-1": WRAPPING, b"kid-2": DEVICE}
TAG = b"\xd8\x60"
CONTENTS = [
    (A.A128GCM, 16, 12),
    (A.A192GCM, 24, 12),
    (A.A256GCM, 32, 12),
    (A.CHACHA20_POLY1305, 32, 12),
    (A.A128CTR, 16, 16),
    (A.A256CTR, 32, 16),
]


def shared(kid=b"kid-1", key=WRAPPING):
    return Shared(kid, key)


def static(kid=b"kid-2", key=DEVICE):
    return Static(kid, key.public, generate(KeyType.P256))


def encrypted(*recipients, content_id=A.A128GCM, key_size=16, iv_size=12):
    key = Secret(bytes(range(key_size)))
    return encrypt(IMAGE, recipients, content_id=content_id, content_key=key, iv=bytes(range(iv_size)))


def edited(made, edit):
    """The info with its four elements edited in place."""
    elements = codec.decode(made.info.removeprefix(TAG))
    edit(elements)
    return TAG + codec.encode(elements)


@pytest.mark.spec("draft-ietf-suit-firmware-encryption 7.1.2")
def test_the_draft_s_example_under_a_shared_key_is_made_byte_for_byte():
    made = encrypt(
        IMAGE,
        [shared()],
        content_id=A.A128GCM,
        content_key=Secret(bytes.fromhex("15F785B5C931414411B4B71373A9C0F7")),
        iv=bytes.fromhex("F14AAB9D81D51F7AD943FE87"),
    )
    assert made.info.hex() == (
        "d8608443a10101a1054cf14aab9d81d51f7ad943fe87f6818340a2012204456b69642d31"
        "581875603ffc9518d794713c8ca8a115a7fb32565a6d59534d62"
    )
    assert made.ciphertext.hex() == (
        "758c4b7bbae2c4c1d462423e0f0dc3164ffa7b85bb94d4bd6d7ed26ab32feb063385d4d3465927ec82cb5e198a59"
    )


@pytest.mark.spec("draft-ietf-suit-firmware-encryption 6")
@pytest.mark.parametrize("make", [shared, static])
@pytest.mark.parametrize(("content_id", "key_size", "iv_size"), CONTENTS)
def test_a_recipient_decrypts_what_was_encrypted_for_it(make, content_id, key_size, iv_size):
    made = encrypted(make(), content_id=content_id, key_size=key_size, iv_size=iv_size)
    assert IMAGE not in made.ciphertext
    assert decrypt(made.info, made.ciphertext, KEYS) == IMAGE


@pytest.mark.parametrize("size", [16, 24, 32])
def test_wrapping_keys_of_every_length_wrap(size):
    key = Secret(bytes(size))
    made = encrypted(shared(key=key))
    assert decrypt(made.info, made.ciphertext, {b"kid-1": key}) == IMAGE


@pytest.mark.spec("draft-ietf-suit-firmware-encryption 6.1.2")
def test_one_payload_serves_many_and_nobody_else():
    devices = {f"thing-{number}".encode(): generate(KeyType.P256) for number in range(5)}
    made = encrypted(*[static(kid, key) for kid, key in devices.items()], shared())
    for kid, key in devices.items():
        assert decrypt(made.info, made.ciphertext, {kid: key}) == IMAGE
    strangers: list[DecryptionKeys] = [{}, {b"thing-9": OTHER}, {b"kid-2": OTHER}]
    for stranger in strangers:
        with pytest.raises(UntrustedError, match="for others"):
            decrypt(made.info, made.ciphertext, stranger)
    with pytest.raises(AuthenticationError):
        decrypt(made.info, made.ciphertext, {b"thing-0": OTHER})


def test_a_recipient_without_a_name_is_tried_with_every_key():
    made = encrypted(static(), shared())
    nameless = edited(made, lambda elements: [entry[1].pop(4) for entry in elements[3]])
    rings: list[DecryptionKeys] = [KEYS, {b"x": OTHER, b"y": DEVICE}, {b"x": Secret(bytes(16)), b"y": WRAPPING}]
    for keys in rings:
        assert decrypt(nameless, made.ciphertext, keys) == IMAGE
    with pytest.raises(AuthenticationError):
        decrypt(nameless, made.ciphertext, {b"x": OTHER, b"y": Secret(bytes(16))})


@pytest.mark.parametrize("make", [shared, static])
def test_no_altered_byte_goes_unnoticed_under_an_aead(make):
    made = encrypted(make())
    for place in range(len(made.ciphertext)):
        altered = made.ciphertext[:place] + bytes((made.ciphertext[place] ^ 1,)) + made.ciphertext[place + 1 :]
        with pytest.raises(AuthenticationError):
            decrypt(made.info, altered, KEYS)
    for other in (b"", made.ciphertext[:-1], made.ciphertext + b"\x00"):
        with pytest.raises((AuthenticationError, DecodeError)):
            decrypt(made.info, other, KEYS)


@pytest.mark.spec("RFC 9459 4")
def test_a_stream_shows_no_change_which_is_why_the_digest_is_compared_afterwards():
    made = encrypted(shared(), content_id=A.A128CTR, iv_size=16)
    assert decrypt(made.info, bytes((made.ciphertext[0] ^ 1,)) + made.ciphertext[1:], KEYS) == b"U" + IMAGE[1:]


def _set(place, value):
    def edit(elements):
        elements[place] = value

    return edit


def _set_in(place, label, value):
    def edit(elements):
        elements[place][label] = value

    return edit


def _recipient(place, value):
    def edit(elements):
        elements[3][0][place] = value

    return edit


@pytest.mark.parametrize(
    ("edit", "error"),
    [
        (_set(2, b"inside"), DecodeError),
        (_set(3, []), DecodeError),
        (_set(0, b""), DecodeError),
        (_set(0, codec.encode({1: 10})), UnsupportedError),
        (_set(0, codec.encode({1: A.A128CTR.value})), UnsupportedError),
        (_set(1, {}), DecodeError),
        (_set_in(1, 5, bytes(11)), DecodeError),
        (_set_in(1, 5, "text"), DecodeError),
        (_set_in(1, 1, A.A128CTR.value), DecodeError),
        (_recipient(2, b""), DecodeError),
        (_recipient(2, bytes(23)), DecodeError),
        (_recipient(2, bytes(24)), AuthenticationError),
        (_recipient(1, {1: -4, 4: b"kid-1"}), UntrustedError),
        (_recipient(1, {1: -6, 4: b"kid-1"}), UntrustedError),
        (_recipient(1, {4: b"kid-1"}), UntrustedError),
        (_recipient(0, codec.encode({1: -3})), DecodeError),
    ],
    ids=(
        *("ciphertext inside", "no recipients", "nothing protected", "CCM", "protected stream", "no iv", "short iv"),
        *("text for an iv", "alg twice", "no key", "odd key", "another key", "another wrap", "direct", "no way"),
        "protected wrap",
    ),
)
def test_an_info_outside_the_grammar_or_for_another_way_is_refused(edit, error):
    made = encrypted(shared())
    with pytest.raises(error):
        decrypt(edited(made, edit), made.ciphertext, KEYS)


def test_an_iv_of_another_length_is_refused_for_a_stream_too():
    made = encrypted(shared(), content_id=A.A128CTR, iv_size=16)
    for iv in (b"", bytes(15), bytes(17)):
        with pytest.raises(DecodeError):
            decrypt(edited(made, _set_in(1, 5, iv)), made.ciphertext, KEYS)


def test_a_content_key_of_another_length_than_its_algorithm_is_refused():
    made = encrypted(shared())
    longer = edited(made, _set(0, codec.encode({1: A.A256GCM.value})))
    with pytest.raises(UnsupportedError):
        decrypt(longer, made.ciphertext, KEYS)


@pytest.mark.parametrize("content_id", [A.AES_CCM_16_64_128, A.HMAC_256_256, A.ESP256, 999])
def test_nothing_is_encrypted_with_what_is_no_content_algorithm_of_the_draft(content_id):
    with pytest.raises(UnsupportedError):
        encrypted(shared(), content_id=content_id)


def test_a_point_off_the_curve_is_refused():
    made = encrypted(static())

    def edit(elements):
        elements[3][0][1][-1][-3] = bytes(32)

    with pytest.raises(DecodeError):
        decrypt(edited(made, edit), made.ciphertext, KEYS)


def opened_in_pieces(made, ciphertext=None, keys=KEYS):
    data = made.ciphertext if ciphertext is None else ciphertext
    return b"".join(decrypt_pieces(made.info, lambda at, most: data[at : at + most], len(data), keys))


@pytest.mark.parametrize(("content_id", "key_size", "iv_size"), CONTENTS)
def test_a_payload_is_decrypted_where_it_lies(content_id, key_size, iv_size):
    key = Secret(bytes(range(key_size)))
    large = IMAGE * 2000
    made = encrypt(large, [static()], content_id=content_id, content_key=key, iv=bytes(range(iv_size)))
    assert opened_in_pieces(made) == large


@pytest.mark.parametrize(("content_id", "key_size", "iv_size"), CONTENTS[:4])
def test_a_payload_that_was_changed_is_refused_where_it_lies(content_id, key_size, iv_size):
    made = encrypted(shared(), content_id=content_id, key_size=key_size, iv_size=iv_size)
    with pytest.raises(AuthenticationError):
        opened_in_pieces(made, made.ciphertext[:-1] + bytes([made.ciphertext[-1] ^ 1]))


@pytest.mark.parametrize("length", [0, 1, 15])
def test_a_payload_without_a_whole_tag_is_refused_where_it_lies(length):
    with pytest.raises((DecodeError, AuthenticationError)):
        opened_in_pieces(encrypted(shared()), bytes(length))


def test_a_payload_for_others_is_refused_where_it_lies():
    with pytest.raises(UntrustedError):
        opened_in_pieces(encrypted(shared()), keys={})
