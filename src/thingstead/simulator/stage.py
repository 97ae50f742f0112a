"""The processes of a demo: one controller, one per thing, each in its place, all gone when it ends."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from thingstead.enforcement.namespace import Attachment, Site
from thingstead.errors import TransportError
from thingstead.simulator import launch
from thingstead.transport.control_socket import ControlClient

__all__ = ["Actor", "Stage"]

_SOCKET_PATIENCE = 20.0
_POLL = 0.02
_GRACE = 3.0
_LAST_LINES = 2


@dataclass(slots=True)
class Actor:
    """One process of the demo.

    Attributes:
        name: for people.
        arguments: of its program, kept for a restart.
        socket: Unix socket on which it answers.
        attachment: its place in the network; None where there are no namespaces.
        inherited: descriptors it keeps.
        module: its program.
        process: while it runs.
    """

    name: str
    arguments: Sequence[str]
    socket: Path
    attachment: Attachment | None = None
    inherited: tuple[int, ...] = ()
    module: str = "thingstead"
    process: asyncio.subprocess.Process | None = field(default=None, repr=False)


class Stage:
    """Starts, asks, kills and clears away actors.

    Args:
        site: the namespaces; None runs everything on loopback.
        log: file that all actors write what they have to say to.
        environment: added to every actor's environment.
    """

    def __init__(self, site: Site | None, *, log: Path, environment: Mapping[str, str] | None = None) -> None:
        self.site = site
        self._log = log
        self._environment = {**os.environ, **(environment or {})}
        self._actors: dict[str, Actor] = {}

    def actor(self, name: str) -> Actor:
        """The actor of that name."""
        return self._actors[name]

    async def start(self, actor: Actor) -> None:
        """Start it and wait until it answers on its socket.

        Raises:
            TransportError: it ended at once, or does not answer.
        """
        self._actors[actor.name] = actor
        place, inherited = launch.HERE, actor.inherited
        if actor.attachment is not None:
            place, inherited = str(actor.attachment.namespace), (*inherited, actor.attachment.namespace)
        command = [sys.executable, "-m", launch.__name__, place, actor.module, *actor.arguments]
        with self._log.open("ab") as log:
            actor.process = await asyncio.create_subprocess_exec(
                *command,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=self._environment,
                pass_fds=inherited,
            )
        await self._answering(actor)

    async def kill(self, name: str) -> None:
        """Kill -9, and wait until the kernel has cleared it away."""
        process = self._actors[name].process
        if process is not None and process.returncode is None:
            process.kill()
            await process.wait()

    async def restart(self, name: str) -> None:
        """Start an actor again with the arguments it had."""
        await self.start(self._actors[name])

    async def ask(self, name: str, request: Mapping[str, Any]) -> dict[str, Any]:
        """Ask an actor over its socket.

        Raises:
            TransportError: it does not answer.
        """
        return await asyncio.to_thread(_ask, self._actors[name].socket, dict(request))

    async def close(self) -> None:
        """End everything: politely, then not."""
        processes = [actor.process for actor in self._actors.values() if actor.process is not None]
        running = [process for process in processes if process.returncode is None]
        for process in running:
            process.send_signal(signal.SIGTERM)
        try:
            async with asyncio.timeout(_GRACE):
                for process in running:
                    await process.wait()
        except TimeoutError:
            for process in running:
                if process.returncode is None:
                    process.kill()
                    await process.wait()
        if self.site is not None:
            self.site.close()

    async def _answering(self, actor: Actor) -> None:
        for _ in range(round(_SOCKET_PATIENCE / _POLL)):
            process = actor.process
            if process is None or process.returncode is not None:
                raise TransportError(f"{actor.name} ended at its start: {self._last_words()}")
            try:
                await asyncio.to_thread(ControlClient(actor.socket).close)
            except TransportError:
                await asyncio.sleep(_POLL)
            else:
                return
        raise TransportError(f"{actor.name} does not answer: {self._last_words()}")

    def _last_words(self) -> str:
        """The end of the log, which is gone when the demo is."""
        lines = self._log.read_text("utf-8", "replace").strip().splitlines()
        return " / ".join(lines[-_LAST_LINES:]) or "it said nothing"


def _ask(socket: Path, request: dict[str, Any]) -> dict[str, Any]:
    client = ControlClient(socket)
    try:
        return client.ask(request)
    finally:
        client.close()
