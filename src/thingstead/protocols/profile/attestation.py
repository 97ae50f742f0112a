"""How a thing attests: a nonce in, an EAT out that says what its active image measures (RFC 9711 §6).

The profile, whole: CBOR; COSE_Sign1 with ESP256 under the thing's identity key; one nonce of 8 to 64 bytes; `ueid` is
0x01 and the SHA-256 thumbprint of that key; `oemid` is the vendor identifier and `hwmodel` the class identifier of its
releases; one measured component for each that is installed, and one for the manifest that installed them, by SHA-256,
without authorities and flags. `oemboot` is false and `dbgstat` enabled: the agent is a program that measures what it
reads, no hardware stands behind its word, and the token says so. No other claim.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from uuid import UUID

from thingstead.crypto.algorithm import AlgorithmId
from thingstead.crypto.key import PrivateKey, PublicKey
from thingstead.errors import DecodeError, UntrustedError
from thingstead.protocols.cbor import codec
from thingstead.protocols.cbor.codec import Tag
from thingstead.protocols.corim.registry import TagNumber, Value
from thingstead.protocols.corim.statement import Environment, Measurement
from thingstead.protocols.cose import key as cose_key
from thingstead.protocols.coswid.named_digest import SHA_256
from thingstead.protocols.eat import evidence, measured_component
from thingstead.protocols.eat.claims import DebugStatus, EatClaim
from thingstead.protocols.eat.evidence import AuthenticEvidence
from thingstead.protocols.eat.measured_component import MeasuredComponent

__all__ = [
    "ACCEPT",
    "FIRMWARE",
    "MANIFEST",
    "NONCE_SIZE",
    "PROFILE",
    "State",
    "component_name",
    "decode_request",
    "encode_request",
    "read_state",
    "sign_state",
]

PROFILE = "tag:thingstead.example,2026:measured-image#1"
FIRMWARE, MANIFEST = "firmware", "manifest"
"""Names of components: the image of a thing that has one, and what installed it."""

ACCEPT = frozenset({int(AlgorithmId.ESP256)})
NONCE_SIZE = 16
"""Bytes of a nonce of ours."""

_NONCE_SIZES = range(8, 65)
_LIMITS = codec.Limits(max_bytes=128, max_depth=1)
_RAND = b"\x01"
_CLAIMS = frozenset(
    {
        EatClaim.NONCE,
        EatClaim.UEID,
        EatClaim.OEMID,
        EatClaim.HWMODEL,
        EatClaim.OEMBOOT,
        EatClaim.DBGSTAT,
        EatClaim.PROFILE,
        EatClaim.MEASUREMENTS,
    }
)


@dataclass(frozen=True, slots=True)
class State:
    """What a thing says it is and runs.

    Attributes:
        vendor_id: RFC 9124 vendor identifier, 16 bytes.
        class_id: RFC 9124 class identifier, 16 bytes.
        digests: SHA-256 of each component by its name.
        manifest_digest: SHA-256 of the manifest that installed them; empty for what the factory put there.
        versions: of components that know theirs, for people.
    """

    vendor_id: bytes
    class_id: bytes
    digests: Mapping[str, bytes]
    manifest_digest: bytes = b""
    versions: Mapping[str, str] = field(default_factory=dict)

    @property
    def environment(self) -> Environment:
        """Whom reference values of it are about."""
        return Environment(Tag(TagNumber.UUID, self.class_id), vendor=str(UUID(bytes=self.vendor_id)))

    @property
    def measurements(self) -> tuple[Measurement, ...]:
        """Its components, as reference values have them."""
        return tuple([Measurement(name, {Value.DIGESTS: {SHA_256: digest}}) for name, digest in self.digests.items()])


def component_name(component: tuple[bytes, ...]) -> str:
    """A component identifier as text: its parts joined, those that are no text in hexadecimal."""
    parts = [part.decode() if part.isascii() and part.decode().isprintable() else part.hex() for part in component]
    return "/".join(parts)


def encode_request(nonce: bytes) -> bytes:
    """The payload of the POST: the nonce, as CBOR byte string."""
    return codec.encode(nonce)


def decode_request(payload: bytes) -> bytes:
    """Read the payload.

    Raises:
        DecodeError: no nonce of 8 to 64 bytes.
    """
    nonce = codec.decode(payload, limits=_LIMITS)
    if not isinstance(nonce, bytes) or len(nonce) not in _NONCE_SIZES:
        raise DecodeError("expected a nonce of 8 to 64 bytes", spec="RFC 9711 §4.1")
    return nonce


def sign_state(state: State, key: PrivateKey, *, nonce: bytes) -> bytes:
    """Evidence of a state, under the thing's identity key.

    Raises:
        DecodeError: a state, or a nonce, that the profile has no form for.
    """
    found = [
        MeasuredComponent(name, state.versions.get(name, ""), (SHA_256, digest))
        for name, digest in sorted(state.digests.items())
    ]
    if state.manifest_digest:
        found.append(MeasuredComponent(MANIFEST, digest=(SHA_256, state.manifest_digest)))
    form = measured_component.CONTENT_FORMAT
    claims = {
        EatClaim.NONCE.value: nonce,
        EatClaim.UEID.value: _instance(key.public),
        EatClaim.OEMID.value: state.vendor_id,
        EatClaim.HWMODEL.value: state.class_id,
        EatClaim.OEMBOOT.value: False,
        EatClaim.DBGSTAT.value: DebugStatus.ENABLED.value,
        EatClaim.PROFILE.value: PROFILE,
        EatClaim.MEASUREMENTS.value: [[form, measured_component.encode(one)] for one in found],
    }
    return evidence.sign(claims, key, signature_id=AlgorithmId.ESP256)


def read_state(authentic: AuthenticEvidence) -> State:
    """What evidence of this profile says.

    Raises:
        DecodeError: a claim too many or too few, a component without SHA-256, or more said than is so.
        UnsupportedError: measurements of another form.
        UntrustedError: of another profile, or of another instance than its key is of.
    """
    values = authentic.claims.values
    if authentic.profile != PROFILE:
        raise UntrustedError(f"expected evidence of the profile {PROFILE}", spec="RFC 9711 §6", reason="profile")
    if values.keys() != _CLAIMS:
        raise DecodeError("expected the claims of the profile, and no others", spec=PROFILE, reason="profile")
    if values[EatClaim.UEID] != _instance(authentic.signer):
        raise UntrustedError("the evidence is of another instance than its key", spec=PROFILE, reason="instance")
    if values[EatClaim.OEMBOOT] is not False or values[EatClaim.DBGSTAT] != DebugStatus.ENABLED:
        raise DecodeError("expected no claim of a boot that nobody verified", spec=PROFILE, reason="profile")
    vendor_id, class_id = values[EatClaim.OEMID], values[EatClaim.HWMODEL]
    if not isinstance(vendor_id, bytes) or len(vendor_id) != 16 or len(class_id) != 16:
        raise DecodeError("expected vendor and class identifiers of 16 bytes", spec=PROFILE, reason="profile")
    components = measured_component.components(authentic.claims)
    digests = {one.name: _sha256(one) for one in components}
    versions = {one.name: one.version for one in components if one.version}
    return State(vendor_id, class_id, digests, digests.pop(MANIFEST, b""), versions)


def _instance(public: PublicKey) -> bytes:
    return _RAND + cose_key.thumbprint(public)


def _sha256(component: MeasuredComponent) -> bytes:
    if component.digest is None or component.digest[0] != SHA_256 or component.authorities or component.flags:
        raise DecodeError(f"expected the SHA-256 of {component.name!r:.40} alone", spec=PROFILE, reason="profile")
    return component.digest[1]
