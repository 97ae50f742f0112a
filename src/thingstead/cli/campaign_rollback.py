"""``thingstead campaign rollback``: the older image under a higher number, for no thing installs a lower one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from thingstead.cli.action import Action, Parameter, Session
from thingstead.cli.campaign import PLAN, with_plan
from thingstead.cli.input import read_file
from thingstead.cli.remote import AS, DOMAIN, ask
from thingstead.crypto.digest import digest
from thingstead.errors import ConfigError
from thingstead.phases.maintain import make_release, sign_release
from thingstead.protocols.profile import release as profile
from thingstead.protocols.suit import envelope
from thingstead.protocols.suit.identifier import class_identifier, vendor_identifier
from thingstead.simulator.factory import open_maker
from thingstead.storage.directory import write_whole

__all__ = ["ROLLBACK"]

_AT_ONCE = 'stages = ["100%"]\n'
"""Where no plan is given: whoever runs what has to go is not kept waiting."""


def _rollback(session: Session) -> int:
    options = session.options
    basis = ask(session, "campaign.basis", {"campaign": options["campaign"]})
    if options["image"] is None or options["maker"] is None:
        return _explain(session, basis)
    path = session.path("image")
    image = read_file(path, max_bytes=profile.MAX_IMAGE_SIZE)
    version = options["version"] or _version_of(image, basis, path)
    encoded = _signed(session, image, basis, version)
    target = session.path("output") if options["output"] is not None else path.with_name(f"{path.name}.rollback.suit")
    write_whole(target, encoded)
    arguments: dict[str, Any] = {one.key: options[one.key] for one in PLAN if options[one.key] is not None}
    with_plan(session, arguments)
    published = ask(session, "release.publish", {"envelope": str(target), "image": str(path), "plan": "", **arguments})
    session.console.say(f"{version} again, as release {basis['next']}; whoever runs it already is left alone")
    session.console.show(published)
    session.console.next("thingstead campaign show", f"{basis['model']}/{basis['next']}")
    return 0


def _explain(session: Session, basis: dict[str, Any]) -> int:
    """What the maker has to do, who alone can."""
    shown = {
        "campaign": basis["campaign"],
        "run_it": basis["installed"],
        "what_was_before": [f"{one['version']} ({one['campaign']}), image {one['image']}" for one in basis["before"]],
        "sequence_of_the_next": basis["next"],
    }
    session.console.show(shown)
    session.console.say(
        f"No thing installs a lower number: {basis['maker']} has to sign an older image under a higher one."
    )
    session.console.say("Who has the maker's keys here does all of it with:")
    session.console.next(f"thingstead campaign rollback {basis['campaign']} --image OLDER-IMAGE --maker MAKER")
    return 0


def _version_of(image: bytes, basis: dict[str, Any], path: Path) -> str:
    for one in basis["before"]:
        if one["image"] == digest(image).hex():
            return str(one["version"])
    raise ConfigError(f"{path.name} is the image of no earlier release here; --version says what it is, if it is meant")


def _signed(session: Session, image: bytes, basis: dict[str, Any], version: str) -> bytes:
    maker = open_maker(session.path("maker")).maker
    vendor_id = vendor_identifier(session.options["vendor"] or maker.domain)
    unsigned = make_release(
        image,
        vendor_id=vendor_id,
        class_id=class_identifier(vendor_id, basis["model"]),
        sequence_number=basis["next"],
        version=version,
    )
    return envelope.encode(sign_release(unsigned, maker.release_keys))


ROLLBACK = Action(
    (
        Parameter("campaign", "what is to be taken back: model and number, such as LX-1/7, or the model alone"),
        Parameter("--image", "the older image"),
        Parameter("--maker", "directory of the maker who signs it"),
        Parameter("--vendor", "DNS domain of who made the things, where another mends them now"),
        Parameter("--version", "what the older image is called; else what it was called here"),
        Parameter("--output", "file for the new envelope; else beside the image"),
        *PLAN,
        DOMAIN,
        AS,
    ),
    _rollback,
    "Makes, signs and publishes a release of an older image, with a number above all others: things install nothing\n"
    "below what they run. Without an image and a maker it says what the maker has to sign.",
)
