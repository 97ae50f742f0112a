"""The lamp as a resource: GET tells and PUT sets, one CBOR Boolean for on and off, one integer for its level.

Either can be observed (RFC 7641): whoever may read it is told of each change, until their right to it ends.
"""

from __future__ import annotations

from collections.abc import Callable

from thingstead.agent.envelope import GuardedActuator
from thingstead.endpoint.event import ExchangeId
from thingstead.endpoint.resource import Call, Resources
from thingstead.errors import DecodeError
from thingstead.protocols.ace.aif import UNBOUNDED, Bounds
from thingstead.protocols.cbor import codec
from thingstead.protocols.coap.message import Message
from thingstead.protocols.coap.option import encode_uint
from thingstead.protocols.coap.registry import Code, ContentFormat, OptionNumber
from thingstead.protocols.profile import path

__all__ = ["Light"]

_LIMITS = codec.Limits(max_bytes=16, max_depth=1)
_CBOR = (ContentFormat.CBOR,)
_FORMAT = (int(OptionNumber.CONTENT_FORMAT), encode_uint(ContentFormat.CBOR))
_OBSERVED = (int(OptionNumber.OBSERVE), b"")
_MAX_OBSERVATIONS = 32


class Light:
    """Both resources of a lamp, within its envelope.

    Args:
        lamp: what is told and set.
        notify: tells an observer how it stands now; one whose observation has ended is told nothing.
    """

    def __init__(self, lamp: GuardedActuator, notify: Callable[[ExchangeId, Message], None]) -> None:
        self._lamp = lamp
        self._notify = notify
        self._observations: dict[ExchangeId, str] = {}

    def serve(self, resources: Resources) -> None:
        """Register them."""
        for place, set_ in ((path.LIGHT, self._switch), (path.LEVEL, self._dim)):
            resources.register(place, Code.GET, self._tell, produces=_CBOR)
            resources.register(place, Code.PUT, set_, consumes=_CBOR)

    def _tell(self, call: Call) -> Message:
        place = call.request.path
        if not call.event.observe:
            return self._state(place)
        # The endpoint knows which observations have ended; here the oldest make room, and are told nothing more.
        self._observations[call.event.exchange] = place
        while len(self._observations) > _MAX_OBSERVATIONS:
            del self._observations[next(iter(self._observations))]
        return self._state(place).with_options(_OBSERVED)

    def _switch(self, call: Call) -> Message:
        wanted, before = codec.decode(call.request.payload, limits=_LIMITS), self._lamp.is_on()
        if not isinstance(wanted, bool):
            raise DecodeError("expected a CBOR Boolean: true is on")
        self._lamp.switch(wanted, call.now, by=call.peer, bounds=_bounds(call, path.LIGHT))
        return self._changed(path.LIGHT, before != wanted)

    def _dim(self, call: Call) -> Message:
        wanted, before = codec.decode(call.request.payload, limits=_LIMITS), self._lamp.level()
        if type(wanted) is not int:
            raise DecodeError("expected a level in per cent as CBOR integer")
        self._lamp.dim(wanted, call.now, by=call.peer, bounds=_bounds(call, path.LEVEL))
        return self._changed(path.LEVEL, before != wanted)

    def _changed(self, place: str, is_news: bool) -> Message:
        if is_news:
            for exchange in [one for one, observed in self._observations.items() if observed == place]:
                self._notify(exchange, self._state(place).with_options(_OBSERVED))
        return Message(Code.CHANGED)

    def _state(self, place: str) -> Message:
        value = self._lamp.is_on() if place == path.LIGHT else self._lamp.level()
        return Message(Code.CONTENT, options=[_FORMAT], payload=codec.encode(value))


def _bounds(call: Call, toid: str) -> Bounds:
    return UNBOUNDED if call.scope is None else call.scope.bounds_of(toid)
