"""The table: requirement -> the control that is taken away. One line each; `replacement` has the usual stand-ins."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import cbor2

from tests.sabotage.replacement import Sabotage, accepts, argument

__all__ = ["REGISTRY", "REQUIRED"]

REQUIRED = frozenset(
    f"R-{number:02}" for number in (1, 2, 4, 5, 9, 15, 19, 24, 27, 29, 35, 59, 61, 63, 65, 79, 80, 88, 90)
)
"""What this release claims; each needs marked tests and a row below."""


def _bare_item(_original: Callable[..., Any]) -> Callable[..., Any]:
    return lambda stream, _limits: cbor2.load(stream)


def _same_keys(_original: Callable[..., Any]) -> Callable[..., Any]:
    return lambda _self, _label, *, size, **_inputs: bytes(size)


REGISTRY: tuple[Sabotage, ...] = (
    Sabotage("R-19", "thingstead.protocols.cbor.codec:_decode_item", _bare_item, "the library's errors become ours"),
    Sabotage("R-15", "thingstead.protocols.oscore.replay:ReplayWindow.check", accepts, "a number seen is refused"),
    Sabotage(
        "R-15",
        "thingstead.protocols.oscore.binding:RequestBinding.check_response",
        accepts,
        "a response seen is refused",
    ),
    Sabotage(
        "R-27", "thingstead.protocols.edhoc.authentication:verify_proof", accepts, "MAC and signature are checked"
    ),
    Sabotage("R-27", "thingstead.protocols.edhoc.session:require_other", accepts, "our own key is nobody else's"),
    Sabotage(
        "R-61",
        "thingstead.protocols.edhoc.schedule:apply_keystream_2",
        argument(3),
        "message_2 hides the credential",
    ),
    Sabotage(
        "R-63",
        "thingstead.protocols.oscore.derivation:KeyDerivation.derive",
        _same_keys,
        "each epoch of a group has keys of its own",
    ),
    Sabotage("R-65", "thingstead.protocols.group_oscore.envelope:verify", accepts, "a group message is countersigned"),
)
