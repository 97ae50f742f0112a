"""What a running demo writes down about itself, so that an attack can find it, and finds nothing else."""

from __future__ import annotations

import os
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from thingstead.errors import ConfigError, StorageError
from thingstead.storage.directory import private_directory, write_whole

__all__ = ["FILE", "DemoRecord", "RecordedThing", "forget", "latest", "read", "runtime_directory", "write"]

FILE = "demo.json"
"""Its name in the demo's directory."""

_POINTER = "latest"
_MAX_SIZE = 1 << 20


@dataclass(frozen=True, slots=True)
class RecordedThing:
    """A genuine thing of the demo.

    Attributes:
        serial: the maker's number.
        home: its state directory.
        maker: name of its maker.
        model: what it is.
    """

    serial: str
    home: Path
    maker: str
    model: str


@dataclass(frozen=True, slots=True)
class DemoRecord:
    """A running demo.

    Attributes:
        pid: the process that holds it all, whose network namespace is the domain's.
        domain: the domain's directory.
        controller: IP address and UDP port of the domain's endpoint.
        things: its things.
        makers: directories of the makers that the domain trusts.
        site: whether it runs in network namespaces of its own, else on loopback.
    """

    pid: int
    domain: Path
    controller: tuple[str, int]
    things: tuple[RecordedThing, ...]
    makers: tuple[Path, ...]
    site: bool = False


def runtime_directory(environment: Mapping[str, str]) -> Path:
    """Where this user's newest demo is pointed to, if it is there; a demo asks before it is root in namespaces.

    Raises:
        ConfigError: it is open to others, or another user's.
    """
    runtime = environment.get("XDG_RUNTIME_DIR")
    folder = Path(runtime) / "thingstead-demo" if runtime else Path(f"/tmp/thingstead-demo-{os.geteuid()}")  # noqa: S108  owner and mode are checked
    if not os.path.lexists(folder):
        return folder
    private_directory(folder)
    if folder.is_symlink() or folder.stat().st_uid != os.geteuid():
        raise ConfigError(f"expected {folder} to be a directory of yours")
    return folder


def write(record: DemoRecord, directory: Path, *, runtime: Path) -> Path:
    """Write the record into the demo's directory and point to it as the newest; call it when the domain is up.

    Raises:
        StorageError: the disk does not take it.
    """
    path = directory / FILE
    write_whole(path, msgspec.json.encode(record, enc_hook=_to_text))
    write_whole(private_directory(runtime) / _POINTER, os.fsencode(directory.resolve()))
    return path


def forget(directory: Path, *, runtime: Path) -> None:
    """Take the pointer away if it still points here, and its directory; the record goes with the demo's own."""
    pointer = runtime / _POINTER
    with suppress(OSError):
        if pointer.read_bytes() == os.fsencode(directory.resolve()):
            pointer.unlink()
            runtime.rmdir()


def read(directory: Path) -> DemoRecord:
    """Read the record of a demo that runs now, as this user.

    Raises:
        ConfigError: none there, damaged, another user's, or of a demo that has ended.
    """
    path = directory / FILE
    try:
        with path.open("rb") as file:
            data, owner = file.read(_MAX_SIZE), os.fstat(file.fileno()).st_uid
        record = msgspec.json.decode(data, type=DemoRecord, dec_hook=_from_text)
    except OSError as error:
        raise ConfigError(f"no demo at {directory}: {error.strerror}; `thingstead demo` starts one") from error
    except msgspec.MsgspecError as error:
        raise ConfigError(f"{path} is no record of a demo: {error}") from error
    # Whoever writes this file chooses what is attacked and whose keys are used for it.
    if owner != os.geteuid() or _owner(record.pid) != owner:
        raise ConfigError(f"the demo of {path} has ended, or is not yours; `thingstead demo` starts one")
    return record


def latest(runtime: Path) -> Path:
    """The directory of the demo that was started last.

    Raises:
        ConfigError: there is none.
    """
    try:
        return Path(os.fsdecode((runtime / _POINTER).read_bytes()))
    except OSError as error:
        raise ConfigError("no demo runs here; `thingstead demo` starts one, --demo DIR names one") from error


def _owner(pid: int) -> int | None:
    try:
        return Path(f"/proc/{pid}").stat().st_uid
    except OSError:
        return None


def _to_text(value: Any) -> str:
    if isinstance(value, Path):
        return str(value)
    raise StorageError(f"a record holds no {type(value).__name__}")


def _from_text(kind: type, value: Any) -> Any:
    return kind(value)
