"""``thingstead type``: security tests of types of things, what they came to, and proof of it."""

from __future__ import annotations

import base64
from typing import Any

from thingstead.cli.action import Action, Parameter, Session
from thingstead.cli.console import View
from thingstead.cli.input import read_file
from thingstead.cli.remote import AS, DOMAIN, THING, ask, remote
from thingstead.domain import type_result
from thingstead.domain.type_result import TypeResult
from thingstead.protocols.cose import key as cose_key
from thingstead.storage.directory import write_whole

__all__ = ["LIST", "RESULT", "TEST", "VERIFY"]

_MAX_KEY, _MAX_FILE = 1 << 12, 1 << 21
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
    told: dict[str, Any] = ask(session, "type.result", {"type": session.options["type"]})
    if session.options["output"] is None:
        session.console.show(_told(type_result.decode(base64.b64decode(told["result"]))))
        session.console.next("thingstead type result", session.options["type"], "--output", "type.result")
        return 0
    target = session.path("output")
    write_whole(target, base64.b64decode(told["signed"]))
    session.console.show({"written": str(target), "entry": told["entry"]})
    session.console.next("thingstead type verify-result", session.options["output"], "--key", "LEDGER.key")
    return 0


def _verify(session: Session) -> int:
    public = cose_key.decode(read_file(session.path("key"), max_bytes=_MAX_KEY)).require_public()
    proved = type_result.authenticate(read_file(session.path("file"), max_bytes=_MAX_FILE), public)
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
        Parameter("--output", "file to write the result to, with the ledger's signature"),
        DOMAIN,
        AS,
    ),
    _result,
    "Each check with what it came to: passed, failed, not applicable, or not run.",
)
VERIFY = Action(
    (
        Parameter("file", "what `type result --output` wrote"),
        Parameter("--key", "the ledger's public key, which lies beside the signed head", required=True),
    ),
    _verify,
    "Needs no domain, and nobody's word but the ledger's key. It proves what was found, not that there is no more.",
)
