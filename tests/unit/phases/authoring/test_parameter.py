"""Parameters in words."""

import pytest

from tests.unit.phases.authoring.workshop import LAMP, WHO, content_of, refused
from thingstead.protocols.cbor import codec
from thingstead.protocols.suit.identifier import class_identifier, vendor_identifier
from thingstead.protocols.suit.parameter import WaitEvent
from thingstead.protocols.suit.registry import Member, ParameterId


def given(parameters):
    """A lamp whose installation sets these."""
    return LAMP + f"[commands]\ninstall = [{{ override_parameters = {{ {parameters} }} }}]"


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
        (
            WHO + "[[component]]\ndigest = { algorithm = 'md5', hex = '00' }",
            "digest.algorithm: expected one of sha-256",
        ),
        (WHO + "[[component]]\ndigest = { hex = '00', file = 'image.bin' }", "digest: expected one of hex and file"),
        (given("class_identifier = { vendor = { pen = 1 }, model = 'x' }"), "vendor: expected a vendor with a UUID"),
        (given("class_identifier = { vendor = 'a.example' }"), "class_identifier: expected model, which is missing"),
        (given("content = { encryption = 'x' }"), "content.encryption: there is no table encryption.x"),
        (given("encryption_info = { encryption = 'x' }"), "encryption_info.encryption: there is no table"),
        (given("wait_info = { time = 'noon' }"), "wait_info.time: expected a time with its offset"),
        (given("image_size = { file = 'absent' }"), "image_size.file: expected a file at absent"),
    ],
)
def test_what_makes_no_release_is_refused_and_the_place_is_named(text, says):
    refused(text, says)


def test_a_class_and_a_time_are_said_in_words():
    said = (
        "class_identifier = { vendor = 'lamps.example', model = 'LX-1' }, vendor_identifier = 'lamps.example', "
        "wait_info = { time = 1970-01-01T00:01:00Z }"
    )
    parameters = content_of(given(said)).sequences[Member.INSTALL][0].parameters
    vendor = vendor_identifier("lamps.example")
    assert parameters[ParameterId.CLASS_IDENTIFIER] == class_identifier(vendor, "LX-1")
    assert parameters[ParameterId.VENDOR_IDENTIFIER] == vendor
    assert parameters[ParameterId.WAIT_INFO] == {WaitEvent.TIME: 60}


def test_an_identifier_may_be_the_uuid_itself():
    text = "vendor = 'fa6b4a53-d5ad-5fdf-be9d-e663e4d41ffe'\nsequence = 1\n[[component]]\n"
    parameters = content_of(text).shared[0].parameters
    assert parameters[ParameterId.VENDOR_IDENTIFIER].hex() == "fa6b4a53d5ad5fdfbe9de663e4d41ffe"
