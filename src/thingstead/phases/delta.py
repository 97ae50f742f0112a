"""Make a release that things with the image before it install by a difference, and all others whole."""

from __future__ import annotations

from dataclasses import replace

import bsdiff4

from thingstead.errors import PolicyError
from thingstead.protocols.cbor import codec
from thingstead.protocols.profile import delta
from thingstead.protocols.suit.digest import digest_of, digest_of_member
from thingstead.protocols.suit.envelope import Envelope
from thingstead.protocols.suit.registry import CommandId, Member

__all__ = ["make_patch", "with_patch"]


def make_patch(old: bytes, new: bytes) -> bytes:
    """The difference that makes `new` of `old`; takes about 17 times the size of `old` in memory while it is made."""
    patch: bytes = bsdiff4.diff(old, new)
    return patch


def with_patch(unsigned: Envelope, *, old: bytes, new: bytes) -> Envelope:
    """The release `unsigned` of `new`, which has the difference to `old` with it. To be signed after that.

    Args:
        unsigned: of one component, whose install sequence ends with a fetch and an image match.
        old: what things run that are to be spared the whole.
        new: the image of the release.

    Raises:
        PolicyError: signed already, or another install sequence.
    """
    members = codec.decode_deterministic(unsigned.manifest)
    body = members.get(Member.INSTALL)
    install = codec.decode_deterministic(body) if isinstance(body, bytes) else []
    if unsigned.blocks or not isinstance(install, list) or CommandId.FETCH not in install[::2]:
        raise PolicyError("expected an unsigned release with a fetch in its install sequence", reason="delta")
    place = 2 * install[::2].index(CommandId.FETCH)
    first = delta.install_sequence(old=digest_of(old), old_size=len(old), new=digest_of(new), new_size=len(new))
    tried = [codec.encode(first), codec.encode(install[place:])]
    members[Member.INSTALL.value] = codec.encode([*install[:place], CommandId.TRY_EACH.value, tried])
    manifest = codec.encode(members)
    digest = digest_of_member(manifest)
    payloads = {**unsigned.payloads, delta.PATCH_URI: make_patch(old, new)}
    return replace(unsigned, digest=digest, signed=digest.encode(), manifest=manifest, payloads=payloads)
