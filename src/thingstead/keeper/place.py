"""Where keys lie that have keepers: beside the domain's directory, which the controller owns, and never inside it.

::

    home/              the controller's; its key directory holds what is left: the owner's key
    home.keepers/      nobody's but who starts the domain
        lock           held while the domain runs
        access/        0700, the keeper's own: the key, and what it has to remember
        network/       0700, the own of a plane whose engine is a process: its documents, in a store like the domain's
        access.public  the public half, for whoever reads
        access.socket  0600, the controller's: where the keeper is asked

A key is moved by renaming it, so that it is at one of its two places whenever the power goes; each start looks at both.
A document is written at its new place before it goes from the old one.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import socket
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from thingstead.crypto.keystore import FileKeyStore
from thingstead.domain.plane import PlaneName
from thingstead.domain.unit import PlaneRecord, Unit
from thingstead.errors import ConfigError, StorageError
from thingstead.identifier import KeyId
from thingstead.protocols.cbor import codec
from thingstead.protocols.cose import key as cose_key
from thingstead.storage.directory import locked, write_whole
from thingstead.storage.records import OF_HOST, TAKEN, move, taken
from thingstead.storage.sqlite import DATABASE, SqliteStore

__all__ = ["KeeperPlace"]


@dataclass(frozen=True, slots=True)
class KeeperPlace:
    """The keepers' place of one domain.

    Attributes:
        domain: the domain's directory.
        root: the place.
    """

    domain: Path
    root: Path

    def directory(self, name: str) -> Path:
        """A keeper's own."""
        return self.root / name

    def door(self, name: str) -> Path:
        """Where a keeper is asked."""
        return self.root / f"{name}.socket"

    def lock(self) -> int:
        """Make the place, and hold it for as long as the descriptor is open.

        Raises:
            ConfigError: the domain runs already, or the place cannot be made.
        """
        try:
            self.root.mkdir(mode=0o711, exist_ok=True)
            status = self.root.stat()
        except OSError as error:
            raise ConfigError(f"cannot make {self.root}: {error.strerror}") from error
        if status.st_uid != os.geteuid():
            raise ConfigError(f"{self.root} is of user {status.st_uid}; start the domain as they do")
        return locked(self.root / "lock", f"the domain at {self.domain} runs already")

    def take_apart(
        self,
        names: Sequence[str],
        users: Mapping[str, int | None],
        *,
        planes: Mapping[PlaneName, Sequence[str]] | None = None,
        beside: Sequence[Path] = (),
    ) -> None:
        """Give each key to its keeper, the documents of some planes to their processes, and the rest to the user
        ``controller``; goes on where it was cut off.

        Once the domain is the controller's, nothing of what lies there is taken for a key or a document any more.

        Args:
            names: of the keys.
            users: by name of the key and the plane, and ``controller``; None where all stay whose they are.
            planes: whose engines have processes, and what keys of the documents that go there begin with.
            beside: directories that are the controller's too.

        Raises:
            ConfigError: the domain was taken apart in another way before.
            StorageError: a key is at neither place or at both, or something cannot be moved.
        """
        keys, controller = self.domain / "keys", users["controller"]
        is_given = controller is not None and self.domain.stat().st_uid == controller
        hosted = planes or {}
        for name in (*names, *hosted):
            self.directory(name).mkdir(mode=0o700, exist_ok=True)
        for plane in hosted:
            if is_given and not (self.directory(plane) / DATABASE).exists():
                raise ConfigError(
                    f"the {plane} plane was not a process yet when {self.domain} was taken apart: "
                    "`thingstead up --together` once, then `--separate` again"
                )
        if not is_given:
            asyncio.run(self._give_documents(hosted))
        for name in names:
            if not is_given and (keys / name).exists():
                self._move(keys, name, to_root=controller is not None)
            if not (self.directory(name) / name).exists():
                raise StorageError(f"the key {name} is neither in {keys} nor in {self.directory(name)}")
        for name in (*names, *hosted):
            _own_tree(self.directory(name), users[name])
        for folder in (*beside, self.domain):
            _own_tree(folder, controller)

    def put_together(
        self, names: Sequence[str], *, planes: Sequence[PlaneName] = (), beside: Sequence[Path] = ()
    ) -> None:
        """Take all keys and documents back into the domain's directory, which is the caller's then.

        Raises:
            ConfigError: a plane has something for the ledger that is not there yet.
            StorageError: something cannot be moved.
        """
        keys, user = self.domain / "keys", 0 if os.geteuid() == 0 else None
        hosted = [one for one in planes if (self.directory(one) / DATABASE).exists()]
        # First: a domain that is the caller's is believed what lies in it.
        asyncio.run(self._require_taken(hosted))
        for folder in (*beside, self.domain):
            _own_tree(folder, user)
        asyncio.run(self._take_documents(hosted, user))
        for name in names:
            own = self.directory(name)
            if (own / name).exists():
                _own_tree(own, user)
                (own / name).replace(keys / name)
                _sync(keys, own)
        for name in names:
            if not (keys / name).exists():
                raise StorageError(f"the key {name} is neither in {keys} nor in {self.directory(name)}")
        shutil.rmtree(self.root)

    async def _give_documents(self, planes: Mapping[PlaneName, Sequence[str]]) -> None:
        home = SqliteStore(self.domain)
        for plane, prefixes in planes.items():
            own = SqliteStore(self.directory(plane))
            if not any(own.leaves(0, 1)):
                await home.commit(Unit(records=(PlaneRecord(plane, TAKEN, None),)))
            await move(plane, home, own, prefixes=(*prefixes, OF_HOST))
            await own.close()
        await home.close()

    async def _require_taken(self, planes: Sequence[PlaneName]) -> None:
        home = SqliteStore(self.domain)
        written = {}
        for plane in planes:
            own = SqliteStore(self.directory(plane))
            written[plane] = sum(1 for _ in own.leaves()) - taken(home, plane)
            await own.close()
        await home.close()
        for plane, left in written.items():
            if left > 0:
                raise ConfigError(
                    f"{left} entries of the {plane} plane are not on the ledger: `thingstead up --separate` once more"
                )

    async def _take_documents(self, planes: Sequence[PlaneName], user: int | None) -> None:
        home = SqliteStore(self.domain)
        for plane in planes:
            _own_tree(self.directory(plane), user)
            own = SqliteStore(self.directory(plane))
            await move(plane, own, home)
            await own.close()
        await home.close()

    def _move(self, keys: Path, name: str, *, to_root: bool) -> None:
        own, public = self.directory(name), self.root / f"{name}.public"
        if (own / name).exists():
            raise StorageError(f"the key {name} is in {keys} and in {own}; take away the one that is not yours")
        if to_root:
            _own(keys, 0)
            _own(keys / name, 0)
        half = FileKeyStore(keys).handle(KeyId(name)).public
        write_whole(public, codec.encode(cose_key.public_map(half)))
        public.chmod(0o644)
        (keys / name).rename(own / name)
        _sync(own, keys, self.root)

    def listen(self, name: str, user: int | None) -> socket.socket:
        """A socket that `user` may connect to; it stays open over the deaths of who serves it."""
        path = self.door(name)
        path.unlink(missing_ok=True)
        listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        before = os.umask(0o177)
        try:
            listener.bind(str(path))
        except OSError as error:
            raise ConfigError(f"cannot listen at {path}: {error}") from error
        finally:
            os.umask(before)
        _own(path, user)
        listener.listen()
        return listener

    def require_way(self) -> None:
        """Look whether users without rights get here from the root of the file system.

        Raises:
            ConfigError: a directory on the way is closed.
        """
        for folder in self.root.resolve().parents:
            if not folder.stat().st_mode & 0o001:
                raise ConfigError(
                    f"{folder} is closed to the users that keys are given to; move the domain, e.g. to /var/lib"
                )


def _own_tree(root: Path, user: int | None) -> None:
    """Only while nobody else can write there: on the first start of a kind."""
    if user is None or root.stat().st_uid == user:
        return
    for folder, folders, files in os.walk(root):
        for name in (*folders, *files):
            _own(Path(folder) / name, user)
    # Last: it is what says that the rest is done.
    _own(root, user)


def _own(path: Path, user: int | None) -> None:
    if user is not None:
        os.chown(path, user, user, follow_symlinks=False)


def _sync(*folders: Path) -> None:
    for folder in folders:
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
