"""Components and dependencies."""

import pytest

from tests.unit.phases.authoring.workshop import IMAGE, LAMP, WHO, content_of, read, refused
from thingstead.errors import ConfigError
from thingstead.protocols.suit import envelope
from thingstead.protocols.suit.registry import ParameterId

SLOT = "[[component.slot]]\nnumber = 0\nimage = 'image.bin'\nuri = '/i'\n"
UNKNOWN = "[[component.slot]]\nnumber = 1\n"
CLOSED = (
    "[encryption.x]\npayload = 'a'\nalgorithm = 'A128GCM'\nsecret = { file = 'encryption.secret' }\n"
    "recipients = [{ kid = 'a', key = { file = 'wrapping.key' } }]"
)
SEALED = (
    "[[component]]\nname = 'radio'\nimage = 'b.bin'\nencrypted = 'X'\ndownload = 'staging'\n"
    "[[component]]\nname = 'staging'\n"
)
INTEGRATED = "[[component]]\nname = '{0}'\nimage = '{0}.bin'\nuri = '#i'\nintegrated = true\n"
TWICE = INTEGRATED.format("image") + INTEGRATED.format("b")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (LAMP + "digest = 'ab'", "component[1].digest: expected none beside the image"),
        (LAMP + "load_from = 'nobody'", "component[1].load_from: there is no component 'nobody'"),
        (LAMP + "colour = 'red'", "component[1]: there is no 'colour' here"),
        (WHO + "[[component]]\nimage = 'absent.bin'", "component[1].image: expected a file at absent.bin"),
        (WHO + "[[component]]\nimage = '../image.bin'", "component[1].image: expected the name of a file beside"),
        (WHO + "[[component]]\nimage = '/etc/passwd'", "component[1].image: expected the name of a file beside"),
        (WHO + "[[component]]\ndigest = 'abcd'", "component[1].digest: expected a digest of 32 bytes, got 2"),
        (WHO + "[[component]]\ndigest = 'xy'", "component[1].digest: expected hexadecimal digits"),
        (WHO + "[[component]]\nintegrated = true", "component[1].integrated: expected an image with it"),
        (WHO + "[[component]]\nid = []", "component[1].id: expected a segment at least"),
        (WHO + "[[component]]\nid = [{ hex = 'zz' }]", "component[1].id[1].hex: expected hexadecimal digits"),
        (WHO + "[[component]]\nid = [7]", "component[1].id[1]: expected a table, got 7"),
        (WHO + "[[component]]\nname = 'a'\n[[component]]\nname = 'a'", "component[2]: expected a name of its own"),
        (WHO + "[[component]]\n[[component.slot]]\nnumber = 0", "component[1].slot: expected two slots or more"),
        (WHO + "[[component]]\ndownload = 'firmware'", "component[1].download: expected a uri with it"),
        (LAMP + "delta_from = 'absent'", "component[1].delta_from: expected a file at absent"),
        (LAMP + "uri = '/a'\ndelta_from = 'b.bin'", "component[1].delta_from: expected it beside the one image"),
        (WHO + "[[component]]\ndelta_from = 'b.bin'", "component[1].delta_from: expected it beside the one image"),
        (LAMP + "delta_from = 'b.bin'\n[[component]]\nname = 'b'", "component[1].delta_from: expected it beside"),
        (LAMP + SLOT + SLOT.replace("0", "1"), "component[1].slot: expected the image in each slot"),
        (WHO + "[[component]]\n" + SLOT * 2, "component[1].slot: expected each number once"),
        (WHO + "[[component]]\n" + SLOT + UNKNOWN, "component[1].slot[2]: expected an image"),
        (WHO + "[[component]]\nload_from = 'firmware'\nuri = '/a'", "component[1].load_from: expected no uri with it"),
        (WHO + "[[component]]\nencrypted = 'x'\n" + CLOSED, "component[1].encrypted: expected the image with it"),
        (WHO + TWICE, "component[2].integrated: expected a uri of its own"),
        (
            LAMP + SEALED + CLOSED.replace(".x]", ".X]"),
            "component[2].encrypted: expected a uri with it, or another name",
        ),
    ],
)
def test_what_makes_no_release_is_refused_and_the_place_is_named(text, says):
    refused(text, says)


def test_a_difference_travels_in_the_envelope_and_the_whole_beside_it():
    made = read(LAMP + "delta_from = 'b.bin'")
    (patch,) = made.envelope.payloads.values()
    assert made.payloads == {"image.bin": IMAGE}
    assert patch


def test_an_image_that_travels_in_the_envelope_is_no_file_beside_it():
    made = read(LAMP + "integrated = true")
    assert (made.envelope.payloads, made.payloads) == ({"#image.bin": IMAGE}, {})


def test_of_several_images_the_first_is_where_one_alone_would_be_and_the_others_go_by_their_names():
    content = content_of(LAMP + "[[component]]\nname = 'radio'\nimage = 'b.bin'\n")
    commands = [command for sequence in content.sequences.values() for command in sequence]
    uris = [command.parameters[ParameterId.URI] for command in commands if ParameterId.URI in command.parameters]
    assert uris == ["/update/image", "/update/image?b.bin"]


def test_a_dependency_is_fetched_from_somewhere():
    inner = envelope.encode(read(LAMP).envelope)
    with pytest.raises(ConfigError, match=r"dependency\[1\]: expected a uri, or integrated = true"):
        read(WHO + "[[dependency]]\nmanifest = 'lamp.suit'", {"lamp.suit": inner}.__getitem__)
