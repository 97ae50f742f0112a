"""What CoAP below the endpoint promises."""

from collections.abc import Callable
from typing import Any

from tests.sabotage.replacement import Sabotage, accepts, returns


def _unbounded(original: Callable[..., Any]) -> Callable[..., Any]:
    def remember(self: Any, *args: Any) -> None:
        self._max_entries = self._max_bytes = 1 << 60
        original(self, *args)

    return remember


_P = "thingstead.protocols.coap."
ROWS = (
    Sabotage("R-36", _P + "reliability:Deduplicator.remember", _unbounded, "remembered exchanges are bounded"),
    Sabotage("R-37", _P + "echo:within_amplification_limit", returns(True), "answers to strangers are small"),
    Sabotage("R-47", _P + "block:Uploads._make_room", accepts, "unfinished bodies of a peer are bounded"),
)
