"""``thingstead ledger``: read the ledger, prove an entry, and have the separate verifier check all of it."""

from __future__ import annotations

import base64
from dataclasses import asdict
from typing import Any

from thingstead.cli.action import Action, Parameter, Session
from thingstead.cli.console import View
from thingstead.cli.input import read_file, whole
from thingstead.cli.remote import DOMAIN, ask, domain_root, remote
from thingstead.controller.directory import DomainDirectory
from thingstead.errors import CONSEQUENCES, AuthenticationError, StorageError
from thingstead.storage.directory import write_whole
from thingstead.storage.sqlite import DATABASE
from thingstead_verifier.verify import Unusable, Verdict, check

__all__ = ["PROOF", "SHOW", "VERIFY"]


_MAX_SMALL_FILE = 1 << 16
_VIEW = View(
    (
        ("entry", "index"),
        ("at", "at"),
        ("kind", "kind"),
        ("thing", "thing"),
        ("cause", "cause"),
        ("by", "actor"),
        ("details", "details"),
    ),
    empty="the ledger has no such entry",
)
_FINDINGS = View((("from", "first"), ("to", "last"), ("what", "text")))
_COUNT = Parameter("--count", "how many entries, newest last", read=whole(1), default=20)
_THING = Parameter("--thing", "only entries about this thing")
_KIND = Parameter("--kind", "only entries of this kind, e.g. refusal or transition")

SHOW = remote("ledger.show", _COUNT, _THING, _KIND, view=_VIEW, then="thingstead ledger proof {index}")


def _verify(session: Session) -> int:
    directory = DomainDirectory(session.path("directory") if session.options["directory"] else domain_root(session))
    head_path = session.path("head") if session.options["head"] else directory.heads(directory.load())
    key_path = session.path("key") if session.options["key"] else head_path.with_suffix(".key")
    head = read_file(head_path, max_bytes=_MAX_SMALL_FILE)
    key = read_file(key_path, max_bytes=_MAX_SMALL_FILE)
    try:
        verdict = check(directory.root / DATABASE, head, key)
    except Unusable as error:
        raise StorageError(f"the ledger could not be checked: {error}") from error
    _show(session, verdict)
    return 0 if verdict.holds else CONSEQUENCES[AuthenticationError].exit_code


def _show(session: Session, verdict: Verdict) -> None:
    if session.console.as_json:
        session.console.show(asdict(verdict))
    elif verdict.holds:
        session.console.show({"verdict": "the ledger holds", "entries": verdict.size, "signed": verdict.signed})
        session.console.next("thingstead ledger show")
    else:
        session.console.say("the ledger does NOT hold:")
        session.console.show([asdict(found) for found in verdict.findings], _FINDINGS)
        session.console.next("thingstead ledger show --count 50, and compare with a backup")


VERIFY = Action(
    (
        Parameter("directory", "the domain's directory; else as --domain", default=""),
        Parameter("--head", "the signed head kept outside; else the one that the settings name"),
        Parameter("--key", "the ledger's public key; else the one beside the head"),
        DOMAIN,
    ),
    _verify,
    "Runs thingstead-ledger-verify, which shares no code with the controller. It needs no running domain.\n"
    "It trusts the key and the head, which both lie outside the domain's directory, and nothing inside.",
)


def _proof(session: Session) -> int:
    index = session.options["index"]
    proof: dict[str, Any] = ask(session, "ledger.proof", {"index": index})
    if session.options["output"] is None:
        session.console.show(proof)
        session.console.next(f"thingstead ledger proof {index} --output entry-{index}.receipt")
        return 0
    target = session.path("output")
    write_whole(target, base64.b64decode(proof["receipt"]))
    session.console.show({"written": str(target), "entry": proof.get("entry")})
    return 0


PROOF = Action(
    (
        Parameter("index", "number of the entry", read=whole(0)),
        Parameter("--output", "file to write the receipt (COSE, RFC 9942) to"),
        DOMAIN,
    ),
    _proof,
    "Whoever holds the entry, the receipt and the ledger's public key needs nobody's word for it.",
)
