"""What CoAP and the endpoint promise."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from tests.sabotage.replacement import Sabotage, accepts, returns


def _unbounded(original: Callable[..., Any]) -> Callable[..., Any]:
    def remember(self: Any, *args: Any) -> Any:
        self._max_entries = self._max_bytes = 1 << 60
        return original(self, *args)

    return remember


def _limitless(original: Callable[..., Any]) -> Callable[..., Any]:
    def start(self: Any, limits: Any, **others: Any) -> None:
        wide = dict.fromkeys(("max_body", "max_bodies", "max_bodies_per_peer", "max_total"), 1 << 40)
        original(self, replace(limits, **wide), **others)

    return start


def _unread(original: Callable[..., Any]) -> Callable[..., Any]:
    def write(self: Any, frame: bytes) -> None:
        self._config = replace(self._config, max_unsent=1 << 40)
        original(self, frame)

    return write


def _roomy(original: Callable[..., Any]) -> Callable[..., Any]:
    def start(self: Any, config: Any) -> None:
        original(self, replace(config, max_connections=1 << 20, max_connections_per_host=1 << 20))

    return start


_P = "thingstead.protocols.coap."
ROWS = (
    Sabotage("R-36", _P + "reliability:Deduplicator.remember", _unbounded, "remembered exchanges are bounded"),
    Sabotage("R-36", "thingstead.transport.turns:Turns.admits", returns(True), "verified sources overtake strangers"),
    Sabotage(
        "R-36", "thingstead.transport.source_queue:SourceQueues.admit", accepts, "verified sources have their own queue"
    ),
    Sabotage("R-36", "thingstead.endpoint.counter:RateLimit.allow", returns(True), "forgeries wear no key out"),
    Sabotage("R-37", _P + "echo:amplification_allowance", returns(1 << 40), "answers to strangers are small"),
    Sabotage("R-47", _P + "block:Uploads.__init__", _limitless, "unfinished bodies are bounded"),
    Sabotage("R-64", "thingstead.endpoint.association:Associations.follow", accepts, "a thing that moves is followed"),
    Sabotage("R-47", "thingstead.endpoint.fragment:Fragments.__init__", _limitless, "outer pieces are bounded"),
    Sabotage("R-47", _P + "tcp_connection:Connection.expire", accepts, "who says nothing, or drips, is given up"),
    Sabotage(
        "R-49", "thingstead.endpoint.admission:Admission._may_hold_state", returns(True), "strangers show themselves"
    ),
    Sabotage("R-51", "thingstead.endpoint.connections:Connections.__init__", _roomy, "connections are bounded"),
    Sabotage("R-51", _P + "tcp_connection:Connection._write", _unread, "who does not read is given up"),
    Sabotage(
        "R-49", "thingstead.endpoint.gathering:Gathering._may_send_pieces", returns(True), "pieces are taken from few"
    ),
    Sabotage(
        "R-68",
        "thingstead.endpoint.admission:Admission._may_come_from_there",
        returns(True),
        "nothing acts or observes from an unverified path",
    ),
)
