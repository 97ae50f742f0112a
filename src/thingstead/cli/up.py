"""``thingstead up``: the controller, in the foreground."""

from __future__ import annotations

import asyncio
import socket
from contextlib import AsyncExitStack
from functools import partial
from pathlib import Path

from thingstead.cli.action import Action, Parameter, Session
from thingstead.cli.ending import ending
from thingstead.cli.separation import bring_together, separate
from thingstead.controller.apart import Apart
from thingstead.controller.app import running, settle
from thingstead.controller.config import WebConfig
from thingstead.controller.directory import DomainDirectory
from thingstead.controller.operation_table import operations
from thingstead.domain.role import Operator, Role
from thingstead.errors import ConfigError
from thingstead.web.ddi import ddi_served
from thingstead.web.feed import asking
from thingstead.web.server import inherited_listener, open_listener, page

__all__ = ["UP"]


def _up(session: Session) -> int:
    directory, options = DomainDirectory(session.path("directory")), session.options
    if options["separate"] and options["together"]:
        raise ConfigError("expected --separate or --together, not both")
    if options["together"]:
        bring_together(directory)
    apart: Apart | None = None
    if options["separate"]:
        begun = separate(directory, session.console)
        if isinstance(begun, int):
            return begun
        apart = begun
    asyncio.run(_serve(session, directory, apart))
    return 0


async def _serve(session: Session, directory: DomainDirectory, apart: Apart | None) -> None:
    stopped = ending()
    async with AsyncExitStack() as stack:
        controller = await stack.enter_async_context(running(directory, apart=apart))
        foundation = controller.foundation
        about = {
            "domain": foundation.config.domain.name,
            "coap": f"coap://{foundation.config.coap.host}:{foundation.config.coap.port}",
        }
        listener = _listener(session, foundation.config.web)
        if listener is not None:
            ask = asking(partial(operations(controller).answer, operator=Operator(Role.AUDITOR)))
            about["page"] = await stack.enter_async_context(
                page(ask, listener, clock=foundation.clock, notes=_notes(session))
            )
        if foundation.config.ddi.enabled:
            about["updates"] = await stack.enter_async_context(ddi_served(controller, directory.tls))
        settle()
        session.console.show(about)
        session.console.next("thingstead status --domain", session.options["directory"])
        await stopped.wait()


def _notes(session: Session) -> Path | None:
    return session.path("web_notes") if session.options["web_notes"] else None


def _listener(session: Session, config: WebConfig) -> socket.socket | None:
    if session.options["web_socket"] is not None:
        return inherited_listener(session.options["web_socket"])
    return open_listener(config.host, config.port) if config.enabled else None


UP = Action(
    (
        Parameter("directory", "the domain's directory"),
        Parameter("--web-socket", "descriptor of a listening loopback socket for the live page", read=int),
        Parameter("--web-notes", "JSON file, {serial: {title: text}}, that the live page shows beside its things"),
        Parameter("--separate", "planes, keys and the right to change the kernel's rules each in a process", read=None),
        Parameter("--together", "take back what --separate gave to processes of their own", read=None),
    ),
    _up,
    "Runs until Ctrl-C. What was acknowledged is on disk; whatever was interrupted goes on at the next start.\n"
    "The live page is for this machine only, and only looks.\n"
    "Where root starts it, --separate gives each process a user of its own ([separate] first_user).",
)
