"""What makers type, what tokens are called, and what strangers send to be looked at."""

from __future__ import annotations

from pathlib import Path

from tests.fuzz.target import Target, attempt, ensure
from thingstead.analysis.release_story import tell
from thingstead.crypto import token_uri
from thingstead.errors import ConfigError
from thingstead.phases.authoring.recipe import read_recipe
from thingstead.protocols.suit import builder, envelope
from thingstead.protocols.suit.manifest import decode_manifest

_AUTHORED = Path(__file__).resolve().parents[2] / "conformance" / "authored"
_FILES = {
    "image.bin": b"image",
    "content-key": bytes(16),
    "ciphertext": b"closed",
    "encryption-info": b"info",
    "encryption.secret": bytes(32),
}
_WHOLE = b"""
vendor = "lamps.example"
model = "LX-1"
sequence = 2
version = "1.1.0"
severed = ["text"]
[[component]]
name = "a"
image = "image.bin"
encrypted = "closed"
download = "b"
[[component]]
name = "b"
[[component]]
name = "c"
[[component.slot]]
number = 0
image = "image.bin"
uri = "/0"
[[component.slot]]
number = 1
image = "image.bin"
uri = "/1"
[encryption.closed]
payload = { file = "image.bin" }
algorithm = "A128CTR"
secret = { file = "encryption.secret" }
recipients = [{ kid = "lamps", key = { hex = "00000000000000000000000000000000" } }]
[conditions]
use_before = 2031-12-31T00:00:00Z
version = ">= 1.0.0-rc.1"
wait_info = { other_device_version = { device = "hub", versions = ["< 2"] }, power = 1 }
[text.de]
manifest_description = "Lampe"
[words]
de = "neu"
"""
_SEEDS = (_WHOLE, *[path.read_bytes() for path in sorted(_AUTHORED.glob("*.toml"))])


def _files(name: str) -> bytes:
    if name not in _FILES:
        raise ConfigError(f"expected a file at {name}")
    return _FILES[name]


def _recipe(data: bytes) -> None:
    """A release file makes a manifest that is read and told, the same each time, or is refused with its place."""
    text = data.decode("utf-8", "replace")
    try:
        made = read_recipe(text, _files)
    except ConfigError as error:
        ensure(error.reason == "release-file" and len(str(error)) < 1000, f"refused otherwise: {error!s:.200}")
        return
    ensure(envelope.encode(read_recipe(text, _files).envelope) == envelope.encode(made.envelope), "made otherwise")
    ensure(envelope.decode(envelope.encode(made.envelope)).manifest == made.envelope.manifest, "read otherwise")
    tell(decode_manifest(made.envelope))


def _story(data: bytes) -> None:
    """Whatever can be read of a stranger's envelope is told within bounds."""
    opened = attempt(lambda: envelope.decode(data))
    content = None if opened is None else attempt(lambda: decode_manifest(opened))
    if opened is None or content is None:
        return
    attempt(lambda: builder.claims(opened))
    chapters = tell(content)
    ensure(sum(len(chapter.steps) for chapter in chapters) <= 1 << 13, "a story without an end")
    ensure(all(len(step.text) < 2000 for chapter in chapters for step in chapter.steps), "a sentence without an end")


def _token(data: bytes) -> None:
    """What is read of a URI names a module and a key."""
    found = attempt(lambda: token_uri.parse(data.decode("latin-1")))
    if found is not None:
        ensure(bool(found.module and (found.label or found.key_id)), "a key without a name")


TARGETS = (
    Target("authoring.recipe", _recipe, _SEEDS),
    Target(
        "authoring.story", _story, tuple(envelope.encode(read_recipe(one.decode(), _files).envelope) for one in _SEEDS)
    ),
    Target("authoring.token", _token, (b"pkcs11:token=a;object=b;id=%01?module-path=/m.so&pin-source=file:/p",)),
)
