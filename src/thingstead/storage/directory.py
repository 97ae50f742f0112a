"""The data directory: private to its user, locked by one controller, its files written whole."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterable
from pathlib import Path

from thingstead.errors import ConfigError, StorageError

__all__ = ["DirectoryLock", "locked", "private_directory", "write_parts", "write_whole"]


def private_directory(path: Path) -> Path:
    """Make `path` with mode 0700, or check that it is there with no more.

    Raises:
        ConfigError: it is not a directory, or others may enter it.
    """
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigError(f"cannot make the directory {path}: {error.strerror}") from error
    mode = path.stat().st_mode & 0o777
    if mode & 0o077:
        raise ConfigError(f"expected {path} to be closed to others (chmod 700), its mode is {mode:o}")
    return path


class DirectoryLock:
    """Held by the one controller that writes; the kernel drops it with the process, however that ends."""

    def __init__(self, directory: Path) -> None:
        """Take the lock.

        Raises:
            ConfigError: another process holds it.
        """
        self._file = locked(directory / "lock", f"another controller is running on {directory}")

    def release(self) -> None:
        """Let the next one in."""
        os.close(self._file)


def locked(path: Path, refusal: str) -> int:
    """Lock a file (mode 0600) that is there for nothing else; whoever closes the descriptor gives it up.

    Raises:
        ConfigError: another process holds it, which `refusal` says; or it cannot be made.
    """
    try:
        file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    except OSError as error:
        raise ConfigError(f"cannot make {path}: {error.strerror}") from error
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        os.close(file)
        raise ConfigError(refusal) from error
    return file


def write_whole(path: Path, data: bytes) -> None:
    """Replace `path` (mode 0600): after a crash the old or the new content stands there, never half of one.

    Raises:
        StorageError: the disk did not take it; the old content stands.
    """
    write_parts(path, (data,))


def write_parts(path: Path, parts: Iterable[bytes]) -> None:
    """The same with content that comes in parts; where the next one fails to come, the old content stands.

    Raises:
        StorageError: as above.
    """
    temporary = path.with_name(path.name + ".new")
    try:
        if path.exists() and not path.is_file():
            # A device such as /dev/null would be a file from then on, for every program of the machine.
            raise StorageError(f"cannot write {path}: only a file is replaced")
        # Not through a link that somebody laid there, and not with the mode of what a crash left.
        temporary.unlink(missing_ok=True)
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW
        descriptor = os.open(temporary, flags, 0o600)
        try:
            os.fchmod(descriptor, 0o600)
            if os.geteuid() == 0:
                # What root writes for a controller that runs as another user must be readable by it.
                folder_status = path.parent.stat()
                os.fchown(descriptor, folder_status.st_uid, folder_status.st_gid)
            with open(descriptor, "wb", closefd=False) as file:
                for part in parts:
                    file.write(part)
            os.fsync(descriptor)
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise
        finally:
            os.close(descriptor)
        temporary.replace(path)
        folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
    except OSError as error:
        raise StorageError(f"cannot write {path}: {error.strerror}") from error
