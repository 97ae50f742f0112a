"""The kinds of conditions that an entry may hold (RFC 8519 §4.2, RFC 8520 §4): each a module of `matches`.

Nothing lists them: a module with `MATCH_TYPES` in that package is one more, and no other module changes.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache

from thingstead.protocols.json.place import Node
from thingstead.protocols.mud import matches
from thingstead.protocols.mud.conditions import Conditions

__all__ = ["MatchType", "match_types"]


@dataclass(frozen=True, slots=True)
class MatchType:
    """One kind of condition.

    Attributes:
        name: member of ``matches`` that it reads.
        parse: adds what the member says to the conditions, or has the entry left out.
    """

    name: str
    parse: Callable[[Conditions, Node], None]


@cache
def match_types() -> Mapping[str, MatchType]:
    """Every match type by the member that it reads.

    Raises:
        ValueError: two modules read the same member.
    """
    found: dict[str, MatchType] = {}
    for module in pkgutil.iter_modules(matches.__path__):
        kinds: tuple[MatchType, ...] = importlib.import_module(f"{matches.__name__}.{module.name}").MATCH_TYPES
        for kind in kinds:
            if found.setdefault(kind.name, kind) is not kind:
                raise ValueError(f"two match types read {kind.name!r}; one of them is in {module.name}")
    return found
