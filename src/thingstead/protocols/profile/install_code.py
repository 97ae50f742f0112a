"""The code on a thing's label: what a person reads off it and types in, and the shared key that it stands for.

A code is 128 bits by chance and 22 bits that find slips of the pen, as 30 characters of Crockford's alphabet: no I, L,
O or U, and no difference between upper and lower case. It is used once, with method 4 (draft-ietf-lake-edhoc-psk-08).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from thingstead.crypto.digest import digest, hkdf
from thingstead.errors import DecodeError
from thingstead.protocols.cbor import codec
from thingstead.protocols.edhoc.credential import kid_reference
from thingstead.protocols.edhoc.ead import EadLabel, EadLabels
from thingstead.protocols.edhoc.shared_key import SharedCredential
from thingstead.secret import Secret

__all__ = [
    "EAD_LABELS",
    "InstallCode",
    "key_of",
    "kid_of",
    "make_code",
    "parse_code",
    "render_code",
    "shared_credential",
]

EAD_LABELS: EadLabels = {3: frozenset({EadLabel.CREDENTIAL_BY_VALUE}), 4: frozenset({EadLabel.CREDENTIAL_BY_VALUE})}

_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_VALUES = {letter: value for value, letter in enumerate(_ALPHABET)} | {"O": 0, "I": 1, "L": 1}
_SIZE, _CHECK_BITS, _LENGTH, _GROUP = 16, 22, 30, 5
_KID_SIZE, _KEY_SIZE = 4, 32
_PURPOSE = b"thingstead install code "
_SUBJECT = 2


@dataclass(frozen=True, slots=True)
class InstallCode:
    """A code that has been checked; its 16 bytes are as secret as the label that they stand on."""

    secret: Secret


def make_code(random_bytes: Callable[[int], bytes]) -> InstallCode:
    """A fresh code: for one thing, and for one join."""
    return InstallCode(Secret(random_bytes(_SIZE)))


def render_code(code: InstallCode) -> str:
    """As it stands on the label: six groups of five characters."""
    number = int.from_bytes(code.secret.reveal(), "big") << _CHECK_BITS | _check(code.secret)
    letters = [_ALPHABET[number >> 5 * place & 31] for place in reversed(range(_LENGTH))]
    return "-".join("".join(letters[at : at + _GROUP]) for at in range(0, _LENGTH, _GROUP))


def parse_code(text: str) -> InstallCode:
    """Read a code as somebody typed it; hyphens, spaces and case do not count, O is 0, I and L are 1.

    Raises:
        DecodeError: not 30 characters of the alphabet, or one of them is wrong; the code is not repeated.
    """
    letters = [letter for letter in text.upper() if letter not in "- \t\n"]
    if len(letters) != _LENGTH or not _VALUES.keys() >= set(letters):
        raise DecodeError(f"expected an install code of {_LENGTH} letters and digits, as it stands on the label")
    number = 0
    for letter in letters:
        number = number << 5 | _VALUES[letter]
    secret = Secret((number >> _CHECK_BITS).to_bytes(_SIZE, "big"))
    if number & (1 << _CHECK_BITS) - 1 != _check(secret):
        raise DecodeError("expected an install code whose last characters fit the others: compare it with the label")
    return InstallCode(secret)


def kid_of(code: InstallCode) -> bytes:
    """What names the code in message_3; it tells nothing of it."""
    return _derive(code, b"kid", _KID_SIZE)


def key_of(code: InstallCode) -> Secret:
    """The shared key; from it the code cannot be told."""
    return Secret(_derive(code, b"key", _KEY_SIZE))


def shared_credential(kid: bytes, psk: Secret) -> SharedCredential:
    """The key that `key_of` derived, between whoever holds the label and the thing that bears it."""
    thing, domain = (codec.encode({_SUBJECT: f"{role} {kid.hex()}"}) for role in ("thing", "domain"))
    return SharedCredential(kid_reference(kid), psk, thing, domain)


def _derive(code: InstallCode, use: bytes, size: int) -> bytes:
    return hkdf(code.secret, salt=b"", info=_PURPOSE + use, size=size)


def _check(secret: Secret) -> int:
    return int.from_bytes(digest(_PURPOSE + b"check" + secret.reveal()), "big") & (1 << _CHECK_BITS) - 1
