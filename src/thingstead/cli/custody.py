"""``thingstead factory pass``: a thing goes from its maker to a re-badger, a seller, and the first domain."""

from __future__ import annotations

import secrets
from dataclasses import replace
from pathlib import Path

from thingstead.agent.program import HOME, pass_on
from thingstead.cli.action import Action, Parameter, Session
from thingstead.cli.input import read_file
from thingstead.clock import SystemClock
from thingstead.controller.directory import DomainDirectory
from thingstead.domain import anchor as anchor_file
from thingstead.domain.anchor import TrustAnchor
from thingstead.errors import ConfigError
from thingstead.planes.identity import handover
from thingstead.planes.identity.handover import Handover
from thingstead.protocols.cwt import ccs
from thingstead.protocols.profile.custody import Owner
from thingstead.protocols.profile.key_set import EVERY_KEY
from thingstead.simulator.factory import is_maker, open_maker
from thingstead.storage.directory import write_whole

__all__ = ["PASS"]

_ANCHOR = ".anchor"
_MAX_ANCHOR, _MAX_CREDENTIAL = 1 << 18, 4096
_NONCE_SIZE = 16


def _pass(session: Session) -> int:
    options, thing = session.options, session.path("thing")
    if not (thing / HOME).is_dir():
        raise ConfigError(f"no thing is in {thing}; `thingstead factory thing` gives birth to one")
    seller = open_maker(session.path("by")).maker
    to = _receiver(session.path("to"))
    if options["updates"] and not to.release_keys:
        raise ConfigError(f"{to.name} has no release keys: give its .anchor, or its directory")
    named = to if options["updates"] else replace(to, release_keys=(), signing=EVERY_KEY, release_step=0)
    owner, nonce = Owner(seller.name, seller.anchor.public), secrets.token_bytes(_NONCE_SIZE)
    given = pass_on(thing, owner, named, key=seller.anchor, at=SystemClock().utc(), nonce=nonce)
    said = Handover(given.serial, seller.name, given.papers, nonce, given.word)
    target = session.path("output") if options["output"] else session.directory / f"{thing.name}.handover"
    write_whole(target, handover.sign(said, seller.anchor))
    session.console.show(
        {
            "serial": given.serial,
            "by": seller.name,
            "to": to.name,
            "updates_by": to.name if options["updates"] else "as before",
            "links": len(given.papers.links),
            "handover": str(target),
        }
    )
    session.console.next(f"thingstead thing accept {target}, by the domain that gets it")
    return 0


def _receiver(path: Path) -> Owner:
    """A re-badger or seller by its directory or anchor, a domain by its directory or credential."""
    if path.suffix == _ANCHOR:
        anchor = anchor_file.decode(read_file(path, max_bytes=_MAX_ANCHOR))
        return _named(anchor)
    if not path.is_dir():
        read = ccs.decode(read_file(path, max_bytes=_MAX_CREDENTIAL))
        return Owner(read.subject, read.public)
    if is_maker(path):
        return _named(anchor_file.decode(read_file(open_maker(path).anchor, max_bytes=_MAX_ANCHOR)))
    directory = DomainDirectory(path)
    return Owner(directory.load().domain.name, directory.public("domain"))


def _named(anchor: TrustAnchor) -> Owner:
    given = anchor.steady
    return Owner(
        anchor.maker,
        anchor.identity_key,
        release_keys=given.current.keys,
        signing=given.current.signing,
        release_step=given.number,
    )


PASS = Action(
    (
        Parameter("thing", "the thing's own directory, which stands for having it in hand"),
        Parameter("--by", "directory of whose it is: its maker, or a re-badger or seller", required=True),
        Parameter("--to", "who gets it: directory, .anchor or, of a domain, .credential", required=True),
        Parameter("--updates", "from now on releases are signed by who gets it", read=None),
        Parameter("--output", "file for the next owner; else THING.handover"),
    ),
    _pass,
    "Re-badgers and sellers are made as makers are (`factory maker`): each has an anchor and release keys of its own.\n"
    "The thing must have been in no domain; a domain hands it over itself (`thing hand-over`). --updates takes the\n"
    "word of whoever signs releases now, the maker at first. The first domain accepts the last file, and has to trust\n"
    "the maker, and whoever signs the releases.",
)
