"""The server's own directory: its keys, whom things were sold to, and what it vouched for.

::

    MASA/
      masa.toml             name of the maker, and where the server is
      keys/session          domains know the server by it
      keys/voucher          things know the server by it
      session.credential    the public half (CCS), for domains of other makes
      voucher.credential    the public half (CCS), to be built into things of other makes
      NAME.server           both and the location: the card, for factories and for owners of domains
      sales.toml            which thing may go to which domain; edit it, or `thingstead masa sell`
      vouched.jsonl         one line for each voucher

The maker's anchor, which signs identities and releases, is not here: who breaks in can vouch, and no more.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from thingstead.crypto.key import KeyType, PrivateKey
from thingstead.crypto.keystore import FileKeyStore
from thingstead.errors import ConfigError, ProtocolError
from thingstead.identifier import KeyId
from thingstead.masa.sales import Sale, Sales, parse_sales, render_sale
from thingstead.protocols.cwt import ccs
from thingstead.protocols.profile import maker_server
from thingstead.protocols.profile.maker_server import MakerServer
from thingstead.storage.directory import locked, private_directory, write_whole
from thingstead.storage.settings import load

__all__ = ["MasaDirectory", "SalesFile", "make_masa", "open_masa"]

_SESSION, _VOUCHER = KeyId("session"), KeyId("voucher")
_SETTINGS = "masa.toml"
_NAME = re.compile(r"[a-z0-9]([a-z0-9-]{0,30}[a-z0-9])?")
_MAX_SALES = 32 << 20
_HEAD = """# Which thing may go to which domain. What is not here, nobody vouches for.
# id_cred_i: what the thing calls itself; to: thumbprints of domains' keys, [] for nobody.
"""


@dataclass(frozen=True, slots=True)
class _Settings:
    name: str
    location: str


@dataclass(frozen=True, slots=True)
class MasaDirectory:
    """An opened directory.

    Attributes:
        root: where, 0700.
        name: the maker's.
        location: a URI that domains reach the server at.
        session: authenticates the server to domains.
        voucher: PK_W's private half.
    """

    root: Path
    name: str
    location: str
    session: PrivateKey
    voucher: PrivateKey

    @property
    def card(self) -> MakerServer:
        """What others know of the server."""
        return MakerServer(self.name, self.location, self.session.public, self.voucher.public)

    @property
    def card_file(self) -> Path:
        """Where that is, for factories and owners of domains."""
        return self.root / f"{self.name}.server"

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

    def add(self, sales: Sequence[Sale]) -> None:
        """Append sales, all or none, and leave what people wrote as it is.

        Raises:
            ConfigError: a thing is there already, or calls itself as another does, or the file cannot be read.
            StorageError: the disk did not take it.
        """
        self.read()
        text = self.path.read_text(encoding="utf-8") + "".join([render_sale(sale) for sale in sales])
        try:
            sold = parse_sales(text)
        except ConfigError as error:
            to = ", ".join(sales[0].to)
            raise ConfigError(f"{error} ({self.path}); to sell it to another domain put {to} there") from error
        for sale in sales:
            if len(alike := sold.find(bytes.fromhex(sale.id_cred_i))) > 1:
                named = ", ".join(one.serial for one in alike)
                raise ConfigError(f"{named} call themselves alike; none of them would get a voucher")
        write_whole(self.path, text.encode())


def make_masa(root: Path, *, name: str, location: str) -> MasaDirectory:
    """Make a directory with fresh keys and nothing sold.

    Raises:
        ConfigError: one is here already, the name is none, or the location is no `coap://HOST[:PORT]`.
        StorageError: the disk does not keep it.
    """
    if not _NAME.fullmatch(name):
        raise ConfigError(f"expected a maker's name of 1 to 32 of a-z, 0-9 and hyphens, got {name[:40]!r}")
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
    made = MasaDirectory(root, name, location, keys.handle(_SESSION), keys.handle(_VOUCHER))
    card = maker_server.encode(made.card)
    try:
        maker_server.decode(card)
    except ProtocolError as error:
        raise ConfigError(str(error)) from error
    write_whole(made.card_file, card)
    # Last: its presence is what says that the rest is whole.
    write_whole(root / _SETTINGS, f"name = {json.dumps(name)}\nlocation = {json.dumps(location)}\n".encode())
    return made


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
    return MasaDirectory(root, settings.name, settings.location, keys.handle(_SESSION), keys.handle(_VOUCHER))
