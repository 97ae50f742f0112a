"""What a command line names: files, read whole and never more than is bearable, addresses, bounded numbers."""

from __future__ import annotations

from argparse import ArgumentTypeError
from collections.abc import Callable
from datetime import date
from ipaddress import IPv4Address, ip_address
from pathlib import Path

from thingstead.errors import ConfigError, StorageError
from thingstead.protocols.mud import parser

__all__ = [
    "address",
    "addresses",
    "day",
    "days",
    "group",
    "hours",
    "mud_text",
    "octets",
    "read_file",
    "seconds",
    "whole",
]


def read_file(path: Path, *, max_bytes: int) -> bytes:
    """The content of `path`.

    Raises:
        ConfigError: it is not there, not a file, or longer than `max_bytes`.
        StorageError: the disk does not give it.
    """
    if not path.is_file():
        raise ConfigError(f"expected a file at {path}")
    try:
        with path.open("rb") as stream:
            data = stream.read(max_bytes + 1)
    except OSError as error:
        raise StorageError(f"cannot read {path}: {error.strerror}") from error
    if len(data) > max_bytes:
        raise ConfigError(f"expected at most {max_bytes} bytes in {path}")
    return data


def mud_text(path: Path) -> str:
    """A MUD file as a person wrote it or had it made, read once before anybody is sent it.

    Raises:
        ConfigError: as for `read_file`, or not in UTF-8.
        ProtocolError: not a MUD file.
    """
    data = read_file(path, max_bytes=parser.DEFAULT_LIMITS.max_bytes)
    parser.parse(data)
    try:
        return data.decode()
    except UnicodeDecodeError:
        raise ConfigError("expected a MUD file in UTF-8") from None


def address(text: str) -> str:
    """An IP address: who is asked for a name could send a thing anywhere."""
    try:
        return str(ip_address(text))
    except ValueError:
        raise ArgumentTypeError(f"expected an IP address, got {text[:60]!r}") from None


def addresses(text: str) -> str:
    """Several of them, divided by commas."""
    return ",".join([address(one.strip()) for one in text.split(",")])


def group(text: str) -> str:
    """An IPv4 group address; empty for none."""
    try:
        is_group = not text or IPv4Address(text).is_multicast
    except ValueError:
        is_group = False
    if not is_group:
        raise ArgumentTypeError(f"expected an IPv4 group address, got {text[:60]!r}")
    return text


def octets(text: str) -> bytes:
    """Bytes in hexadecimal."""
    try:
        return bytes.fromhex(text)
    except ValueError:
        raise ArgumentTypeError(f"expected hexadecimal digits, two to a byte, got {text[:60]!r}") from None


def seconds(text: str) -> float:
    """A time that somebody may wait for: more than none, and less than twelve days."""
    return _amount(text, "seconds", below=1 << 20)


def days(text: str) -> float:
    """How long a right may last: more than no time, and a year."""
    return _amount(text, "days", below=367)


def hours(text: str) -> float:
    """How long a rule may last: more than no time, which would be for ever, and a year."""
    return _amount(text, "hours", below=8761)


def day(text: str) -> date:
    """One day of the calendar."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise ArgumentTypeError(f"expected a day such as 2031-12-31, got {text[:20]!r}") from None


def whole(least: int, most: int | None = None) -> Callable[[str], int]:
    """What reads a whole number from `least` to `most`, both included."""
    wanted = f"a whole number of at least {least}" if most is None else f"a whole number from {least} to {most}"

    def read(text: str) -> int:
        try:
            value = int(text)
        except ValueError:
            value = least - 1
        if value < least or (most is not None and value > most):
            raise ArgumentTypeError(f"expected {wanted}, got {text[:20]!r}")
        return value

    return read


def _amount(text: str, unit: str, *, below: int) -> float:
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0 < value < below:
        raise ArgumentTypeError(f"expected {unit} above 0 and below {below}, got {text[:20]!r}")
    return value
