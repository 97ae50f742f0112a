"""Brings to the network plane what the software plane knows: which destinations go with the release that a thing runs.

A release may bring a MUD file, of which those who signed the release stated the digest. While it is offered its names
are looked up; from a thing's report on that it runs the release, the thing goes by that file and not by its maker's
file for all releases.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping

from thingstead.controller.network_engine import RemoteNetwork
from thingstead.controller.software_engine import RemoteTracker
from thingstead.domain.register import Register
from thingstead.errors import ProtocolError, SecurityError, TransportError
from thingstead.identifier import ThingId
from thingstead.planes.network.mud_manager import MudManager
from thingstead.planes.software.status_tracker import StatusTracker
from thingstead.protocols.profile.release_statement import MemberName

__all__ = ["ReleaseNetwork"]

_LOGGER = logging.getLogger(__name__)


class ReleaseNetwork:
    """Looks at whoever installed something, and after a start at everybody.

    Args:
        software: what things run, and what releases bring.
        network: what they may do.
        register: the things.
    """

    def __init__(
        self, software: StatusTracker | RemoteTracker, network: MudManager | RemoteNetwork, register: Register
    ) -> None:
        self._software = software
        self._network = network
        self._register = register
        self._due = {thing.id for thing in register.things()}
        self._going: set[ThingId] = set()
        self._files: dict[str, bytes] = {}

    def allowed(self) -> Mapping[str, bytes]:
        """The MUD file that things of each model go by now, where there is one."""
        urls = {thing.model: thing.mud_url for thing in self._register.things() if thing.mud_url}
        files = {model: self._network.file(url) for model, url in urls.items()}
        return {model: file for model, file in files.items() if file is not None}

    async def offered(self, manifest: str) -> None:
        """A release is offered: its destinations are known before anybody runs it."""
        document = self._file_of(manifest)
        if document:
            await self._network.expect(document)

    def note(self, thing: ThingId) -> None:
        """A thing says that it runs another release."""
        self._due.add(thing)

    async def look(self) -> None:
        """Have everybody who is due go by the file of what they run; who is not here yet is tried again."""
        if not self._due:
            return
        self._due &= {thing.id for thing in self._register.things()}
        for thing in tuple(self._due):
            digest = self._software.runs(thing).manifest_digest
            document = self._file_of(digest.hex()) if digest else b""
            # Whoever never went by a release's file, and runs none that has one, has the right rules.
            if (not document and thing not in self._going) or await self._release(thing, document):
                self._due.discard(thing)

    async def _release(self, thing: ThingId, document: bytes) -> bool:
        """Whether that is settled."""
        try:
            is_here = await self._network.release(thing, document)
        except (ProtocolError, SecurityError) as error:
            _LOGGER.warning("%s keeps its maker's MUD file: %s", thing, error)
            return True
        except TransportError as error:
            _LOGGER.warning("the rules of %s could not be changed yet: %s", thing, error)
            return False
        if is_here:
            self._going.add(thing)
        return is_here

    def _file_of(self, manifest: str) -> bytes:
        if manifest not in self._files:
            carried = self._software.carried(manifest)
            found = b"" if carried is None else carried.files.get(MemberName.MUD, b"")
            if not found:
                return b""
            self._files[manifest] = found
        return self._files[manifest]
