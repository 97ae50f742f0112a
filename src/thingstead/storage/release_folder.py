"""A release on disk: what the maker typed, the envelope, its payloads, and what goes with it.

::

    DIR/release.toml      what the maker typed
        release.suit      the envelope
        image.bin ...     payloads, under the names that release.toml has for them
        sbom.cdx.json     and other members, whose names `release_statement.MemberName` has
        statement.cose    says which files those are; each who signs the envelope signs it too
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from thingstead.errors import ConfigError, StorageError
from thingstead.storage.directory import write_whole

__all__ = ["ENVELOPE", "RECIPE", "STATEMENT", "ReleaseFolder"]

RECIPE, ENVELOPE, STATEMENT = "release.toml", "release.suit", "statement.cose"
_MAX_FILES = 32
_MAX_FILE = 16 << 20


class ReleaseFolder:
    """The folder of one release."""

    def __init__(self, root: Path) -> None:
        """Open it.

        Raises:
            ConfigError: no release is there.
        """
        if not (root / ENVELOPE).is_file():
            raise ConfigError(f"no release is in {root}; `thingstead release new` makes one")
        self.root = root

    @classmethod
    def create(cls, root: Path, files: Mapping[str, bytes]) -> ReleaseFolder:
        """Make the folder; the envelope, by which it is known for one, comes last.

        Raises:
            ConfigError: something is there already, or the folder cannot be made.
            StorageError: the disk does not keep it.
        """
        try:
            root.mkdir(mode=0o755, parents=True, exist_ok=True)
            if any(root.iterdir()):
                raise ConfigError(f"expected an empty folder for the release, {root} has something in it")
        except OSError as error:
            raise ConfigError(f"cannot make the folder {root}: {error.strerror}") from error
        for name in sorted(files, key=lambda name: name == ENVELOPE):
            write_whole(root / name, files[name])
        return cls(root)

    @property
    def envelope(self) -> bytes:
        """The envelope, signed so far as it is.

        Raises:
            StorageError: it cannot be read.
        """
        return _read(self.root / ENVELOPE)

    @property
    def statement(self) -> bytes:
        """The statement; empty where nobody has signed.

        Raises:
            StorageError: it cannot be read.
        """
        path = self.root / STATEMENT
        return _read(path) if path.is_file() else b""

    def members(self) -> dict[str, bytes]:
        """Every other file, by name.

        Raises:
            ConfigError: more files than a release has, or something that is none.
            StorageError: one cannot be read.
        """
        paths = sorted(self.root.iterdir())
        if len(paths) > _MAX_FILES:
            raise ConfigError(f"expected at most {_MAX_FILES} files in {self.root}, got {len(paths)}")
        for path in paths:
            if not path.is_file() or path.is_symlink():
                raise ConfigError(f"expected nothing but files in the folder of a release, got {path}")
        return {path.name: _read(path) for path in paths if path.name not in {ENVELOPE, STATEMENT}}

    def add(self, name: str, content: bytes) -> None:
        """Put a file in.

        Raises:
            ConfigError: somebody has signed what is there.
            StorageError: the disk does not keep it.
        """
        if self.statement:
            raise ConfigError(
                f"the release in {self.root} is signed as it is; `thingstead release new` makes another",
                reason="signed",
            )
        write_whole(self.root / name, content)

    def sign(self, envelope: bytes, statement: bytes) -> None:
        """Keep an envelope and a statement that have a signature more; the statement first, which alone says nothing.

        Raises:
            StorageError: the disk does not keep it.
        """
        if statement:
            write_whole(self.root / STATEMENT, statement)
        write_whole(self.root / ENVELOPE, envelope)


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as stream:
            data = stream.read(_MAX_FILE + 1)
    except OSError as error:
        raise StorageError(f"cannot read {path}: {error.strerror}") from error
    if len(data) > _MAX_FILE:
        raise ConfigError(f"expected at most {_MAX_FILE} bytes in {path}")
    return data
