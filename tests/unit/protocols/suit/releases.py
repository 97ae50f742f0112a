"""Releases, signers and a thing in memory that the SUIT tests share."""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from thingstead.crypto.algorithm import AlgorithmId
from thingstead.crypto.key import KeyType, private_key
from thingstead.errors import StorageError, TransportError
from thingstead.protocols.cbor import codec
from thingstead.protocols.suit import authentication, builder, effect, manifest
from thingstead.protocols.suit.authentication import AuthenticationPolicy, Signer
from thingstead.protocols.suit.builder import Release
from thingstead.protocols.suit.digest import digest_of, digest_of_member
from thingstead.protocols.suit.envelope import Envelope
from thingstead.protocols.suit.identifier import class_identifier, vendor_identifier
from thingstead.protocols.suit.manifest import ComponentId
from thingstead.protocols.suit.processor import Processor
from thingstead.protocols.suit.step import DEFAULT_LIMITS, Recipient
from thingstead.secret import Secret

AT = datetime(2026, 11, 23, tzinfo=UTC)
CLASSIC = private_key(KeyType.P256, Secret(bytes(31) + b"\x07"))
QUANTUM = private_key(KeyType.ML_DSA_44, Secret(bytes(31) + b"\x08"))
STRANGER = private_key(KeyType.P256, Secret(bytes(31) + b"\x09"))
CLASSIC_SIGNER = Signer(b"release-2026", AlgorithmId.ESP256)
QUANTUM_SIGNER = Signer(b"release-pq", AlgorithmId.ML_DSA_44)
BOTH = ((CLASSIC_SIGNER, CLASSIC), (QUANTUM_SIGNER, QUANTUM))
ANCHORS = {CLASSIC_SIGNER.kid: CLASSIC.public, QUANTUM_SIGNER.kid: QUANTUM.public}
POLICY = AuthenticationPolicy((CLASSIC_SIGNER, QUANTUM_SIGNER))

FIRMWARE = (b"firmware",)
SCRATCH = (b"scratch",)
VENDOR = vendor_identifier("lamps.example")
CLASS = class_identifier(VENDOR, "lamp-1")
OLD, NEW = b"image 1.0.0", b"image 1.1.0 with a longer tail"
URI = "coap://domain.example/sw/lamp-1/1.1.0"
RELEASE = Release(FIRMWARE, VENDOR, CLASS, 7, "1.1.0", digest_of(NEW), len(NEW), URI)
THING = Recipient(frozenset({VENDOR}), frozenset({CLASS}), frozenset({FIRMWARE, SCRATCH}), 6)


def authentic(envelope):
    return authentication.authenticate(envelope, ANCHORS, POLICY)


def signed(release=RELEASE):
    return builder.sign(builder.build(release), BOTH)


def custom(*, shared=None, components=(FIRMWARE,), sequence_number=7, others=None, **sections):
    """An authentic manifest with the command sequences given as lists: install=[...], validate=[...]."""
    names = {"resolve": 15, "fetch": 16, "verify": 18, "install": 20, "validate": 7, "load": 8, "invoke": 9}
    names["uninstall"] = 24
    common: dict[int, Any] = {2: [list(component) for component in components]}
    if shared is None:
        shared = [20, {1: VENDOR, 2: CLASS, 3: digest_of(NEW).encode(), 14: len(NEW)}, 1, 15, 2, 15]
        shared = [12, 0, *shared] if len(components) > 1 else shared
    common[4] = codec.encode(shared)
    members = {1: 1, 2: sequence_number, 3: codec.encode(common)}
    members |= {names[name]: codec.encode(sequence) for name, sequence in sections.items()} | (others or {})
    encoded = codec.encode(members)
    digest = digest_of_member(encoded)
    envelope = Envelope(digest, digest.encode(), (), encoded)
    return manifest.open_manifest(authentic(builder.sign(envelope, BOTH)))


def processor(subject=None, *, thing=THING, at=AT, limits=DEFAULT_LIMITS, domains=()):
    subject = subject or manifest.open_manifest(authentic(signed()))
    return Processor(subject, thing, at=at, limits=limits, domains=domains)


class PowerCutError(Exception):
    """Everything that was not on disk is gone."""


@dataclass
class Machine:
    """A thing with two slots per component: executes effects on a dictionary, for tests and dry runs alike.

    `cut_after` counts effects: the power goes right after that one.
    """

    served: dict[str, bytes] = field(default_factory=lambda: {URI: NEW})
    active: dict[ComponentId, bytes] = field(default_factory=lambda: {FIRMWARE: OLD, SCRATCH: b""})
    sequence: int = 6
    slot: int = 1
    cut_after: int | None = None
    candidates: dict[ComponentId, bytes] = field(default_factory=dict)
    effects: list[effect.Effect] = field(default_factory=list)

    def run(self, steps):
        answer = None
        try:
            while True:
                asked = steps.send(answer)
                try:
                    answer = self.execute(asked)
                except (StorageError, TransportError) as error:
                    steps.throw(error)
                self.effects.append(asked)
                if len(self.effects) == self.cut_after:
                    raise PowerCutError
        except StopIteration:
            return self.effects

    def execute(self, asked):
        match asked:
            case effect.Fetch():
                if asked.uri not in self.served:
                    raise TransportError("no such image")
                self.candidates[asked.component] = self.served[asked.uri][: asked.size]
            case effect.Write():
                self.candidates[asked.component] = asked.content
            case effect.CopyComponent():
                self.candidates[asked.component] = self.read(asked.source)
            case effect.Swap():
                pair = self.read(asked.source), self.read(asked.component)
                self.candidates[asked.component], self.candidates[asked.source] = pair
            case effect.CheckImageMatch():
                image = self.read(asked.component)
                return digest_of(image) == asked.digest and asked.size in {None, len(image)}
            case effect.CheckContent():
                return self.read(asked.component) == asked.content
            case effect.CheckSlot():
                return asked.slot == self.slot
            case effect.SetActive():
                self.active |= {component: self.candidates[component] for component in asked.components}
                self.sequence = asked.sequence_number
        return None

    def read(self, component):
        return self.candidates.get(component, self.active[component])
