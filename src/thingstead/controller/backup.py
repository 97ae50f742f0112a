"""A backup as a file: what a domain begins again from, signed by its ledger's key.

No private key and no OSCORE association is in it. Keys do not change while a domain lives, so they are kept once and
apart; an association that came back from a file would use its nonces again.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import InitVar, dataclass
from datetime import datetime
from typing import Any

from thingstead.crypto.algorithm import AlgorithmId
from thingstead.crypto.digest import digest
from thingstead.crypto.key import PrivateKey, PublicKey
from thingstead.domain import anchor as anchor_file
from thingstead.domain import thing as thing_record
from thingstead.domain.anchor import TrustAnchor
from thingstead.domain.instant import instant, microseconds
from thingstead.domain.plane import PlaneName
from thingstead.domain.thing import Thing
from thingstead.errors import AuthenticationError, DecodeError, UnsupportedError
from thingstead.protocols.cbor import codec
from thingstead.protocols.cose import sign1
from thingstead.protocols.cose.header import Label

__all__ = ["MAX_BYTES", "AuthenticBackup", "Backup", "authenticate", "sign"]

MAX_BYTES = 1 << 30
"""More than this is not read."""

_TYPE = "application/vnd.thingstead.backup+cbor"
_FORMAT = 3
_LIMITS = codec.Limits(max_bytes=MAX_BYTES)
_ACCEPT = frozenset({int(AlgorithmId.ESP256)})
_SEAL = object()


@dataclass(frozen=True, slots=True)
class Backup:
    """A domain at one instant.

    Attributes:
        domain: its name.
        at: when.
        settings: TOML, as the owner wrote it.
        policy: TOML, as the owner wrote it.
        anchors: the makers that were trusted.
        keys: name -> thumbprint (RFC 9679) of each key of the domain, none of which is in here.
        things: the record of each.
        planes: what each plane says must be kept.
        leaves: the ledger from its beginning.
        operators: who might ask beside the owner, as the owner wrote it.
        delegations: of approvals to installers, as they were signed.
    """

    domain: str
    at: datetime
    settings: str
    policy: str
    anchors: tuple[TrustAnchor, ...]
    keys: Mapping[str, bytes]
    things: tuple[Thing, ...]
    planes: Mapping[PlaneName, Mapping[str, bytes]]
    leaves: tuple[bytes, ...]
    operators: str = ""
    delegations: tuple[bytes, ...] = ()


@dataclass(frozen=True, slots=True)
class AuthenticBackup:
    """A backup whose signature verified; made by `authenticate` and by nothing else.

    Attributes:
        backup: what it says.
        digest: SHA-256 of the file, its name on the ledger.
        signer: the ledger's key at that time.
    """

    backup: Backup
    digest: bytes
    signer: PublicKey
    seal: InitVar[object]

    def __post_init__(self, seal: object) -> None:
        if seal is not _SEAL:
            raise TypeError("an AuthenticBackup is made by backup.authenticate")


def sign(backup: Backup, key: PrivateKey) -> bytes:
    """The file, signed with the ledger's key; `typ` keeps it apart from the heads that this key signs (RFC 9596)."""
    payload = codec.encode(
        [
            _FORMAT,
            backup.domain,
            microseconds(backup.at),
            backup.settings,
            backup.policy,
            [anchor_file.encode(one) for one in backup.anchors],
            dict(backup.keys),
            [thing_record.encode(one) for one in backup.things],
            {plane.value: dict(documents) for plane, documents in backup.planes.items()},
            list(backup.leaves),
            backup.operators,
            list(backup.delegations),
        ]
    )
    return sign1.sign(payload, key, signature_id=AlgorithmId.ESP256, protected={Label.TYP: _TYPE})


def authenticate(data: bytes, public: PublicKey) -> AuthenticBackup:
    """Verify a backup under the ledger's key of the domain that it should be of.

    Raises:
        DecodeError: not a backup, or a damaged one.
        AuthenticationError: another key signed it, or somebody changed it since.
        UnsupportedError: a newer version of ours wrote it.
    """
    message = sign1.decode(data, limits=_LIMITS)
    if message.headers.protected.get(Label.TYP) != _TYPE:
        raise DecodeError("expected a backup that `thingstead backup` wrote")
    try:
        payload = sign1.authenticate(message, public, accept=_ACCEPT).payload
    except AuthenticationError as error:
        raise AuthenticationError("the backup is of another domain than these keys are, or it was changed") from error
    return AuthenticBackup(_decode(payload), digest(data), public, _SEAL)


def _decode(payload: bytes) -> Backup:
    match codec.decode(payload, limits=_LIMITS):
        case [
            int(version),
            str(domain),
            int(at),
            str(settings),
            str(policy),
            list(anchors),
            dict(keys),
            list(things),
            dict(planes),
            list(leaves),
            str(operators),
            list(delegations),
        ] if version == _FORMAT:
            return Backup(
                domain,
                instant(at),
                settings,
                policy,
                tuple([anchor_file.decode(_bytes(one)) for one in anchors]),
                _documents(keys),
                tuple([thing_record.decode(_bytes(one)) for one in things]),
                {plane: _documents(planes.get(plane.value, {})) for plane in PlaneName},
                tuple([_bytes(one) for one in leaves]),
                operators,
                tuple([_bytes(one) for one in delegations]),
            )
        case [int(version), *_] if version > _FORMAT:
            raise UnsupportedError(f"the backup has format {version}, written by a newer version; we read {_FORMAT}")
        case _:
            raise DecodeError(f"expected a backup of format {_FORMAT}")


def _documents(value: Any) -> dict[str, bytes]:
    if not isinstance(value, dict) or not all(isinstance(key, str) for key in value):
        raise DecodeError("expected documents by name in a backup")
    return {key: _bytes(document) for key, document in value.items()}


def _bytes(value: Any) -> bytes:
    if not isinstance(value, bytes):
        raise DecodeError(f"expected bytes in a backup, got {type(value).__name__}")
    return value
