"""Whom a domain trusts: the owner's files, and a domain that runs told of them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from thingstead.cli.action import Action, Parameter, Session
from thingstead.cli.console import View
from thingstead.cli.input import read_file
from thingstead.cli.remote import ask_at
from thingstead.controller.directory import DomainDirectory
from thingstead.domain import anchor as anchor_file
from thingstead.errors import ConfigError, TransportError
from thingstead.protocols.cose import key as cose_key
from thingstead.protocols.profile import maker_server
from thingstead.protocols.profile.maker_server import MakerServer
from thingstead.transport.control_socket import ControlClient

__all__ = ["TRUST_ADD", "TRUST_LIST", "TRUST_REMOVE"]

_DIRECTORY = Parameter("directory", "the domain's directory")
_MAX_ANCHOR = 1 << 18
_MAKERS = View(
    (
        ("maker", "maker"),
        ("identity key", "identity_key"),
        ("release keys", "release_keys"),
        ("MUD authorities", "mud_authorities"),
        ("server", "server"),
    ),
    empty="no maker is trusted: nothing can join; `thingstead trust add` adds one",
)


def _directory(session: Session) -> DomainDirectory:
    return DomainDirectory(session.path("directory"))


def _trust_add(session: Session) -> int:
    directory = _directory(session)
    directory.load()
    anchor = anchor_file.decode(read_file(session.path("anchor"), max_bytes=_MAX_ANCHOR))
    known = next((one for one in directory.anchors() if one.maker == anchor.maker), None)
    if known is not None and replace(known, server=anchor.server) != anchor and not session.options["replace"]:
        raise ConfigError(f"another anchor of {anchor.maker} is trusted already; --replace puts this one in its place")
    steps = 0 if known is None else anchor_file.dropped_steps(anchor, known)
    anchor = replace(anchor, server=_server(session, anchor.maker, known) or anchor.server)
    directory.trust_maker(anchor)
    session.console.show(_maker(anchor))
    if steps:
        session.console.say(
            f"it knows nothing of {steps} steps to other update keys that were taken: things that took them verify no "
            f"release of these keys; `thingstead crypto migrate status` names who did"
        )
    session.console.say(f"it may send nothing in before a rule of {directory.policy} names it")
    _reload_trust(session, directory)
    return 0


def _server(session: Session, maker: str, known: anchor_file.TrustAnchor | None) -> MakerServer | None:
    """Whom the owner names now, or has named before."""
    if session.options["server"] is None:
        return None if known is None else known.server
    server = maker_server.decode(read_file(session.path("server"), max_bytes=maker_server.MAX_BYTES))
    if server.maker != maker:
        raise ConfigError(f"expected a server of {maker}, got one of {server.maker}")
    return server


def _trust_remove(session: Session) -> int:
    directory, maker = _directory(session), session.options["maker"]
    directory.load()
    directory.distrust_maker(maker)
    session.console.show({"maker": maker, "trusted": False})
    _reload_trust(session, directory)
    return 0


def _reload_trust(session: Session, directory: DomainDirectory) -> None:
    """Have the domain look at its anchors again, if it runs, and name the things of makers without one."""
    named = session.options["directory"]
    if not _is_running(directory):
        session.console.next("thingstead up", named)
        return
    told = ask_at(directory.control_socket, "trust.reload", {})
    session.console.say("the domain runs, and goes by this from now on")
    for maker in told.get("dropped", []):
        session.console.say(f"the steps of {maker} to other update keys are dropped, as the ledger says")
    for thing in told.get("staying", []):
        session.console.say(f"{thing} joined before, and stays in until you quarantine or retire it")
    session.console.next("thingstead status --domain", named)


def _is_running(directory: DomainDirectory) -> bool:
    try:
        ControlClient(directory.control_socket).close()
    except TransportError:
        return False
    return True


def _trust_list(session: Session) -> int:
    directory = _directory(session)
    directory.load()
    session.console.show([_maker(one) for one in directory.anchors()], _MAKERS)
    return 0


def _maker(anchor: anchor_file.TrustAnchor) -> dict[str, Any]:
    return {
        "maker": anchor.maker,
        "identity_key": cose_key.thumbprint(anchor.identity_key).hex()[:16],
        "release_keys": [key.type.name for key in anchor.release_keys],
        "mud_authorities": len(anchor.mud_authorities),
        "server": "" if anchor.server is None else anchor.server.location,
    }


TRUST_ADD = Action(
    (
        _DIRECTORY,
        Parameter("anchor", "the maker's .anchor file"),
        Parameter("--server", "its .server file, if things of it ask whose they are when they join"),
        Parameter("--replace", "put it in the place of another anchor of that maker", read=None),
    ),
    _trust_add,
    "Compare the fingerprint with the maker by another way than the one the file came. A domain that runs goes by\n"
    "it from now on; who may join is for a rule of the policy to say. The server is asked where this file says that\n"
    "it is, whatever a thing says; given once, it stays until another is given or the maker is removed.",
)
TRUST_REMOVE = Action(
    (_DIRECTORY, Parameter("maker", "its name, as `thingstead trust list` shows it")),
    _trust_remove,
    "No thing of the maker joins any more, and its releases are offered no more, also where the domain runs. Things\n"
    "that joined before stay in: quarantine or retire those.",
)
TRUST_LIST = Action((_DIRECTORY,), _trust_list)
