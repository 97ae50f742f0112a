"""The Group Manager's resources: one path for each group, to join it and to ask for its keys (RFC 9594 §4.3)."""

from __future__ import annotations

from collections.abc import Callable

from thingstead.controller.group import groups_of_policy
from thingstead.controller.resource import content
from thingstead.controller.server import DomainServer
from thingstead.domain.policy import OwnerPolicy
from thingstead.endpoint.resource import Call, Resources
from thingstead.identifier import ThingId
from thingstead.planes.groups.courier import Courier
from thingstead.protocols.coap.message import Message
from thingstead.protocols.coap.registry import Code, ContentFormat
from thingstead.protocols.profile import path

__all__ = ["GroupResources"]

_FORMAT = ContentFormat.ACE_GROUPCOMM_CBOR


class GroupResources:
    """Serves the groups of a domain, those that come to be later too.

    Args:
        resources: where paths are registered.
        server: runs what takes time.
        groups: the groups plane.
        require: raises where a thing has to wait for its groups.
    """

    def __init__(
        self, resources: Resources, server: DomainServer, groups: Courier, require: Callable[[ThingId], None]
    ) -> None:
        self._resources = resources
        self._server = server
        self._groups = groups
        self._require = require
        self._served: set[str] = set()

    async def make(self, policy: OwnerPolicy) -> None:
        """Make the groups that `policy` names, and serve every group.

        Raises:
            StorageError: they could not be kept.
        """
        for name in groups_of_policy(policy):
            await self._groups.create(name)
        self.serve()

    def serve(self) -> None:
        """Register every group that is not served yet."""
        for record in self._groups.groups():
            if record.name not in self._served:
                self._served.add(record.name)
                self._register(record.name)

    def _register(self, name: str) -> None:
        groups = self._groups

        async def join(call: Call) -> Message:
            thing = ThingId(str(call.peer))
            self._require(thing)
            if not call.request.payload:
                return content(await groups.challenge(thing, name), _FORMAT, Code.BAD_REQUEST)
            return content(await groups.join(thing, name, call.request.payload), _FORMAT, Code.CREATED)

        async def tell(call: Call) -> Message:
            thing = ThingId(str(call.peer))
            self._require(thing)
            return content(await groups.keys(thing, name), _FORMAT)

        toid = f"{path.ACE_GROUP}/{name}"
        self._resources.register(toid, Code.POST, self._server.deferred(join))
        self._resources.register(toid, Code.GET, self._server.deferred(tell))
