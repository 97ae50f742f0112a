"""``thingstead mud``: look at a MUD file before it is enforced (RFC 8520); no domain is needed."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict
from datetime import datetime
from typing import Any

from thingstead.analysis.mud_explanation import Explained, explain, remark
from thingstead.analysis.plain_words import in_words
from thingstead.cli.action import Action, Parameter, Session
from thingstead.cli.console import View
from thingstead.cli.input import read_file
from thingstead.clock import SystemClock
from thingstead.crypto.certificate import Certificate, load_certificates
from thingstead.crypto.digest import digest
from thingstead.protocols.mud import parser
from thingstead.protocols.mud.file import Finding, MudFile
from thingstead.protocols.mud.rule import Rule, compile_rules, difference
from thingstead.protocols.mud.signature import AdmissionPolicy, AdmittedMudFile, admit, claimed_signer

__all__ = ["CHECK", "COMPILE", "DIFF", "EXPLAIN", "SIGNER"]

_LARGEST_SIGNATURE = 1 << 16
_FILE = Parameter("file", "the MUD file, JSON")
_SIGNATURE = Parameter("--signature", "its detached signature, DER (.p7s)")
_AUTHORITY = Parameter("--authority", "PEM file with the certificates that its signer must chain to")
_FINDINGS = View(
    (("place", "place"), ("finding", "message"), ("clause", "spec"), ("narrows", "narrows")), "no findings"
)
_ENTRIES = View(
    (("in words", "words"), ("look twice", "remark"), ("entries", "entries")),
    "no entry: the thing may not talk to anybody",
)
_BESIDE_RULES = (
    "url", "last_update", "cache_validity", "is_supported", "system_info", "manufacturer", "model", "signature_url",
    "transparency", "describes_tls",
)  # fmt: skip
_RULES = View(
    (("opened by", "opened_by"), ("remote", "remote"), ("rule", "rule")),
    "no rule: the thing may not talk to anybody",
)


def _check(session: Session) -> int:
    file = _admit(session, _read(session, "file")).file
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
        "transparency": None if file.transparency is None else asdict(file.transparency),
        "findings": findings,
    }
    session.console.show(about)
    session.console.next("thingstead mud explain", session.options["file"])
    return 0


def _compile(session: Session) -> int:
    rules = compile_rules(_admit(session, _read(session, "file"))).rules
    rows = [{"opened_by": rule.opened_by.value, "remote": str(rule.remote), "rule": str(rule)} for rule in rules]
    session.console.show(rows, _RULES)
    return 0


def _explain(session: Session) -> int:
    file = _admit(session, _read(session, "file")).file
    if session.console.as_json:
        left_out = [_finding(one) for one in file.findings if one.narrows]
        session.console.show({"entries": [asdict(one) for one in explain(file)], "left_out": left_out})
        return 0
    session.console.show(_by_words(explain(file)), _ENTRIES)
    for one in file.findings:
        if one.narrows:
            session.console.say(f"left out: {one}")
    session.console.next("thingstead mud test", session.options["file"], "--pcap", "CAPTURE")
    return 0


def _by_words(entries: Iterable[Explained]) -> list[dict[str, Any]]:
    """One row for all entries that say the same: most say it of both IP versions."""
    rows: dict[tuple[str, str], list[str]] = {}
    for one in entries:
        rows.setdefault((one.words, one.remark), []).append(one.entry)
    return [{"words": words, "remark": remark, "entries": names} for (words, remark), names in rows.items()]


def _signer(session: Session) -> int:
    signer = claimed_signer(read_file(session.path("signature"), max_bytes=_LARGEST_SIGNATURE))
    about = {
        "signer": signer.subject,
        "expires": signer.expires.isoformat(),
        "algorithm": signer.signature_algorithm,
        "may_sign": signer.may_sign,
        "sha256": digest(signer.der).hex(),
        "verified": False,
        "certificate": signer.pem.decode("ascii"),
    }
    if session.console.as_json:
        session.console.show(about)
        return 0
    session.console.show({name: value for name, value in about.items() if name != "certificate"})
    session.console.say(signer.pem.decode("ascii").rstrip())
    session.console.next("thingstead mud check", "FILE", "--signature", session.options["signature"])
    return 0


def _diff(session: Session) -> int:
    files = [_admit(session, _read(session, key)) for key in ("old", "new")]
    old, new = (compile_rules(one) for one in files)
    change = difference(old, new)
    shown = {
        "allows_more": change.widens,
        "more": _told(change.added),
        "less": _told(change.removed),
        "said_otherwise": _metadata(files[0].file, files[1].file),
    }
    session.console.show(shown)
    return 0


def _told(rules: Iterable[Rule]) -> list[dict[str, str]]:
    return [{"words": in_words([rule])[0], "rule": str(rule), "remark": remark(rule)} for rule in rules]


def _metadata(old: MudFile, new: MudFile) -> list[dict[str, str]]:
    """What the files say otherwise beside their rules."""
    pairs = {name: (getattr(old, name), getattr(new, name)) for name in _BESIDE_RULES}
    return [{"what": name, "old": str(a), "new": str(b)} for name, (a, b) in pairs.items() if a != b]


def _read(session: Session, key: str) -> bytes:
    return read_file(session.path(key), max_bytes=parser.DEFAULT_LIMITS.max_bytes)


def _admit(session: Session, data: bytes) -> AdmittedMudFile:
    """With a signature it must verify; without one a person looks at the file, and nothing enforces it."""
    if session.options.get("signature") is None:
        return admit(data, None, policy=AdmissionPolicy("a look at a file", insecure_unsigned=True), at=_at())
    signature = read_file(session.path("signature"), max_bytes=_LARGEST_SIGNATURE)
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
EXPLAIN = Action(
    (_FILE, _SIGNATURE, _AUTHORITY),
    _explain,
    "What the entries of the file say, each sentence once; what is left out is told below, with its place. In JSON\n"
    "each entry has its own, and its rule.",
)
SIGNER = Action(
    (Parameter("signature", "a detached signature, DER (.p7s)"),),
    _signer,
    "The certificate that the signature names, verified by nobody: save it in a file for --authority only if you know\n"
    "from elsewhere that it is the maker's.",
)
DIFF = Action(
    (Parameter("old", "the MUD file of before"), Parameter("new", "the MUD file that is to follow it")),
    _diff,
    "A file that allows more is one to look at before it is enforced (RFC 8520 §16); signatures are not looked at.",
)
