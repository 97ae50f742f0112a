"""What it costs to read and compile every MUD file beside the repository, signatures apart."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

from bench.figure import Figure
from thingstead.errors import ProtocolError
from thingstead.protocols.mud.parser import parse
from thingstead.protocols.mud.rule import RuleSet, compile_rules
from thingstead.protocols.mud.signature import AdmissionPolicy, admit, claimed_signer

_SHARED = Path(__file__).resolve().parents[2] / "shared"
_AT = datetime(2026, 11, 23, tzinfo=UTC)
_ROUNDS = 9


def figures() -> Iterator[Figure]:
    """Per file: decode, read, compile; the largest alone; one signature. Nothing where the files are not there."""
    files = [
        path.read_bytes() for one in ("data", "vectors") for path in sorted((_SHARED / one / "mud").rglob("*.json"))
    ]
    good = [data for data in files if _is_read(data)]
    if not good:
        return
    per_file = 1e6 / len(good)
    yield Figure(
        f"JSON alone, {len(good)} files, each", "us", _seconds(lambda: [json.loads(data) for data in good]) * per_file
    )
    compiled = _seconds(lambda: [_compile(data) for data in good]) * per_file
    lean = _seconds(lambda: [_lean(data) for data in good]) * per_file
    yield Figure("file to rules, each", "us", compiled, lean, "a script without checks or places")
    largest = max(good, key=len)
    rules = len(_compile(largest).rules)
    yield Figure(f"the largest file, {rules} rules", "us", _seconds(lambda: _compile(largest)) * 1e6)
    yield Figure("rules of all files", "", float(sum(len(_compile(data).rules) for data in good)))
    folder = _SHARED / "vectors" / "mud" / "signed"
    data, signature = (folder / "Luminaire_150.json").read_bytes(), (folder / "Luminaire_150.p7s").read_bytes()
    policy = AdmissionPolicy("pinned", anchors=(claimed_signer(signature),))
    yield Figure("a signed file, verified", "us", _seconds(lambda: admit(data, signature, policy=policy, at=_AT)) * 1e6)


def _compile(data: bytes) -> RuleSet:
    return compile_rules(admit(data, None, policy=AdmissionPolicy("bench", insecure_unsigned=True), at=_AT))


def _lean(data: bytes) -> list[tuple[object, ...]]:
    """The least that gives rules of a good file: what we pay for refusing the others is what lies between."""
    document = json.loads(data)
    lists = document.get("ietf-access-control-list:acls") or document["ietf-access-control-list:access-lists"]
    rules: list[tuple[object, ...]] = []
    for acl in lists["acl"]:
        for ace in acl["aces"]["ace"]:
            matches = ace["matches"]
            ip = matches.get("ipv4") or matches.get("ipv6") or {}
            remote = [value for name, value in ip.items() if "dnsname" in name or "network" in name]
            ports = matches.get("tcp") or matches.get("udp") or {}
            rules.append((acl["name"], ip.get("protocol"), str(remote), str(ports), str(matches.get("ietf-mud:mud"))))
    return rules


def _is_read(data: bytes) -> bool:
    try:
        return bool(parse(data).entries)
    except ProtocolError:
        return False


def _seconds(work: Callable[[], object]) -> float:
    """The best of some rounds, of this process alone: others have the processors too."""
    best = float("inf")
    for _ in range(_ROUNDS):
        started = time.process_time()
        work()
        best = min(best, time.process_time() - started)
    return best
