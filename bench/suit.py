"""What a thing does with an envelope before it fetches anything, beside the bare signatures: no protocol around them.

The dry run answers every effect at once: an image that is there, and that matches.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, mldsa

from bench.alternate import alternate
from bench.figure import Figure
from thingstead.crypto.key import KeyType, generate
from thingstead.phases.maintain import make_release, sign_release
from thingstead.protocols.profile import release as profile
from thingstead.protocols.suit import authentication, envelope
from thingstead.protocols.suit.authentication import Anchors, AuthenticationPolicy
from thingstead.protocols.suit.effect import CheckImageMatch
from thingstead.protocols.suit.identifier import class_identifier, vendor_identifier
from thingstead.protocols.suit.manifest import Manifest, open_manifest
from thingstead.protocols.suit.processor import Processor
from thingstead.protocols.suit.step import Recipient

__all__ = ["figures"]

_ROUNDS = 1_000
_AT = datetime(2026, 11, 23, tzinfo=UTC)
_VENDOR = vendor_identifier("maker.example")
_CLASS = class_identifier(_VENDOR, "lamp")
_THING = Recipient(
    vendor_ids=frozenset({_VENDOR}),
    class_ids=frozenset({_CLASS}),
    components=frozenset({profile.FIRMWARE}),
    installed_sequence=1,
)
_KEYS = {"ESP256": (KeyType.P256,), "ESP256 and ML-DSA-44": (KeyType.P256, KeyType.ML_DSA_44)}


def figures() -> Iterator[Figure]:
    """Microseconds of all of it and of its parts, for a release under one signature and under two; bytes."""
    for name, types in _KEYS.items():
        yield from _of(name, types)


def _of(name: str, types: Sequence[KeyType]) -> Iterator[Figure]:
    keys = [generate(one) for one in types]
    unsigned = make_release(bytes(1024), vendor_id=_VENDOR, class_id=_CLASS, sequence_number=2, version="2.0.0")
    encoded = envelope.encode(sign_release(unsigned, keys))
    anchors, policy = profile.authentication([key.public for key in keys])
    opened = envelope.decode(encoded)
    manifest = _open(encoded, anchors, policy)
    found = alternate(
        {
            "all": lambda: _dry_run(_open(encoded, anchors, policy)),
            "bare": _bare(types, opened.signed),
            "parse": lambda: envelope.decode(encoded),
            "authenticate": lambda: authentication.authenticate(opened, anchors, policy),
            "run": lambda: _dry_run(manifest),
        },
        rounds=_ROUNDS,
    )
    bare = found["bare"]
    yield Figure(f"{name}: parse, authenticate, dry run", "us", found["all"], bare, "the signatures, cryptography")
    yield Figure(f"{name}: parse the envelope", "us", found["parse"])
    yield Figure(f"{name}: authenticate", "us", found["authenticate"], bare, "the signatures, cryptography")
    yield Figure(f"{name}: dry run of an open manifest", "us", found["run"])
    yield Figure(f"{name}: the envelope", "bytes", float(len(encoded)))


def _open(encoded: bytes, anchors: Anchors, policy: AuthenticationPolicy) -> Manifest:
    return open_manifest(authentication.authenticate(envelope.decode(encoded), anchors, policy))


def _dry_run(manifest: Manifest) -> None:
    steps = Processor(manifest, _THING, at=_AT).update()
    answer = None
    while True:
        try:
            effect = steps.send(answer)
        except StopIteration:
            return
        answer = True if isinstance(effect, CheckImageMatch) else None


def _bare(types: Sequence[KeyType], data: bytes) -> Callable[[], object]:
    """The same algorithms over as many bytes, and nothing else."""
    checks = [_CHECKS[one](data) for one in types]

    def run() -> None:
        for check in checks:
            check()

    return run


def _ecdsa(data: bytes) -> Callable[[], None]:
    key, algorithm = ec.generate_private_key(ec.SECP256R1()), ec.ECDSA(hashes.SHA256())
    public, signature = key.public_key(), key.sign(data, algorithm)
    return lambda: public.verify(signature, data, algorithm)


def _ml_dsa(data: bytes) -> Callable[[], None]:
    key = mldsa.MLDSA44PrivateKey.generate()
    public, signature = key.public_key(), key.sign(data)
    return lambda: public.verify(signature, data)


_CHECKS = {KeyType.P256: _ecdsa, KeyType.ML_DSA_44: _ml_dsa}
