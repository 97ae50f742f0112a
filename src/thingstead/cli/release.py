"""``thingstead release``: build, sign, look at and publish SUIT envelopes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from thingstead.cli.action import Action, Parameter, Session
from thingstead.cli.console import View
from thingstead.cli.input import read_file, whole
from thingstead.cli.remote import absolute_paths, remote
from thingstead.domain import anchor as anchor_file
from thingstead.phases.maintain import make_release, sign_release
from thingstead.protocols.profile import release as profile
from thingstead.protocols.suit import authentication, envelope, manifest
from thingstead.protocols.suit.envelope import Envelope
from thingstead.protocols.suit.identifier import class_identifier, vendor_identifier
from thingstead.simulator.factory import open_maker
from thingstead.storage.directory import write_whole

__all__ = ["BUILD", "INSPECT", "LIST", "PUBLISH", "SHOW", "SIGN"]

_MAX_IMAGE = 16 << 20
_MAX_SEQUENCE = (1 << 64) - 1
_MAX_ENVELOPE = envelope.DEFAULT_LIMITS.max_bytes
_ENVELOPE = Parameter("envelope", "the release, a SUIT envelope")
_MAKER = Parameter("--maker", "the maker's directory", required=True)
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


def _build(session: Session) -> int:
    options = session.options
    image = read_file(session.path("image"), max_bytes=_MAX_IMAGE)
    vendor_id = vendor_identifier(options["vendor"] or open_maker(session.path("maker")).maker.domain)
    unsigned = make_release(
        image,
        vendor_id=vendor_id,
        class_id=class_identifier(vendor_id, options["model"]),
        sequence_number=options["sequence"],
        version=options["version"],
    )
    target = session.path("output")
    write_whole(target, envelope.encode(unsigned))
    session.console.show({"written": str(target), "version": options["version"], "image_bytes": len(image)})
    session.console.next("thingstead release sign", target, "--maker", options["maker"])
    return 0


def _sign(session: Session) -> int:
    path = session.path("envelope")
    maker = open_maker(session.path("maker")).maker
    unsigned = envelope.decode(read_file(path, max_bytes=_MAX_ENVELOPE))
    signed = sign_release(unsigned, maker.release_keys)
    target = session.path("output") if session.options["output"] else path
    write_whole(target, envelope.encode(signed))
    session.console.show({"written": str(target), "signatures": [key.public.type.name for key in maker.release_keys]})
    session.console.next("thingstead release inspect", target)
    return 0


def _inspect(session: Session) -> int:
    found = envelope.decode(read_file(session.path("envelope"), max_bytes=_MAX_ENVELOPE))
    content = manifest.decode_manifest(found)
    about: dict[str, Any] = {
        "sequence_number": content.sequence_number,
        "components": ["/".join(part.decode("utf-8", "replace") for part in path) for path in content.components],
        "versions": [content.version_of(path) for path in content.components],
        "manifest_digest": found.digest.value.hex(),
        "signatures": len(found.blocks),
        "payloads": sorted(found.payloads),
        "authentic": "not checked; give --anchor",
    }
    if session.options["anchor"] is not None:
        about["authentic"] = _signed_by(found, session.path("anchor"))
    session.console.show(about)
    session.console.next("thingstead release publish", session.options["envelope"], "IMAGE")
    return 0


def _signed_by(found: Envelope, path: Path) -> str:
    anchor = anchor_file.decode(read_file(path, max_bytes=1 << 16))
    keys, policy = profile.authentication(anchor.release_keys, anchor.signing)
    proved = authentication.authenticate(found, keys, policy)
    return f"signed by every release key of {anchor.maker} ({len(proved.signers)})"


BUILD = Action(
    (
        Parameter("image", "the image; `thingstead factory image` makes one that simulated things obey"),
        _MAKER,
        Parameter("--model", "model of the things it is for", required=True),
        Parameter("--version", "for people, e.g. 1.1.0", required=True),
        Parameter("--vendor", "DNS domain of who made the things, where another mends them now"),
        Parameter(
            "--sequence", "number above that of every release before", read=whole(0, _MAX_SEQUENCE), required=True
        ),
        Parameter("--output", "file to write", required=True),
    ),
    _build,
    "Only the digest of the image goes into the envelope; the image travels beside it.",
)
SIGN = Action(
    (_ENVELOPE, _MAKER, Parameter("--output", "file to write; else the envelope itself")),
    _sign,
    "One block each with ESP256 and ML-DSA-44: a thing installs only what carries both.",
)
INSPECT = Action(
    (_ENVELOPE, Parameter("--anchor", "the maker's .anchor file: verify every signature under it")),
    _inspect,
    "Needs no domain. Refuses an envelope whose signatures do not hold under the anchor given.",
)
PUBLISH = remote(
    "release.publish",
    _ENVELOPE,
    Parameter("image", "the image that the envelope is about"),
    prepare=absolute_paths("envelope", "image"),
    then="thingstead release list",
    description=(
        "The domain verifies it under the anchor of the maker, or of who took its part (`thing adopt`), looks for\n"
        "secrets in the image, and offers it to every thing of the class that goes by that anchor. A refused release\n"
        "reaches nobody."
    ),
)
LIST = remote("release.list", view=_VIEW, then="thingstead thing list")
SHOW = remote("release.show", Parameter("model", "the maker's word for the type"), then="thingstead thing list")
