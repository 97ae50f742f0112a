"""A domain's directory: what lies where, how it is made, and how it is opened."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from thingstead.controller import config as configuration
from thingstead.controller.config import ControllerConfig
from thingstead.crypto.key import KeyType, PublicKey
from thingstead.crypto.keystore import FileKeyStore
from thingstead.domain import anchor as anchor_file
from thingstead.domain.anchor import TrustAnchor
from thingstead.errors import ConfigError, ThingsteadError
from thingstead.identifier import KeyId
from thingstead.protocols.cbor import codec
from thingstead.protocols.cose import key as cose_key
from thingstead.storage.directory import private_directory, write_whole

__all__ = ["KEYS", "REVOKED", "DomainDirectory"]

KEYS: dict[str, KeyType] = {
    "domain": KeyType.P256,
    "identity": KeyType.P256,
    "access": KeyType.P256,
    "groups": KeyType.P256,
    "ledger": KeyType.P256,
}
"""A key of its own for the handshake, for each plane that signs, and for the ledger."""


REVOKED = ".revoked"
"""Ending of the file beside the head that says what was taken away."""


@dataclass(frozen=True, slots=True)
class DomainDirectory:
    """Paths of one domain; 0700, readable by the user the controller runs as."""

    root: Path

    @property
    def configuration(self) -> Path:
        """Settings."""
        return self.root / "thingstead.toml"

    @property
    def policy(self) -> Path:
        """Who may join, what for, and what is collected."""
        return self.root / "policy.toml"

    @property
    def operators(self) -> Path:
        """Who may ask beside the owner; there need not be one."""
        return self.root / "operators"

    @property
    def control_socket(self) -> Path:
        """Where the running controller is asked."""
        return self.root / "control.sock"

    @property
    def keys(self) -> Path:
        """The key store."""
        return self.root / "keys"

    @property
    def keepers(self) -> Path:
        """Where keys lie that have keepers of their own; it is there while they do."""
        return self.root.parent / f"{self.root.name}.keepers"

    @property
    def trust(self) -> Path:
        """One ``.anchor`` file per trusted maker."""
        return self.root / "trust"

    @property
    def releases(self) -> Path:
        """Published envelopes and images."""
        return self.root / "releases"

    @property
    def tls(self) -> Path:
        """The authority that devices know this domain by over TLS, and the server's certificate."""
        return self.root / "tls"

    def heads(self, config: ControllerConfig) -> Path:
        """Where signed ledger heads are also kept; refused inside the directory they are there to check.

        Raises:
            ConfigError: it lies inside.
        """
        heads = (self.root / config.domain.heads).resolve()
        if heads.is_relative_to(self.root.resolve()):
            raise ConfigError(f"[domain] heads must lie outside {self.root}: a copy beside the ledger shows nothing")
        return heads / f"{self.root.resolve().name}.head"

    def observe_socket(self, config: ControllerConfig) -> Path:
        """Where observers ask; refused inside the directory, which they cannot enter.

        Raises:
            ConfigError: it lies inside, or something that is no socket lies there.
        """
        path = (self.root / (config.observe.socket or f"../{self.root.resolve().name}.observe")).resolve()
        if path.is_relative_to(self.root.resolve()):
            raise ConfigError(f"[observe] socket must lie outside {self.root}: observers cannot enter it")
        if path.exists() and not path.is_socket():
            raise ConfigError(f"[observe] socket: expected {path} to be a socket or not there")
        return path

    def create(self, *, settings: str, policy: str) -> None:
        """Lay out a new domain with fresh keys.

        Args:
            settings: TOML of the configuration, checked before anything is written.
            policy: TOML of the policy.

        Raises:
            ConfigError: a domain is here already, or the settings are wrong.
        """
        heads = self.heads(configuration.parse(settings, name="settings"))
        if self.configuration.exists():
            raise ConfigError(f"a domain is at {self.root} already; `thingstead up {self.root}` starts it")
        for path in (self.root, self.trust, self.releases):
            private_directory(path)
        store = self.key_store()
        for name, key_type in KEYS.items():
            if name not in store.ids():
                store.create(KeyId(name), key_type)
        write_whole(self.policy, policy.encode())
        private_directory(heads.parent)
        # The verifier trusts what lies out here: the key, and later the newest head.
        ledger_key = codec.encode(cose_key.public_map(store.handle(KeyId("ledger")).public))
        write_whole(heads.with_suffix(".key"), ledger_key)
        # Last: its presence is what says that the rest is whole.
        write_whole(self.configuration, settings.encode())

    def load(self) -> ControllerConfig:
        """Read the settings.

        Raises:
            ConfigError: no domain here, or settings that are wrong.
        """
        if not self.configuration.exists():
            raise ConfigError(f"no domain at {self.root}; `thingstead init {self.root}` makes one")
        return configuration.load(self.configuration)

    def settings_text(self) -> str:
        """The settings, as they are written.

        Raises:
            ConfigError: they cannot be read.
        """
        return _text(self.configuration, "a configuration")

    def policy_text(self) -> str:
        """The policy, as it is written.

        Raises:
            ConfigError: it cannot be read.
        """
        return _text(self.policy, "a policy")

    def operators_text(self) -> str:
        """Who may ask beside the owner, as it is written; empty where nothing is.

        Raises:
            ConfigError: it cannot be read.
        """
        return _text(self.operators, "operators") if self.operators.exists() else ""

    def key_store(self) -> FileKeyStore:
        """The domain's keys.

        Raises:
            ConfigError: they are with their keepers.
        """
        if self.keepers.exists():
            raise ConfigError(
                f"the keys of {self.root} are with keepers: `thingstead up --separate` starts it, "
                "`thingstead up --together` takes them back first"
            )
        return FileKeyStore(self.keys)

    def public(self, name: str) -> PublicKey:
        """The public half of one of `KEYS`, wherever the key is.

        Raises:
            StorageError: it is missing or readable by others.
            DecodeError: what says so is damaged.
        """
        told = self.keepers / f"{name}.public"
        if told.exists():
            return cose_key.from_map(codec.decode(told.read_bytes())).require_public()
        return FileKeyStore(self.keys).handle(KeyId(name)).public

    def anchors(self) -> tuple[TrustAnchor, ...]:
        """The makers the owner trusts.

        Raises:
            ConfigError: a file that is none, naming it.
        """
        anchors: list[TrustAnchor] = []
        for path in sorted(self.trust.glob("*.anchor")):
            try:
                anchors.append(anchor_file.decode(path.read_bytes()))
            except (ThingsteadError, OSError) as error:
                raise ConfigError(f"{path} is not a trust anchor: {error}") from error
        return tuple(anchors)

    def trust_maker(self, anchor: TrustAnchor) -> Path:
        """Add a maker; an anchor of the same name is replaced.

        Raises:
            ConfigError: a name that is no file name.
        """
        if not anchor.maker.replace("-", "").isalnum():
            raise ConfigError(f"expected a maker's name of letters, digits and hyphens, got {anchor.maker[:40]!r}")
        path = self.trust / f"{anchor.maker}.anchor"
        write_whole(path, anchor_file.encode(anchor))
        return path

    def distrust_maker(self, maker: str) -> None:
        """Take a maker's anchor away.

        Raises:
            ConfigError: no maker of this name is trusted.
        """
        known = {anchor.maker for anchor in self.anchors()}
        if maker not in known:
            raise ConfigError(f"no maker {maker[:40]!r} is trusted; there are: {', '.join(sorted(known)) or 'none'}")
        (self.trust / f"{maker}.anchor").unlink()


def _text(path: Path, what: str) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"expected {what} at {path}: {error}") from error
