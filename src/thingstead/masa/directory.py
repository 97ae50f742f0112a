"""The server's own directory: its keys, whom things were sold to, and what it vouched for.

::

    MASA/
      masa.toml             name of the maker
      keys/session          domains know the server by it
      keys/voucher          things know the server by it
      session.credential    the public half, for owners of domains (CCS)
      voucher.credential    the public half, to be built into things (CCS)
      sales.toml            which thing may go to which domain; edit it, or `thingstead masa sell`
      vouched.jsonl         one line for each voucher

The maker's anchor, which signs identities and releases, is not here: who breaks in can vouch, and no more.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from thingstead.crypto.key import KeyType, PrivateKey
from thingstead.crypto.keystore import FileKeyStore
from thingstead.errors import ConfigError
from thingstead.identifier import KeyId
from thingstead.masa.sales import Sale, Sales, parse_sales, render_sale
from thingstead.protocols.cwt import ccs
from thingstead.storage.directory import locked, private_directory, write_whole
from thingstead.storage.settings import load

__all__ = ["MasaDirectory", "SalesFile", "make_masa", "open_masa"]

_SESSION, _VOUCHER = KeyId("session"), KeyId("voucher")
_SETTINGS = "masa.toml"
_MAX_NAME = 32
_MAX_SALES = 32 << 20
_HEAD = """# Which thing may go to which domain. What is not here, nobody vouches for.
# id_cred_i: what the thing calls itself; to: thumbprints of domains' keys, [] for nobody.
"""


@dataclass(frozen=True, slots=True)
class _Settings:
    name: str


@dataclass(frozen=True, slots=True)
class MasaDirectory:
    """An opened directory.

    Attributes:
        root: where, 0700.
        name: the maker's.
        session: authenticates the server to domains.
        voucher: PK_W's private half.
    """

    root: Path
    name: str
    session: PrivateKey
    voucher: PrivateKey

    @property
    def sales(self) -> SalesFile:
        """The sales file."""
        return SalesFile(self.root / "sales.toml")

    @property
    def record(self) -> Path:
        """Where the record of vouchers is."""
        return self.root / "vouched.jsonl"

    def lock(self) -> int:
        """Be the one server of this directory, whose record no other may write; a descriptor to close.

        Raises:
            ConfigError: another runs.
        """
        return locked(self.root / "lock", f"another server is running on {self.root}")


class SalesFile:
    """A file that people edit while the server runs: read again whenever it is another one.

    Args:
        path: where.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._seen: tuple[int, int, int] | None = None
        self._sales = Sales()

    def read(self) -> Sales:
        """What it says now.

        Raises:
            ConfigError: it cannot be read, or says something impossible; then nothing of it counts.
        """
        try:
            stat = self.path.stat()
            seen = stat.st_ino, stat.st_mtime_ns, stat.st_size
            if seen != self._seen:
                if stat.st_size > _MAX_SALES:
                    raise ConfigError(f"expected at most {_MAX_SALES >> 20} MiB in {self.path}")
                self._sales = parse_sales(self.path.read_text(encoding="utf-8"), name=str(self.path))
                self._seen = seen
        except (OSError, UnicodeDecodeError) as error:
            raise ConfigError(f"cannot read {self.path}: {error}") from error
        return self._sales

    def add(self, sale: Sale) -> None:
        """Append a sale, and leave what people wrote as it is.

        Raises:
            ConfigError: the thing is there already, or the file cannot be read.
            StorageError: the disk did not take it.
        """
        self.read()
        text = self.path.read_text(encoding="utf-8") + render_sale(sale)
        try:
            parse_sales(text)
        except ConfigError as error:
            raise ConfigError(
                f"{sale.serial} is in {self.path} already; to sell it to another domain put {', '.join(sale.to)} there"
            ) from error
        write_whole(self.path, text.encode())


def make_masa(root: Path, *, name: str) -> MasaDirectory:
    """Make a directory with fresh keys and nothing sold.

    Raises:
        ConfigError: one is here already, or the name is none.
        StorageError: the disk does not keep it.
    """
    if not 0 < len(name) <= _MAX_NAME or not name.isprintable():
        raise ConfigError(f"expected a maker's name of 1 to {_MAX_NAME} characters, got {name[:40]!r}")
    if (root / _SETTINGS).exists():
        raise ConfigError(f"a maker's server is at {root} already")
    private_directory(root)
    keys = FileKeyStore(root / "keys")
    for key_name in (_SESSION, _VOUCHER):
        if key_name not in keys.ids():
            keys.create(key_name, KeyType.P256)
        write_whole(root / f"{key_name}.credential", ccs.encode(keys.handle(key_name).public, subject=name))
    if not (root / "sales.toml").exists():
        write_whole(root / "sales.toml", _HEAD.encode())
    # Last: its presence is what says that the rest is whole.
    write_whole(root / _SETTINGS, f"name = {json.dumps(name)}\n".encode())
    return open_masa(root)


def open_masa(root: Path) -> MasaDirectory:
    """Open what `make_masa` made.

    Raises:
        ConfigError: nothing is here, or its file is damaged.
        StorageError: its keys cannot be read.
    """
    if not (root / _SETTINGS).exists():
        raise ConfigError(f"no maker's server at {root}; `thingstead masa make` makes one")
    settings = load(root / _SETTINGS, _Settings)
    keys = FileKeyStore(root / "keys")
    return MasaDirectory(root, settings.name, keys.handle(_SESSION), keys.handle(_VOUCHER))
