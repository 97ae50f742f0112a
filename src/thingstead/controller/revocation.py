"""What was taken away, as a file for a second place: whoever begins the domain again must know it (ADR 0018).

A backup knows nothing of what was decided after it. This file does: it is written before a revocation counts, and
signed with the ledger's key.
"""

from __future__ import annotations

from dataclasses import InitVar, dataclass

from thingstead.crypto.algorithm import AlgorithmId
from thingstead.crypto.key import PrivateKey, PublicKey
from thingstead.domain import thing as thing_record
from thingstead.domain.lifecycle import LifecycleState, Restriction
from thingstead.domain.thing import Thing
from thingstead.errors import DecodeError
from thingstead.protocols.cbor import codec
from thingstead.protocols.cose import sign1
from thingstead.protocols.cose.header import Label

__all__ = ["AuthenticRevocations", "Revocations", "authenticate", "is_revoked", "sign"]

_TYPE = "application/vnd.thingstead.revocations+cbor"
_FORMAT = 2
_LIMITS = codec.Limits(max_bytes=1 << 28)
_ACCEPT = frozenset({int(AlgorithmId.ESP256)})
_GONE = frozenset({LifecycleState.DECOMMISSIONED, LifecycleState.RE_OWNED})
_SEAL = object()


@dataclass(frozen=True, slots=True)
class Revocations:
    """What a domain has taken away.

    Attributes:
        domain: its name.
        epoch: 1 for a new domain; each restore adds one.
        entries: the ledger had at least so many when this was written.
        decided: entries up to the last decision that takes something away and is not about one thing: a rule, a
            maker, a member of a group, data. What a backup lacks of them, a person has to remember.
        things: each thing that has left or is held back, as its record stood.
        delegations: names of delegations to installers that were ended before their time; of very many the newest.
    """

    domain: str
    epoch: int
    entries: int
    decided: int
    things: tuple[Thing, ...]
    delegations: tuple[bytes, ...] = ()


@dataclass(frozen=True, slots=True)
class AuthenticRevocations:
    """Revocations whose signature verified; made by `authenticate` and by nothing else."""

    revocations: Revocations
    seal: InitVar[object]

    def __post_init__(self, seal: object) -> None:
        if seal is not _SEAL:
            raise TypeError("AuthenticRevocations are made by revocation.authenticate")


def is_revoked(thing: Thing) -> bool:
    """Whether something was taken from the thing that a restore must not give back."""
    return thing.state in _GONE or thing.restriction is not Restriction.NONE


def sign(revocations: Revocations, key: PrivateKey) -> bytes:
    """The file; `typ` keeps it apart from heads and backups, which the same key signs (RFC 9596)."""
    payload = codec.encode(
        [
            _FORMAT,
            revocations.domain,
            revocations.epoch,
            revocations.entries,
            revocations.decided,
            [thing_record.encode(one) for one in revocations.things],
            list(revocations.delegations),
        ]
    )
    return sign1.sign(payload, key, signature_id=AlgorithmId.ESP256, protected={Label.TYP: _TYPE})


def authenticate(data: bytes, public: PublicKey, *, domain: str) -> AuthenticRevocations:
    """Verify under the ledger's key of the domain that it should be of.

    Raises:
        DecodeError: not such a file, or of another domain.
        AuthenticationError: another key signed it, or somebody changed it since.
    """
    message = sign1.decode(data, limits=_LIMITS)
    if message.headers.protected.get(Label.TYP) != _TYPE:
        raise DecodeError("expected the revocations that a domain keeps in a second place")
    match codec.decode(sign1.authenticate(message, public, accept=_ACCEPT).payload, limits=_LIMITS):
        case [int(version), str(named), int(epoch), int(entries), int(decided), list(things), *others] if (
            (version, len(others)) in _FORMS and named == domain and all(isinstance(one, bytes) for one in things)
        ):
            records = tuple([thing_record.decode(one) for one in things])
            ended = tuple([_name(one) for one in _list(others[0])]) if others else ()
            return AuthenticRevocations(Revocations(named, epoch, entries, decided, records, ended), _SEAL)
        case _:
            raise DecodeError(f"expected revocations of {domain} in format {_FORMAT}")


_FORMS = frozenset({(1, 0), (_FORMAT, 1)})
"""The form before knew no delegations."""


def _name(value: object) -> bytes:
    if not isinstance(value, bytes):
        raise DecodeError("expected the name of a delegation in bytes")
    return value


def _list(value: object) -> list[object]:
    if not isinstance(value, list):
        raise DecodeError("expected a list of delegations")
    return value
