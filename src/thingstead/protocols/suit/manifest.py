"""The manifest: its members, typed; and the one that may be executed (draft-ietf-suit-manifest §8.4)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import InitVar, dataclass
from types import MappingProxyType
from typing import Any

from thingstead.errors import DecodeError, UnsupportedError
from thingstead.protocols.cbor import codec
from thingstead.protocols.suit.authentication import AuthenticatedEnvelope
from thingstead.protocols.suit.command import Budget, Sequence, decode_sequence
from thingstead.protocols.suit.digest import Digest, decode_digest
from thingstead.protocols.suit.envelope import DEFAULT_LIMITS, SEVERABLE, Envelope, Limits
from thingstead.protocols.suit.registry import (
    DEPENDENCY_PREFIX,
    TRUST_DOMAINS,
    CommonKey,
    ComponentTextKey,
    ManifestKey,
    Member,
)

__all__ = ["ComponentId", "Content", "Manifest", "decode_manifest", "open_manifest"]

ComponentId = tuple[bytes, ...]

_SPEC = "draft-ietf-suit-manifest §8.4"
_VERSION = 1
_MAX_SEQUENCE_NUMBER = (1 << 64) - 1
_SEAL = object()
_SEQUENCES = frozenset(
    {
        Member.VALIDATE,
        Member.LOAD,
        Member.INVOKE,
        Member.DEPENDENCY_RESOLUTION,
        Member.PAYLOAD_FETCH,
        Member.CANDIDATE_VERIFICATION,
        Member.INSTALL,
        Member.UNINSTALL,
    }
)


@dataclass(frozen=True, slots=True)
class Content:
    """What a manifest says. Good to look at; only a `Manifest` may be executed.

    Attributes:
        sequence_number: higher is newer.
        components: what it works on, in the order of their indices.
        shared: commands that run before each sequence.
        sequences: command sequences by their member key, in-line or severed.
        missing: severed members whose body did not come along.
        reference_uri: where the full manifest is kept, or empty.
        component_id: of the manifest itself, or empty.
        texts: for people, by language, then component (empty for the manifest itself) and text key.
        dependencies: which indices are manifests that this one depends on, each with its prefix, or empty.
    """

    sequence_number: int
    components: tuple[ComponentId, ...]
    shared: Sequence
    sequences: Mapping[Member, Sequence]
    missing: frozenset[Member]
    reference_uri: str
    component_id: ComponentId
    texts: Mapping[str, Mapping[tuple[ComponentId, int], str]]
    dependencies: Mapping[int, ComponentId]

    @property
    def indexed(self) -> tuple[ComponentId, ...]:
        """What indices mean: the components, then dependencies that stand for themselves, under their prefix."""
        if not self.dependencies:
            return self.components
        beyond = sorted(index for index in self.dependencies if index >= len(self.components))
        return (*self.components, *[self.dependencies[index] for index in beyond])

    def version_of(self, component: ComponentId) -> str:
        """Version of a component for people, in whichever language comes first; empty when it says none."""
        for texts in self.texts.values():
            version = texts.get((component, ComponentTextKey.COMPONENT_VERSION))
            if version is not None:
                return version
        return ""


@dataclass(frozen=True, slots=True)
class Manifest:
    """A manifest that may be executed: authentic, then decoded; made by `open_manifest` and by nothing else.

    Attributes:
        content: what it says.
        digest: of the manifest: its identity in reports and in the ledger.
        authenticated: who signed it, and the envelope that brought it.
    """

    content: Content
    digest: Digest
    authenticated: AuthenticatedEnvelope
    seal: InitVar[object]

    def __post_init__(self, seal: object) -> None:
        if seal is not _SEAL:
            raise TypeError("a Manifest is made by manifest.open_manifest")


def open_manifest(authenticated: AuthenticatedEnvelope, *, limits: Limits = DEFAULT_LIMITS) -> Manifest:
    """Decode the manifest of an authenticated envelope, for execution.

    Raises:
        DecodeError: outside the grammar, over a limit, or a severed member that the manifest does not name.
        UnsupportedError: another version, or a member, command or parameter that no registry has.
        AuthenticationError: a severed member that is not the one digested.
    """
    envelope = authenticated.envelope
    return Manifest(decode_manifest(envelope, limits=limits), envelope.digest, authenticated, _SEAL)


def decode_manifest(envelope: Envelope, *, limits: Limits = DEFAULT_LIMITS) -> Content:
    """Decode a manifest to look at it: nobody has to have signed it, and it cannot be executed.

    Raises:
        DecodeError: as for `open_manifest`.
        UnsupportedError: as for `open_manifest`.
        AuthenticationError: as for `open_manifest`.
    """
    members = _map(codec.decode_deterministic(envelope.manifest), "a manifest")
    if members.get(ManifestKey.VERSION) != _VERSION or type(members[ManifestKey.VERSION]) is not int:
        raise UnsupportedError("expected manifest version 1", spec="draft-ietf-suit-manifest §8.4.1")
    for key in members:
        if type(key) is not int or not (key in _KEYS or key in _SEQUENCES or key in SEVERABLE):
            raise UnsupportedError(f"the manifest member {key!r:.20} is not known", spec=_SPEC)
    bodies, missing = _bodies(members, envelope)
    budget = Budget(limits)
    components, shared, dependencies = _common(members, budget, limits)
    return Content(
        sequence_number=_sequence_number(members.get(ManifestKey.SEQUENCE_NUMBER)),
        components=components,
        shared=shared,
        sequences=MappingProxyType(
            {key: decode_sequence(body, budget) for key, body in bodies.items() if key in _SEQUENCES}
        ),
        missing=missing,
        reference_uri=_text(members.get(ManifestKey.REFERENCE_URI, "")),
        component_id=_component(members[ManifestKey.COMPONENT_ID]) if ManifestKey.COMPONENT_ID in members else (),
        texts=MappingProxyType(_texts(bodies[Member.TEXT]) if Member.TEXT in bodies else {}),
        dependencies=dependencies,
    )


_KEYS = frozenset(ManifestKey)


def _bodies(members: Mapping[int, Any], envelope: Envelope) -> tuple[dict[Member, bytes], frozenset[Member]]:
    """Command sequences and texts, whether in-line or severed and compared with their digest (§8.4.12)."""
    bodies: dict[Member, bytes] = {}
    missing: set[Member] = set()
    severed = dict(envelope.severed)
    for key, value in members.items():
        if key in _KEYS:
            continue
        member = Member(key)
        if isinstance(value, bytes):
            bodies[member] = value
        elif member not in SEVERABLE:
            raise DecodeError(f"expected member {int(key)} in a byte string", spec=_SPEC)
        elif member in severed:
            body = severed.pop(member)
            decode_digest(value).verify(codec.encode(body), what=f"severed member {int(key)}", reason="severed-digest")
            bodies[member] = body
        else:
            decode_digest(value)
            missing.add(member)
    if severed:
        raise DecodeError(f"expected a digest of the severed members {sorted(severed)} in the manifest", spec=_SPEC)
    return bodies, frozenset(missing)


def _common(
    members: Mapping[int, Any], budget: Budget, limits: Limits
) -> tuple[tuple[ComponentId, ...], Sequence, Mapping[int, ComponentId]]:
    encoded = members.get(ManifestKey.COMMON)
    if not isinstance(encoded, bytes):
        raise DecodeError("expected the common block in a byte string", spec=_SPEC)
    common = _map(codec.decode_deterministic(encoded), "a common block")
    if not common.keys() <= set(CommonKey):
        raise UnsupportedError("expected dependencies, components and shared sequence in common", spec=_SPEC)
    listed = common.get(CommonKey.COMPONENTS, [])
    if not isinstance(listed, list) or len(listed) > limits.max_components:
        raise DecodeError(f"expected a list of at most {limits.max_components} components", spec=_SPEC)
    components = tuple([_component(item) for item in listed])
    if len(set(components)) != len(components):
        raise DecodeError("expected each component once", spec=_SPEC)
    dependencies = _dependencies(common.get(CommonKey.DEPENDENCIES), components, limits)
    shared = common.get(CommonKey.SHARED_SEQUENCE)
    if shared is None:
        return components, (), dependencies
    if not isinstance(shared, bytes):
        raise DecodeError("expected the shared sequence in a byte string", spec=_SPEC)
    return components, decode_sequence(shared, budget), dependencies


def _dependencies(value: Any, components: tuple[ComponentId, ...], limits: Limits) -> Mapping[int, ComponentId]:
    """Which components are manifests. The text has them among the components, the draft's examples behind them."""
    if value is None:
        return MappingProxyType({})
    dependencies: dict[int, ComponentId] = {}
    for index, metadata in _map(value, "dependencies by component index").items():
        if type(index) is not int or not 0 <= index < limits.max_components:
            raise DecodeError(f"expected component indices below {limits.max_components}", spec=f"{TRUST_DOMAINS} §5.2")
        said = _map(metadata, "metadata of a dependency")
        if not said.keys() <= {DEPENDENCY_PREFIX}:
            raise UnsupportedError("expected a dependency prefix and nothing else", spec=f"{TRUST_DOMAINS} §5.2")
        dependencies[index] = _component(said.get(DEPENDENCY_PREFIX, ()))
    beyond = sorted(dependencies.keys() - range(len(components)))
    if beyond != list(range(len(components), len(components) + len(beyond))):
        raise DecodeError(
            "expected dependencies among the components, or right behind them", spec=f"{TRUST_DOMAINS} §5.2"
        )
    if not all(dependencies[index] for index in beyond) or len({*components, *[dependencies[i] for i in beyond]}) < len(
        components
    ) + len(beyond):
        raise DecodeError("expected a name of its own for each dependency", spec=f"{TRUST_DOMAINS} §5.2")
    return MappingProxyType(dependencies)


def _component(value: Any) -> ComponentId:
    if not isinstance(value, list | tuple) or not all(isinstance(item, bytes) for item in value):
        raise DecodeError("expected a component identifier: an array of byte strings", spec=_SPEC)
    return tuple(value)


def _texts(data: bytes) -> dict[str, Mapping[tuple[ComponentId, int], str]]:
    texts: dict[str, Mapping[tuple[ComponentId, int], str]] = {}
    for language, entries in _map(codec.decode_deterministic(data), "texts").items():
        flat: dict[tuple[ComponentId, int], str] = {}
        for key, value in _map(entries, "texts of a language").items():
            if type(key) is int:
                flat[(), key] = _text(value)
                continue
            component = _component(key)
            for text_key, text in _map(value, "texts of a component").items():
                flat[component, _text_key(text_key)] = _text(text)
        texts[_text(language)] = MappingProxyType(flat)
    return texts


def _text_key(value: Any) -> int:
    if type(value) is not int:
        raise DecodeError("expected a numbered text of a component", spec="draft-ietf-suit-manifest §8.4.4")
    return value


def _sequence_number(value: Any) -> int:
    if type(value) is not int or not 0 <= value <= _MAX_SEQUENCE_NUMBER:
        raise DecodeError("expected an unsigned sequence number", spec="draft-ietf-suit-manifest §8.4.2")
    return value


def _map(value: Any, what: str) -> Mapping[Any, Any]:
    if not isinstance(value, dict):
        raise DecodeError(f"expected {what}: a map", spec=_SPEC)
    return value


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise DecodeError("expected text", spec=_SPEC)
    return value
