"""Who signs a maker's releases next: steps from one set of update keys to another, each signed by who signed before.

::

    steady --introduce--> overlap --retire--> steady          the incoming keys alone
                             |
                             `-----return---> steady          the outgoing keys alone

An introduction is signed under the policy of the present keys and under that of the incoming ones, so that who cannot
verify the incoming ones never comes to depend on them. In overlap a release has to satisfy both. The present keys alone
take an introduction back; both together retire the present ones. Steps are numbered and each names, by digest, what it
follows: whoever slept through some walks all of them, and none is walked twice (compare the root of TUF §5.3).

A step is ``[payload, [COSE_Sign1, ...]]``, detached, over ``[format, kind, number, digest, seconds since 1970, keys,
policy]``; only an introduction has keys. Domain and thing walk by the same functions here.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import InitVar, dataclass
from datetime import UTC, datetime, timedelta
from enum import IntEnum
from typing import Any

from thingstead.crypto.digest import digest
from thingstead.crypto.key import PrivateKey
from thingstead.errors import DecodeError, PolicyError, StateError, UntrustedError
from thingstead.protocols.cbor import codec
from thingstead.protocols.cose import key as cose_key
from thingstead.protocols.cose import sign1
from thingstead.protocols.cose.header import Label
from thingstead.protocols.profile import key_set, release
from thingstead.protocols.profile.key_set import KeySet
from thingstead.protocols.suit import authentication

__all__ = [
    "StepKind",
    "UpdateKeys",
    "begin",
    "decode_state",
    "encode_state",
    "follow",
    "introduce",
    "kind_of",
    "retire",
    "sign",
    "take_back",
    "walk",
]

_FORMAT = 1
_MAX_STEPS = 16
"""Of one maker; after so many its next anchor begins anew."""
_CONTEXT = b"thingstead update keys 1"
"""Covered by each signature and not carried: no signature of a release can pass for one of a step."""
_LIMITS = codec.Limits(max_bytes=1 << 18, max_depth=6)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MAX_SECONDS = 1 << 37
_MAX_BLOCKS = 2 * key_set.MAX_KEYS
_SEAL = object()


class StepKind(IntEnum):
    """What a step does."""

    INTRODUCE = 1
    RETIRE = 2
    RETURN = 3


@dataclass(frozen=True, slots=True)
class UpdateKeys:
    """Which keys sign a maker's releases now; made by this module alone, of what somebody trusts already.

    Attributes:
        number: steps up to here.
        current: keys that signed before.
        incoming: keys that must sign as well, in overlap; None while there are none.
    """

    number: int
    current: KeySet
    incoming: KeySet | None
    seal: InitVar[object]

    def __post_init__(self, seal: object) -> None:
        if seal is not _SEAL:
            raise TypeError("UpdateKeys are made by succession.begin and succession.follow")

    @property
    def effective(self) -> KeySet:
        """What a release has to satisfy."""
        return self.current if self.incoming is None else key_set.both(self.current, self.incoming)

    @property
    def digest(self) -> bytes:
        """SHA-256; what the next step follows, and what a thing says where it stands."""
        return digest(encode_state(self))


@dataclass(frozen=True, slots=True)
class _Step:
    kind: StepKind
    number: int
    follows: bytes
    at: datetime
    keys: KeySet | None
    payload: bytes
    blocks: tuple[bytes, ...]


def begin(keys: KeySet, number: int = 0) -> UpdateKeys:
    """Where somebody starts who trusts these keys already: a thing at its birth, an owner by the maker's file."""
    return UpdateKeys(number, keys, None, _SEAL)


def introduce(state: UpdateKeys, incoming: KeySet, signers: Iterable[PrivateKey], *, at: datetime) -> bytes:
    """Sign that other keys sign as well from now on.

    Args:
        state: which keys sign now.
        incoming: the others.
        signers: keys of both, as many as the policies of both ask for; people elsewhere add theirs by `sign`.
        at: now.

    Raises:
        StateError: an introduction before is neither followed by a retirement nor taken back, or nothing would change.
        PolicyError: more keys together than a maker may have.
    """
    if state.incoming is not None:
        raise StateError("keys were introduced before: retire the old ones, or take it back", reason="overlap")
    if state.current == incoming:
        raise StateError("these keys sign already", reason="same-keys")
    key_set.both(state.current, incoming)
    return _signed(_payload(StepKind.INTRODUCE, state, at, incoming), signers)


def retire(state: UpdateKeys, signers: Iterable[PrivateKey], *, at: datetime) -> bytes:
    """Sign that the keys that were introduced are the only ones from now on; arguments and errors as `introduce`."""
    _require_overlap(state)
    return _signed(_payload(StepKind.RETIRE, state, at, None), signers)


def take_back(state: UpdateKeys, signers: Iterable[PrivateKey], *, at: datetime) -> bytes:
    """Sign that the keys that were introduced count no more; the old ones alone say so. As `retire`."""
    _require_overlap(state)
    return _signed(_payload(StepKind.RETURN, state, at, None), signers)


def sign(encoded: bytes, signers: Iterable[PrivateKey]) -> bytes:
    """Add signatures to a step, of keys that somebody else has in hand.

    Raises:
        DecodeError: it is none.
    """
    step = _decode(encoded)
    (_, added) = codec.decode(_signed(step.payload, signers), limits=_LIMITS)
    return codec.encode([step.payload, [*step.blocks, *added]])


def follow(state: UpdateKeys, encoded: bytes) -> UpdateKeys:
    """Walk one step.

    Raises:
        DecodeError: it is none.
        UnsupportedError: keys of a type that releases are not signed with.
        StateError: it does not come here: an introduction in overlap, or an end of none.
        UntrustedError: it follows something else ("succession"), or too few of those who must have signed ("signers").
        AuthenticationError: a signature of theirs does not verify.
    """
    step = _decode(encoded)
    if (step.number, step.follows) != (state.number + 1, state.digest):
        raise UntrustedError("a step of update keys does not follow from where this is", reason="succession")
    return _STEPS[step.kind](state, step)


def walk(first: UpdateKeys, steps: Sequence[bytes]) -> UpdateKeys:
    """Walk all of them.

    Raises:
        DecodeError: too many of them, or as for `follow`; its other errors too.
    """
    if len(steps) > _MAX_STEPS:
        raise DecodeError(f"expected at most {_MAX_STEPS} steps of update keys, got {len(steps)}")
    state = first
    for step in steps:
        state = follow(state, step)
    return state


def kind_of(encoded: bytes) -> tuple[StepKind, datetime]:
    """What a step does, and when its maker says it was signed; nothing is verified.

    Raises:
        DecodeError: it is none.
    """
    step = _decode(encoded)
    return step.kind, step.at


def encode_state(state: UpdateKeys) -> bytes:
    """For a thing's home; nothing in it is secret."""
    incoming = None if state.incoming is None else _keys_to_list(state.incoming)
    return codec.encode([_FORMAT, state.number, _keys_to_list(state.current), incoming])


def decode_state(data: bytes) -> UpdateKeys:
    """Read back what `encode_state` wrote, where only who is trusted can have put it.

    Raises:
        DecodeError: damaged.
    """
    match codec.decode(data, limits=_LIMITS):
        case [int(version), int(number), list(current), list() | None as incoming] if (
            version == _FORMAT and number >= 0
        ):
            further = None if incoming is None else _keys_from_list(incoming)
            return UpdateKeys(number, _keys_from_list(current), further, _SEAL)
        case _:
            raise DecodeError(f"expected update keys of format {_FORMAT}")


def _introduced(state: UpdateKeys, step: _Step) -> UpdateKeys:
    if state.incoming is not None or step.keys is None:
        raise StateError("keys are introduced where none are, and with the keys", reason="overlap")
    _require_signed(step, state.current)
    _require_signed(step, step.keys)
    try:
        key_set.both(state.current, step.keys)
    except PolicyError as error:
        raise DecodeError(str(error), reason=error.reason) from error
    return UpdateKeys(step.number, state.current, step.keys, _SEAL)


def _retired(state: UpdateKeys, step: _Step) -> UpdateKeys:
    incoming = _require_overlap(state)
    _require_signed(step, state.current)
    _require_signed(step, incoming)
    return UpdateKeys(step.number, incoming, None, _SEAL)


def _returned(state: UpdateKeys, step: _Step) -> UpdateKeys:
    _require_overlap(state)
    _require_signed(step, state.current)
    return UpdateKeys(step.number, state.current, None, _SEAL)


_STEPS = {StepKind.INTRODUCE: _introduced, StepKind.RETIRE: _retired, StepKind.RETURN: _returned}


def _require_overlap(state: UpdateKeys) -> KeySet:
    if state.incoming is None:
        raise StateError("no keys were introduced that could stay or go", reason="overlap")
    return state.incoming


def _require_signed(step: _Step, keys: KeySet) -> None:
    by_kid, policy = release.authentication(keys.keys, keys.signing)
    authentication.count(step.blocks, step.payload, by_kid, policy, context=_CONTEXT).require()


def _payload(kind: StepKind, state: UpdateKeys, at: datetime, keys: KeySet | None) -> bytes:
    seconds = (at - _EPOCH) // timedelta(seconds=1)
    named = [None, None] if keys is None else _keys_to_list(keys)
    return codec.encode([_FORMAT, int(kind), state.number + 1, state.digest, seconds, *named])


def _signed(payload: bytes, signers: Iterable[PrivateKey]) -> bytes:
    blocks = []
    for key in signers:
        one = release.signer(key.public)
        protected = {Label.KID.value: one.kid}
        blocks.append(
            sign1.sign(
                payload,
                key,
                signature_id=one.signature_id,
                protected=protected,
                external_aad=_CONTEXT,
                detached=True,
            )
        )
    return codec.encode([payload, blocks])


def _keys_to_list(keys: KeySet) -> list[Any]:
    return [[cose_key.public_map(key) for key in keys.keys], key_set.to_list(keys.signing)]


def _keys_from_list(value: list[Any]) -> KeySet:
    match value:
        case [list(keys), list(signing)] if all(isinstance(one, dict) for one in keys):
            return key_set.from_list(signing, [cose_key.from_map(one).require_public() for one in keys])
        case _:
            raise DecodeError("expected keys and a policy of signatures")


def _decode(encoded: bytes) -> _Step:
    match codec.decode_deterministic(encoded, limits=_LIMITS):
        case [bytes(payload), list(blocks)] if 0 < len(blocks) <= _MAX_BLOCKS and all(
            isinstance(one, bytes) for one in blocks
        ):
            pass
        case _:
            raise DecodeError("expected a step of update keys: what was signed, and signatures")
    match codec.decode_deterministic(payload, limits=_LIMITS):
        case [int(version), int(kind), int(number), bytes(follows), int(seconds), keys, signing] if (
            version == _FORMAT and kind in set(StepKind) and number > 0 and 0 <= seconds < _MAX_SECONDS
        ):
            named = None if keys is None else _keys_from_list([keys, signing])
            at = _EPOCH + timedelta(seconds=seconds)
            return _Step(StepKind(kind), number, follows, at, named, payload, tuple(blocks))
        case _:
            raise DecodeError(f"expected a step of update keys of format {_FORMAT}")
