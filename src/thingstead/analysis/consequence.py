"""What a release brings with it, read from its folder: parts, destinations, reference values, words for the owner.

Each member is its maker's word. Whose it is, `protocols.profile.release_statement` proves; here it is understood, or
refused with the member and the place in it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Annotated

import msgspec

from thingstead.analysis.sbom import Sbom, parse_sbom
from thingstead.errors import DecodeError, ProtocolError, ThingsteadError
from thingstead.protocols.mud.rule import RuleSet, compile_rules
from thingstead.protocols.mud.signature import AdmissionPolicy, admit
from thingstead.protocols.profile.release_statement import MemberName

__all__ = ["Consequences", "parse_words", "read_members"]

_LANGUAGE = re.compile(r"[a-z]{2,3}(-[A-Za-z0-9]{2,8}){0,3}\Z")
_MAX_WORDS = 64 << 10
_Text = Annotated[str, msgspec.Meta(min_length=1, max_length=2000)]
_WORDS = msgspec.json.Decoder(Annotated[dict[str, _Text], msgspec.Meta(max_length=64)])


@dataclass(frozen=True, slots=True)
class Consequences:
    """The members of a release that say what it does.

    Attributes:
        sbom: what it is made of; None where the release brings none.
        rules: whom a thing with it may talk to; None likewise.
        reference_values: a CoRIM, as it came; empty likewise.
        words: for the owner, by language.
    """

    sbom: Sbom | None = None
    rules: RuleSet | None = None
    reference_values: bytes = b""
    words: Mapping[str, str] = field(default_factory=dict)

    def say(self, language: str) -> str:
        """The words in a language, or else in English, or in whichever comes first; empty where there are none."""
        tongues = (language, language.partition("-")[0], "en", *sorted(self.words))
        return next((self.words[one] for one in tongues if one in self.words), "")


def read_members(files: Mapping[str, bytes], *, at: datetime) -> Consequences:
    """Read the members of a folder; files of other names are payloads and not looked at.

    Args:
        files: by name.
        at: now, for the dates of a MUD file.

    Raises:
        ProtocolError: a member outside its format; the message opens with its name and the place.
    """
    sbom, mud, words = (files.get(name) for name in (MemberName.SBOM, MemberName.MUD, MemberName.WORDS))
    try:
        name = MemberName.SBOM
        parts = None if sbom is None else parse_sbom(sbom)
        name = MemberName.MUD
        rules = None if mud is None else compile_rules(admit(mud, None, policy=_STATED, at=at))
        name = MemberName.WORDS
        said = {} if words is None else parse_words(words)
    except ThingsteadError as error:
        kind = type(error) if isinstance(error, ProtocolError) else DecodeError
        raise kind(f"{name}: {error.message}", spec=error.spec, reason="member") from error
    return Consequences(parts, rules, files.get(MemberName.REFERENCE_VALUES, b""), said)


def parse_words(data: bytes) -> dict[str, str]:
    """Read ``words.json``: an object of languages (BCP 47) and a few sentences each.

    Raises:
        DecodeError: not one.
    """
    if len(data) > _MAX_WORDS:
        raise DecodeError(f"expected at most {_MAX_WORDS} bytes of words", reason="member")
    try:
        read: dict[str, str] = _WORDS.decode(data)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
        raise DecodeError(f"expected languages and words for the owner: {error}", reason="member") from error
    for language, text in read.items():
        if not _LANGUAGE.match(language):
            raise DecodeError(f"expected a language such as en or de-CH, got {language[:40]!r}", reason="member")
        if not text.replace("\n", " ").isprintable():
            raise DecodeError(f"/{language}: expected words that can be printed", reason="member")
    return read


_STATED = AdmissionPolicy("the release's statement", insecure_unsigned=True)
"""The file itself carries no signature: the statement that names its digest does."""
