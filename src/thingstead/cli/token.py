"""``thingstead token``: what things may do at each other, seen and taken back (RFC 9200, RFC 9770)."""

from __future__ import annotations

from thingstead.cli.action import Parameter
from thingstead.cli.console import View
from thingstead.cli.remote import remote

__all__ = ["LIST", "REVOKE"]

_VIEW = View(
    (("token", "token"), ("holder", "holder"), ("counts at", "audience"), ("until", "expires"), ("revoked", "revoked")),
    empty="no token; things fetch them when the policy's [[peer]] rules let them",
)

LIST = remote("token.list", view=_VIEW, then="thingstead token revoke {token}")
REVOKE = remote(
    "token.revoke",
    Parameter("token", "its hash as `token list` shows it, or how that begins"),
    Parameter("--cause", "why, for the ledger"),
    then="thingstead token list",
    description="It ends where it counts. Its holder may fetch another while the policy's [[peer]] rules let it.",
)
