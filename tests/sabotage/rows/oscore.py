"""What OSCORE promises, between two parties and in groups."""

from collections.abc import Callable
from typing import Any

from tests.sabotage.replacement import Sabotage, accepts, returns


def _same_keys(_original: Callable[..., Any]) -> Callable[..., Any]:
    return lambda _self, _label, *, size, **_inputs: bytes(size)


def _keeps_the_outside(_original: Callable[..., Any]) -> Callable[..., Any]:
    def surviving(inner: Any, outer: Any) -> Any:
        numbers = {number for number, _ in inner}
        return sorted([*inner, *(option for option in outer if option[0] not in numbers)])

    return surviving


_P = "thingstead.protocols."
ROWS = (
    Sabotage("R-15", _P + "oscore.replay:ReplayWindow.check", accepts, "a number seen is refused"),
    Sabotage("R-15", _P + "oscore.binding:RequestBinding.check_response", accepts, "a response seen is refused"),
    Sabotage(
        "R-15", "thingstead.storage.oscore_context:ContextFile.reserve", accepts, "numbers are on disk before use"
    ),
    Sabotage("R-55", _P + "oscore.replay:ReplayWindow.check", accepts, "a message under another header stays the same"),
    Sabotage("R-55", _P + "oscore.plaintext:_with_surviving", _keeps_the_outside, "of the outer options few survive"),
    Sabotage("R-25", _P + "oscore.context:SequenceNumbers.bound", accepts, "a sender stops at the limit of its key"),
    Sabotage("R-25", _P + "oscore.replay:ReplayWindow._check_limit", accepts, "a peer is held to the same limit"),
    Sabotage("R-25", _P + "oscore.context:RecipientContext.note_failure", accepts, "forgeries wear a key out"),
    Sabotage(
        "R-25", "thingstead.endpoint.association:SequenceGate.look", accepts, "renewal is asked for before the limit"
    ),
    Sabotage("R-25", "thingstead.agent.core:Agent._seconds_of_content", returns(9e9), "a thing renews its keys"),
    Sabotage("R-63", _P + "oscore.derivation:KeyDerivation.derive", _same_keys, "each epoch of a group has its keys"),
    Sabotage("R-65", _P + "group_oscore.envelope:verify", accepts, "a group message is countersigned"),
)
