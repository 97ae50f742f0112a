"""The controller as a program: a directory becomes a running domain, with its sockets and its tasks."""

from __future__ import annotations

import asyncio
import gc
import secrets
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

from thingstead.analysis.image_scan import Finding
from thingstead.clock import Clock, SystemClock
from thingstead.controller.apart import Apart
from thingstead.controller.composition import compose
from thingstead.controller.config import ControllerConfig
from thingstead.controller.controller import Controller
from thingstead.controller.directory import REVOKED, DomainDirectory
from thingstead.controller.foundation import Foundation
from thingstead.controller.names import name_server
from thingstead.controller.network import enforcement, fetcher, resolver
from thingstead.controller.operation_table import gate
from thingstead.controller.restored_directory import finish
from thingstead.domain.plane import PlaneName
from thingstead.domain.ports import Enforcement
from thingstead.enforcement.link import ports_of
from thingstead.enforcement.neighbour import NeighbourTable
from thingstead.planes.software.image_scan import ImageScanner
from thingstead.planes.software.status_tracker import ImageScan
from thingstead.storage.directory import private_directory
from thingstead.storage.head_file import HeadFile
from thingstead.storage.policy_file import parse_policy
from thingstead.storage.sqlite import SqliteStore
from thingstead.transport.control_socket import ControlServer
from thingstead.transport.name_server import NameServer
from thingstead.transport.packet_tap import PacketTap
from thingstead.transport.stranger import SocketStranger
from thingstead.transport.udp import Pump, open_socket, send_groups_through

__all__ = ["image_scan", "running", "settle"]

_COLLECT_AFTER = (10_000, 20, 50)

_GRACE = 2.0


@asynccontextmanager
async def running(
    directory: DomainDirectory, *, clock: Clock | None = None, apart: Apart | None = None
) -> AsyncIterator[Controller]:
    """Open a domain and serve it until the block ends; what is on disk then is what was acknowledged.

    Args:
        directory: the domain's.
        clock: both times.
        apart: what other processes do for it.

    Raises:
        ConfigError: settings or policy are wrong, or another controller runs on the directory.
        StorageError: the data cannot be read, or the ledger is not what its head says.
        AddressError: CoAP or the names cannot be served where the settings say.
    """
    # Left in this order: nothing comes in any more, what is under way ends or is cut short, what waits is written,
    # the store goes.
    async with AsyncExitStack() as kept:
        foundation = _foundation(directory, clock or SystemClock(), apart, kept)
        async with asyncio.TaskGroup() as tasks, AsyncExitStack() as served:
            controller = compose(foundation, tasks)
            kept.push_async_callback(controller.close)
            await _serve(controller, directory, tasks, served)
            yield controller


async def _serve(
    controller: Controller, directory: DomainDirectory, tasks: asyncio.TaskGroup, served: AsyncExitStack
) -> None:
    """Open every socket, the one of things first: what they send waits there until all that was under way goes on."""
    foundation = controller.foundation
    served.push_async_callback(controller.server.settle, _GRACE)
    coap = foundation.config.coap
    sock = open_socket(coap.host, coap.port)
    if coap.multicast_group:
        send_groups_through(sock, coap.host)
    pump = Pump(
        controller.server,
        [sock],
        clock=foundation.clock,
        is_known=controller.server.is_known,
        known_sources=controller.server.known_sources,
        random_bytes=foundation.random_bytes,
    )
    served.callback(pump.close)
    controller.server.flush = pump.flush
    await controller.resume()
    names = _names(controller, tasks)
    if names is not None:
        await names.start()
        served.push_async_callback(names.close)
    for control in _control_servers(directory, controller):
        await control.start()
        served.push_async_callback(control.close)
    background = tasks.create_task(controller.run())
    served.callback(background.cancel)
    if controller.lookout.traffic is not None:
        controller.lookout.traffic.begin()
        served.callback(controller.lookout.traffic.close)


def settle() -> None:
    """Spare the garbage collector what stands; once, by a program that does nothing but run a controller.

    What stands lives as long as the controller, and what requests leave behind is remembered for minutes and then
    freed by its count: walking through both again and again took a tenth of the time of a request.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(*_COLLECT_AFTER)


def _names(controller: Controller, tasks: asyncio.TaskGroup) -> NameServer | None:
    """The resolver that things use, where the settings want it."""
    foundation = controller.foundation
    return name_server(
        foundation.config,
        controller.planes.network.learn,
        controller.refusals,
        clock=foundation.clock,
        random_bytes=foundation.random_bytes,
        tasks=tasks,
    )


def _control_servers(directory: DomainDirectory, controller: Controller) -> list[ControlServer]:
    """One for the owner, and one for observers where the settings name their group."""
    people, config = gate(controller), controller.foundation.config
    servers = [ControlServer(directory.control_socket, people.answer_owner)]
    if config.observe.group:
        path = directory.observe_socket(config)
        servers.append(ControlServer(path, people.answer_member, group=config.observe.group))
    return servers


def _foundation(directory: DomainDirectory, clock: Clock, apart: Apart | None, kept: AsyncExitStack) -> Foundation:
    """What a controller stands on; `kept` lets go of it again."""
    config = directory.load()
    heads = directory.heads(config)
    private_directory(heads.parent)
    finish(directory, heads, clock)
    engines = {} if apart is None else apart.engines
    store = SqliteStore(directory.root)
    kept.push_async_callback(store.close)
    for engine in engines.values():
        kept.callback(engine.close)
    return Foundation(
        config=config,
        files=directory,
        policy=parse_policy(directory.policy_text()),
        anchors=directory.anchors(),
        keys=directory.key_store() if apart is None else apart.keys,
        store=store,
        heads=HeadFile(heads),
        revocations=HeadFile(heads.with_suffix(REVOKED)),
        fetcher=fetcher(config.network, root=directory.root),
        resolver=resolver(config.network),
        segment=NeighbourTable(config.network.interfaces),
        scan_image=image_scan(),
        clock=clock,
        random_bytes=secrets.token_bytes,
        tap=PacketTap(config.watch.interfaces, ports_of=ports_of) if config.watch.interfaces else None,
        witness=None if apart is None else apart.witness,
        engines=engines,
        separate=() if apart is None else apart.processes,
        stranger=SocketStranger(),
        enforcement=None if PlaneName.NETWORK in engines else _enforcement(config),
    )


def _enforcement(config: ControllerConfig) -> Enforcement:
    """The last of all: nothing unknown passes from here on, and a start that must fail should fail before.

    Port 53 is often somebody's already, and whoever brings the network down to see that, sees nothing else.
    """
    open_socket(config.coap.host, config.coap.port).close()
    if config.names.enabled:
        open_socket(config.names.host, config.names.port).close()
    return enforcement(config.network, coap_port=config.coap.port, ddi_port=config.ddi.served_port)


def image_scan() -> ImageScan:
    """Off the event loop: a large image may take seconds."""
    scanner = ImageScanner()

    async def scan(image: bytes) -> list[Finding]:
        return await asyncio.to_thread(scanner.scan, image)

    return scan
