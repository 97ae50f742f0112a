from dataclasses import replace
from types import MappingProxyType

import pytest

from tests.unit.planes.software.desk import ACME, ANCHORS, IMAGE, made
from tests.unit.protocols.suit.releases import AT, CLASSIC, QUANTUM
from thingstead.errors import DecodeError, PolicyError, ThingsteadError, UnsupportedError
from thingstead.phases.authoring.recipe import read_recipe
from thingstead.planes.software.release import ClassKey, Line, Release, open_release
from thingstead.protocols.cbor import codec
from thingstead.protocols.profile import release as profile
from thingstead.protocols.suit import builder, envelope
from thingstead.protocols.suit.builder import Release as Made
from thingstead.protocols.suit.digest import digest_of, digest_of_member
from thingstead.protocols.suit.envelope import Envelope
from thingstead.protocols.suit.identifier import class_identifier

CLASS = class_identifier(ACME, "LX-1")
MADE = Made(profile.FIRMWARE, ACME, CLASS, 2, "1.1.0", digest_of(IMAGE), len(IMAGE), profile.IMAGE_URI)
KEYS = [(profile.signer(key.public), key) for key in (CLASSIC, QUANTUM)]


def opened(encoded, image=IMAGE, *, newest=-1, files=MappingProxyType({})):
    def sources(target):
        return [anchor for anchor in ANCHORS if anchor.vendor_id == target.vendor_id]

    return open_release(encoded, image, files=files, sources=sources, newest=lambda _line: newest, at=AT)


def signed(**changes):
    return envelope.encode(builder.sign(builder.build(replace(MADE, **changes)), KEYS))


def custom(install, *, shared=None):
    """Command sequences of one's own under good signatures."""
    parameters = {1: ACME, 2: CLASS, 3: digest_of(IMAGE).encode(), 14: len(IMAGE)}
    common = {2: [list(profile.FIRMWARE)], 4: codec.encode(shared or [20, parameters, 1, 15, 2, 15])}
    manifest = codec.encode({1: 1, 2: 2, 3: codec.encode(common), 20: codec.encode(install)})
    digest = digest_of_member(manifest)
    return envelope.encode(builder.sign(Envelope(digest, digest.encode(), (), manifest), KEYS))


def test_a_release_says_what_it_is():
    release = opened(made())
    assert (release.version, release.sequence_number, release.line) == ("1.1.0", 2, Line(ClassKey(ACME, CLASS), "acme"))
    assert release.use_before is None


def test_nobody_else_makes_a_release():
    release = opened(made())
    with pytest.raises(TypeError):
        Release(release.manifest, b"", b"", {}, release.line, None, b"", b"", object())


def test_an_integrated_image_is_rehearsed_too():
    assert opened(signed(uri="#image", payloads={"#image": IMAGE})).image == IMAGE


REFUSALS = {
    "an integrated image that is not the one given": (
        signed(uri="#image", payloads={"#image": b"x"}, image_digest=digest_of(b"x"), image_size=1),
        "image-digest",
    ),
    "another place": (signed(uri="coap://elsewhere.example/image"), "command"),
    "another component": (signed(component=(b"bootloader",)), "image-digest"),
    "nothing installed": (custom([3, 15]), "image-digest"),
    "a command that things do not execute": (custom([20, {18: b"x"}, 6, 15]), "command"),
    "no vendor": (custom([3, 15], shared=[20, {2: CLASS}, 2, 15]), "class"),
    "no class": (custom([3, 15], shared=[20, {1: ACME}, 1, 15]), "class"),
    "a vendor that is named and not checked": (custom([3, 15], shared=[20, {1: ACME, 2: CLASS}, 2, 15]), "vendor"),
}


@pytest.mark.requirement("R-29")
@pytest.mark.parametrize("name", REFUSALS)
def test_what_things_would_not_install_is_not_opened(name):
    encoded, reason = REFUSALS[name]
    with pytest.raises(ThingsteadError) as refusal:
        opened(encoded)
    assert refusal.value.reason == reason


def test_a_release_for_no_single_class_is_a_matter_of_policy():
    with pytest.raises(PolicyError):
        opened(custom([3, 15], shared=[20, {2: CLASS}, 2, 15]))


RADIO = b"radio firmware"
TWO = (
    'vendor = "acme.example"\nmodel = "LX-1"\nsequence = 2\nversion = "1.1.0"\n'
    '[[component]]\nimage = "image.bin"\n[[component]]\nname = "radio"\nimage = "radio.bin"\n'
)


def of_two(text=TWO):
    made = read_recipe(text, {"image.bin": IMAGE, "radio.bin": RADIO}.__getitem__).envelope
    return envelope.encode(builder.sign(made, KEYS))


def test_images_beside_the_first_are_taken_up_by_name_and_nothing_else_is():
    release = opened(of_two(), files={"radio.bin": RADIO, "notes.txt": b"", "image.bin": IMAGE})
    assert (dict(release.further), release.installed) == ({"radio.bin": RADIO}, digest_of(IMAGE).value)
    assert dict(opened(made()).further) == {}


@pytest.mark.parametrize(
    ("files", "error"),
    [
        ({}, UnsupportedError),
        ({"radio.bin": RADIO + b"x"}, DecodeError),
        ({"radio.bin": RADIO[:-1] + b"x"}, ThingsteadError),
        ({"other.bin": RADIO}, UnsupportedError),
    ],
    ids=["none", "longer", "another", "another name"],
)
def test_a_release_whose_other_image_is_not_there_is_refused(files, error):
    with pytest.raises(error):
        opened(of_two(), files=files)
