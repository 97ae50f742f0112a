"""``thingstead release publish``, ``list`` and ``show``: what a domain offers to its things."""

from __future__ import annotations

from typing import Any

from thingstead.cli.action import Parameter, Session
from thingstead.cli.campaign import PLAN, with_plan
from thingstead.cli.console import View
from thingstead.cli.release_view import MAX_ENVELOPE, RELEASE
from thingstead.cli.remote import remote
from thingstead.errors import ConfigError
from thingstead.protocols.profile import release as profile
from thingstead.protocols.suit import envelope
from thingstead.protocols.suit.digest import Digest, digest_of
from thingstead.protocols.suit.manifest import decode_manifest
from thingstead.protocols.suit.registry import ParameterId
from thingstead.storage.release_folder import ENVELOPE, ReleaseFolder

__all__ = ["LIST", "PUBLISH", "SHOW", "image_of"]

_VIEW = View(
    (
        ("class", "model"),
        ("version", "version"),
        ("sequence", "sequence_number"),
        ("published", "published_at"),
        ("things", "things"),
        ("installed", "installed"),
        ("refused", "refused"),
    ),
    empty="no release was published yet",
)


def _files(session: Session, arguments: dict[str, Any]) -> None:
    """Of a folder, its envelope and the one file in it that is the image of the manifest."""
    root = session.path("release")
    arguments.pop("release")
    image = arguments.pop("image", "")
    if image:
        arguments["image"] = str(session.path("image"))
    if not root.is_dir():
        if not image:
            raise ConfigError("expected the folder of a release, or an envelope and its image")
        arguments["envelope"] = str(root)
        return
    folder = ReleaseFolder(root)
    arguments |= {"envelope": str(root / ENVELOPE), "folder": str(root)}
    if not image:
        arguments["image"] = str(root / image_of(folder))


def image_of(folder: ReleaseFolder) -> str:
    """The file in a release's folder that is the image of its manifest, those left out that go beside it by name.

    Raises:
        ConfigError: there is none, or more than one.
    """
    wanted, beside = _said(folder.envelope)
    found = [
        name
        for name, content in folder.members().items()
        if name not in beside and any(digest_of(content, digest.algorithm_id) == digest for digest in wanted)
    ]
    if not found:
        raise ConfigError(f"no file in {folder.root} is the image that its manifest is about")
    if len(found) > 1:
        raise ConfigError(
            f"expected one image at {profile.IMAGE_URI}, and others at {profile.IMAGE_URI}?NAME; these are all at the "
            f"first place: {', '.join(found)}"
        )
    return found[0]


def _said(encoded: bytes) -> tuple[set[Digest], set[str]]:
    """Digests of every image or ciphertext that the manifest speaks of, and names of those beside the first."""
    content = decode_manifest(envelope.decode(encoded[: MAX_ENVELOPE + 1]))
    commands = [command for sequence in (content.shared, *content.sequences.values()) for command in sequence]
    digests = [command.parameters.get(ParameterId.IMAGE_DIGEST) for command in commands]
    uris = [command.parameters.get(ParameterId.URI) for command in commands]
    names = [profile.image_name(uri) for uri in uris if isinstance(uri, str)]
    return {one for one in digests if isinstance(one, Digest)}, {name for name in names if name}


def _prepare(session: Session, arguments: dict[str, Any]) -> None:
    with_plan(session, arguments)
    _files(session, arguments)


PUBLISH = remote(
    "release.publish",
    RELEASE,
    Parameter("image", "the image, beside an envelope alone", default=""),
    *PLAN,
    prepare=_prepare,
    then="thingstead campaign show {model}/{sequence_number}",
    description=(
        "The domain verifies it under the anchor of the maker, or of who took its part (`thing adopt`), looks for\n"
        "secrets in the image, weighs what goes with it by your policy, and offers it to every thing of the class\n"
        "that goes by that anchor: by the plan given, or the policy's ([campaign]), or else up to 50 at once, more\n"
        "by stages. A refused release reaches nobody; one that is held waits for a second person."
    ),
)
LIST = remote("release.list", view=_VIEW, then="thingstead thing list")
SHOW = remote("release.show", Parameter("model", "the maker's word for the type"), then="thingstead thing list")
