"""Names to addresses: those the owner gave first, then the system's resolver."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Mapping

from thingstead.domain.ports import Resolution
from thingstead.errors import TransportError

__all__ = ["HostsResolver"]

_SECONDS = 5.0


class HostsResolver:
    """A `Resolver`. The system's answers carry no lifetime, so every answer holds for `ttl` seconds.

    Args:
        hosts: names whose addresses the owner gave.
        offline: never ask the system: a name that the owner did not give has no answer.
        ttl: seconds.
    """

    def __init__(self, hosts: Mapping[str, tuple[str, ...]], *, offline: bool, ttl: int = 60) -> None:
        self._hosts = {name.lower().rstrip("."): addresses for name, addresses in hosts.items()}
        self._offline = offline
        self._ttl = ttl

    async def resolve(self, name: str) -> Resolution:
        """All addresses of `name`.

        Raises:
            TransportError: no answer, or not in time.
        """
        given = self._hosts.get(name.lower().rstrip("."))
        if given is not None:
            return Resolution(name, given, self._ttl)
        if self._offline:
            raise TransportError(f"no address was given for {name}, and nobody may be asked")
        try:
            async with asyncio.timeout(_SECONDS):
                answers = await asyncio.get_running_loop().getaddrinfo(name, None, type=socket.SOCK_STREAM)
        except (OSError, TimeoutError) as error:
            raise TransportError(f"no answer for {name}: {error}") from error
        return Resolution(name, tuple(sorted({str(address[0]) for *_, address in answers})), self._ttl)
