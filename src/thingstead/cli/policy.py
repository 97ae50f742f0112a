"""``thingstead policy``: look at a join policy before it decides, and ask what it would decide."""

from __future__ import annotations

from argparse import ArgumentTypeError
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Any

from thingstead.analysis.policy_check import check_policy
from thingstead.cli.action import Action, Parameter, Session
from thingstead.cli.console import View
from thingstead.cli.input import read_file
from thingstead.cli.remote import DOMAIN, ask, remote
from thingstead.clock import SystemClock
from thingstead.controller.directory import DomainDirectory
from thingstead.controller.operation_policy import ExplainPolicy, facts_of, told
from thingstead.domain.policy import OwnerPolicy, explain
from thingstead.errors import ConfigError, consequence
from thingstead.storage.policy_file import parse_policy

__all__ = ["CHECK", "EXPLAIN", "RELOAD"]

_MAX_POLICY = 1 << 22
_FINDINGS = View((("rule", "rule"), ("fault", "is_fault"), ("finding", "message")), empty="nothing odd in it")
_NEXT = {
    "admit": "thingstead thing list",
    "hold": "thingstead thing waiting",
    "refuse": "thingstead policy check policy.toml",
}


def _check(session: Session) -> int:
    path = session.path("file")
    policy = _read(path)
    found = check_policy(policy.join, at=SystemClock().utc(), makers=_makers(path.parent))
    session.console.show([asdict(one) for one in found], _FINDINGS)
    if any(one.is_fault for one in found):
        return consequence(ConfigError("a fault in a policy")).exit_code
    session.console.next("thingstead policy reload")
    return 0


def _makers(directory: Path) -> frozenset[str] | None:
    """Who is trusted, where the policy lies in a domain's directory."""
    domain = DomainDirectory(directory)
    if not domain.configuration.exists():
        return None
    return frozenset(anchor.maker for anchor in domain.anchors())


def _explain(session: Session) -> int:
    options = session.options
    asked = ExplainPolicy(options["maker"], options["model"], options["serial"], options["at"])
    if options["file"] is None:
        arguments = {key: value for key, value in asdict(asked).items() if value is not None}
        if asked.at is not None:
            arguments["at"] = asked.at.isoformat()
        result: dict[str, Any] = ask(session, "policy.explain", arguments)
    else:
        policy = _read(session.path("file"))
        at = asked.at or SystemClock().utc()
        result = told(explain(facts_of(asked), policy.join, at=at, present=lambda _rule: 0))
    session.console.show(result)
    session.console.next(_NEXT[result["verdict"]])
    return 0


def _read(path: Path) -> OwnerPolicy:
    try:
        return parse_policy(read_file(path, max_bytes=_MAX_POLICY).decode())
    except UnicodeDecodeError as error:
        raise ConfigError(f"expected a policy in UTF-8 at {path}: {error}") from error


def _instant(text: str) -> datetime:
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        at = None
    if at is None or at.tzinfo is None:
        raise ArgumentTypeError(f"expected a time with its offset such as 2027-01-01T00:00:00Z, got {text[:40]!r}")
    return at


CHECK = Action(
    (Parameter("file", "the policy, such as my-domain/policy.toml"),),
    _check,
    "Reads it as `thingstead up` would, and looks for rules that never decide, that decide no more, or that name\n"
    "makers without an anchor (known where the file lies in a domain's directory): faults, and the exit code is not\n"
    "0. Rules that get in each other's way are named too. No domain has to run.",
)
EXPLAIN = Action(
    (
        Parameter("--maker", "name of the trust anchor that vouches for the thing", required=True),
        Parameter("--model", "its model, as its maker says", required=True),
        Parameter("--serial", "its serial number, as its maker says", required=True),
        Parameter("--at", "when it would come, with its offset; else now", read=_instant),
        Parameter("--file", "a policy to go by instead of the one that the domain runs on"),
        DOMAIN,
    ),
    _explain,
    "The rule that would decide, and why each before it would not. With --file no domain has to run, and nobody is in\n"
    "who counts against a rule's count.",
)
RELOAD = remote(
    "policy.reload",
    then="thingstead thing list",
    description="Takes up rules, scopes and approve_each of policy.toml in a domain that runs. What things were given\n"
    "stands until they join again; profile, granted and series are taken up at the next start.",
)
