"""What CBOR promises."""

from collections.abc import Callable
from typing import Any

import cbor2

from tests.sabotage.replacement import Sabotage


def _bare_item(_original: Callable[..., Any]) -> Callable[..., Any]:
    return lambda stream, _limits: cbor2.load(stream)


ROWS = (
    Sabotage("R-19", "thingstead.protocols.cbor.codec:_decode_item", _bare_item, "the library's errors become ours"),
)
