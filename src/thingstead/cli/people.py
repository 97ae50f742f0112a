"""``thingstead operator`` and ``installer``: keys of people, and what the owner delegates to them."""

from __future__ import annotations

import base64
import secrets
from typing import Any

from thingstead.cli.action import Action, Parameter, Session
from thingstead.cli.console import View
from thingstead.cli.input import days, read_file, whole
from thingstead.cli.remote import AS, DOMAIN, OPERATOR_KEY, ask, remote
from thingstead.clock import SystemClock
from thingstead.crypto.key import KeyType
from thingstead.crypto.keystore import FileKeyStore
from thingstead.errors import ConfigError
from thingstead.protocols.cwt import token
from thingstead.protocols.cwt.claims import Claim
from thingstead.protocols.profile import approval
from thingstead.protocols.profile.approval import Statement
from thingstead.protocols.profile.signed_request import CHALLENGE_SIZE
from thingstead.storage.directory import write_whole
from thingstead.storage.operator_file import key_word

__all__ = ["INSTALLER_ADD", "INSTALLER_LIST", "INSTALLER_REVOKE", "KEY", "PRESENT", "SIGN"]

_MAX_FILE = 1 << 16

_INSTALLERS = View(
    (
        ("installer", "installer"),
        ("key", "key"),
        ("zones", "zones"),
        ("classes", "classes"),
        ("let in", "let_in"),
        ("of", "count"),
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
        "count": options["count"],
    }
    added = ask(session, "installer.add", arguments)
    if options["output"] is not None:
        write_whole(session.path("output"), base64.urlsafe_b64decode(added["delegation"]))
    session.console.show(added)
    session.console.next("thingstead thing admit THING --key DIGITS --as DIRECTORY-OF-THE-KEY")
    return 0


def _sign(session: Session) -> int:
    options = session.options
    if options["as"] is None:
        raise ConfigError("a statement is signed: give the directory of your key (--as)")
    given = token.decode(read_file(session.path("delegation"), max_bytes=_MAX_FILE)).claims
    statement = Statement(
        delegation=given.token_id(),
        maker=options["maker"],
        serial=options["serial"],
        key=options["key"],
        zone=options["zone"],
        at=SystemClock().utc(),
        nonce=secrets.token_bytes(CHALLENGE_SIZE),
    )
    key = FileKeyStore(session.path("as")).handle(OPERATOR_KEY)
    encoded = approval.sign(statement, key, domain=given.text(Claim.ISS))
    target = session.path("output") if options["output"] else session.directory / f"{statement.serial}.approval"
    write_whole(target, encoded)
    session.console.show({"written": str(target), "until": (statement.at + approval.LIFETIME).isoformat()})
    session.console.next("thingstead thing present", target.name)
    return 0


def _present(session: Session) -> int:
    encoded = read_file(session.path("file"), max_bytes=_MAX_FILE)
    told = ask(session, "thing.present", {"statement": base64.urlsafe_b64encode(encoded).decode("ascii")})
    session.console.show(told)
    session.console.next("thingstead thing waiting")
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
        Parameter("--count", "how many things they may let in, in all", read=whole(1, 10_000), default=100),
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
SIGN = Action(
    (
        Parameter("serial", "the thing's serial number, as it stands on it"),
        Parameter("--maker", "name of its maker's anchor", required=True),
        Parameter("--key", "16 or more hexadecimal digits of its key, as they stand on it", required=True),
        Parameter("--zone", "where it goes", required=True),
        Parameter("--delegation", "file that `thingstead installer add --output` wrote", required=True),
        Parameter("--output", "file to write; else SERIAL.approval"),
        Parameter("--as", "directory of your key (`thingstead operator key`)"),
    ),
    _sign,
    "For a site where the domain cannot be reached. Whoever gets there brings the file (`thing present`): it counts\n"
    "once, within a week, while the delegation counts, for this thing, this key and this zone.",
)
PRESENT = Action(
    (Parameter("file", "what `thingstead installer sign` wrote"), DOMAIN, AS),
    _present,
    "The thing must have knocked here. Who brings the file does not matter; who signed it does.",
)
