"""A maker's workshop: releases that are right, and releases that must be refused."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from thingstead.phases.maintain import make_release, sign_release
from thingstead.phases.manufacture import Maker
from thingstead.protocols.suit import envelope
from thingstead.protocols.suit.identifier import class_identifier
from thingstead.simulator.firmware import demo_image

__all__ = ["ReleaseFiles", "bad_releases", "build"]

_FASTER = 0.5
_NEWER = "1.2.0"


@dataclass(frozen=True, slots=True)
class ReleaseFiles:
    """Paths of a signed envelope and of the image that it is about."""

    envelope: Path
    image: Path


def build(folder: Path, maker: Maker, model: str, *, version: str, sequence: int, name: str = "") -> ReleaseFiles:
    """Build a release and sign it with every release key of its maker.

    Args:
        folder: where the files go.
        maker: whose keys sign.
        model: whom it is for.
        version: what the things will show; they also report twice as often from then on.
        sequence: its number.
        name: of the files; empty for the model's.
    """
    image = demo_image(model, version, telemetry_interval=_FASTER)
    unsigned = make_release(
        image,
        vendor_id=maker.vendor_id,
        class_id=class_identifier(maker.vendor_id, model),
        sequence_number=sequence,
        version=version,
    )
    stem = f"{name or model}-{sequence}"
    files = ReleaseFiles(folder / f"{stem}.suit", folder / f"{stem}.bin")
    files.envelope.write_bytes(envelope.encode(sign_release(unsigned, maker.release_keys)))
    files.image.write_bytes(image)
    return files


def bad_releases(folder: Path, maker: Maker, model: str) -> Iterator[tuple[str, ReleaseFiles]]:
    """Releases for a model whose number 2 is out, each with what is wrong about it."""
    tampered = build(folder, maker, model, version=_NEWER, sequence=3, name="tampered")
    image = bytearray(tampered.image.read_bytes())
    image[-1] ^= 1
    tampered.image.write_bytes(image)
    yield "a tampered image", tampered
    yield "an older release", build(folder, maker, model, version="1.0.1", sequence=1, name="older")
    yield "a release for a class that nobody here is of", build(folder, maker, "Toaster", version=_NEWER, sequence=3)
    halved = build(folder, maker, model, version=_NEWER, sequence=3, name="halved")
    signed = envelope.decode(halved.envelope.read_bytes())
    halved.envelope.write_bytes(envelope.encode(replace(signed, blocks=signed.blocks[:-1])))
    yield "a release with one signature of two", halved
