"""Releases that no thing may install, to be offered to one thing of a type: each is wrong in one way (R-84, RFC 9124).

None brings an image: a thing that takes one is found by that it asks for it, and is given nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from thingstead.crypto.digest import digest
from thingstead.crypto.key import KeyType, generate
from thingstead.protocols.profile import release as profile
from thingstead.protocols.suit import builder, envelope
from thingstead.protocols.suit.digest import digest_of
from thingstead.protocols.suit.envelope import Envelope

__all__ = ["BAITS", "Bait", "Known", "baits"]

UNSIGNED, FOREIGN, LIFTED = "unsigned-update", "foreign-update", "lifted-signature"
OLDER, OTHER_CLASS = "older-update", "other-class-update"
BAITS = (UNSIGNED, FOREIGN, LIFTED, OLDER, OTHER_CLASS)
"""Names of the checks, in the order in which they are made."""

NOTHING_TO_LIFT = "nothing was published for it yet"
NOTHING_OLDER = "nothing older than what it runs was published"
NO_OTHER_CLASS = "its maker has published nothing for another class"

_ETAG_SIZE = 8
_FAR = 1 << 16
"""Above what a factory puts on a thing, where nobody has said what that is."""


@dataclass(frozen=True, slots=True)
class Known:
    """A release that was published.

    Attributes:
        class_id: whom it is for, of the same maker's.
        sequence_number: higher is newer.
        encoded: the envelope.
    """

    class_id: bytes
    sequence_number: int
    encoded: bytes


@dataclass(frozen=True, slots=True)
class Bait:
    """One of them.

    Attributes:
        name: of the check.
        encoded: the envelope.
        manifest: the digest that a report about it names.
        etag: names it to who has it.
    """

    name: str
    encoded: bytes
    manifest: bytes
    etag: bytes


def baits(
    vendor_id: bytes, class_id: bytes, *, runs: int, manifest: bytes, published: Iterable[Known]
) -> tuple[tuple[Bait, ...], Mapping[str, str]]:
    """Those that can be made for a thing, and why others cannot.

    Args:
        vendor_id: of its maker.
        class_id: of its model.
        runs: sequence number of what it runs, -1 where nobody knows.
        manifest: digest of the manifest of that; empty where it has none.
        published: by its maker, here.
    """
    known = sorted(published, key=lambda one: one.sequence_number)
    own = [one for one in known if one.class_id == class_id]
    others = [one for one in known if one.class_id != class_id]
    newest = max([runs, *[one.sequence_number for one in own]])
    unsigned, foreign, lifted = (
        _unsigned(vendor_id, class_id, newest + 1 if newest >= 0 else _FAR, name) for name in BAITS[:3]
    )
    key = generate(KeyType.P256)
    made = {
        UNSIGNED: unsigned,
        FOREIGN: builder.sign(foreign, [(profile.signer(key.public), key)]),
        LIFTED: replace(lifted, blocks=envelope.decode(own[-1].encoded).blocks) if own else NOTHING_TO_LIFT,
        OLDER: next(
            (envelope.decode(one.encoded) for one in own if one.sequence_number < runs and not _is(one, manifest)),
            NOTHING_OLDER,
        ),
        OTHER_CLASS: envelope.decode(others[-1].encoded) if others else NO_OTHER_CLASS,
    }
    return (
        tuple([_bait(name, one) for name, one in made.items() if isinstance(one, Envelope)]),
        {name: one for name, one in made.items() if isinstance(one, str)},
    )


def _unsigned(vendor_id: bytes, class_id: bytes, sequence_number: int, name: str) -> Envelope:
    return builder.build(
        builder.Release(
            component=profile.FIRMWARE,
            vendor_id=vendor_id,
            class_id=class_id,
            sequence_number=sequence_number,
            version=name,
            image_digest=digest_of(b"no image has this digest and is to be had"),
            image_size=1,
            uri=profile.IMAGE_URI,
        )
    )


def _is(known: Known, manifest: bytes) -> bool:
    return envelope.decode(known.encoded).digest.value == manifest


def _bait(name: str, made: Envelope) -> Bait:
    encoded = envelope.encode(made)
    return Bait(name, encoded, made.digest.value, digest(encoded)[:_ETAG_SIZE])
