"""What things measure follows from a release file of whole images for one class; where it does not, nothing is said."""

import hashlib

import pytest

from thingstead.phases.authoring.recipe import read_recipe
from thingstead.protocols.profile import reference_values
from thingstead.protocols.suit.identifier import class_identifier, vendor_identifier

pytestmark = [pytest.mark.requirement("R-22"), pytest.mark.spec("RFC 9334 8.3")]
HEAD = 'vendor = "acme.example"\nmodel = "LX-1"\nsequence = 7\nversion = "1.2.0"\n'
ONE = HEAD + '[[component]]\nimage = "a.bin"\n'
TWO = ONE + '[[component]]\nname = "radio"\nimage = "b.bin"\nuri = "#radio"\n'
SLOTS = "".join(
    [f'[[component.slot]]\nnumber = {n}\nimage = "{name}.bin"\nuri = "#{n}"\n' for n, name in enumerate("ab")]
)
IMAGES = {"a.bin": b"a" * 100, "b.bin": b"b" * 50}


def made(text):
    return read_recipe(text, IMAGES.__getitem__).reference


def test_a_release_of_one_image_has_its_digest():
    values = reference_values.decode(made(ONE))
    assert (values.version, values.sequence_number) == ("1.2.0", 7)
    assert values.digests == {"firmware": hashlib.sha256(IMAGES["a.bin"]).digest()}
    vendor = vendor_identifier("acme.example")
    assert values.claims.environment.class_id.value == class_identifier(vendor, "LX-1")


def test_the_same_file_gives_the_same_values():
    assert made(ONE) == made(ONE)


def test_a_release_of_several_has_each():
    digests = reference_values.decode(made(TWO)).digests
    assert digests == {
        "firmware": hashlib.sha256(IMAGES["a.bin"]).digest(),
        "radio": hashlib.sha256(IMAGES["b.bin"]).digest(),
    }


@pytest.mark.parametrize(
    "text",
    [
        ONE.replace('model = "LX-1"\n', ""),
        ONE.replace('vendor = "acme.example"\nmodel = "LX-1"\n', ""),
        HEAD + '[[component]]\nname = "firmware"\nuri = "coap://[2001:db8::1]/a"\n',
        HEAD + "[[component]]\n" + SLOTS,
        ONE + "[commands]\n",
    ],
    ids=["no class", "nobody", "no digest", "slots", "commands"],
)
def test_where_it_does_not_follow_nothing_is_said(text):
    assert made(text) == b""
