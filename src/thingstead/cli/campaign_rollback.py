"""``thingstead campaign rollback``: the older release under a higher number, for no thing installs a lower one."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from thingstead.cli.action import Action, Parameter, Session
from thingstead.cli.campaign import PLAN, with_plan
from thingstead.cli.release import image_of
from thingstead.cli.remote import AS, DOMAIN, ask
from thingstead.crypto.digest import digest
from thingstead.errors import ConfigError
from thingstead.phases import maintain
from thingstead.phases.authoring.recipe import read_recipe
from thingstead.protocols.profile import release as profile
from thingstead.protocols.suit import envelope
from thingstead.simulator.factory import open_maker
from thingstead.storage.release_folder import ENVELOPE, RECIPE, ReleaseFolder

__all__ = ["ROLLBACK"]

_AT_ONCE = 'stages = ["100%"]\n'
"""Where no plan is given: whoever runs what has to go is not kept waiting."""

_SEQUENCE = re.compile(r"^(\s*sequence\s*=\s*)\d+", re.MULTILINE)


def _rollback(session: Session) -> int:
    options = session.options
    basis = ask(session, "campaign.basis", {"campaign": options["campaign"]})
    if options["release"] is None or options["maker"] is None:
        return _explain(session, basis)
    folder = _again(session, ReleaseFolder(session.path("release")), basis["next"])
    image = folder.root / image_of(folder)
    session.console.say(f"signed again as release {basis['next']}: {folder.root}")
    if digest(image.read_bytes()).hex() not in {one["image"] for one in basis["before"]}:
        session.console.say("no earlier release here had that image")
    arguments: dict[str, Any] = {one.key: options[one.key] for one in PLAN if options[one.key] is not None}
    with_plan(session, arguments)
    files = {"envelope": str(folder.root / ENVELOPE), "image": str(image), "folder": str(folder.root)}
    session.console.show(ask(session, "release.publish", {**files, "plan": _AT_ONCE, **arguments}))
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
        f"no thing installs a lower number: {basis['maker']} signs an older release under a higher one;"
    )
    session.console.say("who has its folder and the maker's keys does all of that with:")
    session.console.next(f"thingstead campaign rollback {basis['campaign']} --release FOLDER --maker MAKER")
    return 0


def _again(session: Session, older: ReleaseFolder, number: int) -> ReleaseFolder:
    """The same release under another number, signed by every key of its maker, in a folder of its own."""
    members = older.members()
    if RECIPE not in members:
        raise ConfigError(f"expected {RECIPE} in {older.root}, which says what the older release was made of")
    text, count = _SEQUENCE.subn(rf"\g<1>{number}", members[RECIPE].decode("utf-8", "replace"), count=1)
    if not count:
        raise ConfigError(f"expected a line `sequence = N` in {older.root / RECIPE}")
    recipe = read_recipe(text, lambda name: _member(members, name, older.root))
    files = {**members, **recipe.payloads, RECIPE: text.encode(), ENVELOPE: envelope.encode(recipe.envelope)}
    root = older.root.with_name(f"{older.root.name}-{number}")
    folder = ReleaseFolder.create(session.path("output") if session.options["output"] is not None else root, files)
    maker = open_maker(session.path("maker")).maker
    signing = maintain.yet_to_sign(recipe.envelope, [(profile.signer(key.public), key) for key in maker.release_keys])
    statement = maintain.state(recipe.envelope, folder.members(), signing)
    folder.sign(envelope.encode(maintain.sign_with(recipe.envelope, signing)), statement)
    return folder


def _member(members: dict[str, bytes], name: str, root: Path) -> bytes:
    if name not in members:
        raise ConfigError(f"expected {name} in {root}, of which the older release is made")
    return members[name]


ROLLBACK = Action(
    (
        Parameter("campaign", "what is to be taken back: model and number, such as LX-1/7, or the model alone"),
        Parameter("--release", "folder of the older release"),
        Parameter("--maker", "directory of the maker who signs it"),
        Parameter("--output", "new folder for it; else beside the older one, with the number behind its name"),
        *PLAN,
        DOMAIN,
        AS,
    ),
    _rollback,
    "Makes, signs and publishes the older release with a number above all others: things install nothing below what\n"
    "they run. Without a folder and a maker it says what the maker has to sign. All get it at once unless a plan\n"
    "says otherwise, also who never went on: then nobody can bring them any more what was taken back.",
)
