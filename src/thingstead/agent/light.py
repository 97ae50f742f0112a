"""The lamp as a resource: GET tells, PUT switches; one CBOR Boolean either way."""

from __future__ import annotations

from thingstead.agent.ports import Actuator
from thingstead.endpoint.resource import Call, Resources
from thingstead.errors import DecodeError
from thingstead.protocols.cbor import codec
from thingstead.protocols.coap.message import Message
from thingstead.protocols.coap.option import encode_uint
from thingstead.protocols.coap.registry import Code, ContentFormat, OptionNumber
from thingstead.protocols.profile import path

__all__ = ["serve"]

_LIMITS = codec.Limits(max_bytes=16, max_depth=1)


def serve(resources: Resources, actuator: Actuator) -> None:
    """Register the lamp."""

    def tell(_call: Call) -> Message:
        options = [(int(OptionNumber.CONTENT_FORMAT), encode_uint(ContentFormat.CBOR))]
        return Message(Code.CONTENT, options=options, payload=codec.encode(actuator.is_on()))

    def switch(call: Call) -> Message:
        wanted = codec.decode(call.request.payload, limits=_LIMITS)
        if not isinstance(wanted, bool):
            raise DecodeError("expected a CBOR Boolean: true is on")
        actuator.switch(wanted)
        return Message(Code.CHANGED)

    resources.register(path.LIGHT, Code.GET, tell, produces=(ContentFormat.CBOR,))
    resources.register(path.LIGHT, Code.PUT, switch, consumes=(ContentFormat.CBOR,))
