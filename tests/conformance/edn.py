"""Extended diagnostic notation as drafts and RFCs print CBOR (RFC 8610 Appendix G, draft-ietf-cbor-edn-literals).

For reading published examples, here and nowhere in the product.
"""

from __future__ import annotations

import base64
import json
import re
from typing import Any

from thingstead.protocols.cbor import codec

__all__ = ["EdnError", "Placeholder", "parse"]

_BLANK = re.compile(r"(?:\s+|/[^/]*/|#[^\n]*)*")
_NUMBER = re.compile(r"-?(?:0x[0-9a-fA-F]+|[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?)")
_WORD = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_QUOTED = re.compile(r"'((?:[^'\\]|\\.)*)'")
_TEXT = re.compile(r'"((?:[^"\\]|\\.)*)"', re.DOTALL)
_COMMENT = re.compile(r"/[^/]*/|#[^\n]*")
_WORDS = {"true": True, "false": False, "null": None, "undefined": codec.undefined}
_MAX_DEPTH = 40


class EdnError(ValueError):
    """What stands there is no notation that is read here."""


class Placeholder(str):
    """A value that a draft leaves open, such as TBD1."""

    __slots__ = ()


def parse(text: str) -> Any:
    """The value that `text` shows, as `codec.decode` would return it; commas may be left out."""
    reader = _Reader(text)
    value = reader.value(_MAX_DEPTH)
    reader.blank()
    if reader.at < len(text):
        raise reader.error("the end")
    return value


class _Reader:
    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0

    def error(self, expected: str) -> EdnError:
        return EdnError(f"expected {expected} at {self.at}: {self.text[self.at : self.at + 30]!r}")

    def blank(self) -> None:
        match = _BLANK.match(self.text, self.at)
        self.at = match.end() if match else self.at

    def take(self, mark: str) -> bool:
        self.blank()
        if self.text.startswith(mark, self.at):
            self.at += len(mark)
            return True
        return False

    def match(self, pattern: re.Pattern[str]) -> re.Match[str] | None:
        match = pattern.match(self.text, self.at)
        if match is not None:
            self.at = match.end()
        return match

    def value(self, depth: int) -> Any:
        if not depth:
            raise self.error("fewer levels")
        self.blank()
        if self.take("{"):
            return self.map(depth)
        if self.take("["):
            return self.items("]", depth)
        if self.take("<<"):
            return b"".join([codec.encode(item) for item in self.items(">>", depth)])
        if (found := self.match(_TEXT)) is not None:
            return json.loads(f'"{found[1]}"', strict=False)
        if (found := self.match(_QUOTED)) is not None:
            return found[1].encode()
        if (found := self.match(_NUMBER)) is not None:
            return self.number(found[0], depth)
        if (found := self.match(_WORD)) is not None:
            return self.word(found[0])
        raise self.error("a value")

    def number(self, shown: str, depth: int) -> Any:
        number = float(shown) if set(shown) & set(".") else int(shown, 0)
        if isinstance(number, int) and self.take("("):
            (content,) = self.items(")", depth)
            return codec.Tag(number, content)
        return number

    def word(self, word: str) -> Any:
        if word in {"h", "b64"} and (found := self.match(_QUOTED)) is not None:
            plain = "".join(_COMMENT.sub("", found[1]).split())
            return bytes.fromhex(plain) if word == "h" else base64.b64decode(plain)
        if word in _WORDS:
            return _WORDS[word]
        if word.startswith("TBD"):
            return Placeholder(word)
        raise self.error(f"a value, not {word}")

    def items(self, end: str, depth: int) -> list[Any]:
        found = []
        while not self.take(end):
            found.append(self.value(depth - 1))
            self.take(",")
        return found

    def map(self, depth: int) -> dict[Any, Any]:
        found: dict[Any, Any] = {}
        while not self.take("}"):
            key = self.value(depth - 1)
            if not self.take(":"):
                raise self.error("':'")
            if key in found:
                raise self.error(f"keys that differ, not {key!r} twice")
            found[key] = self.value(depth - 1)
            self.take(",")
        return found
