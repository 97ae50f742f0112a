"""``thingstead up``: the controller, in the foreground."""

from __future__ import annotations

import asyncio
import signal

from thingstead.cli.action import Action, Parameter, Session
from thingstead.controller.app import running
from thingstead.controller.directory import DomainDirectory

__all__ = ["UP"]


def _up(session: Session) -> int:
    asyncio.run(_serve(session, DomainDirectory(session.path("directory"))))
    return 0


async def _serve(session: Session, directory: DomainDirectory) -> None:
    stopped = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stopped.set)
    async with running(directory) as controller:
        coap = controller.foundation.config.coap
        session.console.show(
            {
                "domain": controller.foundation.config.domain.name,
                "coap": f"coap://{coap.host}:{coap.port}",
                "state": "up",
            }
        )
        session.console.next(f"thingstead status --domain {session.options['directory']}")
        await stopped.wait()


UP = Action(
    (Parameter("directory", "the domain's directory"),),
    _up,
    "Runs until Ctrl-C. What was acknowledged is on disk; whatever was interrupted goes on at the next start.",
)
