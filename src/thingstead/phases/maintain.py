"""Maintain: a maker makes a release of an image for one model of its things, and signs it with every release key.

What becomes of it then: the domain's status tracker rehearses and publishes it, a thing fetches it, its manifest
processor lets it in, and a report goes back (RFC 9019 §3).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from thingstead.crypto.key import PrivateKey
from thingstead.errors import AuthenticationError, StateError
from thingstead.protocols.cose import sign as cose_sign
from thingstead.protocols.cose.header import Label
from thingstead.protocols.profile import release as profile
from thingstead.protocols.profile import release_statement
from thingstead.protocols.profile.release_statement import Statement
from thingstead.protocols.suit import builder
from thingstead.protocols.suit.authentication import Signer
from thingstead.protocols.suit.builder import Release
from thingstead.protocols.suit.digest import digest_of
from thingstead.protocols.suit.envelope import DEFAULT_LIMITS, Envelope
from thingstead.secret import Secret

__all__ = ["SigningKey", "collect", "make_release", "sign_release", "sign_with", "state", "yet_to_sign"]

SigningKey = tuple[Signer, PrivateKey | Secret]
"""A key under the name by which things know it."""


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
        StateError: more signatures than an envelope takes ("blocks").
    """
    return sign_with(envelope, [(profile.signer(key.public), key) for key in release_keys])


def sign_with(envelope: Envelope, keys: Sequence[SigningKey]) -> Envelope:
    """The same with keys of any kind, those that make MACs among them; errors as for `sign_release`."""
    _require_room(len(envelope.blocks) + len(keys))
    return builder.sign(envelope, keys)


def yet_to_sign(envelope: Envelope, keys: Sequence[SigningKey]) -> list[SigningKey]:
    """Those of `keys` that have not signed.

    Raises:
        StateError: all of them have ("signed"): a second signature would prove nothing, and cost a leaf where leaves
            are counted; or the envelope takes no more of them ("blocks").
        DecodeError: a block outside the grammar of COSE.
    """
    claimed = builder.claims(envelope)
    left = [(signer, key) for signer, key in keys if signer not in claimed]
    if not left:
        raise StateError("this release was signed with each of these keys already", reason="signed")
    _require_room(len(envelope.blocks) + len(left))
    return left


def collect(envelope: Envelope, statement: bytes, copies: Sequence[tuple[Envelope, bytes]]) -> tuple[Envelope, bytes]:
    """The same release with the signatures of all its copies, which people signed apart; once for each signer.

    Args:
        envelope: of the release.
        statement: of what goes with it; empty where nobody signed one.
        copies: their envelopes and statements.

    Raises:
        AuthenticationError: a copy is another release, or has something else beside it.
        StateError: more signatures than an envelope takes ("blocks").
        DecodeError: a block or a statement outside the grammar of COSE.
    """
    blocks = list(envelope.blocks)
    there = set(builder.claims(envelope))
    for copy, said in copies:
        if copy.signed != envelope.signed:
            raise AuthenticationError("a copy is of another release", reason="manifest-digest")
        for block in copy.blocks:
            claimed = set(builder.claims(replace(copy, blocks=(block,))))
            if block not in blocks and not claimed & there:
                blocks.append(block)
                there |= claimed
        if said:
            statement = cose_sign.join(statement, said) if statement else said
    _require_room(len(blocks))
    return replace(envelope, blocks=tuple(blocks)), statement


def _require_room(blocks: int) -> None:
    if blocks > DEFAULT_LIMITS.max_blocks:
        raise StateError(
            f"expected at most {DEFAULT_LIMITS.max_blocks} signatures, things read no more", reason="blocks"
        )


def state(
    envelope: Envelope, members: Mapping[str, bytes], keys: Sequence[SigningKey], *, signed: bytes = b""
) -> bytes:
    """The statement of what goes with a release, with a signature more for each of `keys` that can sign.

    Args:
        envelope: of the release.
        members: files that go with it, by name.
        keys: who signs; one who only makes MACs proves nothing to an owner, and is left out.
        signed: the statement as others signed it before; empty where nobody did.

    Raises:
        AuthenticationError: others signed for other files ("statement").
        DecodeError: a file name that no statement has, or `signed` is none.
    """
    statement = Statement(
        envelope.digest, {name: release_statement.member(name, content) for name, content in members.items()}
    )
    there = _named(signed) if signed else frozenset()
    # Where the last one was cut off between statement and envelope, the statement has that signature already.
    left = [(one, key) for one, key in keys if not isinstance(key, Secret) and (one.kid, one.signature_id) not in there]
    return release_statement.sign_statement(statement, left, signed=signed) if left else signed


def _named(signed: bytes) -> frozenset[tuple[bytes, int]]:
    message = cose_sign.decode(signed)
    return frozenset([(one.headers.kid, one.headers.protected[Label.ALG]) for one in message.signatures])
