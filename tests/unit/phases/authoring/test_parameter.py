"""Parameters in words."""

import pytest

from tests.unit.phases.authoring.workshop import LAMP, WHO, content_of, refused
from thingstead.protocols.cbor import codec
from thingstead.protocols.suit.identifier import vendor_identifier
from thingstead.protocols.suit.registry import ParameterId

VENDOR = vendor_identifier("lamps.example")


def test_other_digests_and_enterprise_numbers_are_said_in_words():
    value = "ab" * 48
    text = (
        "vendor = { pen = 26916 }\nsequence = 1\nset_version = '2.0.0'\nmanifest_id = ['lamp.suit']\n"
        f"[[component]]\ndigest = {{ algorithm = 'sha-384', hex = '{value}' }}\nsize = 1\n"
    )
    parameters = content_of(text).shared[0].parameters
    assert codec.decode(parameters[ParameterId.VENDOR_IDENTIFIER]).value == bytes([0x81, 0xD2, 0x24])
    assert parameters[ParameterId.IMAGE_DIGEST].value.hex() == value


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("sequence = 1\nvendor = 'lamps'", "vendor: expected a DNS name such as lamps.example, or a UUID"),
        ("sequence = 1\nvendor = { pen = 0 }", "vendor.pen: expected a whole number from 1"),
        ("sequence = 1\nclass = 'LX-1'", "class: expected a UUID"),
        (WHO + "[[dependency]]\nmanifest = 'image.bin'", "dependency[1].manifest: expected a SUIT envelope"),
        (WHO + "[[dependency]]\nprefix = ['a']", "dependency: expected the manifest of each"),
        (LAMP + "[conditions]\nversion = '1.0'", "conditions.version: expected a comparison such as '>= 1.2.0'"),
        (LAMP + "[conditions]\nversion = '> 1.x'", "conditions.version: expected a version such as 1.2.0"),
        (LAMP + "[conditions]\nuse_before = 2031-12-31", "conditions.use_before: expected a time with its offset"),
        (LAMP + "[conditions]\nuse_before = 2031-12-31T00:00:00", "conditions.use_before: expected a time with its"),
        (LAMP + "[conditions]\nwait_info = { moon = 1 }", "conditions.wait_info: there is no 'moon' here"),
    ],
)
def test_what_makes_no_release_is_refused_and_the_place_is_named(text, says):
    refused(text, says)
