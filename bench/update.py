"""What an update costs: real payloads installed by agents over OSCORE, differences, memory, and time on the air.

The network is simulated and its clock jumps, so that seconds are of the processor: of the domain, the thing and the
image scan together. Payloads are those of ../shared/data/firmware.tar.xz, behind a header that agents start.
"""

from __future__ import annotations

import secrets
import sys
import tarfile
import tempfile
import time
import tracemalloc
from collections.abc import Awaitable, Callable, Iterator, Sequence
from pathlib import Path

from bench.figure import Figure
from tests.scenarios.world import play
from tests.unit.agent.updates import OLD, Domain, Thing, released
from thingstead.agent import image
from thingstead.agent.file_slots import FileSlots
from thingstead.agent.image import Place
from thingstead.agent.ports import Area
from thingstead.analysis.airtime import transfer
from thingstead.analysis.link_profile import LINKS
from thingstead.crypto.hss_signing import IDENTIFIER_SIZE, SEED_SIZE
from thingstead.crypto.key import KeyType, PrivateKey, generate
from thingstead.phases.delta import make_patch
from thingstead.phases.maintain import make_release, sign_release
from thingstead.protocols.profile import delta, firmware
from thingstead.protocols.profile.firmware import Firmware
from thingstead.protocols.profile.release import FIRMWARE
from thingstead.protocols.suit import envelope
from thingstead.protocols.suit.digest import digest_of
from thingstead.protocols.suit.identifier import class_identifier, vendor_identifier
from thingstead.secret import Secret
from thingstead.simulator.virtual.world import World
from thingstead.storage.hss_key import HssKey

__all__ = ["figures"]

_ARCHIVE = Path(__file__).resolve().parents[1] / "../shared/data/firmware.tar.xz"
_PAYLOADS = (
    "fx2lafw-hantek-6022be.fw",
    "htc_7010-1.4.0.fw",
    "fw_dynamic.bin",
    "toboot.elf",
    "pseudo-random-data.bin",
    "bmp.bin",
)
_PAIRS = (
    ("fx2lafw-hantek-6022be.fw", "fx2lafw-sainsmart-dds120.fw"),
    ("htc_7010-1.4.0.fw", "htc_9271-1.4.0.fw"),
    ("fw_dynamic.elf", "fw_jump.elf"),
)
_IMAGE_SIZE = 100_000
_VENDOR = vendor_identifier("maker.example")


def figures() -> Iterator[Figure]:
    """Of real payloads where they are, of differences between them, and of 100 kB over each link."""
    payloads = _payloads()
    if not payloads:
        print("ABSENT: ../shared/data/firmware.tar.xz; no real payload is installed", file=sys.stderr)
    for name in _PAYLOADS:
        if name in payloads:
            yield from _installed(name, payloads[name])
    for old, new in _PAIRS:
        if {old, new} <= payloads.keys():
            yield from _patched(f"{old} to {new}", payloads[old], payloads[new])
    yield from _on_air()


def _payloads() -> dict[str, bytes]:
    found: dict[str, bytes] = {}
    if _ARCHIVE.is_file():
        with tarfile.open(_ARCHIVE) as opened:
            for member in opened:
                file = opened.extractfile(member) if member.isfile() else None
                if file is not None:
                    found[Path(member.name).name] = file.read()
    return found


def _installed(name: str, payload: bytes) -> Iterator[Figure]:
    """One release, from its publication until the thing has confirmed it; and what the thing alone allocates for it."""
    wrapped = firmware.encode(Firmware("1.1.0"), payload)
    seconds = play(_install(wrapped))
    yield Figure(f"{name}: image", "bytes", len(wrapped))
    yield Figure(f"{name}: fetched, verified, tried, confirmed", "ms", round(1000 * seconds))
    yield Figure(f"{name}: most memory of the thing for that", "kB", round(_peak(wrapped) / 1000))


def _peak(wrapped: bytes) -> int:
    with tempfile.TemporaryDirectory() as directory:
        slots = FileSlots(Path(directory))
        slots.install_first(OLD)
        domain = Domain(envelope.encode(released(wrapped)), wrapped)

        def forget(_offset: int) -> None:
            domain.asked.clear()
            domain.blocks.clear()

        domain.on_block = forget
        thing = Thing(slots, domain)
        tracemalloc.start()
        thing.poll()
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert slots.standing().installed.sequence_number > 1
    return peak


def _install(wrapped: bytes) -> Callable[[World], Awaitable[float]]:
    async def story(world: World) -> float:
        with tempfile.TemporaryDirectory() as directory:
            folder, thing = Path(directory), world.thing("A0001")
            slots = FileSlots(folder / "slots")
            slots.install_first(firmware.encode(Firmware("1.0.0")))
            thing.slots = slots  # type: ignore[assignment]  # the real files in place of the memory
            thing.start()
            await world.until(lambda: thing.has_reported)
            acme = world.makers["acme"]
            encoded = _envelope(acme.release_keys, wrapped, vendor_id=acme.vendor_id, model="LX-1")
            (folder / "envelope").write_bytes(encoded)
            (folder / "image").write_bytes(wrapped)
            await world.domain.ask("release.publish", envelope=str(folder / "envelope"), image=str(folder / "image"))
            started = time.process_time()
            await world.until(lambda: slots.standing().installed.sequence_number == 2, within=600.0)
            took = time.process_time() - started
            assert image.measure(slots, Place(Area.ACTIVE, FIRMWARE)) == digest_of(wrapped)
            return took

    return story


def _patched(name: str, old: bytes, new: bytes) -> Iterator[Figure]:
    patch = make_patch(old, new)
    started = time.process_time()
    made = b"".join(delta.apply(patch, lambda at, size: old[at : at + size], old_size=len(old), max_size=len(new)))
    took = time.process_time() - started
    assert made == new
    yield Figure(f"{name}: the difference beside the whole", "bytes", len(patch), len(new), "the whole image")
    yield Figure(f"{name}: to apply it", "ms", round(1000 * took, 1))


def _on_air() -> Iterator[Figure]:
    with tempfile.TemporaryDirectory() as directory:
        root = Path(directory)
        (root / "second").mkdir()
        seed, identifier = Secret(secrets.token_bytes(SEED_SIZE)), secrets.token_bytes(IDENTIFIER_SIZE)
        hash_based = HssKey.create(root / "key", root / "second", machine=b"bench", seed=seed, identifier=identifier)
        classical, quantum = generate(KeyType.P256), generate(KeyType.ML_DSA_44)
        keys: dict[str, Sequence[PrivateKey]] = {
            "ESP256": (classical,),
            "ESP256, ML-DSA-44": (classical, quantum),
            "HSS-LMS": (hash_based,),
        }
        sizes = {name: len(_envelope(row, bytes(_IMAGE_SIZE))) for name, row in keys.items()}
    for name, size in sizes.items():
        yield Figure(f"manifest under {name}", "bytes", size)
    for link in LINKS.values():
        whole = transfer(_IMAGE_SIZE, link)
        yield Figure(f"{link.name}: 100 kB image, frames", "frames", whole.frames)
        yield Figure(f"{link.name}: 100 kB image, on the air", "s", round(whole.air, 1))
        yield Figure(f"{link.name}: 100 kB image, takes at least", "s", round(whole.elapsed, 1))
        for name, size in sizes.items():
            sent = transfer(size, link, path="/update")
            yield Figure(f"{link.name}: manifest under {name}, on the air", "ms", round(1000 * sent.air, 1))


def _envelope(keys: Sequence[PrivateKey], content: bytes, *, vendor_id: bytes = _VENDOR, model: str = "lamp") -> bytes:
    class_id = class_identifier(vendor_id, model)
    unsigned = make_release(content, vendor_id=vendor_id, class_id=class_id, sequence_number=2, version="1.1.0")
    return envelope.encode(sign_release(unsigned, keys))
