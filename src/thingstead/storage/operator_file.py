"""Who may ask beside the owner, as it is written: one line each, like authorized_keys."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from thingstead.crypto.key import PublicKey
from thingstead.domain.role import Operator, Role
from thingstead.errors import ConfigError, ProtocolError
from thingstead.protocols.cbor import codec
from thingstead.protocols.cose import key as cose_key

__all__ = ["Operators", "key_word", "parse_operators", "read_key_word"]

_MAX_CHARACTERS = 1 << 18
_MAX_LINES = 1000
_NAME = 64
_SHORT = 20
_KEY = "key:"
_USER = "user:"
_WRITTEN = frozenset({Role.MAINTAINER, Role.USER, Role.AUDITOR})
_ELSEWHERE = {
    Role.OWNER: "the owner is whoever owns the domain's files",
    Role.INSTALLER: "an installer has bounds: `thingstead installer add` delegates to one",
    Role.MANUFACTURER: "a manufacturer asks for nothing; `thingstead trust add` trusts one",
}


@dataclass(frozen=True, slots=True)
class Operators:
    """Who asks as what.

    Attributes:
        users: by the number of a user of this machine.
        keys: by the thumbprint of a key; with the key.
    """

    users: Mapping[int, Operator] = field(default_factory=dict)
    keys: Mapping[bytes, tuple[PublicKey, Operator]] = field(default_factory=dict)


def parse_operators(text: str, *, user_id: Callable[[str], int]) -> Operators:
    """Read the file.

    ::

        # role       who               name, for the ledger
        maintainer   user:ben
        auditor      user:1004         carla
        user         key:owECIAEh...   dora

    Args:
        text: of the file.
        user_id: the number of a user of this machine.

    Raises:
        ConfigError: a line that is none, naming it; somebody twice; or more than is bearable.
    """
    lines = text.splitlines()
    if len(text) > _MAX_CHARACTERS or len(lines) > _MAX_LINES:
        raise ConfigError(f"expected at most {_MAX_LINES} operators in {_MAX_CHARACTERS} characters")
    users: dict[int, Operator] = {}
    keys: dict[bytes, tuple[PublicKey, Operator]] = {}
    for number, line in enumerate(lines, 1):
        words = line.partition("#")[0].split()
        if not words:
            continue
        try:
            role, who, name = _words(words)
            operator = Operator(role, name)
            if who.startswith(_USER):
                _once(users, user_id(who.removeprefix(_USER)), operator)
            else:
                public = read_key_word(who)
                _once(keys, cose_key.thumbprint(public), (public, operator))
        except ConfigError as error:
            raise ConfigError(f"line {number} of the operators: {error}") from error
    return Operators(users, keys)


def key_word(public: PublicKey) -> str:
    """A key as the file names it."""
    encoded = codec.encode(cose_key.public_map(public))
    return _KEY + base64.urlsafe_b64encode(encoded).decode("ascii").rstrip("=")


def read_key_word(word: str) -> PublicKey:
    """The key that a word names.

    Raises:
        ConfigError: it names none.
    """
    text = word.removeprefix(_KEY)
    try:
        data = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
        found = cose_key.decode(data)
        if found.private is not None or found.symmetric is not None:
            raise ConfigError("that is a secret, which nobody else may see; give the public key")
        return found.require_public()
    except (binascii.Error, ValueError, ProtocolError) as error:
        raise ConfigError(f"expected a key such as key:owECIAEh...: {error}") from error


def _words(words: list[str]) -> tuple[Role, str, str]:
    """Role, who, and name of a line."""
    if not 2 <= len(words) <= 3:
        raise ConfigError("expected a role, who comes as it, and perhaps a name")
    if words[0] not in set(Role):
        raise ConfigError(f"expected a role of {', '.join(sorted(_WRITTEN))}, got {words[0][:40]!r}")
    role, who = Role(words[0]), words[1]
    if role not in _WRITTEN:
        raise ConfigError(_ELSEWHERE[role])
    if not who.startswith((_USER, _KEY)):
        raise ConfigError(f"expected user:NAME or key:KEY, got {who[:40]!r}")
    name = words[2] if len(words) == 3 else who.removeprefix(_USER)[:_SHORT]
    if not name.isprintable() or len(name) > _NAME:
        raise ConfigError(f"expected a name of at most {_NAME} characters")
    return role, who, name


def _once(known: dict[Any, Any], who: object, what: object) -> None:
    if who in known:
        raise ConfigError("somebody is in here twice")
    known[who] = what
