"""What becomes of a newcomer that wants its maker's word for us: it gets it, or a decision says why there is none."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace

from thingstead.controller.waiting_room import Waiting
from thingstead.domain.policy import Decision, Verdict
from thingstead.errors import ForbiddenError, PolicyError, ThingsteadError
from thingstead.phases.bootstrap import Newcomer
from thingstead.protocols.lake_authz.message import VoucherRequest

__all__ = ["VouchFor", "next_step", "require_voucher", "vouched"]

VouchFor = Callable[[str, VoucherRequest], Awaitable[bytes]]
"""See `MakerServers.voucher`."""

_UNASKED = "its maker's server could not be asked"
_REFUSED = "its maker's server does not vouch for us"


async def vouched(newcomer: Newcomer, decision: Decision, vouch: VouchFor) -> tuple[Decision, bytes]:
    """Ask for a newcomer that the policy admits; a server that refuses decides, one that is not there does not.

    Returns:
        The decision as it was and the voucher; or another decision, and nothing.

    Raises:
        TransportError: too many ask at once ("busy"); nothing is decided, and the thing comes again.
    """
    if newcomer.question is None:
        return decision, b""
    try:
        return decision, await vouch(newcomer.identity.maker, newcomer.question)
    except ForbiddenError as error:
        rule = f"{decision.rule}, but {_REFUSED}: {error.reason}"
        return replace(decision, verdict=Verdict.REFUSE, rule=rule), b""
    except ThingsteadError as error:
        if error.reason == "busy":
            raise
        return replace(decision, verdict=Verdict.HOLD, rule=f"{decision.rule}, but {_UNASKED}: {error.reason}"), b""


def require_voucher(waiting: Waiting) -> None:
    """Tell whoever would approve it that their yes is not what a thing waits for.

    Raises:
        PolicyError: it waits for its maker's word.
    """
    if _UNASKED in waiting.rule:
        raise PolicyError(
            f"{waiting.thing} takes nobody's word but its maker's: it asks again by itself, or {next_step(waiting)}",
            reason="no voucher",
        )


def next_step(waiting: Waiting) -> str:
    """The command that gets a waiting thing further."""
    if _UNASKED not in waiting.rule:
        return f"thingstead thing admit {waiting.thing} {'--key DIGITS' if waiting.approval is None else '--undo'}"
    if waiting.rule.endswith(": no server"):
        return "thingstead trust add DOMAIN MAKER.anchor --server MAKER.server"
    return "thingstead agent claim THING --for DOMAIN.credential"
