"""The domain's CoAP resources: what each path and method asks of which plane."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from thingstead.clock import Clock
from thingstead.controller.admission import Admission
from thingstead.controller.data_engine import RemoteCollector
from thingstead.controller.identity_engine import RemoteAuthority
from thingstead.controller.maintenance import Maintenance
from thingstead.controller.server import DomainServer
from thingstead.endpoint.resource import Call, Handler
from thingstead.errors import DecodeError, ThingsteadError
from thingstead.identifier import ThingId
from thingstead.phases.bootstrap import Bootstrap
from thingstead.planes.data.collector import Collector
from thingstead.planes.identity.certificate_authority import CertificateAuthority
from thingstead.planes.software.door import Door
from thingstead.planes.software.offer import Offer
from thingstead.protocols.cbor import codec
from thingstead.protocols.coap.message import Message
from thingstead.protocols.coap.option import encode_uint
from thingstead.protocols.coap.registry import Code, ContentFormat, OptionNumber
from thingstead.protocols.edhoc import coap_carriage
from thingstead.protocols.edhoc import error as edhoc_error
from thingstead.protocols.profile import update_poll as update_poll_profile
from thingstead.protocols.profile.grant import encode_granted
from thingstead.protocols.profile.update_poll import Standing

__all__ = [
    "bootstrapping",
    "collecting",
    "content",
    "credential_status",
    "granting",
    "keys_first",
    "telling",
    "update_image",
    "update_poll",
    "update_report",
]

_MAX_CTI = 16


def content(payload: bytes, content_format: int, code: int = Code.CONTENT) -> Message:
    """A response with a payload."""
    return Message(code, options=[(OptionNumber.CONTENT_FORMAT, encode_uint(content_format))], payload=payload)


def bootstrapping(bootstrap: Bootstrap, server: DomainServer, *, clock: Clock) -> Handler:
    """POST to the EDHOC resource; what goes wrong is counted and answered by an EDHOC error (RFC 9528 §6)."""

    async def answer(call: Call) -> Message:
        try:
            c_r, _ = coap_carriage.parse_request(call.request.payload)
            payload = await bootstrap.answer(call.request.payload, call.event.source, now=call.now, at=clock.utc())
        except ThingsteadError as error:
            refusal = server.resources.refuse(call.event, None, error)
            body = edhoc_error.answer(error)
            return refusal if body is None else coap_carriage.frame_error(body, refusal.code)
        if c_r is not None:
            server.locate(c_r, call.event.source)
        return content(payload, ContentFormat.EDHOC_CBOR_SEQ, Code.CHANGED)

    deferred = server.deferred(answer)

    def begin(call: Call) -> Message | None:
        if not call.event.is_fresh:
            if not bootstrap.is_reachable(call.request.payload, call.event.source, call.now):
                server.challenge(call)
                return None
            server.vouch(call)
        return deferred(call)

    return begin


def granting(admission: Admission) -> Handler:
    """GET of what the join before it granted, for things that sent their first request with message_3 (RFC 9668)."""

    def answer(call: Call) -> Message:
        grant = admission.grant_of(ThingId(str(call.peer)))
        return content(encode_granted(grant), ContentFormat.CBOR_SEQ)

    return answer


def collecting(collector: Collector | RemoteCollector) -> Handler:
    """POST of telemetry by a thing."""

    def answer(call: Call) -> Message:
        collector.collect(ThingId(str(call.peer)), call.request.payload)
        return Message(Code.CHANGED)

    return answer


def credential_status(authority: CertificateAuthority | RemoteAuthority) -> Handler:
    """FETCH with a credential's ``cti`` as CBOR byte string; the answer is one integer, a `CredentialStatus`."""

    def answer(call: Call) -> Message:
        cti = codec.decode(call.request.payload)
        if not isinstance(cti, bytes) or not 0 < len(cti) <= _MAX_CTI:
            raise DecodeError(f"expected a cti of 1 to {_MAX_CTI} bytes", spec="RFC 8392 §3.1.7")
        return content(codec.encode(int(authority.status(cti))), ContentFormat.CBOR)

    return answer


def telling(maintenance: Maintenance) -> Callable[[Call], Awaitable[Message]]:
    """POST of a page of the journal of maintenance by a thing; answered when it is on disk."""

    async def answer(call: Call) -> Message:
        await maintenance.take_up(ThingId(str(call.peer)), call.request.payload)
        return Message(Code.CHANGED)

    return answer


def keys_first(
    poll: Handler, accepts: Callable[[ThingId], bool], lacks: Callable[[ThingId, Standing], bytes | None]
) -> Handler:
    """GET of the step that the caller lacks to its maker's update keys, as CBOR; `poll` answers where it lacks none."""

    def answer(call: Call) -> Message | None:
        thing = ThingId(str(call.peer))
        step = lacks(thing, update_poll_profile.read(call.request.queries)) if accepts(thing) else None
        return poll(call) if step is None else content(step, ContentFormat.CBOR)

    return answer


def update_poll(tracker: Door, deferred: Callable[[Callable[[Call], Awaitable[Message]]], Handler]) -> Handler:
    """GET of the caller's SUIT envelope; 2.03 when it has it, 4.04 while there is none, or others go first.

    No Content-Format is registered for an envelope by itself (draft-ietf-suit-manifest §11), so it goes as bytes.
    """

    def answer(call: Call, offer: Offer) -> Message:
        tag = (int(OptionNumber.ETAG), offer.etag)
        if tag in call.request.options:
            return Message(Code.VALID, options=[tag])
        return content(offer.encoded, ContentFormat.OCTET_STREAM).with_options(tag)

    async def answer_when_kept(call: Call) -> Message:
        thing = ThingId(str(call.peer))
        await tracker.keep(thing)
        offer = tracker.poll(thing)
        return Message(Code.NOT_FOUND) if offer is None else answer(call, offer)

    later = deferred(answer_when_kept)

    def begin(call: Call) -> Message | None:
        thing = ThingId(str(call.peer))
        offer = tracker.poll(thing)
        if offer is None:
            return Message(Code.NOT_FOUND)
        return answer(call, offer) if tracker.is_kept(thing) else later(call)

    return begin


def update_image(tracker: Door) -> Handler:
    """GET of the image that the caller's envelope is about, or with a file name as query of one beside it.

    The endpoint cuts it into blocks.
    """

    def answer(call: Call) -> Message:
        release = tracker.image(ThingId(str(call.peer)))
        image = None if release is None else _image(release, call.request.queries)
        if release is None or image is None:
            return Message(Code.NOT_FOUND)
        tag = (int(OptionNumber.ETAG), release.etag)
        return content(image, ContentFormat.OCTET_STREAM).with_options(tag)

    return answer


def _image(release: Offer, queries: list[str]) -> bytes | None:
    match queries:
        case []:
            return release.image
        case [name]:
            return release.further.get(name)
        case _:
            return None


def update_report(tracker: Door, server: DomainServer) -> Handler:
    """POST of a SUIT report; answered when what it says is on disk."""

    async def answer(call: Call) -> Message:
        await tracker.report(ThingId(str(call.peer)), call.request.payload)
        return Message(Code.CHANGED)

    return server.deferred(answer)
