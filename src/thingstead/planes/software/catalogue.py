"""Every release that was published, and for each class the one that is offered; on disk before anybody sees it."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from thingstead.clock import Clock
from thingstead.domain.anchor import TrustAnchor
from thingstead.domain.instant import instant, microseconds
from thingstead.domain.ledger.entry import Draft
from thingstead.domain.ports import Records
from thingstead.errors import DecodeError, PolicyError, ProtocolError, SecurityError
from thingstead.planes.software.release import ClassKey, Release, open_release
from thingstead.protocols.cbor import codec
from thingstead.protocols.suit import envelope
from thingstead.protocols.suit.digest import digest_of

__all__ = ["Catalogue", "Published"]

_LOGGER = logging.getLogger(__name__)
_RELEASE, _IMAGE = "release/", "image/"
_LIMITS = codec.Limits(max_bytes=2 << 20)


@dataclass(frozen=True, slots=True)
class Published:
    """What is kept of a release for good; its image only until the next one.

    Attributes:
        maker: name of the anchor that it was authenticated under.
        model: the maker's word for the class.
        version: for people.
        sequence_number: higher is newer.
        published_at: when it was first offered.
        target: whom it is for.
        image_digest: SHA-256 of its image.
        encoded: the envelope.
    """

    maker: str
    model: str
    version: str
    sequence_number: int
    published_at: datetime
    target: ClassKey
    image_digest: bytes
    encoded: bytes


class Catalogue:
    """Published releases over the plane's documents; each current one is verified again when it is read.

    Args:
        records: the software plane's documents.
        anchors: the owner's, by vendor identifier. An anchor that is taken away takes its releases off offer.
        clock: for UTC.
    """

    def __init__(self, records: Records, *, anchors: Mapping[bytes, TrustAnchor], clock: Clock) -> None:
        self._records = records
        self._anchors = anchors
        self._clock = clock
        self._documents: dict[str, bytes] = {}
        self._by_digest: dict[bytes, Published] = {}
        self._newest: dict[ClassKey, int] = {}
        self._current: dict[ClassKey, Release] = {}
        self._load(records.load())

    def current(self, target: ClassKey) -> Release | None:
        """What a class is offered now."""
        release = self._current.get(target)
        if release is None or (release.use_before is not None and release.use_before <= self._clock.utc()):
            return None
        return release

    def newest(self, target: ClassKey) -> int:
        """Sequence number of the newest release that was ever published for a class; -1 for none."""
        return self._newest.get(target, -1)

    def find(self, manifest_digest: bytes) -> Published | None:
        """The release with this manifest, however old."""
        return self._by_digest.get(manifest_digest)

    def published(self) -> dict[bytes, Published]:
        """All releases by manifest digest, in the order in which they were published."""
        return dict(sorted(self._by_digest.items(), key=lambda row: row[1].published_at))

    def open(self, encoded: bytes, image: bytes) -> Release:
        """Verify and rehearse a candidate; errors as for `release.open_release`."""
        return open_release(encoded, image, anchors=self._anchors, newest=self.newest, at=self._clock.utc())

    async def publish(self, release: Release, *, maker: str, model: str, entry: Draft) -> Published:
        """Keep a release together with its ledger entry, then offer it."""
        target = release.target
        published = Published(
            maker,
            model,
            release.version,
            release.sequence_number,
            entry.at,
            target,
            digest_of(release.image).value,
            release.encoded,
        )
        documents = {
            f"{_RELEASE}{target}/{release.sequence_number:020d}": _encode(published),
            f"{_IMAGE}{target}": release.image,
        }
        await self._records.write(documents, entries=[entry])
        self._documents |= documents
        self._by_digest[release.manifest.digest.value] = published
        self._newest[target] = release.sequence_number
        self._current[target] = release
        return published

    def documents(self) -> dict[str, bytes]:
        """All of it, for a backup."""
        return dict(self._documents)

    def trust(self, anchors: Mapping[bytes, TrustAnchor]) -> None:
        """Offer from now on what verifies under these anchors, and nothing else."""
        self._anchors = anchors
        self._current.clear()
        self._load(dict(self._documents))

    async def restore(self, documents: Mapping[str, bytes]) -> None:
        """Take up what is not here; a release that is older than one of ours is history only."""
        fresh = {
            key: document
            for key, document in documents.items()
            if key.startswith((_RELEASE, _IMAGE)) and key not in self._documents
        }
        await self._records.write(fresh)
        self._load({**self._documents, **fresh})

    def _load(self, documents: Mapping[str, bytes]) -> None:
        newest: dict[ClassKey, Published] = {}
        for key, document in documents.items():
            if key.startswith((_RELEASE, _IMAGE)):
                self._documents[key] = document
            if key.startswith(_RELEASE):
                one = _decode(document)
                self._by_digest[envelope.decode(one.encoded).digest.value] = one
                if one.target not in newest or newest[one.target].sequence_number < one.sequence_number:
                    newest[one.target] = one
        for target, one in newest.items():
            self._newest[target] = one.sequence_number
            self._offer_again(one)

    def _offer_again(self, one: Published) -> None:
        image = self._documents.get(f"{_IMAGE}{one.target}", b"")
        try:
            self._current[one.target] = open_release(
                one.encoded, image, anchors=self._anchors, newest=lambda _target: -1, at=self._clock.utc()
            )
        except (ProtocolError, SecurityError, PolicyError) as error:
            _LOGGER.warning("release %s of %s %s is not offered any more: %s", one.version, one.maker, one.model, error)


def _encode(one: Published) -> bytes:
    return codec.encode(
        [
            one.maker,
            one.model,
            one.version,
            one.sequence_number,
            microseconds(one.published_at),
            one.target.vendor_id,
            one.target.class_id,
            one.image_digest,
            one.encoded,
        ]
    )


def _decode(document: bytes) -> Published:
    match codec.decode(document, limits=_LIMITS):
        case [
            str(maker),
            str(model),
            str(version),
            int(number),
            int(at),
            bytes(vendor_id),
            bytes(class_id),
            bytes(image_digest),
            bytes(encoded),
        ]:
            target = ClassKey(vendor_id, class_id)
            return Published(maker, model, version, number, instant(at), target, image_digest, encoded)
        case _:
            raise DecodeError("expected a published release in the software plane's record")
