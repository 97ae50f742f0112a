"""A release file of one lamp, and what lies beside it."""

import pytest

from thingstead.errors import ConfigError
from thingstead.phases.authoring.recipe import read_recipe
from thingstead.protocols.suit.manifest import decode_manifest

IMAGE, OTHER = b"image 1.1.0", b"image 1.1.0 for the other slot"
FILES = {
    "image.bin": IMAGE,
    "b.bin": OTHER,
    "wrapping.key": bytes(range(16)),
    "encryption.secret": bytes(range(32)),
}
WHO = 'vendor = "lamps.example"\nmodel = "LX-1"\nsequence = 2\n'
LAMP = WHO + 'version = "1.1.0"\n[[component]]\nimage = "image.bin"\n'


def files(name):
    if name not in FILES:
        raise ConfigError(f"expected a file at {name}")
    return FILES[name]


def read(text, beside=files):
    return read_recipe(text, beside)


def content_of(text, beside=files):
    return decode_manifest(read(text, beside).envelope)


ENCRYPTED = """
[encryption.closed]
payload = { file = "image.bin" }
algorithm = "A128GCM"
secret = { file = "encryption.secret" }
recipients = [{ kid = "lamps", key = { file = "wrapping.key" } }]
"""


def refused(text, says):
    """A file that makes no release: what is wrong is said, and where it stands."""
    with pytest.raises(ConfigError) as refusal:
        read(text)
    assert says in str(refusal.value)
    assert refusal.value.reason == "release-file"
