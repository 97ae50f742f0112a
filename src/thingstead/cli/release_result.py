"""``thingstead release result`` and ``verify-result``: what the checks of a release came to, and proof of it."""

from __future__ import annotations

import base64
from typing import Any

from thingstead.cli.action import Action, Parameter, Session
from thingstead.cli.input import read_file
from thingstead.cli.remote import AS, DOMAIN, ask
from thingstead.domain import release_result
from thingstead.domain.release_result import Result
from thingstead.protocols.cose import key as cose_key
from thingstead.storage.directory import write_whole

__all__ = ["RESULT", "VERIFY"]

_MAX_KEY, _MAX_FILE = 1 << 12, 1 << 21


def _result(session: Session) -> int:
    told: dict[str, Any] = ask(session, "release.result", {"manifest": session.options["manifest"]})
    if session.options["output"] is None:
        session.console.show(_told(release_result.decode(base64.b64decode(told["result"]))))
        session.console.next("thingstead release result", session.options["manifest"], "--output", "release.result")
        return 0
    target = session.path("output")
    write_whole(target, base64.b64decode(told["signed"]))
    session.console.show({"written": str(target), "entry": told["entry"]})
    session.console.next("thingstead release verify-result", session.options["output"], "--key", "LEDGER.key")
    return 0


def _verify(session: Session) -> int:
    public = cose_key.decode(read_file(session.path("key"), max_bytes=_MAX_KEY)).require_public()
    proved = release_result.authenticate(read_file(session.path("file"), max_bytes=_MAX_FILE), public)
    entry = proved.entry
    session.console.show(
        {
            "authentic": "by the ledger's key",
            "entry": entry.index,
            "cause": entry.cause,
            "by": entry.actor,
            **_told(proved.result),
        }
    )
    return 0


def _told(result: Result) -> dict[str, Any]:
    return {
        "verdict": result.verdict.value,
        "model": result.model,
        "maker": result.maker,
        "version": result.version,
        "sequence_number": result.sequence_number,
        "first_of_its_type": result.is_first,
        "at": result.at.isoformat(),
        "manifest": result.manifest.hex(),
        "image": result.image.hex(),
        "checks": {one.name: "; ".join([one.outcome.value, *one.said]) for one in result.checks},
        "judged_by": dict(result.basis),
    }


RESULT = Action(
    (
        Parameter("manifest", "how the digest of its manifest begins"),
        Parameter("--output", "file to write the result to, with the ledger's signature"),
        DOMAIN,
        AS,
    ),
    _result,
    "Each check with what it came to: passed, allowed by your policy, held, refused, not applicable, or not run. Also\n"
    "of the newest releases that wait or were refused.",
)
VERIFY = Action(
    (
        Parameter("file", "what `release result --output` wrote"),
        Parameter("--key", "the ledger's public key, which lies beside the signed head", required=True),
    ),
    _verify,
    "Needs no domain, and nobody's word but the ledger's key. It proves what was found, not that there is no more.",
)
