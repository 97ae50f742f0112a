"""``thingstead operator`` and ``installer``: keys of people, and what the owner delegates to them."""

from __future__ import annotations

import base64
from typing import Any

from thingstead.cli.action import Action, Parameter, Session
from thingstead.cli.console import View
from thingstead.cli.input import days
from thingstead.cli.remote import AS, DOMAIN, OPERATOR_KEY, ask, remote
from thingstead.crypto.key import KeyType
from thingstead.crypto.keystore import FileKeyStore
from thingstead.errors import ConfigError
from thingstead.storage.directory import write_whole
from thingstead.storage.operator_file import key_word

__all__ = ["INSTALLER_ADD", "INSTALLER_LIST", "INSTALLER_REVOKE", "KEY"]

_INSTALLERS = View(
    (
        ("installer", "installer"),
        ("key", "key"),
        ("zones", "zones"),
        ("classes", "classes"),
        ("until", "expires"),
        ("delegation", "delegation_id"),
    ),
    empty="nobody but the owner approves things; `thingstead installer add` delegates that",
)


def _key(session: Session) -> int:
    directory = session.path("directory")
    keys = FileKeyStore(directory)
    if OPERATOR_KEY in keys.ids():
        raise ConfigError(f"a key is in {directory} already; ask with --as {directory}, or name a new directory")
    word = key_word(keys.create(OPERATOR_KEY, KeyType.P256).public)
    session.console.show({"key": word, "directory": str(directory)})
    session.console.say("give the owner the key by a way on which nobody changes it; what is in the directory, nobody")
    session.console.next(f"thingstead installer add NAME --key {word} --zones ZONE --classes 2 --days 1")
    return 0


def _add(session: Session) -> int:
    options = session.options
    arguments: dict[str, Any] = {
        "name": options["name"],
        "key": options["key"],
        "zones": options["zones"].split(","),
        "classes": _classes(options["classes"]),
        "days": options["days"],
    }
    added = ask(session, "installer.add", arguments)
    if options["output"] is not None:
        write_whole(session.path("output"), base64.urlsafe_b64decode(added["delegation"]))
    session.console.show(added)
    session.console.next("thingstead thing admit THING --key DIGITS --as DIRECTORY-OF-THE-KEY")
    return 0


def _classes(text: str) -> list[int]:
    try:
        return [int(one) for one in text.split(",")]
    except ValueError:
        raise ConfigError(f"expected device classes such as 1,2; got {text[:40]!r}") from None


KEY = Action(
    (Parameter("directory", "a new directory, which nobody else may enter"),),
    _key,
    "Makes a key that a person asks a domain with (`--as DIRECTORY`), and prints the public one: for a line of the\n"
    "owner's file `operators`, such as `maintainer key:... ben`, or for `thingstead installer add`.",
)
INSTALLER_ADD = Action(
    (
        Parameter("name", "what the ledger calls them"),
        Parameter("--key", "their public key, as `thingstead operator key` prints it", required=True),
        Parameter("--zones", "where they may approve things, with commas between", required=True),
        Parameter("--classes", "of which device classes (RFC 7228 section 3)", default="0,1,2"),
        Parameter("--days", "after which it ends", read=days, default=1.0),
        Parameter("--output", "file for the delegation, which the installer can show to whoever has your owner key"),
        DOMAIN,
        AS,
    ),
    _add,
    "An installer approves things that wait (`thing admit --as`), of these classes, on their way to these zones,\n"
    "until it ends or you revoke it; each approval is signed with their key, and is on the ledger as theirs.",
)
INSTALLER_LIST = remote("installer.list", view=_INSTALLERS, then="thingstead thing waiting")
INSTALLER_REVOKE = remote(
    "installer.revoke",
    Parameter("name", "whose"),
    then="thingstead installer list",
    description="What they approved and what no thing has used yet is taken back; what is in stays in.",
)
