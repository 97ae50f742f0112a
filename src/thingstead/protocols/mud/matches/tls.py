"""A maker's word on the handshakes of a flow (RFC 9761 §5): kept beside the rule, for who sees handshakes."""

from __future__ import annotations

from thingstead.protocols.json.place import Node
from thingstead.protocols.mud.conditions import Conditions
from thingstead.protocols.mud.match_type import MatchType
from thingstead.protocols.mud.tls_profile import parse_profiles

__all__ = ["MATCH_TYPES"]


def _parse(conditions: Conditions, matches: Node) -> None:
    conditions.expectations += parse_profiles(matches, conditions.report)
    conditions.report(
        matches, "a TLS profile; kept as the maker's word, while the filter lets any handshake through", "RFC 9761 §5"
    )


# The example of RFC 9761 §7 has another name than its module; files in the wild will have either.
MATCH_TYPES = tuple([MatchType(f"ietf-acl-tls:{name}", _parse) for name in ("client-profiles", "client-profile")])
