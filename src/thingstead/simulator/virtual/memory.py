"""What survives a crash, without a disk: a domain's store and a thing's home, which can be told to die at a write."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime

from thingstead.agent.ports import Area, Download, Installed, Standing
from thingstead.agent.slot_pointer import Pointer
from thingstead.domain.ledger.entry import Entry
from thingstead.domain.network import NO_MAC, ThingAddress
from thingstead.domain.plane import PlaneName
from thingstead.domain.ports import Fetched
from thingstead.domain.unit import Committed, Snapshot, Unit
from thingstead.errors import TransportError
from thingstead.protocols.profile.release import FIRMWARE
from thingstead.protocols.senml.record import Record
from thingstead.protocols.suit.manifest import ComponentId
from thingstead.simulator.virtual.network import Killed
from thingstead.storage.memory import MemoryStore

__all__ = [
    "CountingSensor",
    "Fate",
    "HomeLife",
    "MemoryFetcher",
    "MemoryHeads",
    "MemorySegment",
    "MemorySlots",
    "StoreLife",
]


class MemorySegment:
    """A link on which everybody is seen who was put there.

    Attributes:
        present: them.
    """

    def __init__(self) -> None:
        self.present: tuple[ThingAddress, ...] = ()

    def mac_of(self, ip: str) -> bytes:
        """Of who is present."""
        return next((one.mac for one in self.present if str(one.ip) == ip), NO_MAC)

    def neighbours(self) -> tuple[ThingAddress, ...]:
        """Everybody."""
        return self.present


class Fate:
    """Counts the instants around writes, and ends a program at one of them.

    Each write has two: before it, when nothing is kept, and after it, when all is and nobody was told.

    Attributes:
        instants: how many have passed, over all lives.
        fatal: the instant at which the next death comes; None lets it live.
    """

    def __init__(self) -> None:
        self.instants = 0
        self.fatal: int | None = None

    def pass_by(self) -> None:
        """One instant; the last one if it is `fatal`."""
        self.instants += 1
        if self.instants == self.fatal:
            self.fatal = None
            raise Killed


class _Life:
    """From one start to one death; after it nothing is written any more."""

    def __init__(self, fate: Fate) -> None:
        self._fate = fate
        self.is_over = False

    def before(self) -> None:
        """The instant before a write."""
        self._pass_by()

    def after(self) -> None:
        """The instant after a write."""
        self._pass_by()

    def _pass_by(self) -> None:
        if self.is_over:
            raise Killed
        try:
            self._fate.pass_by()
        except Killed:
            self.is_over = True
            raise


class StoreLife(_Life):
    """A `Store` over a `MemoryStore` that outlives it."""

    def __init__(self, disk: MemoryStore, fate: Fate) -> None:
        super().__init__(fate)
        self._disk = disk

    def load(self) -> Snapshot:
        """As the disk has it."""
        return self._disk.load()

    def documents(self, plane: PlaneName, first: str = "", last: str | None = None) -> Iterator[tuple[str, bytes]]:
        """As the disk has them."""
        return self._disk.documents(plane, first, last)

    def leaves(self, start: int = 0, stop: int | None = None) -> Iterator[bytes]:
        """As the disk has them."""
        return self._disk.leaves(start, stop)

    def listen(self, listener: Callable[[Committed], None]) -> None:
        """Told while this life lasts."""
        self._disk.listen(lambda committed: None if self.is_over else listener(committed))

    async def commit(self, unit: Unit) -> tuple[Entry, ...]:
        """A write, with its two instants."""
        self.before()
        entries = await self._disk.commit(unit)
        self.after()
        return entries

    async def close(self) -> None:
        """Nothing is written any more."""
        self.is_over = True


class MemoryHeads:
    """A `HeadKeeper`."""

    def __init__(self) -> None:
        self.head: bytes | None = None

    def load(self) -> bytes | None:
        """The newest that was kept."""
        return self.head

    async def keep(self, head: bytes) -> None:
        """Keep it."""
        self.head = head


class MemoryFetcher:
    """A `Fetcher` of what a scenario puts into `documents`, by URL."""

    def __init__(self) -> None:
        self.documents: dict[str, bytes] = {}

    async def fetch(self, url: str, *, max_bytes: int) -> Fetched:
        """What a scenario put there."""
        body = self.documents.get(url)
        if body is None or len(body) > max_bytes:
            raise TransportError(f"nothing is served at {url}")
        return Fetched(url, "application/mud+json", body)


class HomeLife(_Life):
    """A `Home` over a dictionary that outlives it."""

    def __init__(self, disk: dict[str, bytes], fate: Fate) -> None:
        super().__init__(fate)
        self._disk = disk

    def load(self, name: str) -> bytes | None:
        """As the disk has it."""
        return self._disk.get(name)

    def save(self, name: str, value: bytes) -> None:
        """A write, with its two instants."""
        self.before()
        self._disk[name] = value
        self.after()

    def delete(self, name: str) -> None:
        """A write, with its two instants."""
        self.before()
        self._disk.pop(name, None)
        self.after()

    def names(self) -> list[str]:
        """What is kept."""
        return sorted(self._disk)


class MemorySlots:
    """Firmware slots without a disk.

    Args:
        image: the firmware that the factory put there.
        others: components beside it.
    """

    def __init__(self, image: bytes, others: Mapping[ComponentId, bytes] | None = None) -> None:
        images = {FIRMWARE: image, **(others or {})}
        self._pointer = Pointer(Standing(Installed(1)), dict.fromkeys(images, 0), {})
        self._places: dict[tuple[object, ComponentId], bytes] = {(0, name): one for name, one in images.items()}
        self._download: Download | None = None

    def active(self, component: ComponentId = FIRMWARE) -> bytes:
        """What runs, whole."""
        return self._content(Area.ACTIVE, component)

    def installed(self) -> Installed:
        """What proved itself last."""
        return self._pointer.standing.installed

    def components(self) -> frozenset[ComponentId]:
        """What there is."""
        return frozenset(self._pointer.places)

    def standing(self) -> Standing:
        """Which releases."""
        return self._pointer.standing

    def size(self, area: Area, component: ComponentId) -> int:
        """Bytes there."""
        return len(self._content(area, component))

    def read(self, area: Area, component: ComponentId, offset: int, size: int) -> bytes:
        """Some of them."""
        return self._content(area, component)[offset : offset + size]

    def write(self, area: Area, component: ComponentId, offset: int, data: bytes) -> None:
        """Write some."""
        image = bytearray(self._content(area, component).ljust(offset, b"\0"))
        image[offset : offset + len(data)] = data
        self._places[self._place(area, component)] = bytes(image)

    def truncate(self, area: Area, component: ComponentId, size: int) -> None:
        """Keep the first."""
        self._places[self._place(area, component)] = self._content(area, component)[:size]

    def download(self) -> Download | None:
        """How far it came."""
        return self._download

    def keep(self, download: Download | None) -> None:
        """Keep how far it came."""
        self._download = download

    def activate(self, components: Iterable[ComponentId], release: Installed) -> None:
        """Begin a trial."""
        self._pointer = self._pointer.activated(components, release)

    def count_boot(self) -> None:
        """One more start in a trial."""
        self._pointer = self._pointer.booted()

    def confirm(self) -> None:
        """End a trial well."""
        self._pointer = self._pointer.confirmed()

    def revert(self) -> None:
        """End a trial badly."""
        self._pointer = self._pointer.reverted()

    def told(self) -> None:
        """The domain knows."""
        self._pointer = self._pointer.told()

    def forgive(self) -> None:
        """It may be tried again."""
        self._pointer = self._pointer.forgiven()

    def _content(self, area: Area, component: ComponentId) -> bytes:
        return self._places.get(self._place(area, component), b"")

    def _place(self, area: Area, component: ComponentId) -> tuple[object, ComponentId]:
        if area is Area.STAGING:
            return area, component
        slot = self._pointer.active(component) if area is Area.ACTIVE else self._pointer.candidate(component)
        return slot, component


class CountingSensor:
    """Tells how often it was read.

    Attributes:
        series: name of what it tells.
    """

    def __init__(self, series: str = "readings") -> None:
        self.series = series
        self.readings = 0

    def read(self, at: datetime) -> list[Record]:
        """One reading."""
        self.readings += 1
        return [Record(name=self.series, value=float(self.readings), time=at.timestamp())]
