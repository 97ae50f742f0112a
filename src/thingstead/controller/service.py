"""What things may ask of the domain, path by path."""

from __future__ import annotations

from collections.abc import Hashable

from thingstead.controller.controller import Controller
from thingstead.controller.directory_resource import DirectoryResource
from thingstead.controller.resource import (
    bootstrapping,
    collecting,
    credential_status,
    granting,
    keys_first,
    telling,
    update_image,
    update_poll,
    update_report,
)
from thingstead.controller.revocation_list import RevocationList
from thingstead.controller.token_resource import TokenResource
from thingstead.domain.attestation_policy import Waits
from thingstead.endpoint.discovery import Attributes, discovery
from thingstead.endpoint.event import RequestReceived
from thingstead.identifier import ThingId
from thingstead.protocols.coap.registry import Code, ContentFormat
from thingstead.protocols.profile import join, path

__all__ = ["serve"]


def serve(controller: Controller) -> None:
    """Register what things may ask; a path that is not here does not exist."""
    resources, server, clock = controller.resources, controller.server, controller.foundation.clock
    resources.register(path.EDHOC, Code.POST, bootstrapping(controller.bootstrap, server, clock=clock), public=True)
    resources.register(path.GRANT, Code.GET, granting(controller.admission))
    resources.register(path.WELL_KNOWN_CORE, Code.GET, discovery(resources, _LINKS), public=True)
    senml, cbor = (ContentFormat.SENML_CBOR,), (ContentFormat.CBOR,)
    resources.register(path.TELEMETRY, Code.POST, collecting(controller.planes.data), consumes=senml)
    things, migrations = controller.register, controller.migrations
    baiting = controller.types.baiting
    poll = keys_first(
        baiting.poll(update_poll(controller.planes.software, server.deferred)),
        controller.planes.software.accepts,
        lambda thing, told: migrations.hear(things.thing(thing), told),
    )
    resources.register(path.UPDATE, Code.GET, poll)
    resources.register(path.UPDATE_IMAGE, Code.GET, baiting.image(update_image(controller.planes.software)))
    report = baiting.report(update_report(controller.planes.software, server))
    resources.register(path.UPDATE_REPORT, Code.POST, report, consumes=cbor)
    resources.register(path.CREDENTIAL_STATUS, Code.FETCH, credential_status(controller.planes.identity))
    journal = server.deferred(telling(controller.maintenance))
    resources.register(path.MAINTENANCE, Code.POST, journal, consumes=cbor)
    RevocationList(controller.planes.tokens, server.notify).serve(resources)
    DirectoryResource(controller.planes.directory, server).serve(resources)
    TokenResource(
        controller.planes.issuer,
        controller.register.thing,
        peers=lambda: controller.owner.peers,
        scope_of=controller.planes.access.scope_of,
        deferred=server.deferred,
        count=resources.refuse,
        require=lambda thing: controller.attesting.require(thing, Waits.TOKENS),
    ).serve(resources)

    def count(event: RequestReceived, peer: Hashable, reason: str) -> None:
        """One ledger entry per thing or source, reason and minute."""
        thing = None if peer is None else ThingId(str(peer))
        controller.refusals.count(reason, at=clock.utc(), thing=thing, source=event.source[0])

    resources.on_refusal = count
    controller.admission.on_url = controller.lookout.urls.note
    if controller.lookout.traffic is not None:
        controller.clones.listeners.append(controller.lookout.traffic.verify)


_LINK_FORMAT = str(int(ContentFormat.LINK_FORMAT))
_LINKS: dict[str, Attributes] = {
    path.EDHOC: join.LINK_ATTRIBUTES,
    path.RD: (("rt", "core.rd"), ("ct", _LINK_FORMAT)),
    path.RD_LOOKUP_EP: (("rt", "core.rd-lookup-ep"), ("ct", _LINK_FORMAT)),
    path.RD_LOOKUP_RES: (("rt", "core.rd-lookup-res"), ("ct", _LINK_FORMAT)),
    path.TELEMETRY: (("ct", str(int(ContentFormat.SENML_CBOR))),),
}
"""Link attributes of what others must know more about than its path (RFC 9668 §6, RFC 7252 §7.2.1)."""
