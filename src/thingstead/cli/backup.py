"""``thingstead backup`` and ``thingstead backup restore``: what a domain begins again from, and how."""

from __future__ import annotations

import asyncio
from dataclasses import asdict

from thingstead.cli.action import Action, Parameter, Session
from thingstead.cli.input import read_file
from thingstead.cli.remote import DOMAIN, ask, domain_root
from thingstead.clock import SystemClock
from thingstead.controller import backup as backup_file
from thingstead.controller.directory import DomainDirectory
from thingstead.controller.restored_directory import Restored, ledger_key, restore

__all__ = ["BACKUP", "RESTORE"]

_MAX_HEAD = 1 << 16


def _backup(session: Session) -> int:
    session.console.show(ask(session, "backup", {"path": str(session.path("path"))}))
    root = domain_root(session)
    if root.is_socket():
        # Nobody who asks there knows where keys and head are.
        return 0
    directory = DomainDirectory(root)
    head = directory.heads(directory.load())
    session.console.say(f"no key is in it: keep one copy of {directory.keys} apart from it, where nobody else reads")
    session.console.next(
        "thingstead backup restore", session.options["path"], "NEW-DIRECTORY", "--keys", "COPY-OF-KEYS", "--head", head
    )
    return 0


def _restore(session: Session) -> int:
    keys = session.path("keys")
    signer = ledger_key(keys)
    backup = backup_file.authenticate(read_file(session.path("file"), max_bytes=backup_file.MAX_BYTES), signer)
    head = session.path("head") if session.options["head"] else None
    if head is not None:
        read_file(head, max_bytes=_MAX_HEAD)
    directory = DomainDirectory(session.path("directory"))
    restored = asyncio.run(restore(backup, directory, keys=keys, head=head, clock=SystemClock()))
    told = asdict(restored)
    told["backup_of"] = restored.backup_of.isoformat()
    session.console.show(told)
    _explain(session, restored, directory)
    session.console.next("thingstead up", session.options["directory"])
    return 0


def _explain(session: Session, restored: Restored, directory: DomainDirectory) -> None:
    say = session.console.say
    say(f"to join again by themselves: {restored.to_join}; none of their old associations is good any more")
    if restored.newer == 0:
        say("the head in the second place shows that nothing was decided after this backup")
    elif restored.newer is not None:
        say(f"{restored.newer} entries signed later are lost")
    if restored.revoked:
        say(f"{restored.revoked} things have left or are held back, and stay so: the second place says which")
    if restored.why_held:
        say(restored.why_held)
    if restored.newer is None:
        say("if the domain's newest .head is somewhere, begin again in another directory, with --head")
    if restored.approve_each:
        say("so each waits: `thingstead thing waiting`, then `thingstead thing admit` or `thingstead thing retire`;")
        say(f"to let in all that rules name, take approve_each out of {directory.policy}; `thingstead policy reload`")
    if not restored.operators:
        say(f"who may ask beside you may have changed since: compare {directory.operators}.of-backup, and rename it")
    say(f"ledger and tokens have new keys: keep a new copy of {directory.keys} apart from backups")
    if restored.kept:
        say(f"the head and key of the ledger before are evidence: {restored.kept}")


BACKUP = Action(
    (Parameter("path", "new file to write (0600)"), DOMAIN),
    _backup,
    "Holds settings, policy, trusted makers, things, what the planes keep, and the whole ledger, signed with the\n"
    "ledger's key. Private keys and associations are not in it: keep one copy of the domain's keys elsewhere.",
)
RESTORE = Action(
    (
        Parameter("file", "a file that `thingstead backup` wrote"),
        Parameter("directory", "where the domain shall be; empty, or not there"),
        Parameter("--keys", "the key directory of the domain, or the copy of it", required=True),
        Parameter(
            "--head",
            "the newest head, beside what was revoked; else where the settings say",
        ),
    ),
    _restore,
    "Everything is checked before anything is written. What ended stays ended: no association comes back, so things\n"
    "join again; what was retired or quarantined stays so, also after the backup: the second place, `[domain] heads`,\n"
    "says who. Without it each thing waits for a person. Files that the settings name, such as mud_ca, are not in a\n"
    "backup.",
)
