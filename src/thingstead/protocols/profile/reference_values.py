"""Reference values of a release: what its things will measure, as CoRIM (draft-ietf-rats-corim-10; RFC 9334 §8.3).

One CoMID: the environment is the class of the release, each component is known by its SHA-256, and where all of them
are found, version and sequence number are endorsed. The statement of the release signs it with everything else.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from thingstead.errors import DecodeError
from thingstead.protocols.cbor.codec import Tag
from thingstead.protocols.corim import matching, rim, scheme
from thingstead.protocols.corim.registry import TagNumber, Triple, Value
from thingstead.protocols.corim.scheme import Scheme
from thingstead.protocols.corim.statement import ClaimsTriple, ConditionalTriple
from thingstead.protocols.coswid.named_digest import SHA_256
from thingstead.protocols.profile.attestation import FIRMWARE, State

__all__ = ["MEMBER", "PROFILE", "ReferenceValues", "decode", "encode"]

MEMBER = "reference.corim"
"""Name of the file in a release's folder."""

PROFILE = "tag:thingstead.example,2026:reference-values#1"
_DIGESTS = frozenset({int(Value.DIGESTS)})


def _element(element: Any) -> frozenset[int] | None:
    return _DIGESTS if isinstance(element, str) and element else None


_SCHEME = Scheme(PROFILE, {"class_id": (TagNumber.UUID, 16), "vendor": None}, _element, optional=frozenset())


@dataclass(frozen=True, slots=True)
class ReferenceValues:
    """What things of a class measure when they run a release.

    Attributes:
        claims: class and components.
        version: of the release, for people.
        sequence_number: of the release.
    """

    claims: ClaimsTriple
    version: str
    sequence_number: int

    @property
    def digests(self) -> dict[str, bytes]:
        """SHA-256 of each component by its name."""
        return {str(one.element): one.values[Value.DIGESTS][SHA_256] for one in self.claims.measurements}

    def is_for(self, state: State) -> bool:
        """Whether they are of the class that a thing says it is of."""
        return matching.is_environment(self.claims.environment, state.environment)

    def differences(self, state: State) -> tuple[str, ...]:
        """Components that a thing does not have as they should be, and those that it has besides."""
        found = {str(one.element): one for one in state.measurements}
        meant = {str(one.element): one for one in self.claims.measurements}
        wrong = [
            name for name, one in meant.items() if name not in found or not matching.is_measurement(one, found[name])
        ]
        return (*wrong, *sorted(found.keys() - meant.keys()))


def encode(
    *,
    vendor_id: bytes,
    class_id: bytes,
    version: str,
    sequence_number: int,
    image_digest: bytes = b"",
    components: Mapping[str, bytes] | None = None,
) -> bytes:
    """Reference values of a release, deterministically.

    Args:
        vendor_id: RFC 9124 vendor identifier, 16 bytes.
        class_id: RFC 9124 class identifier, 16 bytes.
        version: for people; may be empty.
        sequence_number: of the manifest.
        image_digest: SHA-256 of the image, of a release of one component.
        components: SHA-256 of each by its name, of others.

    Raises:
        DecodeError: identifiers or digests of another length.
    """
    digests = {FIRMWARE: image_digest} if components is None else dict(components)
    environment = {0: {0: Tag(TagNumber.UUID, class_id), 1: str(UUID(bytes=vendor_id))}}
    measured = [{0: name, 1: {Value.DIGESTS.value: [[SHA_256, digest]]}} for name, digest in sorted(digests.items())]
    said = {1: {Value.VERSION.value: {0: version}, Value.SVN.value: Tag(TagNumber.SVN, sequence_number)}}
    triples = {
        Triple.REFERENCE.value: [[environment, measured]],
        Triple.CONDITIONAL.value: [[[[environment, measured]], [[environment, [said]]]]],
    }
    name = f"{class_id.hex()}/{sequence_number}"
    data = rim.encode(name, {name: triples}, profile=PROFILE)
    decode(data)
    return data


def decode(data: bytes) -> ReferenceValues:
    """Read the reference values of one release.

    Raises:
        DecodeError: not a CoRIM, or one that says something else than reference values of one release do.
        UnsupportedError: of another profile.
    """
    corim = rim.decode(data)
    scheme.require(corim, {PROFILE: _SCHEME})
    if len(corim.tags) != 1 or len(corim.comids) != 1:
        raise _unlike("one CoMID")
    triples = corim.comids[0].triples
    match triples.get(Triple.REFERENCE), triples.get(Triple.CONDITIONAL), len(triples):
        case (ClaimsTriple() as claims,), (ConditionalTriple((condition,), (endorsed,)),), 2 if condition == claims:
            pass
        case _:
            raise _unlike("reference values of one environment, and what is endorsed where they are found")
    if len(endorsed.measurements) != 1 or endorsed.environment != claims.environment:
        raise _unlike("version and sequence number of what has these values")
    if any(one.values[Value.DIGESTS].keys() != {SHA_256} for one in claims.measurements):
        raise _unlike("each component by its SHA-256")
    return ReferenceValues(claims, *_said(endorsed))


def _said(endorsed: ClaimsTriple) -> tuple[str, int]:
    values = endorsed.measurements[0].values
    number = values.get(Value.SVN)
    match values.get(Value.VERSION), number.value if isinstance(number, Tag) else number:
        case {0: str(version)}, int(sequence_number):
            return version, sequence_number
        case _:
            raise _unlike("version and sequence number of what has these values")


def _unlike(expected: str) -> DecodeError:
    return DecodeError(f"expected {expected}", spec=PROFILE, reason="profile")
