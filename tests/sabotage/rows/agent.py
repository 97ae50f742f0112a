"""What the thing's side promises."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from tests.sabotage.replacement import Sabotage


def _in_clear(original: Callable[..., Any]) -> Callable[..., Any]:
    return lambda self, wanted, now: original(self, replace(wanted, protected=False), now)


ROWS = (Sabotage("R-24", "thingstead.agent.outbox:Outbox.send", _in_clear, "readings leave under OSCORE"),)
