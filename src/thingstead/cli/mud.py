"""``thingstead mud``: look at a MUD file before it is enforced (RFC 8520); no domain is needed."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from thingstead.cli.action import Action, Parameter, Session
from thingstead.cli.console import View
from thingstead.cli.input import read_file
from thingstead.clock import SystemClock
from thingstead.crypto.certificate import Certificate, load_certificates
from thingstead.protocols.mud import parser
from thingstead.protocols.mud.file import Finding
from thingstead.protocols.mud.rule import compile_rules
from thingstead.protocols.mud.signature import AdmissionPolicy, AdmittedMudFile, admit

__all__ = ["CHECK", "COMPILE"]

_FILE = Parameter("file", "the MUD file, JSON")
_SIGNATURE = Parameter("--signature", "its detached signature, DER (.p7s)")
_AUTHORITY = Parameter("--authority", "PEM file with the certificates that its signer must chain to")
_FINDINGS = View(
    (("place", "place"), ("finding", "message"), ("clause", "spec"), ("narrows", "narrows")), "no findings"
)
_RULES = View(
    (("opened by", "opened_by"), ("remote", "remote"), ("rule", "rule")),
    "no rule: the thing may not talk to anybody",
)


def _check(session: Session) -> int:
    data = read_file(session.path("file"), max_bytes=parser.DEFAULT_LIMITS.max_bytes)
    file = _admit(session, data).file if session.options["signature"] else parser.parse(data)
    findings = [_finding(one) for one in file.findings]
    about = {
        "url": file.url,
        "model": file.model,
        "manufacturer": file.manufacturer,
        "system_info": file.system_info,
        "last_update": file.last_update.isoformat(),
        "cache_validity_hours": file.cache_validity,
        "supported": file.is_supported,
        "entries": len(file.entries),
        "signed": bool(session.options["signature"]),
        "findings": findings,
    }
    session.console.show(about)
    session.console.next("thingstead mud compile", session.options["file"])
    return 0


def _compile(session: Session) -> int:
    data = read_file(session.path("file"), max_bytes=parser.DEFAULT_LIMITS.max_bytes)
    rules = compile_rules(_admit(session, data)).rules
    rows = [{"opened_by": rule.opened_by.value, "remote": str(rule.remote), "rule": str(rule)} for rule in rules]
    session.console.show(rows, _RULES)
    return 0


def _admit(session: Session, data: bytes) -> AdmittedMudFile:
    """With a signature it must verify; without one a person looks at the file, and nothing enforces it."""
    if session.options["signature"] is None:
        return admit(data, None, policy=AdmissionPolicy("a look at a file", insecure_unsigned=True), at=_at())
    signature = read_file(session.path("signature"), max_bytes=1 << 16)
    anchors: tuple[Certificate, ...] = ()
    if session.options["authority"] is not None:
        anchors = load_certificates(read_file(session.path("authority"), max_bytes=1 << 20))
    return admit(data, signature, policy=AdmissionPolicy("the authority given", anchors=anchors), at=_at())


def _at() -> datetime:
    return SystemClock().utc()


def _finding(one: Finding) -> dict[str, Any]:
    return {"place": one.place or "/", "message": one.message, "spec": one.spec, "narrows": one.narrows}


CHECK = Action(
    (_FILE, _SIGNATURE, _AUTHORITY), _check, "A file outside RFC 8520 is refused with the place and the clause."
)
COMPILE = Action((_FILE, _SIGNATURE, _AUTHORITY), _compile, "What no rule allows is dropped; replies need no rule.")
