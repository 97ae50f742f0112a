"""What CBOR promises."""

from collections.abc import Callable
from typing import Any

from tests.sabotage.replacement import Sabotage
from thingstead.errors import DecodeError


def _bare_item(original: Callable[..., Any]) -> Callable[..., Any]:
    def decode(*arguments: Any) -> Any:
        try:
            return original(*arguments)
        except DecodeError as error:
            raise error.__cause__ or error from None

    return decode


ROWS = (
    Sabotage("R-19", "thingstead.protocols.cbor.codec:_decode_item", _bare_item, "the library's errors become ours"),
)
