"""Files that a command line names: read whole, and never more than is bearable."""

from __future__ import annotations

from pathlib import Path

from thingstead.errors import ConfigError, StorageError

__all__ = ["read_file"]


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
