"""``thingstead type``: security tests of types of things, what they came to, and proof of it."""

from __future__ import annotations

from typing import Any

from thingstead.cli.action import Action, Parameter, Session
from thingstead.cli.console import View
from thingstead.cli.remote import AS, DOMAIN, THING, remote
from thingstead.cli.signed_result import LEDGER_KEY, OUTPUT, VERIFIED, proof, show
from thingstead.domain import type_result
from thingstead.domain.type_result import TypeResult

__all__ = ["LIST", "RESULT", "TEST", "VERIFY"]

_VIEW = View(
    (
        ("type", "type"),
        ("maker", "maker"),
        ("model", "model"),
        ("runs", "version"),
        ("verdict", "verdict"),
        ("thing", "thing"),
        ("at", "at"),
    ),
    empty="no type was tested: no thing is in, or [watch] test_types is off",
)

LIST = remote(
    "type.list",
    view=_VIEW,
    then="thingstead type result {type}",
    description=(
        "A type is a model with what it runs. Each new one is tested on one of its things as soon as that is in: what\n"
        "it does for a stranger, and for releases that it must not install. Incomplete: some checks could not be made."
    ),
)
TEST = remote(
    "type.test",
    THING,
    then="thingstead type list",
    description=(
        "Asks the thing in clear, under keys that were published, with recorded messages and with nonsense. Then\n"
        "it is offered releases that it must refuse, one at each of its polls. None of them brings an image."
    ),
)


def _result(session: Session) -> int:
    return show(session, "type", "type", lambda encoded: _told(type_result.decode(encoded)))


def _verify(session: Session) -> int:
    proved = type_result.authenticate(*proof(session))
    head = {"authentic": "by the ledger's key", "entry": proved.entry.index, "by": proved.entry.actor}
    session.console.show({**head, **_told(proved.result)})
    return 0


def _told(result: TypeResult) -> dict[str, Any]:
    return {
        "verdict": result.verdict.value,
        "maker": result.type.maker,
        "model": result.type.model,
        "version": result.version,
        "manifest": result.type.manifest.hex(),
        "thing": result.thing,
        "at": result.at.isoformat(),
        "checks": {one.name: "; ".join([one.outcome.value, *one.said]) for one in result.checks},
        "judged_by": dict(result.basis),
    }


RESULT = Action(
    (
        Parameter("type", "how its name begins, as `type list` shows it"),
        OUTPUT,
        DOMAIN,
        AS,
    ),
    _result,
    "Each check with what it came to: passed, failed, not applicable, or not run.",
)
VERIFY = Action(
    (
        Parameter("file", "what `type result --output` wrote"),
        LEDGER_KEY,
    ),
    _verify,
    VERIFIED,
)
