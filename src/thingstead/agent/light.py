"""The lamp as a resource: GET tells and PUT sets, one CBOR Boolean for on and off, one integer for its level."""

from __future__ import annotations

from thingstead.agent.envelope import GuardedActuator
from thingstead.endpoint.resource import Call, Resources
from thingstead.errors import DecodeError
from thingstead.protocols.ace.aif import UNBOUNDED, Bounds
from thingstead.protocols.cbor import codec
from thingstead.protocols.coap.message import Message
from thingstead.protocols.coap.option import encode_uint
from thingstead.protocols.coap.registry import Code, ContentFormat, OptionNumber
from thingstead.protocols.profile import path

__all__ = ["serve"]

_LIMITS = codec.Limits(max_bytes=16, max_depth=1)
_CBOR = (ContentFormat.CBOR,)
_OPTIONS = [(int(OptionNumber.CONTENT_FORMAT), encode_uint(ContentFormat.CBOR))]


def serve(resources: Resources, lamp: GuardedActuator) -> None:
    """Register the lamp, within its envelope."""

    def tell(_call: Call) -> Message:
        return Message(Code.CONTENT, options=list(_OPTIONS), payload=codec.encode(lamp.is_on()))

    def switch(call: Call) -> Message:
        wanted = codec.decode(call.request.payload, limits=_LIMITS)
        if not isinstance(wanted, bool):
            raise DecodeError("expected a CBOR Boolean: true is on")
        lamp.switch(wanted, call.now, by=call.peer, bounds=_bounds(call, path.LIGHT))
        return Message(Code.CHANGED)

    def tell_level(_call: Call) -> Message:
        return Message(Code.CONTENT, options=list(_OPTIONS), payload=codec.encode(lamp.level()))

    def dim(call: Call) -> Message:
        wanted = codec.decode(call.request.payload, limits=_LIMITS)
        if type(wanted) is not int:
            raise DecodeError("expected a level in per cent as CBOR integer")
        lamp.dim(wanted, call.now, by=call.peer, bounds=_bounds(call, path.LEVEL))
        return Message(Code.CHANGED)

    resources.register(path.LIGHT, Code.GET, tell, produces=_CBOR)
    resources.register(path.LIGHT, Code.PUT, switch, consumes=_CBOR)
    resources.register(path.LEVEL, Code.GET, tell_level, produces=_CBOR)
    resources.register(path.LEVEL, Code.PUT, dim, consumes=_CBOR)


def _bounds(call: Call, toid: str) -> Bounds:
    return UNBOUNDED if call.scope is None else call.scope.bounds_of(toid)
