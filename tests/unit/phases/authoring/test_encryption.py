"""Payloads that only their recipients read."""

import pytest

from tests.unit.phases.authoring.workshop import ENCRYPTED, FILES, IMAGE, LAMP, OTHER, WHO, content_of, read, refused
from thingstead.crypto.key import KeyType, private_key
from thingstead.errors import ConfigError
from thingstead.protocols.cbor import codec
from thingstead.protocols.cose import key as cose_key
from thingstead.protocols.suit import encryption
from thingstead.protocols.suit.registry import Member, ParameterId
from thingstead.secret import Secret

GIVEN = ENCRYPTED.replace(
    'secret = { file = "encryption.secret" }',
    'content_key = { file = "wrapping.key" }\niv = { hex = "' + "0" * 24 + '" }',
)


@pytest.mark.spec("draft-ietf-suit-firmware-encryption 6")
@pytest.mark.parametrize("algorithm", ["A128GCM", "A256GCM", "ChaCha20/Poly1305", "A128CTR", "A256CTR"])
def test_an_encrypted_image_travels_closed_and_opens_under_the_key_of_its_recipient(algorithm):
    text = WHO + (
        "[[component]]\nname = 'open'\nimage = 'image.bin'\nencrypted = 'closed'\ndownload = 'download'\nuri = '/i'\n"
        "[[component]]\nname = 'download'\n"
    )
    made = read(text + ENCRYPTED.replace("A128GCM", algorithm))
    ciphertext = made.payloads["closed.enc"]
    assert IMAGE not in ciphertext
    install = content_of(text + ENCRYPTED.replace("A128GCM", algorithm)).sequences[Member.INSTALL]
    info = next(one.parameters[ParameterId.ENCRYPTION_INFO] for one in install if one.parameters)
    assert encryption.decrypt(info, ciphertext, {b"lamps": Secret(FILES["wrapping.key"])}) == IMAGE


@pytest.mark.spec("draft-ietf-suit-firmware-encryption 6")
def test_a_recipient_with_a_key_pair_opens_what_was_closed_for_it():
    own = private_key(KeyType.P256, Secret(bytes(31) + b"\x09"))
    beside = {**FILES, "lamp.key": codec.encode(cose_key.public_map(own.public))}
    text = (
        LAMP
        + 'encrypted = "closed"\n'
        + ENCRYPTED.replace('key = { file = "wrapping.key" }', 'public_key = { file = "lamp.key" }')
    )
    content = content_of(text, beside.__getitem__)
    (written,) = [one.parameters for one in content.sequences[Member.INSTALL] if one.parameters]
    info, ciphertext = written[ParameterId.ENCRYPTION_INFO], written[ParameterId.CONTENT]
    assert encryption.decrypt(info, ciphertext, {b"lamps": own}) == IMAGE


def test_no_content_key_ever_meets_a_second_payload():
    texts = [LAMP + 'encrypted = "closed"\n' + ENCRYPTED] * 2
    infos = []
    for text, image in zip(texts, (IMAGE, OTHER), strict=True):
        content = content_of(text, {**FILES, "image.bin": image}.__getitem__)
        infos += [one.parameters[ParameterId.ENCRYPTION_INFO] for one in content.sequences[Member.INSTALL][:1]]
    wrapped = [codec.decode(info).value[3][0][2] for info in infos]
    assert wrapped[0] != wrapped[1]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (LAMP + ENCRYPTED.replace("A128GCM", "ROT13"), "encryption.closed.algorithm: expected one of"),
        (LAMP + ENCRYPTED.replace("encryption.secret", "wrapping.key"), "secret: expected a secret of 32 random bytes"),
        (LAMP + ENCRYPTED.replace("wrapping.key", "image.bin"), "recipients[1].key: expected a wrapping key of 16"),
        (LAMP + ENCRYPTED.replace("key = {", "public_key = {"), "recipients[1].public_key: expected a COSE_Key"),
        (LAMP + ENCRYPTED + "iv = 'a'", "encryption.closed.secret: expected either a secret"),
        (LAMP + "encrypted = 'open'", "component[1].encrypted: there is no table encryption.open"),
        (
            LAMP + ENCRYPTED.replace('secret = { file = "encryption.secret" }', ""),
            "encryption.closed: expected content_key, which is missing",
        ),
        (LAMP + GIVEN.replace("0" * 24, "00"), "encryption.closed.iv: expected 12 bytes, got 1"),
        (
            LAMP + ENCRYPTED.replace(', key = { file = "wrapping.key" }', ""),
            "recipients[1]: expected a key that is shared",
        ),
        (LAMP + ENCRYPTED.partition("recipients")[0] + "recipients = []", "expected 1 to 16 recipients, got 0"),
    ],
)
def test_what_makes_no_release_is_refused_and_the_place_is_named(text, says):
    refused(text, says)


def test_keys_that_are_given_are_used_as_they_are():
    content = content_of(LAMP + 'encrypted = "closed"\n' + GIVEN)
    (written,) = [one.parameters for one in content.sequences[Member.INSTALL] if one.parameters]
    assert codec.decode(written[ParameterId.ENCRYPTION_INFO]).value[1] == {5: bytes(12)}


@pytest.mark.parametrize(
    ("key", "text", "says"),
    [
        (KeyType.ED25519, ENCRYPTED, "expected a key on P-256, got ED25519"),
        (KeyType.P256, GIVEN, "expected a secret in the table: the ephemeral key"),
    ],
)
def test_a_public_key_that_cannot_be_served_is_refused(key, text, says):
    public = private_key(key, Secret(bytes(31) + b"\x09")).public
    beside = {**FILES, "lamp.key": codec.encode(cose_key.public_map(public))}
    text = text.replace(', key = { file = "wrapping.key" }', ', public_key = { file = "lamp.key" }')
    with pytest.raises(ConfigError, match=says):
        read(LAMP + text, beside.__getitem__)
