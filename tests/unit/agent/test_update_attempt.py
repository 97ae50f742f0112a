"""Effects of a manifest on the slots: several components, ciphertext, and what a thing does not do."""

from dataclasses import replace

import pytest

from tests.unit.agent.updates import BIRTH, NEW, OLD, Domain, Thing
from tests.unit.protocols.suit.releases import CLASSIC, QUANTUM, VENDOR
from thingstead.crypto.algorithm import AlgorithmId
from thingstead.crypto.key import KeyType, private_key
from thingstead.phases.authoring.recipe import read_recipe
from thingstead.phases.maintain import sign_release
from thingstead.protocols.cbor import codec
from thingstead.protocols.cose import key as cose_key
from thingstead.protocols.profile import release
from thingstead.protocols.profile.key_set import key_id
from thingstead.protocols.profile.release import FIRMWARE, STAGING
from thingstead.protocols.suit import builder, encryption, envelope
from thingstead.protocols.suit.digest import digest_of, digest_of_member
from thingstead.protocols.suit.encryption import Static
from thingstead.protocols.suit.envelope import Envelope
from thingstead.protocols.suit.manifest import ComponentId
from thingstead.secret import Secret
from thingstead.simulator.virtual.memory import MemorySlots

RADIO = (b"radio",)
OTHERS: dict[ComponentId, bytes] = {RADIO: b"radio 1"}
OWN = private_key(KeyType.P256, Secret(bytes(31) + b"\x21"))
OTHER = private_key(KeyType.P256, Secret(bytes(31) + b"\x22"))
EPHEMERAL = private_key(KeyType.P256, Secret(bytes(31) + b"\x23"))
KID = key_id(OWN.public)
_INDEX, _SET, _FETCH, _WRITE, _COPY, _MATCH, _CONTENT = 12, 20, 21, 18, 22, 3, 6


def manifest(components, install, *, sequence_number=7, payloads=None):
    """A signed envelope with these components and this install sequence."""
    shared = [_INDEX, True, _SET, {1: VENDOR, 2: BIRTH.class_id}, 1, 15, 2, 15]
    common = {2: [list(one) for one in components], 4: codec.encode(shared)}
    encoded = codec.encode({1: 1, 2: sequence_number, 3: codec.encode(common), 20: codec.encode(install)})
    digest = digest_of_member(encoded)
    unsigned = Envelope(digest, digest.encode(), (), encoded, {}, payloads or {})
    keys = [(release.signer(key.public), key) for key in (CLASSIC, QUANTUM)]
    return envelope.encode(builder.sign(unsigned, keys))


def parameters(image, **others):
    keys = {"uri": 21, "content": 18, "info": 19, "source": 22, "arguments": 25}
    return {3: digest_of(image).encode(), 14: len(image), **{keys[name]: value for name, value in others.items()}}


def encrypted(plain=NEW, *, content_id=AlgorithmId.A128CTR, to=OWN, kid=KID):
    size = {AlgorithmId.A128CTR: 16, AlgorithmId.A128GCM: 12}[content_id]
    recipients = [Static(kid, to.public, EPHEMERAL)]
    key = Secret(bytes(range(16)))
    return encryption.encrypt(plain, recipients, content_id=content_id, content_key=key, iv=bytes(size))


def staged(payload, *, plain=NEW, ciphertext=None):
    """Fetch what is encrypted, then copy it to where it runs (draft-ietf-suit-firmware-encryption §5)."""
    fetched = payload.ciphertext if ciphertext is None else ciphertext
    return manifest(
        [FIRMWARE, STAGING],
        [
            *(_INDEX, 1, _SET, parameters(fetched, uri=release.IMAGE_URI), _FETCH, 2, _MATCH, 15),
            *(_INDEX, 0, _SET, parameters(plain, source=1, info=payload.info), _COPY, 2, _MATCH, 15),
        ],
    )


def updated(encoded, image=b"", *, slots=None, keys=None):
    thing = Thing(slots or MemorySlots(OLD, OTHERS), Domain(encoded, image), keys={KID: OWN} if keys is None else keys)
    thing.poll()
    return thing


def test_two_components_are_installed_in_one_step():
    install = [
        *(_INDEX, 0, _SET, parameters(NEW, uri=release.IMAGE_URI), _FETCH, 2, _MATCH, 15),
        *(_INDEX, 1, _SET, parameters(b"radio 2", content=b"radio 2"), _WRITE, 2, _MATCH, 15, _CONTENT, 15),
    ]
    thing = updated(manifest([FIRMWARE, RADIO], install), NEW)
    assert (thing.slots.active(), thing.slots.active(RADIO)) == (NEW, b"radio 2")
    assert thing.domain.reports[-1].images == {FIRMWARE: digest_of(NEW), RADIO: digest_of(b"radio 2")}


def test_of_two_components_none_changes_when_one_does_not_match():
    install = [
        *(_INDEX, 1, _SET, parameters(b"radio 2", content=b"radio 2"), _WRITE, 2, _MATCH, 15),
        *(_INDEX, 0, _SET, parameters(NEW, uri=release.IMAGE_URI), _FETCH, 2, _MATCH, 15),
    ]
    thing = updated(manifest([FIRMWARE, RADIO], install), NEW[:-1] + b"x")
    assert (thing.slots.active(), thing.slots.active(RADIO)) == (OLD, b"radio 1")
    assert dict(thing.updating.refused) == {"image-digest": 1}


def test_a_component_is_copied_from_another():
    install = [_INDEX, 1, _SET, parameters(OLD, source=0), _COPY, 2, _MATCH, 15]
    thing = updated(manifest([FIRMWARE, RADIO], install))
    assert (thing.slots.active(), thing.slots.active(RADIO)) == (OLD, OLD)


@pytest.mark.requirement("R-71")
@pytest.mark.spec("draft-ietf-suit-firmware-encryption-26 6.2")
@pytest.mark.parametrize("content_id", [AlgorithmId.A128CTR, AlgorithmId.A128GCM])
def test_an_encrypted_image_is_decrypted_with_the_thing_s_own_key(content_id):
    payload = encrypted(content_id=content_id)
    thing = updated(staged(payload), payload.ciphertext)
    assert thing.slots.active() == NEW
    assert thing.updating.status()["sequence"] == 7


@pytest.mark.requirement("R-71")
def test_what_is_encrypted_in_the_manifest_itself_is_decrypted():
    payload = encrypted(b"radio 2")
    written = parameters(b"radio 2", content=payload.ciphertext, info=payload.info)
    thing = updated(manifest([FIRMWARE, RADIO], [_INDEX, 1, _SET, written, _WRITE, 2, _MATCH, 15]))
    assert thing.slots.active(RADIO) == b"radio 2"


def _flipped(data):
    return data[:1000] + bytes([data[1000] ^ 1]) + data[1001:]


@pytest.mark.requirement("R-71")
def test_a_change_that_counter_mode_does_not_show_is_shown_by_the_digest_of_the_plaintext():
    payload = encrypted()
    changed = _flipped(payload.ciphertext)
    thing = updated(staged(replace(payload, ciphertext=changed)), changed)
    assert thing.slots.active() == OLD
    assert dict(thing.updating.refused) == {"image-digest": 1}


@pytest.mark.requirement("R-71")
@pytest.mark.parametrize(
    ("payload", "keys", "reason"),
    [
        (encrypted(to=OTHER, kid=b"other"), None, "recipient"),
        (encrypted(to=OTHER), None, "unauthenticated"),
        (encrypted(), {}, "recipient"),
        (encrypted(content_id=AlgorithmId.A128GCM), {KID: OTHER}, "unauthenticated"),
    ],
    ids=["for another", "for another under our name", "no key", "another key"],
)
def test_an_image_that_is_not_for_this_thing_is_refused(payload, keys, reason):
    thing = updated(staged(payload), payload.ciphertext, keys=keys)
    assert thing.slots.active() == OLD
    assert dict(thing.updating.refused) == {reason: 1}


@pytest.mark.requirement("R-71")
def test_a_digest_of_another_plaintext_is_refused():
    payload = encrypted()
    thing = updated(staged(payload, plain=NEW[:-1] + b"x"), payload.ciphertext)
    assert thing.slots.active() == OLD
    assert dict(thing.updating.refused) == {"image-digest": 1}


@pytest.mark.parametrize(
    ("install", "reason"),
    [
        ([_INDEX, 1, _SET, parameters(NEW, uri=release.IMAGE_URI), _FETCH, 2, _MATCH, 15], "empty"),
        ([_INDEX, 0, _SET, parameters(NEW, source=1), 31, 2, _MATCH, 15], "command"),
        ([_INDEX, 0, _SET, {**parameters(NEW), 29: codec.encode({5: 60})}, 29, 2, _WRITE, 2], "command"),
        ([_INDEX, 0, _SET, parameters(NEW, uri=release.IMAGE_URI, arguments=b"?"), _FETCH, 2, _MATCH, 15], "uri"),
        ([_INDEX, 0, _SET, parameters(NEW, content=b"other"), _CONTENT, 15, _WRITE, 2], "content"),
    ],
    ids=["staging alone", "swap", "wait", "arguments of nobody", "other content"],
)
def test_what_a_thing_does_not_do_is_refused_by_name(install, reason):
    thing = updated(manifest([FIRMWARE, STAGING], install), NEW)
    assert thing.slots.active() == OLD
    assert dict(thing.updating.refused) == {reason: 1}


RECIPE = f"""
vendor = "lamps.example"
model = "lamp-1"
sequence = 7
[[component]]
name = "firmware"
image = "image.bin"
encrypted = "closed"
download = "staging"
uri = "{release.IMAGE_URI}"
[[component]]
name = "staging"
[encryption.closed]
payload = {{ file = "image.bin" }}
algorithm = "A128GCM"
secret = {{ file = "secret" }}
recipients = [{{ kid = {{ hex = "{KID.hex()}" }}, public_key = {{ file = "decryption.key" }} }}]
"""


@pytest.mark.requirement("R-71")
def test_an_encrypted_release_of_a_release_file_is_installed():
    public = codec.encode(cose_key.public_map(OWN.public))
    made = read_recipe(RECIPE, {"image.bin": NEW, "secret": bytes(32), "decryption.key": public}.__getitem__)
    (ciphertext,) = made.payloads.values()
    thing = updated(envelope.encode(sign_release(made.envelope, (CLASSIC, QUANTUM))), ciphertext)
    assert thing.slots.active() == NEW
