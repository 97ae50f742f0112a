"""Area suit-trust-domains: the draft's examples; a dependency that lies beside is the one that its dependent names."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from tests.conformance.areas.suit import DRAFT_KEY
from tests.conformance.outcome import ManifestEntry, Outcome, failed, not_covered, passed
from tests.conformance.published import envelopes_in
from thingstead.crypto.algorithm import AlgorithmId
from thingstead.errors import AuthenticationError
from thingstead.protocols.suit import envelope
from thingstead.protocols.suit.authentication import AuthenticationPolicy, Signer, authenticate
from thingstead.protocols.suit.digest import Digest
from thingstead.protocols.suit.frame import TrustDomain, open_dependency
from thingstead.protocols.suit.manifest import Content, open_manifest
from thingstead.protocols.suit.registry import Member, ParameterId
from thingstead.protocols.suit.step import DEFAULT_LIMITS

__all__ = ["run"]

_ANCHORS = {b"example": DRAFT_KEY}
_POLICY = AuthenticationPolicy((Signer(b"example", AlgorithmId.ES256), Signer(b"example", AlgorithmId.ESP256)), 1)


def run(file: Path, entry: ManifestEntry) -> Iterator[Outcome]:
    """The one outcome of the file."""
    dumps = envelopes_in(file.read_bytes())
    if len(dumps) != 1:
        yield not_covered(file.name, "a text without one envelope in hex")
        return
    received = envelope.decode(dumps[0])
    if envelope.encode(received) != dumps[0]:
        yield failed(file.name, "encodes as other bytes")
        return
    content = open_manifest(authenticate(received, _ANCHORS, _POLICY)).content
    problem = _problem(content, file.parent) if content.dependencies else ""
    yield failed(file.name, problem) if problem else passed(file.name)


def _problem(content: Content, folder: Path) -> str:
    beside = [dump for path in sorted(folder.glob("*.hex")) for dump in envelopes_in(path.read_bytes())]
    for wanted in _named(content):
        found = [dump for dump in beside if _is(dump, wanted)]
        if len(found) != 1:
            return f"{len(found)} envelopes beside it are the dependency that it names"
    return "" if _named(content) else "it names no dependency"


def _named(content: Content) -> list[Digest]:
    return [
        digest
        for command in content.sequences.get(Member.DEPENDENCY_RESOLUTION, ())
        if isinstance(digest := command.parameters.get(ParameterId.IMAGE_DIGEST), Digest)
    ]


def _is(dump: bytes, wanted: Digest) -> bool:
    components = frozenset(open_manifest(authenticate(envelope.decode(dump), _ANCHORS, _POLICY)).content.indexed)
    domain = TrustDomain(_ANCHORS, _POLICY, components)
    try:
        open_dependency(dump, wanted, (), [domain], limits=DEFAULT_LIMITS)
    except AuthenticationError:
        return False
    return True
