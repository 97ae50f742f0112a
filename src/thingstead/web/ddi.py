"""hawkBit's API beside a running controller: its listener, its certificate, and the renewal of that."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from thingstead.controller.controller import Controller
from thingstead.controller.ddi import ddi_origin
from thingstead.controller.housekeeping import every
from thingstead.controller.tls_identity import TlsIdentity
from thingstead.web.ddi_app import make_ddi
from thingstead.web.ddi_server import ConnectionLimits, ddi_listener, ddi_service

__all__ = ["ddi_served"]

_HOUR = 3600.0


@asynccontextmanager
async def ddi_served(controller: Controller, folder: Path) -> AsyncIterator[str]:
    """Serve the API while the block runs; yields where.

    Args:
        controller: whose things ask.
        folder: of the authority and the server's certificate.

    Raises:
        ConfigError: settings that cannot be obeyed, or an address that is not free.
    """
    foundation = controller.foundation
    config, origin = foundation.config.ddi, ddi_origin(foundation.config.ddi)
    identity = TlsIdentity(folder, domain=foundation.config.domain.name, host=config.name, clock=foundation.clock)
    controller.ddi.authority_expires, controller.devices.certify = identity.expires, identity.certify
    listener = ddi_listener(config.host, config.port)
    app = make_ddi(controller.ddi, origin=origin, poll_seconds=config.poll_seconds)
    limits = ConnectionLimits(most=config.max_connections)
    async with asyncio.TaskGroup() as tasks, ddi_service(app, listener, identity.context, limits=limits):
        chores = [tasks.create_task(every(_HOUR, work)) for work in (identity.renew, controller.ddi.tidy)]
        try:
            yield origin
        finally:
            for chore in chores:
                chore.cancel()
