"""``thingstead release result`` and ``verify-result``: what the checks of a release came to, and proof of it."""

from __future__ import annotations

from typing import Any

from thingstead.cli.action import Action, Parameter, Session
from thingstead.cli.remote import AS, DOMAIN
from thingstead.cli.signed_result import LEDGER_KEY, OUTPUT, VERIFIED, proof, show
from thingstead.domain import release_result
from thingstead.domain.release_result import Result

__all__ = ["RESULT", "VERIFY"]


def _result(session: Session) -> int:
    return show(session, "release", "manifest", lambda encoded: _told(release_result.decode(encoded)))


def _verify(session: Session) -> int:
    proved = release_result.authenticate(*proof(session))
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
        OUTPUT,
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
        LEDGER_KEY,
    ),
    _verify,
    VERIFIED,
)
