"""Every release that was published, and for each class the one that is offered; on disk before anybody sees it."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from thingstead.clock import Clock
from thingstead.domain.anchor import TrustAnchor
from thingstead.domain.instant import instant, microseconds
from thingstead.domain.ledger.entry import Draft
from thingstead.domain.ports import Records
from thingstead.errors import DecodeError, PolicyError, ProtocolError, SecurityError
from thingstead.planes.software.release import ClassKey, Line, Release, open_release
from thingstead.protocols.cbor import codec
from thingstead.protocols.suit import envelope

__all__ = ["Catalogue", "Published"]

_LOGGER = logging.getLogger(__name__)
_RELEASE, _IMAGE, _BESIDE = "release/", "image/", "?"
_LIMITS = codec.Limits(max_bytes=2 << 20)


Sources = Callable[[ClassKey], Iterable[TrustAnchor]]


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
        image_digest: SHA-256 of the firmware of who has installed it.
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

    @property
    def line(self) -> Line:
        """What it belongs to."""
        return Line(self.target, self.maker)


class Catalogue:
    """Published releases over the plane's documents; each current one is verified again when it is read.

    Args:
        records: the software plane's documents.
        anchors: the owner's. An anchor that is taken away takes its releases off offer.
        sources: who may sign new releases for a class.
        clock: for UTC.
    """

    def __init__(self, records: Records, *, anchors: Iterable[TrustAnchor], sources: Sources, clock: Clock) -> None:
        self._records = records
        self._anchors = {anchor.maker: anchor for anchor in anchors}
        self._sources = sources
        self._clock = clock
        self._documents: dict[str, bytes] = {}
        self._stems: dict[Line, str] = {}
        self._by_digest: dict[bytes, Published] = {}
        self._newest: dict[Line, int] = {}
        self._current: dict[Line, Release] = {}
        self._load(records.load())

    def current(self, line: Line) -> Release | None:
        """What things of a line are offered now."""
        release = self._current.get(line)
        if release is None or (release.use_before is not None and release.use_before <= self._clock.utc()):
            return None
        return release

    def offered(self) -> Mapping[Line, Release]:
        """What is current of each line, past its use-before too."""
        return self._current

    def newest(self, line: Line) -> int:
        """Sequence number of the newest release that was ever published of a line; -1 for none.

        Who begins one goes on above what the class had of others, for things install nothing below what they run.
        """
        others = [number for other, number in self._newest.items() if other.target == line.target]
        return self._newest.get(line, max(others, default=-1))

    def model(self, release: Release) -> str:
        """The maker's word for a published release's class."""
        published = self._by_digest.get(release.manifest.digest.value)
        return "" if published is None else published.model

    def find(self, manifest_digest: bytes) -> Published | None:
        """The release with this manifest, however old."""
        return self._by_digest.get(manifest_digest)

    def published(self) -> dict[bytes, Published]:
        """All releases by manifest digest, in the order in which they were published."""
        return dict(sorted(self._by_digest.items(), key=lambda row: row[1].published_at))

    def newest_two(self, vendor_id: bytes) -> tuple[tuple[Line, int, bytes], ...]:
        """Of each line of a vendor's things the newest two: line, sequence number, envelope."""
        own = [one for one in self._by_digest.values() if one.target.vendor_id == vendor_id]
        lines: dict[Line, list[Published]] = {}
        for one in sorted(own, key=lambda one: one.sequence_number):
            lines.setdefault(one.line, []).append(one)
        newest = [one for releases in lines.values() for one in releases[-2:]]
        return tuple([(one.line, one.sequence_number, one.encoded) for one in newest])

    def open(self, encoded: bytes, image: bytes, files: Mapping[str, bytes]) -> Release:
        """Verify and rehearse a candidate with what lies beside it; errors as for `release.open_release`."""
        at = self._clock.utc()
        return open_release(encoded, image, files=files, sources=self._sources, newest=self.newest, at=at)

    async def publish(
        self, release: Release, *, model: str, entry: Draft, beside: Mapping[str, bytes | None]
    ) -> Published:
        """Keep a release together with its ledger entry and another's documents, then offer it."""
        line, stem = release.line, self._stem(release.line)
        published = Published(
            line.source,
            model,
            release.version,
            release.sequence_number,
            entry.at,
            line.target,
            release.installed,
            release.encoded,
        )
        documents = {
            f"{_RELEASE}{stem}/{release.sequence_number:020d}": _encode(published),
            f"{_IMAGE}{stem}": release.image,
            **{f"{_IMAGE}{stem}{_BESIDE}{name}": data for name, data in release.further.items()},
        }
        gone = dict.fromkeys([key for key in self._further(stem).values() if key not in documents])
        await self._records.write({**documents, **gone, **beside}, entries=[entry])
        for key in gone:
            del self._documents[key]
        self._documents |= documents
        self._by_digest[release.manifest.digest.value] = published
        self._newest[line] = release.sequence_number
        self._current[line] = release
        self._stems[line] = stem
        return published

    def documents(self) -> dict[str, bytes]:
        """All of it, for a backup."""
        return dict(self._documents)

    def trust(self, anchors: Iterable[TrustAnchor]) -> None:
        """Offer from now on what verifies under these anchors, and nothing else."""
        self._anchors = {anchor.maker: anchor for anchor in anchors}
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

    def _further(self, stem: str) -> dict[str, str]:
        """Keys of the images beside the first, by file name."""
        start = f"{_IMAGE}{stem}{_BESIDE}"
        return {key.removeprefix(start): key for key in self._documents if key.startswith(start)}

    def _stem(self, line: Line) -> str:
        """Names a line in documents; whoever takes the maker's part has a line beside it."""
        source = self._anchors.get(line.source)
        is_own = source is not None and source.vendor_id == line.target.vendor_id
        own = str(line.target)
        is_free = is_own and own not in self._stems.values()
        return self._stems.get(line) or (own if is_free else f"{own}@{line.source}")

    def _load(self, documents: Mapping[str, bytes]) -> None:
        newest: dict[Line, Published] = {}
        for key, document in documents.items():
            if key.startswith((_RELEASE, _IMAGE)):
                self._documents[key] = document
            if key.startswith(_RELEASE):
                one = _decode(document)
                self._by_digest[envelope.decode(one.encoded).digest.value] = one
                self._stems[one.line] = key.removeprefix(_RELEASE).rpartition("/")[0]
                if one.line not in newest or newest[one.line].sequence_number < one.sequence_number:
                    newest[one.line] = one
        for line, one in newest.items():
            self._newest[line] = one.sequence_number
            self._offer_again(one)

    def _offer_again(self, one: Published) -> None:
        stem = self._stems[one.line]
        image = self._documents.get(f"{_IMAGE}{stem}", b"")
        files = {name: self._documents[key] for name, key in self._further(stem).items()}
        source = self._anchors.get(one.maker)
        sources = () if source is None else (source,)
        try:
            self._current[one.line] = open_release(
                one.encoded,
                image,
                files=files,
                sources=lambda _target: sources,
                newest=lambda _line: -1,
                at=self._clock.utc(),
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
