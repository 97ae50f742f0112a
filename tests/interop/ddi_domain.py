"""A domain on disk that serves hawkBit's API on loopback, and a real updater beside it; both may end and come again."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from asyncio import StreamReader, StreamWriter
from asyncio.subprocess import DEVNULL
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

from tests.port import free_port
from tests.serving import serving
from tests.unit.planes.software.desk import OPEN
from tests.unit.protocols.suit.releases import CLASSIC, QUANTUM
from thingstead.cli.template import policy_template
from thingstead.clock import SystemClock
from thingstead.controller.app import running
from thingstead.controller.controller import Controller
from thingstead.controller.directory import DomainDirectory
from thingstead.controller.operation_table import operations
from thingstead.controller.tls_identity import open_authority
from thingstead.domain.anchor import TrustAnchor
from thingstead.domain.campaign import Status
from thingstead.domain.campaign_plan import EVERYONE, Plan
from thingstead.domain.policy import ProfileName
from thingstead.identifier import ThingId
from thingstead.phases.maintain import make_release, sign_release
from thingstead.protocols.suit import envelope
from thingstead.protocols.suit.identifier import class_identifier, vendor_identifier
from thingstead.web.ddi import ddi_served

__all__ = ["DdiDomain", "Link", "Swupdate"]

_VENDOR = vendor_identifier("aurora.example")
_MODEL = "GW-1"
_PATIENCE = 25.0


class DdiDomain:
    """The domain; `up` is one life of it.

    Attributes:
        authority: file with its certificate.
        port: of the API.
        thing: the device's id.
        token: the device's.
    """

    def __init__(self, folder: Path, *, name: str = "localhost") -> None:
        self._directory = DomainDirectory(folder / "domain")
        self.port, coap = free_port(), free_port()
        settings = (
            f'[domain]\nname = "home"\n[coap]\nport = {coap}\nmulticast_group = ""\n[web]\nenabled = false\n'
            f'[ddi]\nenabled = true\nport = {self.port}\npoll_seconds = 1\nname = "{name}"\n'
        )
        self._directory.create(settings=settings, policy=policy_template(ProfileName.BUILDING))
        keys = (CLASSIC.public, QUANTUM.public)
        self._directory.trust_maker(TrustAnchor("aurora", CLASSIC.public, keys, _VENDOR))
        at = SystemClock().utc()
        authority = open_authority(self._directory.tls, domain="home", at=at)
        self.authority = folder / "authority.pem"
        self.authority.write_bytes(authority.chain_pem)
        self.thing, self.token = ThingId("thing-aaaaaaaaaaaaaaab"), ""
        self.controller: Controller | None = None

    @contextlib.asynccontextmanager
    async def up(self) -> AsyncIterator[None]:
        """One life."""
        async with running(self._directory) as self.controller, ddi_served(self.controller, self._directory.tls):
            if not self.token:
                added = await self.ask("thing.add", maker="aurora", model=_MODEL, serial="G-1", verifies_images=True)
                self.thing, self.token = ThingId(added["thing"]), added["token"]
            yield
        self.controller = None

    async def ask(self, operation: str, **arguments: Any) -> Any:
        """An operator's request; fails the test where it is refused."""
        assert self.controller is not None
        answer = await operations(self.controller).answer({"operation": operation, "arguments": arguments})
        assert "result" in answer, answer
        return answer["result"]

    async def publish(self, image: bytes, *, version: str, sequence_number: int, plan: Plan = EVERYONE) -> None:
        """Publish a release of the device's model, signed by its maker."""
        assert self.controller is not None
        unsigned = make_release(
            image,
            vendor_id=_VENDOR,
            class_id=class_identifier(_VENDOR, _MODEL),
            sequence_number=sequence_number,
            version=version,
        )
        encoded = envelope.encode(sign_release(unsigned, (CLASSIC, QUANTUM)))
        await self.controller.planes.campaigns.intend(encoded, plan)
        await self.controller.planes.software.publish(encoded, image, terms=OPEN)

    def status(self) -> Status:
        """Of the campaign under way."""
        assert self.controller is not None
        return self.controller.planes.campaigns.find(_MODEL).campaign.header.status

    def abort(self) -> None:
        """End the campaign under way."""
        assert self.controller is not None
        campaign = self.controller.planes.campaigns.find(_MODEL).campaign
        campaign.change(Status.ABORTED, SystemClock().utc(), cause="operator")

    def progress(self) -> str:
        """What the device said last."""
        assert self.controller is not None
        return self.controller.planes.ddi.progress.get(self.thing, "")

    def version(self) -> str:
        """What the device runs, by its word."""
        assert self.controller is not None
        return self.controller.planes.software.runs(self.thing).version

    def released(self) -> tuple[int, int, int, int]:
        """Offered, fetched, installed and refused of the newest release."""
        assert self.controller is not None
        newest = self.controller.planes.software.campaigns()[-1]
        return newest.offered, newest.fetched, newest.installed, newest.refused

    def refusals(self) -> list[str]:
        """Reasons counted for the ledger, and not yet on it."""
        assert self.controller is not None
        far = SystemClock().utc().replace(year=2200)
        return [one.cause for one in self.controller.refusals.due(far)]


class Link:
    """A slow line to the domain, at the address that its links name; it can break.

    Attributes:
        host: where it is.
        passed: bytes that came from the domain.
        most: of those that pass; the rest waits.
    """

    host = "127.0.0.2"

    def __init__(self, port: int, *, speed: float, most: float = float("inf")) -> None:
        self._port = port
        self._speed = speed
        self._ends: set[StreamWriter] = set()
        self._more = asyncio.Event()
        self.passed = 0
        self.most = most

    @contextlib.asynccontextmanager
    async def up(self) -> AsyncIterator[None]:
        """Carry while the block runs."""
        async with serving(await asyncio.start_server(self._carry, self.host, self._port)):
            try:
                yield
            finally:
                self.most = float("inf")
                self.cut()

    def cut(self) -> None:
        """End all connections, and carry what comes on new ones whole."""
        for end in self._ends:
            end.transport.abort()
        self._more.set()

    async def _carry(self, reader: StreamReader, writer: StreamWriter) -> None:
        with contextlib.suppress(OSError):
            upstream_reader, upstream_writer = await asyncio.open_connection("127.0.0.1", self._port)
            self._ends |= {writer, upstream_writer}
            await asyncio.gather(
                self._pump(reader, upstream_writer), self._pump(upstream_reader, writer, speed=self._speed)
            )
        writer.transport.abort()

    async def _pump(self, reader: StreamReader, writer: StreamWriter, *, speed: float = 0.0) -> None:
        with contextlib.suppress(OSError):
            while data := await reader.read(1 << 14):
                if speed and not self._more.is_set():
                    self.passed += len(data)
                    await asyncio.sleep(len(data) / speed)
                    if self.passed > self.most:
                        await self._more.wait()
                writer.write(data)
                await writer.drain()
        writer.transport.abort()


class Swupdate:
    """Debian's swupdate as a daemon that polls; whatever it says is in `log`."""

    def __init__(self, root: Path, folder: Path, domain: DdiDomain, *, trusted: bytes) -> None:
        self._program = root / "usr" / "bin" / "swupdate"
        places = [str(found) for part in ("lib", "usr/lib") for found in (root / part).glob("*-linux-gnu")]
        self._environment = {**os.environ, "TMPDIR": str(folder / "tmp"), "LD_LIBRARY_PATH": ":".join(places)}
        self._folder = folder
        self.log_file = folder / "swupdate.log"
        (folder / "tmp").mkdir()
        (folder / "images.pem").write_bytes(trusted)
        self.configure(domain)

    def configure(
        self,
        domain: DdiDomain,
        *,
        token: str | None = None,
        port: int | None = None,
        host: str = "localhost",
        certificate: tuple[Path, Path] | None = None,
    ) -> None:
        """Write its settings, all right where nothing else is said."""
        proof = f'targettoken = "{domain.token if token is None else token}";'
        if certificate is not None:
            proof = f'sslcert = "{certificate[0]}"; sslkey = "{certificate[1]}";'
        (self._folder / "swupdate.cfg").write_text(
            f'globals: {{ loglevel = 5; public-key-file = "{self._folder}/images.pem"; }};\n'
            f'suricatta: {{ tenant = "default"; id = "{domain.thing}"; url = "https://{host}:{port or domain.port}";'
            f' {proof} cafile = "{domain.authority}";'
            " polldelay = 1; retry = 5; retrywait = 1; };\n"
        )

    @contextlib.asynccontextmanager
    async def running(self, options: str = "") -> AsyncIterator[None]:
        """Let it run while the block does, with options of its daemon such as ``-c 2``."""
        with self.log_file.open("ab") as log:
            process = await asyncio.create_subprocess_exec(
                self._program, "-f", self._folder / "swupdate.cfg", "-H", "gateway:1.0", "-u", options,
                stdin=DEVNULL, stdout=log, stderr=log, env=self._environment, cwd=self._folder,
                start_new_session=True,
            )  # fmt: skip
        try:
            yield
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGTERM)
            try:
                await asyncio.wait_for(process.wait(), 5)
            except TimeoutError:
                os.killpg(process.pid, signal.SIGKILL)
                await process.wait()

    @property
    def log(self) -> str:
        """Everything that it said."""
        return self.log_file.read_text(errors="replace")

    async def until(self, condition: Callable[[], object]) -> None:
        """Wait until `condition` holds; fails with what swupdate said where it does not."""
        try:
            async with asyncio.timeout(_PATIENCE):
                while not condition():  # noqa: ASYNC110  another program's state has no event
                    await asyncio.sleep(0.05)
        except TimeoutError:
            raise AssertionError(self.log[-6000:]) from None
