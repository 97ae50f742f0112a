"""Maintain: a maker makes a release of an image for one model of its things, and signs it with every release key.

What becomes of it then: the domain's status tracker rehearses and publishes it, a thing fetches it, its manifest
processor lets it in, and a report goes back (RFC 9019 §3).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from thingstead.crypto.key import PrivateKey
from thingstead.protocols.profile import release as profile
from thingstead.protocols.suit import builder
from thingstead.protocols.suit.builder import Release
from thingstead.protocols.suit.digest import digest_of
from thingstead.protocols.suit.envelope import Envelope

__all__ = ["make_release", "sign_release"]


def make_release(
    image: bytes,
    *,
    vendor_id: bytes,
    class_id: bytes,
    sequence_number: int,
    version: str,
    use_before: datetime | None = None,
) -> Envelope:
    """The unsigned envelope; the image travels beside it.

    Args:
        image: all of it.
        vendor_id: RFC 9124 vendor identifier, 16 bytes.
        class_id: RFC 9124 class identifier, 16 bytes.
        sequence_number: above that of every release before it.
        version: for people.
        use_before: from then on no thing installs it any more; None for never.
    """
    return builder.build(
        Release(
            component=profile.FIRMWARE,
            vendor_id=vendor_id,
            class_id=class_id,
            sequence_number=sequence_number,
            version=version,
            image_digest=digest_of(image),
            image_size=len(image),
            uri=profile.IMAGE_URI,
            use_before=use_before,
        )
    )


def sign_release(envelope: Envelope, release_keys: Sequence[PrivateKey]) -> Envelope:
    """Add one authentication block per key; things install only what all of their maker's keys have signed.

    Raises:
        AuthenticationError: the manifest is not the one digested.
        UnsupportedError: a key of a type that releases are not signed with.
    """
    return builder.sign(envelope, [(profile.signer(key.public), key) for key in release_keys])
