"""Makers and things as directories: what a maker keeps, and what a thing has when it leaves the line.

::

    MAKER/                      THING/
      maker.toml                  keys/identity     made in the thing, never leaves it
      keys/                       keys/decryption   for images that only some things can read, likewise
        anchor                    home/birth        identity, voucher, anchors
        release-p256              slots/            firmware 1.0.0
        ...                     or what else was asked for, and a number where there are several of a kind
        release-ml-dsa-44
      hash-based/               if it was asked for: another release key, which counts what it signs
      mud/signer.key .pem
      mud/authority.pem
      NAME.anchor                 for domains that trust this maker
"""

from __future__ import annotations

import json
import re
import secrets
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from thingstead.agent.file_home import FileHome
from thingstead.agent.file_slots import FileSlots
from thingstead.agent.introduction import INSTALL_CODE
from thingstead.agent.program import HOME, KEYS, SLOTS
from thingstead.crypto.authority import Signer, make_authority, make_signer
from thingstead.crypto.certificate import load_certificate
from thingstead.crypto.hss_signing import IDENTIFIER_SIZE, SEED_SIZE
from thingstead.crypto.key import KeyType, PublicKey
from thingstead.crypto.keystore import FileKeyStore
from thingstead.domain import anchor as anchor_file
from thingstead.domain.anchor import TrustAnchor
from thingstead.errors import ConfigError, ProtocolError, SecurityError, StorageError
from thingstead.identifier import KeyId
from thingstead.phases.manufacture import Maker, Model, bear, bear_unsold
from thingstead.protocols.cbor import codec
from thingstead.protocols.cose import key as cose_key
from thingstead.protocols.cwt import ccs
from thingstead.protocols.profile import birth as birth_record
from thingstead.protocols.profile import firmware as firmware_image
from thingstead.protocols.profile.birth import BIRTH, Birth
from thingstead.protocols.profile.firmware import Firmware
from thingstead.protocols.profile.install_code import InstallCode
from thingstead.protocols.profile.maker_server import MakerServer
from thingstead.protocols.suit.identifier import vendor_identifier
from thingstead.secret import Secret
from thingstead.simulator import release_keys
from thingstead.storage.directory import private_directory, write_whole
from thingstead.storage.hss_key import HssKey, this_machine

__all__ = ["FIRMWARE_1_0_0", "MakerDirectory", "bear_thing", "is_maker", "make_maker", "open_maker"]

FIRMWARE_1_0_0 = firmware_image.encode(Firmware("1.0.0"))
"""What a thing runs when it leaves the line."""

_DECRYPTION_KEY_FILE = "decryption.key"

_ANCHOR = KeyId("anchor")
_SETTINGS = "maker.toml"
_HASH_BASED, _SECOND_PLACE = "hash-based", "second_place"
_NAME = re.compile(r"[a-z0-9]([a-z0-9-]{0,30}[a-z0-9])?")
_DOMAIN = re.compile(r"[a-z0-9-]+(\.[a-z0-9-]+)+")
_SIGNER_VALIDITY = timedelta(days=3650)
_SINCE = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class MakerDirectory:
    """A maker on disk.

    Attributes:
        root: its directory, 0700.
        maker: who it is, with handles on its keys.
    """

    root: Path
    maker: Maker

    @property
    def anchor(self) -> Path:
        """What domains are given to trust this maker."""
        return _anchor_path(self.root, self.maker.name)

    def mud_signer(self) -> Signer:
        """Who signs the maker's MUD files (RFC 8520 §13.1).

        Raises:
            StorageError: it cannot be read.
        """
        folder = self.root / "mud"
        certificate = load_certificate(_read(folder / "signer.pem"))
        issuer = load_certificate(_read(folder / "authority.pem"))
        return Signer(certificate, Secret(_read(folder / "signer.key")), issuer)


def make_maker(
    root: Path,
    *,
    name: str,
    domain: str,
    at: datetime,
    second_place: Path | None = None,
    kinds: Sequence[str] = release_keys.USUAL,
    signers: Sequence[PublicKey] = (),
    threshold: int = 0,
    is_hybrid: bool = False,
) -> MakerDirectory:
    """Found a maker: fresh keys, a MUD signer under an authority of its own, and the anchor file.

    The authority's key is not kept: when the signer runs out in ten years, the maker founds another.

    Args:
        root: its directory, made 0700.
        name: what it is called.
        domain: its DNS name.
        at: now.
        second_place: where a release key of hashes (HSS-LMS) counts what it has signed; None for no such key.
        kinds: of the other release keys that are made here.
        signers: public halves of release keys that people have elsewhere.
        threshold: how many of them all must sign; see `release_keys.choose`.
        is_hybrid: whether that is asked of each family of them.

    Raises:
        ConfigError: a maker is here already, the name or DNS domain cannot be one, or no such release keys.
        StorageError: the disk does not keep it.
    """
    if not _NAME.fullmatch(name):
        raise ConfigError(f"expected a maker's name of 1 to 32 of a-z, 0-9 and hyphens, got {name[:40]!r}")
    if not _DOMAIN.fullmatch(domain):
        raise ConfigError(f"expected a maker's DNS domain such as {name}.example, got {domain[:60]!r}")
    if (root / _SETTINGS).exists():
        raise ConfigError(f"a maker is at {root} already")
    private_directory(root)
    keys = FileKeyStore(root / "keys")
    if _ANCHOR not in keys.ids():
        keys.create(_ANCHOR, KeyType.P256)
    signing = release_keys.created(keys, kinds, again=False) if kinds or not signers else []
    if second_place is not None:
        seed, identifier = Secret(secrets.token_bytes(SEED_SIZE)), secrets.token_bytes(IDENTIFIER_SIZE)
        HssKey.create(root / _HASH_BASED, second_place, machine=this_machine(), seed=seed, identifier=identifier)
        signing.append(HssKey(root / _HASH_BASED, second_place, machine=this_machine()))
    counted = [*[key.public for key in signing], *signers]
    chosen = release_keys.choose(counted, threshold=threshold, is_hybrid=is_hybrid)
    authority = _make_mud_signer(root / "mud", name, at)
    anchor = TrustAnchor(
        maker=name,
        identity_key=keys.handle(_ANCHOR).public,
        release_keys=chosen.keys,
        vendor_id=vendor_identifier(domain),
        mud_authorities=(authority.certificate.der,),
        dns_name=domain,
        signing=chosen.signing,
    )
    write_whole(_anchor_path(root, name), anchor_file.encode(anchor))
    # Last: its presence is what says that the rest is whole.
    settings = {"name": name, "domain": domain}
    if second_place is not None:
        settings[_SECOND_PLACE] = str(second_place.resolve())
    write_whole(root / _SETTINGS, "".join(f"{key} = {json.dumps(value)}\n" for key, value in settings.items()).encode())
    return MakerDirectory(root, _maker(name, domain, root, second_place))


def is_maker(root: Path) -> bool:
    """Whether a maker is there."""
    return (root / _SETTINGS).exists()


def open_maker(root: Path) -> MakerDirectory:
    """Open what `make_maker` made.

    Raises:
        ConfigError: no maker is here, or its file is damaged.
        StorageError: its keys cannot be read.
    """
    path = root / _SETTINGS
    if not is_maker(root):
        raise ConfigError(f"no maker at {root}; `thingstead factory maker` makes one")
    try:
        settings = tomllib.loads(_read(path).decode())
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path} is damaged: {error}") from error
    second_place = settings.get(_SECOND_PLACE)
    match settings:
        case {"name": str(name), "domain": str(domain)} if isinstance(second_place, str | None):
            counted = None if second_place is None else Path(second_place)
            return MakerDirectory(root, _maker(name, domain, root, counted))
        case _:
            raise ConfigError(f"expected name and domain in {path}")


def bear_thing(
    home: Path,
    maker: Maker,
    model: Model,
    serial: str,
    *,
    whose: bytes | MakerServer,
    at: datetime,
    voucher_days: int = 365,
    firmware: bytes = FIRMWARE_1_0_0,
    install_code: InstallCode | None = None,
) -> Birth:
    """Give birth to a thing: it makes its own key, and the maker signs what the thing will show and check.

    Args:
        home: the thing's own directory, made 0700.
        maker: who makes it.
        model: what it is.
        serial: the maker's number for it.
        whose: CCS of the domain that it was sold to, or the maker's server that will know.
        at: now.
        voucher_days: for how long that domain may take it in.
        firmware: what it runs at first.
        install_code: what its label bears; None for none.

    Raises:
        ConfigError: a thing lives here already, or the server is another maker's.
        DecodeError: not a domain's credential, or a serial or model that verifiers would refuse.
        StorageError: the disk does not keep it.
    """
    _check(whose, maker)
    private_directory(home)
    memory = FileHome(home / HOME)
    if memory.load(BIRTH) is not None:
        raise ConfigError(f"a thing lives in {home} already")
    keys = FileKeyStore(home / KEYS)
    for key_name in (birth_record.IDENTITY_KEY, birth_record.DECRYPTION_KEY):
        if key_name not in keys.ids():
            keys.create(key_name, KeyType.P256)
    thing_key = keys.handle(birth_record.IDENTITY_KEY).public
    decryption_key = cose_key.public_map(keys.handle(birth_record.DECRYPTION_KEY).public)
    write_whole(home / _DECRYPTION_KEY_FILE, codec.encode(decryption_key))
    if isinstance(whose, MakerServer):
        born = bear_unsold(maker, model, serial, thing_key=thing_key, server=whose, at=at)
    else:
        expires, domain_key = at + timedelta(days=voucher_days), ccs.decode(whose).public
        born = bear(maker, model, serial, thing_key=thing_key, domain_key=domain_key, at=at, voucher_expires=expires)
    FileSlots(home / SLOTS).install_first(firmware)
    if install_code is not None:
        memory.save(INSTALL_CODE, install_code.secret.reveal())
    # Last: a thing without it was never born.
    memory.save(BIRTH, birth_record.encode(born))
    return born


def _check(whose: bytes | MakerServer, maker: Maker) -> None:
    """Look at what is given before anything is made."""
    if not isinstance(whose, MakerServer):
        ccs.decode(whose)
    elif whose.maker != maker.name:
        raise ConfigError(f"expected a server of {maker.name}, got one of {whose.maker}")


def _maker(name: str, domain: str, root: Path, second_place: Path | None) -> Maker:
    keys = FileKeyStore(root / "keys")
    try:
        anchor = anchor_file.decode(_read(_anchor_path(root, name)))
    except (ProtocolError, SecurityError) as error:
        raise ConfigError(f"{_anchor_path(root, name)} is damaged: {error}") from error
    counting = [] if second_place is None else [HssKey(root / _HASH_BASED, second_place, machine=this_machine())]
    steady = anchor.steady
    signing = release_keys.held(keys, anchor, *counting)
    return Maker(name, domain, keys.handle(_ANCHOR), signing, born_with=steady.current, release_step=steady.number)


def _anchor_path(root: Path, name: str) -> Path:
    return root / f"{name}.anchor"


def _make_mud_signer(folder: Path, name: str, at: datetime) -> Signer:
    private_directory(folder)
    since, until = at - _SINCE, at + _SIGNER_VALIDITY
    authority = make_authority(f"{name} MUD authority", not_before=since, not_after=until)
    signer = make_signer(f"{name} MUD signer", authority, not_before=since, not_after=until)
    write_whole(folder / "authority.pem", authority.chain_pem)
    write_whole(folder / "signer.pem", signer.chain_pem)
    write_whole(folder / "signer.key", signer.key_pem.reveal())
    return authority


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise StorageError(f"cannot read {path}: {error.strerror}") from error
