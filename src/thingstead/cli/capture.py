"""Captures that a command line names: one file, or all of a directory, read frame by frame."""

from __future__ import annotations

from argparse import ArgumentTypeError
from collections.abc import Iterator
from pathlib import Path

from thingstead.cli.console import Console
from thingstead.errors import ConfigError, DecodeError, ProtocolError, StorageError
from thingstead.protocols.packet.capture import read_capture
from thingstead.protocols.packet.packet import Packet, decode_frame

__all__ = ["captures", "mac", "packets"]

_SUFFIXES = (".pcap", ".pcapng", ".cap")


def mac(text: str) -> bytes:
    """A link-layer address of six octets, with colons, hyphens or nothing between them."""
    try:
        address = bytes.fromhex(text.replace(":", "").replace("-", ""))
    except ValueError:
        address = b""
    if len(address) != 6:
        raise ArgumentTypeError(f"expected a MAC address such as 02:77:00:00:00:01, got {text[:30]!r}")
    return address


def captures(path: Path) -> tuple[Path, ...]:
    """The file, or those of a directory, by name.

    Raises:
        ConfigError: neither.
    """
    if path.is_dir():
        found = tuple(sorted(one for one in path.iterdir() if one.suffix in _SUFFIXES))
        if not found:
            raise ConfigError(f"expected captures ({', '.join(_SUFFIXES)}) in {path}")
        return found
    if not path.is_file():
        raise ConfigError(f"expected a capture, or a directory of them, at {path}")
    return (path,)


def packets(path: Path, console: Console | None) -> Iterator[Packet]:
    """What a capture holds; frames that are none are counted, and told once at the end.

    Args:
        path: the capture.
        console: that is told; None where it was, at an earlier reading.

    Raises:
        DecodeError: not a capture.
        StorageError: the disk does not give it.
    """
    read = damaged = 0
    try:
        with path.open("rb") as stream:
            for frame in read_capture(stream.read):
                read += 1
                try:
                    yield decode_frame(frame.data, at=frame.at, length=frame.length, link=frame.link)
                except ProtocolError:
                    damaged += 1
    except DecodeError as error:
        if not read:
            raise
        if console is not None:
            console.note(f"{path.name}: {error}; the {read} frames before count")
    except OSError as error:
        raise StorageError(f"cannot read {path}: {error.strerror}") from error
    if damaged and console is not None:
        console.note(f"{path.name}: {damaged} of {read} frames are not to be read")
