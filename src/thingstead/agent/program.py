"""The program around things: sockets, clock, files, and a local socket that shows how each one stands."""

from __future__ import annotations

import asyncio
import os
import secrets
from collections.abc import Sequence
from contextlib import AsyncExitStack
from datetime import datetime
from pathlib import Path
from typing import Any

from thingstead.agent.config import AgentConfig
from thingstead.agent.core import Agent
from thingstead.agent.file_home import FileHome
from thingstead.agent.file_slots import FileSlots
from thingstead.agent.lamp import SimulatedLamp
from thingstead.agent.ownership import HandedOn, claim, hand_on
from thingstead.agent.parts import Hardware
from thingstead.agent.ports import Sensor
from thingstead.agent.sensor import FileSensor, HostSensor
from thingstead.agent.story import Story
from thingstead.clock import SystemClock
from thingstead.crypto.key import PrivateKey, PublicKey
from thingstead.crypto.keystore import FileKeyStore
from thingstead.errors import ThingsteadError
from thingstead.protocols.cbor import codec
from thingstead.protocols.coap.code import code_name
from thingstead.protocols.coap.message import Message, request
from thingstead.protocols.coap.registry import Code, ContentFormat
from thingstead.protocols.profile import path
from thingstead.protocols.profile.birth import IDENTITY_KEY
from thingstead.protocols.profile.custody import Owner
from thingstead.storage.directory import locked
from thingstead.transport.control_socket import ControlServer
from thingstead.transport.udp import Pump, open_multicast_socket, open_socket

__all__ = ["HOME", "KEYS", "SLOTS", "STATUS_SOCKET", "hardware", "pass_on", "reset", "run"]

HOME, KEYS, SLOTS, STATUS_SOCKET = "home", "keys", "slots", "status.sock"
"""What a thing's state directory holds."""

_LOCK = "lock"


def hardware(directory: Path, *, sensor: Sensor) -> Hardware:
    """Open a thing's state directory.

    Raises:
        StorageError: it cannot be used.
    """
    return Hardware(
        home=FileHome(directory / HOME),
        slots=FileSlots(directory / SLOTS),
        keys=FileKeyStore(directory / KEYS),
        sensor=sensor,
        actuator=SimulatedLamp(),
    )


def reset(directory: Path, owner: PublicKey) -> PublicKey:
    """What the button on a thing does, while it is off; gives its identity key, to compare (see `ownership.claim`).

    Raises:
        ConfigError: it lives.
        StorageError: it could not be kept.
    """
    lock = locked(directory / _LOCK, f"the thing in {directory} lives; end it first")
    try:
        keys = FileKeyStore(directory / KEYS)
        claim(FileHome(directory / HOME), keys, owner)
        return keys.handle(IDENTITY_KEY).public
    finally:
        os.close(lock)


def pass_on(directory: Path, owner: Owner, to: Owner, *, key: PrivateKey, at: datetime, nonce: bytes) -> HandedOn:
    """What a seller does with a thing that is off, and was in no domain yet (see `ownership.hand_on`).

    Raises:
        ConfigError: it lives.
        StateError, SecurityError, ProtocolError, StorageError: as `ownership.hand_on`.
    """
    lock = locked(directory / _LOCK, f"the thing in {directory} lives; end it first")
    try:
        home, keys = FileHome(directory / HOME), FileKeyStore(directory / KEYS)
        return hand_on(home, keys, owner, to, key=key, at=at, nonce=nonce)
    finally:
        os.close(lock)


async def run(configs: Sequence[AgentConfig], *, make: type[Agent] = Agent) -> None:
    """Let things live in this process until it is cancelled; any number of them, none of which knows the others.

    One that is told to begin anew does, on what it has kept.

    Args:
        configs: one per thing.
        make: what they are; a simulation may give them a character.

    Raises:
        StorageError: a state directory that was not laid out by a factory.
        TransportError: an address that is not free.
        ConfigError: a thing that lives in another process.
    """
    clock = SystemClock()
    due: asyncio.Queue[AgentConfig] = asyncio.Queue()
    lives: dict[Path, AsyncExitStack] = {}
    async with AsyncExitStack() as stack:
        for config in configs:
            lives[config.home] = await stack.enter_async_context(AsyncExitStack())
            await _start(config, clock, lives[config.home], make, due)
        while True:
            config = await due.get()
            await lives[config.home].aclose()
            await _start(config, clock, lives[config.home], make, due)


async def _command(agent: Agent, pump: Pump, clock: SystemClock, arguments: dict[str, Any]) -> dict[str, Any]:
    """Have a thing switch another's lamp, and tell what came of it in the form that `controller.operation` has."""
    done: asyncio.Future[dict[str, Any]] = asyncio.get_running_loop().create_future()

    def story() -> Story:
        try:
            server, port = str(arguments["thing"]), int(arguments["port"])
            place = (str(arguments["host"]), port) if port else None
            payload = codec.encode(arguments["value"] == "on")
            message = request(Code.PUT, path.LIGHT, payload=payload, content_format=ContentFormat.CBOR)
            response: Message = yield from agent.peer_client.ask(server, place, message)
            done.set_result({"result": {"thing": server, "answer": code_name(response.code)}})
        except (ThingsteadError, KeyError, ValueError) as error:
            reason = getattr(error, "reason", "")
            done.set_result({"error": {"kind": type(error).__name__, "reason": reason, "message": str(error)}})

    agent.stories.start("command", story(), clock.now())
    pump.flush()
    return await done


async def _start(
    config: AgentConfig,
    clock: SystemClock,
    stack: AsyncExitStack,
    make: type[Agent],
    due: asyncio.Queue[AgentConfig],
) -> None:
    # Two processes that are one thing would send two messages under one sequence number (RFC 8613 §12.1).
    lock = locked(config.home / _LOCK, f"the thing in {config.home} lives in another process already")
    stack.callback(os.close, lock)
    sensor: Sensor = FileSensor(config.telemetry_file) if config.telemetry_file else HostSensor()
    agent = make(hardware(config.home, sensor=sensor), config, clock=clock, random_bytes=secrets.token_bytes)
    agent.on_restart = lambda: due.put_nowait(config)
    sockets = [open_socket(config.host, config.port)]
    if config.multicast_group:
        group = config.multicast_group
        sockets.append(open_multicast_socket(group, config.multicast_port, interface=config.host))
    pump = Pump(agent, sockets, clock=clock, is_known=agent.endpoint.is_known)
    stack.callback(pump.close)
    stack.callback(agent.close)

    async def answer(asked: dict[str, Any], _uid: int) -> dict[str, Any]:
        if asked.get("operation") == "command":
            return await _command(agent, pump, clock, asked.get("arguments", {}))
        told = agent.answer(asked) | {"undeliverable": pump.undeliverable}
        pump.flush()
        return told

    server = ControlServer(config.home / STATUS_SOCKET, answer)
    await server.start()
    stack.push_async_callback(server.close)
    agent.start(clock.now())
    pump.flush()
