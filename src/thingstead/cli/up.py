"""``thingstead up``: the controller, in the foreground."""

from __future__ import annotations

import asyncio
import socket
from contextlib import AsyncExitStack
from functools import partial
from pathlib import Path

from thingstead.cli.action import Action, Parameter, Session
from thingstead.cli.ending import ending
from thingstead.controller.app import running, settle
from thingstead.controller.config import WebConfig
from thingstead.controller.directory import DomainDirectory
from thingstead.controller.operation_table import operations
from thingstead.domain.role import Operator, Role
from thingstead.web.feed import asking
from thingstead.web.server import inherited_listener, open_listener, page

__all__ = ["UP"]


def _up(session: Session) -> int:
    asyncio.run(_serve(session, DomainDirectory(session.path("directory"))))
    return 0


async def _serve(session: Session, directory: DomainDirectory) -> None:
    stopped = ending()
    async with AsyncExitStack() as stack:
        controller = await stack.enter_async_context(running(directory))
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
        settle()
        session.console.show(about)
        session.console.next(f"thingstead status --domain {session.options['directory']}")
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
    ),
    _up,
    "Runs until Ctrl-C. What was acknowledged is on disk; whatever was interrupted goes on at the next start.\n"
    "The live page is for this machine only, and only looks.",
)
