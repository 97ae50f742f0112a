"""The envelope: what carries a manifest, before anything in it is believed (draft-ietf-suit-manifest §8.2)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from thingstead.errors import DecodeError, UnsupportedError
from thingstead.protocols.cbor import codec
from thingstead.protocols.suit.digest import Digest, decode_digest
from thingstead.protocols.suit.registry import ENVELOPE_TAG, Member

__all__ = ["DEFAULT_LIMITS", "SEVERABLE", "Envelope", "Limits", "decode", "encode"]

SEVERABLE = frozenset(
    {
        Member.DEPENDENCY_RESOLUTION,
        Member.PAYLOAD_FETCH,
        Member.CANDIDATE_VERIFICATION,
        Member.INSTALL,
        Member.TEXT,
        Member.COSWID,
        Member.UNINSTALL,
    }
)
"""Members whose body may stand in the envelope, with their digest in the manifest."""

_SPEC = "draft-ietf-suit-manifest §8.2"
_HEAD = codec.encode(codec.Tag(ENVELOPE_TAG, 0))[:-1]


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds on an envelope and on what is in its manifest.

    Attributes:
        max_bytes: size of the envelope, integrated payloads included.
        max_manifest_bytes: size of the manifest, and of each severed member.
        max_blocks: authentication blocks.
        max_components: components of one manifest.
        max_commands: commands of one manifest, nested ones included.
        max_nesting: command sequences within one another.
    """

    max_bytes: int = 1 << 20
    max_manifest_bytes: int = 1 << 16
    max_blocks: int = 8
    max_components: int = 16
    max_commands: int = 256
    max_nesting: int = 4


DEFAULT_LIMITS = Limits()


@dataclass(frozen=True, slots=True)
class Envelope:
    """An envelope as it came: nothing in it is proved, and the manifest has not been looked at.

    Attributes:
        digest: of the manifest, says the envelope.
        signed: the encoded SUIT_Digest without its byte string's head: the detached payload of every block.
        blocks: encoded authentication blocks.
        manifest: encoded manifest without its byte string's head.
        severed: bodies of severed members by their key.
        payloads: integrated payloads by their URI.
    """

    digest: Digest
    signed: bytes
    blocks: tuple[bytes, ...]
    manifest: bytes
    severed: Mapping[int, bytes] = field(default_factory=dict)
    payloads: Mapping[str, bytes] = field(default_factory=dict)


def decode(data: bytes, *, limits: Limits = DEFAULT_LIMITS) -> Envelope:
    """Take an envelope apart.

    It must be deterministic CBOR (§8.1), so that one set of members has one encoding; tag 107 may be
    left out, as inside a TEEP message.

    Raises:
        DecodeError: outside the grammar, over a limit, or the authentication wrapper not before the manifest.
        UnsupportedError: a member of a later version, or a hash that we do not have.
    """
    if len(data) > limits.max_bytes:
        raise DecodeError(f"expected an envelope of at most {limits.max_bytes} bytes, got {len(data)}", spec=_SPEC)
    root = codec.decode_deterministic(data.removeprefix(_HEAD), limits=codec.Limits(limits.max_bytes, max_depth=2))
    if not isinstance(root, dict):
        raise DecodeError("expected a SUIT envelope: tag 107 and a map", spec=_SPEC)
    severed: dict[int, bytes] = {}
    payloads: dict[str, bytes] = {}
    for key, body in root.items():
        _require_bytes(body, key)
        if isinstance(key, str):
            payloads[key] = body
        elif key in SEVERABLE:
            severed[int(key)] = _bounded(body, key, limits)
        elif key not in {Member.AUTHENTICATION_WRAPPER, Member.MANIFEST}:
            raise UnsupportedError(f"the envelope member {key!r:.20} is not known", spec=_SPEC)
    if list(root)[:2] != [Member.AUTHENTICATION_WRAPPER, Member.MANIFEST]:
        raise DecodeError("expected the authentication wrapper, then the manifest, then the rest", spec=_SPEC)
    signed, blocks = _wrapper(root[Member.AUTHENTICATION_WRAPPER], limits)
    digest = decode_digest(codec.decode_deterministic(signed))
    manifest = _bounded(root[Member.MANIFEST], Member.MANIFEST, limits)
    return Envelope(digest, signed, blocks, manifest, MappingProxyType(severed), MappingProxyType(payloads))


def encode(envelope: Envelope) -> bytes:
    """Put an envelope together; the wrapper's key is lower than the manifest's, so it comes first."""
    members: dict[Any, bytes] = {
        Member.AUTHENTICATION_WRAPPER.value: codec.encode([envelope.signed, *envelope.blocks]),
        Member.MANIFEST.value: envelope.manifest,
    }
    members.update(envelope.severed)
    members.update(envelope.payloads)
    return codec.encode(codec.Tag(ENVELOPE_TAG, members))


def _wrapper(data: bytes, limits: Limits) -> tuple[bytes, tuple[bytes, ...]]:
    wrapper = codec.decode_deterministic(data)
    if not isinstance(wrapper, list) or not wrapper or not all(isinstance(item, bytes) for item in wrapper):
        raise DecodeError("expected a digest and authentication blocks, each in a byte string", spec=_SPEC)
    if len(wrapper) - 1 > limits.max_blocks:
        raise DecodeError(f"expected at most {limits.max_blocks} authentication blocks", spec=_SPEC)
    return wrapper[0], tuple(wrapper[1:])


def _require_bytes(body: Any, key: Any) -> None:
    if not isinstance(body, bytes) or type(key) not in {int, str}:
        raise DecodeError(f"expected a byte string under an integer or text, got {key!r:.20}", spec=_SPEC)


def _bounded(body: bytes, key: int, limits: Limits) -> bytes:
    if len(body) > limits.max_manifest_bytes:
        raise DecodeError(f"expected at most {limits.max_manifest_bytes} bytes in member {int(key)}", spec=_SPEC)
    return body
