"""``thingstead up --separate``: which process has what, and as whom it runs (ADR 0027)."""

from __future__ import annotations

import concurrent.futures.thread  # noqa: F401  what Python would load later, when it may not be readable any more
import importlib.readers  # noqa: F401  likewise
import os
import pwd
import secrets
import socket
import sys
from collections.abc import Mapping
from datetime import timedelta
from functools import partial
from pathlib import Path

from thingstead.analysis.detectors.detector import detectors
from thingstead.cli.console import Console
from thingstead.cli.hosting import (
    access_host,
    data_host,
    groups_host,
    host,
    identity_host,
    network_host,
    software_host,
)
from thingstead.clock import SystemClock
from thingstead.controller.access_engine import PERMITS, TOKENS
from thingstead.controller.apart import Apart
from thingstead.controller.app import image_scan
from thingstead.controller.config import ControllerConfig
from thingstead.controller.directory import KEYS, DomainDirectory
from thingstead.controller.group import group_settings
from thingstead.controller.issuing import Issuing
from thingstead.controller.network import check, enforcement, fetcher, resolver
from thingstead.crypto.keystore import FileKeyStore
from thingstead.domain.plane import PlaneName
from thingstead.domain.policy import PROFILES
from thingstead.enforcement.dry_run import DryRun
from thingstead.enforcement.neighbour import NeighbourTable
from thingstead.errors import ConfigError
from thingstead.identifier import KeyId
from thingstead.keeper.enforcer import Enforcer
from thingstead.keeper.place import KeeperPlace
from thingstead.keeper.privilege import CAP_NET_ADMIN, CAP_NET_BIND_SERVICE, CAP_NET_RAW
from thingstead.keeper.rule import GroupRule, HandshakeRule, LedgerRule, Rule, RuledKey, TokenRule
from thingstead.keeper.server import Keeper, serve
from thingstead.keeper.supervisor import Part, elsewhere, supervise
from thingstead.protocols.cbor import codec
from thingstead.protocols.cwt.claims import Claim
from thingstead.storage.directory import DirectoryLock, private_directory, write_whole
from thingstead.storage.policy_file import parse_policy
from thingstead.storage.public_suffix import PublicSuffixes
from thingstead.transport.control_socket import group_id
from thingstead.transport.enforcement_socket import RemoteEnforcement
from thingstead.transport.engine_socket import EngineSocket
from thingstead.transport.key_socket import RemoteKeyStore, RemoteWitness

__all__ = ["DOCUMENTS", "bring_together", "rule_of", "separate"]

_CONTROLLER, _ENFORCER = "controller", "enforcer"
_UNPRIVILEGED = 1024
"""The first port that anybody may listen on."""

DOCUMENTS = {
    PlaneName.IDENTITY: ("credential/",),
    PlaneName.ACCESS: ("thing-", TOKENS, PERMITS),
    PlaneName.GROUPS: ("",),
    PlaneName.SOFTWARE: ("",),
    PlaneName.NETWORK: ("",),
    PlaneName.DATA: ("",),
}
"""Whose engines are processes, and what keys of the documents that are theirs begin with."""
_KEPT = tuple(name for name in KEYS if name not in DOCUMENTS)
"""Keys with keepers; any other is with the engine that uses it."""
_NAMES = tuple(dict.fromkeys((_CONTROLLER, _ENFORCER, *sorted(KEYS), *DOCUMENTS)))
_SIGNED = "signed"


def separate(directory: DomainDirectory, console: Console) -> Apart | int:
    """Start everything but the controller; in its process, give what it reaches; elsewhere, an exit code at the end.

    Raises:
        ConfigError: the domain runs already, or users cannot be given to its processes.
        StorageError: a key is missing, or cannot be moved.
    """
    config = directory.load()
    check(config.network, root=directory.root)
    place = KeeperPlace(directory.root, directory.keepers)
    users = _users(config)
    heads = _heads(directory, config)
    if users[_CONTROLLER] is not None:
        place.require_way()
        _note_closed(console)
    else:
        console.note(
            "NOT SEPARATED BY USER: root did not start this, so all processes are one user's, who can read every key "
            "file; each key is out of the controller's memory, and that is all"
        )
    groups = _observers(directory, config, users[_CONTROLLER])
    lock = place.lock()
    # Whoever reads a key to move it must not be whom the others come from: they would have it in their memory.
    elsewhere(partial(place.take_apart, list(KEYS), users, planes=DOCUMENTS, beside=[heads]))
    parts = [_keeper(name, place, config, users) for name in _KEPT]
    parts += [_identity(place, config, users), _access(directory, place, config, users)]
    parts += [_groups(directory, place, config, users)]
    parts += [_software(place, users), _network(directory, place, config, users), _data(directory, place, users)]
    if config.network.enforcement != "dry_run":
        parts.append(_enforcer(place, config, users))
    if config.watch.interfaces:
        # They are found by looking for them, which the controller's user may not be able to where they are installed.
        detectors()
    code = supervise(parts, user=users[_CONTROLLER], lock=lock, groups=groups, capabilities=_rights(config))
    if code is not None:
        return code
    return Apart(
        RemoteKeyStore(
            {name: place.door(name) for name in _KEPT},
            FileKeyStore(directory.keys),
            shown={name: directory.public(name) for name in KEYS if name in DOCUMENTS},
        ),
        RemoteWitness(place.door("ledger")),
        {plane: EngineSocket(place.door(plane)) for plane in DOCUMENTS},
        tuple([part.name if part.user is None else f"{part.name} (user {part.user})" for part in parts]),
    )


def bring_together(directory: DomainDirectory) -> None:
    """Take the keys back; what is together already stays so.

    Raises:
        ConfigError: the domain runs.
        StorageError: a key cannot be moved.
    """
    config = directory.load()
    if directory.keepers.exists():
        place = KeeperPlace(directory.root, directory.keepers)
        held = place.lock()
        DirectoryLock(directory.root).release()
        elsewhere(
            partial(place.put_together, list(KEYS), planes=tuple(DOCUMENTS), beside=[directory.heads(config).parent])
        )
        os.close(held)


def _heads(directory: DomainDirectory, config: ControllerConfig) -> Path:
    """The second place, which is the controller's too, and so no other domain's."""
    head = directory.heads(config)
    folder = private_directory(head.parent)
    others = sorted(
        path.name for path in folder.iterdir() if not path.name.startswith((f"{head.stem}.", f"{head.stem}-until-"))
    )
    if others:
        raise ConfigError(
            f"[domain] heads: {folder} holds {others[0]} too; with --separate a domain has a directory of its own there"
        )
    return folder


def _observers(directory: DomainDirectory, config: ControllerConfig, user: int | None) -> tuple[int, ...]:
    """The group that the controller has to be in, to make their socket."""
    if user is None or not config.observe.group:
        return ()
    folder = directory.observe_socket(config).parent
    if not folder.is_dir() or folder.stat().st_uid != user:
        raise ConfigError(
            f"[observe] socket: user {user}, as whom the controller makes it, does not own {folder}; "
            f"`install -d -o {user} -m 711 {directory.root}.observers` and name a socket in there"
        )
    return (group_id(config.observe.group),)


def _note_closed(console: Console) -> None:
    """Tell where users without rights cannot load what a program loads later than at its start."""
    for path in (Path(sys.base_prefix), Path(__file__).parent):
        closed = [folder for folder in (path, *path.resolve().parents) if not folder.stat().st_mode & 0o001]
        if closed:
            console.note(f"{closed[0]} is closed to the users of the processes; they will not find all of {path}")


def _users(config: ControllerConfig) -> dict[str, int | None]:
    """A user for each process, where root can give them."""
    if os.geteuid() != 0:
        return dict.fromkeys(_NAMES)
    first = config.separate.first_user
    known = {entry.pw_uid: entry.pw_name for entry in pwd.getpwall()}
    users = {name: first + number for number, name in enumerate(_NAMES)}
    taken = [known[user] for user in users.values() if user in known]
    if taken:
        raise ConfigError(f"[separate] first_user: {taken[0]} has a number from {first} to {first + len(users) - 1}")
    return dict(users)


def _keeper(name: str, place: KeeperPlace, config: ControllerConfig, users: Mapping[str, int | None]) -> Part:
    listener = place.listen(name, users[_CONTROLLER])
    run = partial(_keep, name, place.directory(name), config, listener, _number(users[_CONTROLLER]))
    return Part(f"keeper of {name}", users[name], listener, run)


def _number(user: int | None) -> int:
    """Who a process is whose user is None."""
    return os.geteuid() if user is None else user


def _keep(name: str, own: Path, config: ControllerConfig, listener: socket.socket, user: int) -> None:
    key = FileKeyStore(own).handle(KeyId(name))
    serve(Keeper(name, key, rule_of(name, config, own), utc=SystemClock().utc), listener, user=user)


def _ruled(name: str, config: ControllerConfig, own: Path) -> RuledKey:
    key = FileKeyStore(own).handle(KeyId(name))
    return RuledKey(key, rule_of(name, config, own), utc=SystemClock().utc)


def rule_of(name: str, config: ControllerConfig, own: Path) -> Rule:
    """What a key of the domain may be put to; `own` is where its keeper remembers things.

    Raises:
        ConfigError: what it remembers is damaged.
    """
    domain, subject = config.domain.name, {Claim.ISS, Claim.SUB, Claim.EXP, Claim.IAT, Claim.CTI, Claim.CNF}
    access = frozenset({Claim.AUD, Claim.SCOPE})
    longest = max(profile.token_lifetime for profile in PROFILES.values())
    match name:
        case "domain":
            return HandshakeRule()
        case "identity":
            return TokenRule(domain, frozenset(subject), access, timedelta(days=config.join.credential_days))
        case "access":
            return TokenRule(domain, access | subject, frozenset({Claim.ZONES, Claim.DEVICE_CLASSES}), longest)
        case "groups":
            return GroupRule()
        case "ledger":
            path = own / _SIGNED
            return LedgerRule(domain, _signed(path), keep=lambda *signed: write_whole(path, codec.encode([*signed])))
    raise ConfigError(f"no rule for the key {name}")


def _signed(path: Path) -> tuple[int, bytes]:
    match codec.decode(path.read_bytes()) if path.exists() else [0, b""]:
        case [int(size), bytes(root)]:
            return size, root
    raise ConfigError(f"{path} does not say what was signed")


def _network(
    directory: DomainDirectory, place: KeeperPlace, config: ControllerConfig, users: Mapping[str, int | None]
) -> Part:
    """The network plane: it reads what strangers wrote; the right to change the kernel's rules is the enforcer's."""
    name = PlaneName.NETWORK
    listener = place.listen(name, users[_CONTROLLER])
    # Before it has a user of its own, for it reads files of the owner's, and of whoever installed it.
    files = fetcher(config.network, root=directory.root)
    if users[name] is not None:
        PublicSuffixes().read()

    def run() -> None:
        enforced = config.network.enforcement != "dry_run"
        keeper = RemoteEnforcement(place.door(_ENFORCER)) if enforced else DryRun("the configuration says so")
        make = partial(
            network_host,
            config=config,
            keeper=keeper,
            files=files,
            resolve=resolver(config.network),
            mac_of=NeighbourTable(config.network.interfaces).mac_of,
            clock=SystemClock(),
        )
        host(place.directory(name), make, listener, user=_number(users[_CONTROLLER]))

    return Part(f"{name} plane", users[name], listener, run)


def _identity(place: KeeperPlace, config: ControllerConfig, users: Mapping[str, int | None]) -> Part:
    """The identity plane, which has its key: no bytes are signed by it but those of a credential that it makes."""
    name = PlaneName.IDENTITY
    listener, own = place.listen(name, users[_CONTROLLER]), place.directory(name)

    def run() -> None:
        key = _ruled(name, config, own)
        make = partial(identity_host, key=key, config=config, clock=SystemClock(), random_bytes=secrets.token_bytes)
        host(own, make, listener, user=_number(users[_CONTROLLER]))

    return Part(f"{name} plane", users[name], listener, run)


def _access(
    directory: DomainDirectory, place: KeeperPlace, config: ControllerConfig, users: Mapping[str, int | None]
) -> Part:
    """The access plane, which has its key: no bytes are signed by it but those of tokens that it makes."""
    name = PlaneName.ACCESS
    listener, own = place.listen(name, users[_CONTROLLER]), place.directory(name)
    validity = PROFILES[parse_policy(directory.policy_text()).join.profile].token_lifetime
    holder = directory.public("domain")

    def run() -> None:
        key = _ruled(name, config, own)
        issuing = Issuing(config.domain.name, key, SystemClock(), secrets.token_bytes)
        make = partial(access_host, issuing=issuing, holder=holder, validity=validity)
        host(own, make, listener, user=_number(users[_CONTROLLER]))

    return Part(f"{name} plane", users[name], listener, run)


def _groups(
    directory: DomainDirectory, place: KeeperPlace, config: ControllerConfig, users: Mapping[str, int | None]
) -> Part:
    """The groups plane, which has its key: what the controller can have signed is a message of a member, no more."""
    name = PlaneName.GROUPS
    listener, own = place.listen(name, users[_CONTROLLER]), place.directory(name)
    settings = group_settings(config, parse_policy(directory.policy_text()))

    def run() -> None:
        clock, key = SystemClock(), FileKeyStore(own).handle(KeyId(name))
        make = partial(
            groups_host,
            key=RuledKey(key, GroupRule(), utc=clock.utc),
            member=RuledKey(key, GroupRule(proves=False), utc=clock.utc),
            settings=settings,
            clock=clock,
            random_bytes=secrets.token_bytes,
        )
        host(own, make, listener, user=_number(users[_CONTROLLER]))

    return Part(f"{name} plane", users[name], listener, run)


def _software(place: KeeperPlace, users: Mapping[str, int | None]) -> Part:
    """The software plane: it reads envelopes of makers, images, and reports of things."""
    name = PlaneName.SOFTWARE
    listener = place.listen(name, users[_CONTROLLER])

    def run() -> None:
        make = partial(software_host, scan=image_scan(), clock=SystemClock())
        host(place.directory(name), make, listener, user=_number(users[_CONTROLLER]))

    return Part(f"{name} plane", users[name], listener, run)


def _data(directory: DomainDirectory, place: KeeperPlace, users: Mapping[str, int | None]) -> Part:
    """The data plane: what is personal is readable by its user."""
    name = PlaneName.DATA
    listener = place.listen(name, users[_CONTROLLER])
    make = partial(data_host, purposes=parse_policy(directory.policy_text()).purposes, clock=SystemClock())
    run = partial(host, place.directory(name), make, listener, user=_number(users[_CONTROLLER]))
    return Part(f"{name} plane", users[name], listener, run)


def _rights(config: ControllerConfig) -> list[int]:
    """What the controller's process keeps of root's, and only where a setting needs it."""
    served = [config.coap.port, config.ddi.served_port, config.names.port if config.names.enabled else None]
    needed = {
        CAP_NET_BIND_SERVICE: any(port is not None and 0 < port < _UNPRIVILEGED for port in served),
        CAP_NET_RAW: bool(config.watch.interfaces),
    }
    return [right for right, is_needed in needed.items() if is_needed]


def _enforcer(place: KeeperPlace, config: ControllerConfig, users: Mapping[str, int | None]) -> Part:
    listener = place.listen(_ENFORCER, users[PlaneName.NETWORK])

    def run() -> None:
        rules = enforcement(config.network, coap_port=config.coap.port, ddi_port=config.ddi.served_port)
        serve(Enforcer(rules), listener, user=_number(users[PlaneName.NETWORK]))

    return Part(_ENFORCER, users[_ENFORCER], listener, run, capabilities=(CAP_NET_ADMIN,), is_replaceable=False)
