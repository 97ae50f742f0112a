"""What a resource server tells a stranger: where to ask for a token, and what to bring back (RFC 9200 §5.3)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import Any

from thingstead.errors import DecodeError
from thingstead.protocols.cbor import codec

__all__ = ["CreationHints", "HintLabel"]

_LIMITS = codec.Limits(max_bytes=1 << 10, max_depth=2)
_MAX_TEXT = 255
_MAX_BYTES = 64
_SPEC = "RFC 9200 §5.3"


class HintLabel(IntEnum):
    """IANA "AS Request Creation Hints"."""

    AS = 1
    KID = 2
    AUDIENCE = 5
    SCOPE = 9
    CNONCE = 39


@dataclass(frozen=True, slots=True)
class CreationHints:
    """AS Request Creation Hints; nobody vouches for them.

    Attributes:
        server: URI of the authorization server's token endpoint; empty for none.
        audience: by which name to ask for this resource server; empty for none.
        kid: of a key that both ends have; empty for none.
        cnonce: what the token has to hold, so that it is known to be fresh; empty for none (RFC 9200 §5.3.1).
    """

    server: str = ""
    audience: str = ""
    kid: bytes = b""
    cnonce: bytes = b""

    def encode(self) -> bytes:
        """Encode for Content-Format application/ace+cbor."""
        said: dict[int, Any] = {
            HintLabel.AS: self.server,
            HintLabel.KID: self.kid,
            HintLabel.AUDIENCE: self.audience,
            HintLabel.CNONCE: self.cnonce,
        }
        return codec.encode({label: value for label, value in said.items() if value})

    @classmethod
    def decode(cls, data: bytes) -> CreationHints:
        """Read hints; a scope, and what we do not know, is passed over.

        Raises:
            DecodeError: not a map, or a value of another type or size.
        """
        said = codec.decode(data, limits=_LIMITS)
        if not isinstance(said, dict):
            raise DecodeError("expected a map of hints", spec=_SPEC)
        return cls(
            _value(said, HintLabel.AS, "", _MAX_TEXT),
            _value(said, HintLabel.AUDIENCE, "", _MAX_TEXT),
            _value(said, HintLabel.KID, b"", _MAX_BYTES),
            _value(said, HintLabel.CNONCE, b"", _MAX_BYTES),
        )


def _value(said: dict[Any, Any], label: HintLabel, default: Any, longest: int) -> Any:
    value = said.get(label, default)
    if type(value) is not type(default) or len(value) > longest:
        raise DecodeError(f"expected {label.name} of at most {longest} {type(default).__name__}", spec=_SPEC)
    return value
